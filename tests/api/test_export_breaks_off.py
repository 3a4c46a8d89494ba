"""Who hangs up in the middle of an export leaves nothing behind: no walk, no connection, no transaction, no reading."""

from __future__ import annotations

import socket
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from api.app import create_app
from ingest.catalogue.model import DatasetParameter
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests.api.folders import PATIENCE_SECONDS, serving
from tests.entities import add_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from ingest.catalogue.search import SearchRequest
    from tests.entities import Catalogue

DATASETS = 20
LETTERS = 1_000_000
"""Of each: all of them are more than the buffers between server and client hold."""


class WatchedIndex(EmbeddedIndex):
    """An index that knows which of its walks go on, and how far they went: one dataset at a time."""

    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(catalogue.settings.index_folder)
        self.begun = self.open = self.walked = 0

    def walk(self, request: SearchRequest) -> Iterator[list[int]]:
        self.begun += 1
        self.open += 1
        try:
            for stretch in super().walk(request):
                for dataset_id in stretch:
                    self.walked += 1
                    yield [dataset_id]
        finally:
            self.open -= 1


@pytest.fixture(scope="module")
def large(module_catalogue: Catalogue) -> Catalogue:
    """Return a catalogue of datasets with a long remark each."""
    with module_catalogue.sessions.begin() as session:
        first = add_dataset(session, "zinnia")
        for number in range(1, DATASETS):
            add_dataset(session, "zinnia", beside=first, name=f"zinnia_{number}")
        of_text = DatasetParameter.string_value.is_not(None)
        session.execute(update(DatasetParameter).where(of_text).values(string_value="x" * LETTERS))
    module_catalogue.index_all()
    return module_catalogue


@pytest.fixture
def app(large: Catalogue) -> FastAPI:
    return create_app(large.settings)


def begin(address: str, form: str) -> socket.socket:
    """Return a connection on which an export has begun; it takes in as little as it can."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(PATIENCE_SECONDS)
    parts = urlsplit(address)
    connection.connect((parts.hostname, parts.port))
    path = f"/api/v1/export?format={form}&column=zinnia_remark"
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    return connection


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_who_hangs_up_in_the_middle_leaves_nothing_behind(app: FastAPI, large: Catalogue, form: str) -> None:
    with serving(app) as address:
        index = WatchedIndex(large)
        engine = app.state.services.engine
        app.state.services = replace(app.state.services, index=index)
        for _ in range(3):
            begin(address, form).close()
        wait_until(lambda: index.open == 0)
        walked = index.walked
        assert (index.begun, walked < 3 * DATASETS) == (3, True)
        assert engine.pool.checkedout() == 0
        with closing(sqlite3.connect(large.settings.data / "catalogue.sqlite")) as other:
            is_busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not is_busy
        time.sleep(0.1)
        assert index.walked == walked
        index.close()
