"""Every error is a problem document; what is hostile is refused, and what is our own fault tells nothing."""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import HTTPException
from sqlalchemy import text

from api.dependencies import get_now
from ingest.catalogue.errors import ConflictError, PathOutsideRootsError, SchemaTooNewError
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests.entities import add_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"
PRIVATE = "an address of the database"


def fail_with(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/api/v1/datasets/", 404),
        ("/docs/assets/../../../pyproject.toml", 404),
        ("/docs/assets/%2e%2e/%2e%2e/__init__.py", 404),
        ("/api/v1/datasets/42", 404),
        ("/api/v1/datasets/0", 422),
        ("/api/v1/datasets/-1", 422),
        ("/api/v1/datasets/one", 422),
        ("/api/v1/datasets/1%00", 422),
        ("/api/v1/datasets/9223372036854775807", 404),
        ("/api/v1/datasets/9223372036854775808", 422),
        ("/api/v1/datasets/" + "9" * 5000, 422),
        ("/api/v1/datasets?limit=0", 422),
        ("/api/v1/datasets?limit=1001", 422),
        ("/api/v1/datasets?limit=" + "9" * 5000, 422),
        ("/api/v1/datasets?limit=many", 422),
        ("/api/v1/datasets?instrumnt=id11", 422),
        ("/api/v1/datasets?facets=instrument,name", 422),
        ("/api/v1/datasets?facets=" + ",".join(["instrument"] * 1000), 422),
        ("/api/v1/datasets?sort=size", 422),
        ("/api/v1/datasets?complete=maybe", 422),
        ("/api/v1/datasets?q=%00", 422),
        ("/api/v1/datasets?instrument=id%0011", 422),
        ("/api/v1/datasets?" + "&".join(["instrument=id11"] * 21), 422),
        ("/api/v1/datasets?q=" + "a" * 4001, 422),
        ("/api/v1/datasets?q=" + "a" * 2001, 400),
        ("/api/v1/datasets?q=" + "(" * 2000, 400),
        ("/api/v1/datasets?q=" + "not+" * 400 + "a", 400),
        ("/api/v1/datasets?q=%ff%fe", 400),
        ("/api/v1/datasets?q=%ed%a0%80", 400),
        ("/api/v1/datasets?q=nothing:1..2", 400),
        ("/api/v1/datasets?q=energy:1..2+parsec", 400),
        ("/api/v1/datasets?parameter=energy", 400),
        ("/api/v1/datasets?parameter=instrument:id11", 400),
        ("/api/v1/datasets?parameter=energy:1..2+or+LaB6", 400),
        ("/api/v1/datasets?parameter=energy:1..2)+or+(LaB6", 400),
        ("/api/v1/datasets?start_date=soon", 400),
        ("/api/v1/datasets?start_date=2025+or+LaB6", 400),
        ("/api/v1/datasets?start_date=2026..2025", 400),
        ("/api/v1/datasets?cursor=abc", 400),
        ("/api/v1/datasets?cursor=%c3%a5", 400),
        ("/api/v1/datasets?cursor=" + "A" * 3999, 400),
        ("/api/v1/datasets?cursor=" + "A" * 4001, 422),
        ("/api/v1/datasets/42/scans?cursor=abc", 404),
        ("/api/v1/datasets/42/scans?limit=1001", 422),
        ("/api/v1/datasets/42/parameters?scan=%00", 422),
        ("/api/v1/datasets/42/files?offset=3", 422),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_answered_is_refused_as_a_problem(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["type"]) == (status, "about:blank")
    assert problem["code"]
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_method_is_refused_with_those_that_are_there(client: TestClient, method: str) -> None:
    answer = getattr(client, method)(DATASETS)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert answer.headers["content-type"] == "application/problem+json"


def test_query_is_refused_with_the_place(client: TestClient) -> None:
    problem = client.get(DATASETS, params={"q": "LaB6 (tooth"}).json()
    assert (problem["code"], problem["text"], problem["position"]) == ("invalid_query", "LaB6 (tooth", 5)
    assert "never closed" in problem["detail"]


def test_place_counts_in_the_part_that_was_given(client: TestClient) -> None:
    problem = client.get(DATASETS, params={"start_date": "2025..soon"}).json()
    assert (problem["text"], problem["position"]) == ("2025..soon", 6)
    assert problem["detail"].startswith("start_date: ")


def test_every_wrong_parameter_is_named(client: TestClient) -> None:
    problem = client.get(DATASETS, params={"limit": 0, "instrumnt": "id11", "facets": "size"}).json()
    messages = {error["name"]: error["message"] for error in problem["errors"]}
    assert messages.keys() == {"limit", "instrumnt", "facets"}
    assert messages["instrumnt"] == "there is no such parameter"
    assert messages["facets"].startswith("'size' cannot be counted: choose from ")


def test_bytes_that_are_no_text_do_no_harm(app: FastAPI, client: TestClient) -> None:
    """A client library would escape them; a hostile client does not."""
    assert client.get("/health/live").status_code == 200
    for path, query in ((DATASETS, b"q=\xff\xfe"), (DATASETS, b"\xff=1"), (DATASETS, b"cursor=\xff"), ("/\udcff", b"")):
        assert asyncio.run(get_raw(app, path, query)) < 500


async def get_raw(app: FastAPI, path: str, query: bytes) -> int:
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogateescape"),
        "query_string": query,
        "headers": [(b"host", b"\xff\xfe:no port")],
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return int(messages[0]["status"])


def test_unreleased_files_are_refused_by_name(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "zinnia", release_date=None, is_metadata_public=True)
    answer = client.get(f"{DATASETS}/{dataset_id}/files")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_released")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConflictError("somebody else was quicker"), 409, "conflict"),
        (PathOutsideRootsError("/etc"), 403, "path_outside_roots"),
        (HTTPException(410, "expired"), 410, "gone"),
    ],
)
def test_known_errors_have_their_status(
    app: FastAPI, client: TestClient, error: Exception, status: int, code: str
) -> None:
    app.dependency_overrides[get_now] = fail_with(error)
    answer = client.get(DATASETS)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("error", [ValueError(PRIVATE), SchemaTooNewError(PRIVATE, "1"), HTTPException(500, PRIVATE)])
