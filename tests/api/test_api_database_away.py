"""The database goes away and comes back: what needs it is answered 503 meanwhile, and nobody has to restart us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from facility.postgresql import FAST, PostgreSql
from ingest.catalogue.schema import upgrade_schema
from tests.entities import add_dataset, opened_copy
from tests.servers import empty_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATHS = ("/api/v1/datasets", "/api/v1/datasets/1", "/api/v1/datasets/1/files", "/datasets/1")


@pytest.fixture
def server() -> Iterator[PostgreSql]:
    """Start a server of our own, to be killed."""
    server = PostgreSql(FAST)
    yield server
    server.stop()


def test_requests_are_answered_503_until_the_database_is_back(
    server: PostgreSql, migrated: Path, tmp_path: Path
) -> None:
    with empty_database(server.address) as address, opened_copy(migrated, tmp_path, address) as catalogue:
        upgrade_schema(catalogue.engine)
        with catalogue.sessions.begin() as session:
            add_dataset(session, "here")
        catalogue.index_all()
        with TestClient(create_app(catalogue.settings), raise_server_exceptions=False) as client:
            assert [client.get(path).status_code for path in PATHS] == [200] * len(PATHS)
            server.kill()
            for path in PATHS:
                answer = client.get(path)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
                if path.startswith("/api"):
                    assert answer.json().keys() == {"type", "title", "status", "request_id"}
            ready = client.get("/health/ready")
            assert (ready.status_code, ready.json()["checks"]["database"]) == (503, False)
            assert client.get("/health/live").status_code == 200
            server.restart()
            assert [client.get(path).status_code for path in PATHS] == [200] * len(PATHS)
            assert client.get("/health/ready").status_code == 200
