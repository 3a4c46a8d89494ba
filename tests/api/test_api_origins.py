"""Pages of other origins may ask from a browser where the operator says so, and nowhere else."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.dependencies import get_now
from api.settings import ApiSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"
PORTAL, STRANGER = "https://portal.example.org", "https://elsewhere.example.org"
ALLOW, EXPOSE = "access-control-allow-origin", "access-control-expose-headers"
PREFLIGHT = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization, range"}


def fail() -> None:
    raise ValueError("unforeseen")


@contextmanager
def opened(catalogue: Catalogue, origins: str) -> Iterator[TestClient]:
    app = create_app(catalogue.settings, ApiSettings(allowed_origins=origins))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_off_unless_it_is_allowed(client: TestClient) -> None:
    for answer in (
        client.get(DATASETS, headers={"Origin": PORTAL}),
        client.options(DATASETS, headers={"Origin": PORTAL} | PREFLIGHT),
    ):
        assert answer.is_success
        assert not any(name.startswith("access-control") for name in answer.headers)


@pytest.mark.parametrize("origins", [PORTAL, f" {STRANGER}x , {PORTAL}/ ,"])
def test_allowed_origin_may_ask_and_another_may_not(catalogue: Catalogue, origins: str) -> None:
    with opened(catalogue, origins) as client:
        allowed, refused = (client.get(DATASETS, headers={"Origin": origin}) for origin in (PORTAL, STRANGER))
        assert allowed.headers[ALLOW] == PORTAL
        assert ALLOW not in refused.headers
        assert allowed.status_code == refused.status_code == 200
        for answer in (allowed, refused, client.get(DATASETS)):
            assert answer.headers["vary"] == "Authorization, Origin"
            assert "access-control-allow-credentials" not in answer.headers


def test_script_may_read_what_it_needs_of_the_answer(catalogue: Catalogue) -> None:
    with opened(catalogue, PORTAL) as client:
        shown = client.get(DATASETS, headers={"Origin": PORTAL}).headers[EXPOSE].split(", ")
        needed = {"ETag", "Link", "Content-Range", "X-Request-ID", "Accept-Ranges", "Content-Disposition"}
        assert needed | {"Retry-After", "WWW-Authenticate"} <= set(shown)


def test_browser_that_asks_beforehand_is_told(catalogue: Catalogue) -> None:
    with opened(catalogue, PORTAL) as client:
        asked = {"Access-Control-Request-Method": "GET"}
        headers = "authorization, range, if-match, if-none-match, if-range"
        told = client.options(DATASETS, headers={"Origin": PORTAL, "Access-Control-Request-Headers": headers} | asked)
        assert (told.status_code, told.headers[ALLOW]) == (200, PORTAL)
        assert "x-request-id" in told.headers
        for method in ("HEAD", "POST", "PATCH"):
            allowed = {"Origin": PORTAL, "Access-Control-Request-Method": method}
            assert client.options(DATASETS, headers=allowed).status_code == 200
        for wrong in ({"Origin": STRANGER} | asked, {"Origin": PORTAL, "Access-Control-Request-Method": "DELETE"}):
            assert client.options(DATASETS, headers=wrong).status_code == 400
        assert client.options(DATASETS, headers={"Origin": PORTAL}).headers["allow"] == "GET, HEAD, OPTIONS"


def test_every_origin_may_be_allowed(catalogue: Catalogue) -> None:
    with opened(catalogue, "*") as client:
        assert client.get(DATASETS, headers={"Origin": STRANGER}).headers[ALLOW] == "*"


def test_errors_too_can_be_read(catalogue: Catalogue) -> None:
    with opened(catalogue, PORTAL) as client:
        origin = {"Origin": PORTAL}
        answers = [client.get(path, headers=origin) for path in ("/nowhere", f"{DATASETS}?limit=0", "/api/v1/status")]
        answers.append(client.get(DATASETS, headers=origin | {"If-None-Match": "*"}))
        client.app.dependency_overrides[get_now] = fail
        answers.append(client.get(DATASETS, headers=origin))
        assert [answer.status_code for answer in answers] == [404, 422, 401, 304, 500]
        for answer in answers:
            assert answer.headers[ALLOW] == PORTAL
            assert "X-Request-ID" in answer.headers[EXPOSE]
            assert "x-request-id" in answer.headers