def test_error_of_ours_shows_a_request_id_and_nothing_else(app: FastAPI, client: TestClient, error: Exception) -> None:
    app.dependency_overrides[get_now] = fail_with(error)
    answer = client.get(DATASETS)
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "request_id": answer.headers["x-request-id"],
    }
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_error_of_ours_is_logged_under_its_request_id(
    app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    app.dependency_overrides[get_now] = fail_with(ValueError(PRIVATE))
    with caplog.at_level(logging.ERROR):
        request_id = client.get(DATASETS).json()["request_id"]
    assert any(request_id in record.message and PRIVATE in record.message for record in caplog.records)


def test_broken_database_is_said_to_be_unavailable(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.engine.begin() as connection:
        connection.execute(text("ALTER TABLE dataset RENAME TO gone"))
    answer = client.get(f"{DATASETS}/1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json().keys() == {"type", "title", "status", "request_id"}


def test_lost_index_is_said_to_be_unavailable(catalogue: Catalogue, client: TestClient) -> None:
    shutil.rmtree(catalogue.settings.index_folder)
    answer = client.get(DATASETS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert str(catalogue.settings.data) not in answer.text


def test_ready_when_all_answers(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "live"}
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": True, "schema": True, "index": True}}


def test_not_ready_without_the_index(catalogue: Catalogue, client: TestClient) -> None:
    shutil.rmtree(catalogue.settings.index_folder)
    assert_not_ready(client, {"database": True, "schema": True, "index": False})
    EmbeddedIndex(catalogue.settings.index_folder).close()
    assert client.get("/health/ready").status_code == 200


def test_not_ready_with_another_schema(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert_not_ready(client, {"database": True, "schema": False, "index": True})


def test_not_ready_without_the_database(catalogue: Catalogue, client: TestClient) -> None:
    for file in catalogue.settings.data.glob("catalogue.sqlite*"):
        file.unlink()
    (catalogue.settings.data / "catalogue.sqlite").mkdir()
    client.app.state.services.engine.dispose()
    assert_not_ready(client, {"database": False, "schema": False, "index": True})
    assert client.get("/health/live").status_code == 200


def assert_not_ready(client: TestClient, checks: dict[str, bool]) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["checks"] == checks
    assert "/" not in answer.json()["request_id"]
    assert answer.json().keys() == {"type", "title", "status", "checks", "request_id"}


def test_every_answer_has_its_headers(client: TestClient) -> None:
    ids = set()
    for path in ("/docs", "/health/live", "/nowhere", DATASETS, f"{DATASETS}?limit=0"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        ids.add(headers["x-request-id"])
    assert len(ids) == 5


def test_requests_give_their_connections_back(client: TestClient) -> None:
    engine = client.app.state.services.engine
    for _ in range(30):
        assert client.get(f"{DATASETS}/1").status_code == 404
    assert engine.pool.checkedout() == 0
