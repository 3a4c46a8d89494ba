"""Datasets whose files are there: rows as the ingest leaves them, and a service that serves them over real sockets.

`from tests.api.folders import ...`.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import uvicorn
from sqlalchemy import select, update

from ingest.catalogue.model import Datafile, Dataset, MasterFile, Root
from tests.entities import add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from fastapi import FastAPI

    from tests.entities import Catalogue

PATIENCE_SECONDS = 60
OLD_NS = 1_600_000_000_123_456_789
OLD_DATE = "Sun, 13 Sep 2020 12:26:40 GMT"


@dataclass(frozen=True)
class Shelf:
    """A root with dataset folders in it."""

    catalogue: Catalogue
    root: Path

    def add(self, word: str, files: Mapping[str, bytes], **values: Any) -> int:
        """Write a dataset's folder, the files last changed long ago, and add its rows; return its id."""
        folder = self.root / word
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(OLD_NS, OLD_NS))
        return self.add_rows(word, folder, list(files), **values)

    def add_rows(self, word: str, folder: Path, names: list[str], **values: Any) -> int:
        """Add the rows of a dataset whose files are there; return its id."""
        with self.catalogue.sessions.begin() as session:
            dataset_id = add_dataset(session, word, files=0, location=str(folder), **values)
            root_id = session.scalar(select(Root.id).where(Root.path == str(self.root)))
            master_file_id = select(Dataset.master_file_id).where(Dataset.id == dataset_id).scalar_subquery()
            if root_id is None:
                own = select(MasterFile.root_id).where(MasterFile.id == master_file_id).scalar_subquery()
                session.execute(update(Root).where(Root.id == own).values(path=str(self.root)))
            else:
                session.execute(update(MasterFile).where(MasterFile.id == master_file_id).values(root_id=root_id))
            session.add_all(
                Datafile(
                    dataset_id=dataset_id,
                    ordinal=ordinal,
                    name=name,
                    file_size=(folder / name).stat().st_size if (folder / name).exists() else 10,
                    mtime_ns=OLD_NS,
                )
                for ordinal, name in enumerate(names)
            )
        return dataset_id

    def set(self, dataset_id: int, name: str, **values: Any) -> None:
        """Change what the catalogue knows of a file."""
        with self.catalogue.sessions.begin() as session:
            session.execute(
                update(Datafile).where(Datafile.dataset_id == dataset_id, Datafile.name == name).values(**values)
            )


class Fetched(NamedTuple):
    """An answer; the names of its headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def begun(address: str, path: str, method: str = "GET", **headers: str) -> Iterator[HTTPResponse]:
    """Ask for the path as it is written, tidied up by nobody; `If_Match` is the header If-Match. Hang up at the end."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        with connection.getresponse() as answer:
            yield answer
    finally:
        connection.close()


def fetch(address: str, path: str, method: str = "GET", **headers: str) -> Fetched:
    """Return the whole answer, asked for as by `begun`."""
    with begun(address, path, method, **headers) as answer:
        return Fetched(answer.status, {n.lower(): value for n, value in answer.headers.items()}, answer.read())


@contextmanager
def serving(app: FastAPI, **settings: Any) -> Iterator[str]:
    """Serve the application on a free port; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", **settings))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not server.started:
                assert thread.is_alive()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
