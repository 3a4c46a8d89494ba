"""What one has already is not sent again, and no cache keeps what was for somebody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from fastapi.testclient import TestClient

from api.app import create_app
from api.conditional import ConditionalRequests
from ingest.catalogue.access import Scope, create_token
from tests.entities import PAST, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"
OTHER = '"another"'


@pytest.fixture(scope="module")
def app(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    with module_catalogue.sessions.begin() as session:
        add_dataset(session, "zinnia")
        add_dataset(session, "nightshade", is_secret=True)
    module_catalogue.index_all()
    made = create_app(module_catalogue.settings)
    add_doors(made, tmp_path_factory.mktemp("doors"))
    return made


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


def add_doors(app: FastAPI, folder: Path) -> None:
    """Add what the API's own routes do not show: streams, files, answers that set these headers themselves."""
    file = folder / "file.h5"
    file.write_bytes(b"data" * 100)
    app.get("/stream")(lambda: StreamingResponse(iter([b"a", b"b"]), media_type="application/zip"))
    app.get("/file")(lambda: FileResponse(file, headers={"Vary": "Accept"}))
    app.get("/negotiated")(lambda: JSONResponse({}, headers={"Vary": "accept, Origin", "Cache-Control": "max-age=5"}))
    app.get("/all")(lambda: JSONResponse({}, headers={"Vary": "*"}))
    app.get("/styled")(
        lambda: Response(
            "<p>",
            media_type="text/html",
            headers={
                "Content-Security-Policy": "style-src 'self'",
                "Content-Language": "en",
                "Content-Disposition": "inline",
                "Content-Location": "/other",
                "Link": "</a>; rel=item",
                "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
            },
        )
    )
    app.get("/moved", status_code=303)(lambda: Response(status_code=303, headers={"Location": "/"}))
    app.get("/torn")(lambda: StreamingResponse(tear()))


def tear() -> Iterator[bytes]:
    yield b"a"
    raise OSError("the disk is gone")


@pytest.mark.parametrize(
    "path",
    [DATASETS, f"{DATASETS}/1", f"{DATASETS}/1/scans", f"{DATASETS}/1/parameters", f"{DATASETS}/1/files", "/docs",
     "/api/v1/openapi.json", "/", "/health/live"],
)  # fmt: skip
def test_answer_has_a_tag_and_who_has_it_is_not_sent_it_again(client: TestClient, path: str) -> None:
    first = client.get(path)
    etag = first.headers["etag"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    assert client.get(path).headers["etag"] == etag
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    kept = ("etag", "cache-control", "vary", "content-security-policy", "x-content-type-options", "referrer-policy")
    assert {name: again.headers[name] for name in kept} == {name: first.headers[name] for name in kept}
    assert not {"content-type", "content-length"} & set(again.headers)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("{}", 304),
        ("W/{}", 304),
        (f"{OTHER}, {{}}", 304),
        (f'W/"a,b" ,, W/{{}},{OTHER}', 304),
        ("*", 304),
        (OTHER, 200),
        ("", 200),
        ("{}x", 304),  # lenient about what stands behind a whole tag
        ('"', 200),
    ],
)
def test_tags_are_compared_weakly_and_in_lists(client: TestClient, given: str, status: int) -> None:
    etag = client.get(DATASETS).headers["etag"]
    assert client.get(DATASETS, headers={"If-None-Match": given.format(etag)}).status_code == status


def test_several_headers_are_one_list(client: TestClient) -> None:
    etag = client.get(DATASETS).headers["etag"]
    given = [("If-None-Match", OTHER), ("If-None-Match", etag)]
    assert client.get(DATASETS, headers=given).status_code == 304


def test_tag_is_of_what_is_answered(client: TestClient) -> None:
    paths = (DATASETS, f"{DATASETS}?q=zinnia", f"{DATASETS}/1", f"{DATASETS}/1/files", "/health/live")
    assert len({client.get(path).headers["etag"] for path in paths}) == len(paths)


def test_order_for_another_state_is_refused(client: TestClient) -> None:
    etag = client.get(DATASETS).headers["etag"]
    assert client.get(DATASETS, headers={"If-Match": etag}).status_code == 200
    refused = client.get(DATASETS, headers={"If-Match": OTHER})
    assert (refused.status_code, refused.json()["code"]) == (412, "precondition_failed")
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", f"{DATASETS}/99", 404), ("GET", f"{DATASETS}?limit=0", 422), ("POST", DATASETS, 405)],
)
def test_condition_is_for_what_would_succeed(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, headers={"If-None-Match": "*"})
    assert answer.status_code == status
    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_answer_to_a_token_is_private_and_another_one(client: TestClient, module_catalogue: Catalogue) -> None:
    with module_catalogue.sessions.begin() as session:
        token = create_token(session, "reader", [Scope.READ], PAST, None)
    headers = {"Authorization": f"Bearer {token.text}"}
    for_all, for_reader = client.get(DATASETS), client.get(DATASETS, headers=headers)
    assert for_all.headers["cache-control"] == "no-cache"
    assert for_reader.headers["cache-control"] == "private, no-cache"
    assert for_all.headers["vary"] == for_reader.headers["vary"] == "Authorization"
    assert for_all.headers["etag"] != for_reader.headers["etag"]
    tag = {"If-None-Match": for_reader.headers["etag"]}
    assert client.get(DATASETS, headers=tag).status_code == 200
    assert client.get(DATASETS, headers=headers | tag).headers["cache-control"] == "private, no-cache"


def test_what_a_route_says_of_caching_stays(client: TestClient) -> None:
    headers = client.get("/negotiated").headers
    assert (headers["vary"], headers["cache-control"]) == ("accept, Origin, Authorization", "max-age=5")
    assert client.get("/all").headers["vary"] == "*"


def test_a_page_keeps_its_policy_and_loses_what_is_said_of_its_body(client: TestClient) -> None:
    answer = client.get("/styled", headers={"If-None-Match": "*"})
    assert answer.status_code == 304
    assert answer.headers["content-security-policy"] == "style-src 'self'"
    assert answer.headers["content-location"] == "/other"
    gone = {"content-language", "content-disposition", "content-type", "content-length", "link", "last-modified"}
    assert not gone & set(answer.headers)


@pytest.mark.parametrize("path", ["/stream", "/file", "/moved"])
def test_streams_files_and_redirections_pass_untouched(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"If-None-Match": "*"}, follow_redirects=False)
    assert answer.status_code == {"/moved": 303}.get(path, 200)
    assert answer.content == {"/stream": b"ab", "/file": b"data" * 100, "/moved": b""}[path]
    assert "cache-control" not in answer.headers
    assert answer.headers.get("vary") == {"/file": "Accept"}.get(path)
    assert ("etag" in answer.headers) == (path == "/file")


def test_a_file_that_the_server_sends_by_itself_is_not_taken_for_an_empty_one() -> None:
    """Some servers are told the path of a file instead of its bytes (`http.response.pathsend`)."""
    told = [{"type": "http.response.start", "status": 200, "headers": []}, {"type": "http.response.pathsend"}]
    sent: list[Any] = []

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        for message in told:
            await send(message)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "headers": []}
    asyncio.run(ConditionalRequests(answer)(scope, send, send))
    assert sent == [{"type": "http.response.start", "status": 200, "headers": []}, {"type": "http.response.pathsend"}]


def test_a_stream_that_tears_does_not_pass_for_a_whole_one(app: FastAPI) -> None:
    with TestClient(app) as client, pytest.raises(OSError, match="the disk is gone"):
        client.get("/torn")
