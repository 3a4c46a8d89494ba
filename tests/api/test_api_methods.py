"""HEAD tells of every path what GET would, OPTIONS and 405 what there is."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from api.limits import MAX_BODY
from ingest.catalogue.access import Scope, create_token
from tests.entities import PAST, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from tests.entities import Catalogue

DATASETS, RETRY = "/api/v1/datasets", "/api/v1/quarantine/retry"


@pytest.fixture
def operator(catalogue: Catalogue, client: TestClient) -> TestClient:
    with catalogue.sessions.begin() as session:
        token = create_token(session, "operator", Scope, PAST, None)
        add_dataset(session, "zinnia")
    client.headers["Authorization"] = f"Bearer {token.text}"
    return client


@pytest.mark.parametrize(
    "path",
    [DATASETS, f"{DATASETS}/1", f"{DATASETS}/1/files", f"{DATASETS}/99", f"{DATASETS}?limit=0", "/api/v1/status",
     "/api/v1/openapi.json", "/", "/docs", "/health/live", "/health/ready", "/docs/assets/swagger-ui.css", RETRY,
     "/nowhere"],
)  # fmt: skip
def test_head_is_get_without_the_body(operator: TestClient, path: str) -> None:
    whole, head = operator.get(path), operator.head(path)
    assert head.content == b""
    assert head.status_code == whole.status_code
    assert dict(head.headers, **{"x-request-id": ""}) == dict(whole.headers, **{"x-request-id": ""})


def test_head_is_conditional_like_get(operator: TestClient) -> None:
    etag = operator.get(DATASETS).headers["etag"]
    assert operator.head(DATASETS, headers={"If-None-Match": etag}).status_code == 304


def test_route_that_declares_head_is_asked_for_it(app: FastAPI, client: TestClient) -> None:
    asked = []

    def answer(request: Request) -> Response:
        asked.append(request.method)
        return Response(headers={"Content-Length": "1000000"}) if request.method == "HEAD" else Response("whole")

    app.add_api_route("/download", answer, methods=["GET", "HEAD"])
    head = client.head("/download")
    assert (asked, head.headers["content-length"], head.content) == (["HEAD"], "1000000", b"")
    assert "etag" not in head.headers


def test_head_of_a_stream_sends_nothing(app: FastAPI, client: TestClient) -> None:
    def stream() -> Iterator[bytes]:
        yield from (b"a", b"b")

    app.add_api_route("/stream", lambda: StreamingResponse(stream()))
    assert client.head("/stream").content == b""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        (DATASETS, "GET, HEAD, OPTIONS"),
        (RETRY, "OPTIONS, POST"),
        ("/twice", "DELETE, GET, HEAD, OPTIONS"),
        ("/docs/assets/swagger-ui.css", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
    ],
)
def test_methods_of_a_path_are_told(app: FastAPI, client: TestClient, path: str, allowed: str) -> None:
    app.add_api_route("/twice", lambda: "read", methods=["GET"])
    app.add_api_route("/twice", lambda: "gone", methods=["DELETE"])
    told = client.options(path)
    assert (told.status_code, told.headers["allow"], told.content) == (204, allowed, b"")
    for method in {"GET", "PUT", "PATCH", "DELETE", "TRACE", "POST", "BREW"} - set(allowed.split(", ")):
        refused = client.request(method, path)
        assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
        assert refused.headers["content-type"].startswith("text/html" if path == "/" else "application/problem+json")


def test_path_that_is_not_there_has_no_methods(client: TestClient) -> None:
    answer = client.options("/nowhere")
    assert answer.status_code == 404
    assert "allow" not in answer.headers


def test_methods_are_told_behind_a_proxy(app: FastAPI) -> None:
    with TestClient(app, root_path="/catalogue") as client:
        for path in (DATASETS, "/docs/assets/swagger-ui.css"):
            assert client.options(f"/catalogue{path}").headers["allow"] == "GET, HEAD, OPTIONS"
            assert client.head(f"/catalogue{path}").status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_body_that_is_too_large_is_refused_unread(operator: TestClient, method: str) -> None:
    def fail() -> Iterator[bytes]:
        yield b"a"

    headers = {"Content-Length": str(MAX_BODY + 1), "Content-Type": "application/json"}
    path = RETRY if method == "POST" else DATASETS
    answer = operator.request(method, path, content=fail(), headers=headers)
    assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"at most {MAX_BODY} bytes" in answer.json()["detail"]


def test_body_that_does_not_tell_its_length_is_counted(operator: TestClient) -> None:
    chunk = b" " * 2**20
    for number, status in ((MAX_BODY // 2**20 - 1, 422), (MAX_BODY // 2**20 + 1, 413)):
        body = iter([b"{}", *[chunk] * number])
        answer = operator.post(RETRY, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_largest_order_is_small_enough(operator: TestClient) -> None:
    paths = [f"/{number:04}{'x' * 4091}" for number in range(1000)]
    assert operator.post(RETRY, json={"paths": paths}).json() == {"count": 0}
