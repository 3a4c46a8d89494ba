"""Whatever files hold, and whoever asks: pages show it as text, load nothing from elsewhere, and run nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import text as sql

from api.app import create_app
from api.dependencies import get_now
from api.rendering import PAGE_POLICY
from ingest.catalogue.errors import UnavailableError
from tests.entities import add_dataset
from tests.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI

    from tests.entities import Catalogue

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)><!--",
    "attribute": "\" onfocus=alert(1) autofocus x='",
    "template": "{{ 7*7 }}{% raw %}",
    "entity": "&lt;b&gt;&amp;",
    "direction": "invoice\u202efdp.exe",
    "lines": "one\ntwo\r\n\n\nthree",
    "long": "x" * 2000,
    "address": "javascript:alert(1)",
}
PRIVATE = "an address of the database"


def fail_with(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {kind: add_dataset(session, word) for kind, word in HOSTILE.items()}
    module_catalogue.index_all()
    return made


@pytest.fixture(scope="module")
def filled(module_catalogue: Catalogue, ids: dict[str, int]) -> Catalogue:
    assert ids
    return module_catalogue


@pytest.fixture(scope="module")
def site(filled: Catalogue) -> Iterator[TestClient]:
    with TestClient(create_app(filled.settings), raise_server_exceptions=False) as started:
        yield started


def assert_harmless(page: Page) -> None:
    tags = {element.tag for element in page.elements}
    assert not tags & {"script", "style", "iframe", "object", "embed", "base", "svg", "math", "template"}
    for element in page.elements:
        assert not [name for name in element.attributes if name.startswith("on") or name in ("style", "autofocus")]
    for address in page.addresses():
        assert re.match(r"/(?![/\\])|#", address), address
        assert not re.search(r"[\s\x00-\x1f<>\"]", address), address


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_is_shown_as_text(site: TestClient, ids: dict[str, int], kind: str) -> None:
    word = HOSTILE[kind]
    shown = " ".join(word.replace("\u202e", "\\u202e").split())
    own = Page(site.get(f"/datasets/{ids[kind]}").text)
    found = Page(site.get("/", params={"investigation": f"{word}/v1"}).text)
    asked = Page(site.get("/", params={"q": f'"{word}"'.replace("\n", " ")}).text)
    for page in (own, found, asked):
        assert_harmless(page)
        assert "\u202e" not in page.one("main").text
        assert "49" not in page.one("title").text
    assert own.one("h1").text == f"{shown}_0001"
    for told in (f"{shown} loop 0", f"{shown} sample", f"{shown} puzzles", f"{shown} as it is", f"{shown}cam"):
        assert told in own.one("main").text
    assert f"{shown}_0001" in found.one("section", class_="hits").text
    assert f"state{shown}"[5:] in found.one("section", class_="chosen").text


@pytest.mark.parametrize("kind", HOSTILE)
def test_links_to_what_has_a_hostile_name_lead_there(site: TestClient, ids: dict[str, int], kind: str) -> None:
    page = Page(site.get(f"/datasets/{ids[kind]}").text)
    lists = [a["href"] for a in page.all("a") if a["href"].startswith("/?")]
    assert len(lists) == 7
    for address in lists:
        answer = site.get(address)
        if len(HOSTILE[kind]) < 1000:  # the index knows the beginning of a longer value
            assert Page(answer.text).link(page.one("h1").text) == f"/datasets/{ids[kind]}"
        else:
            assert answer.status_code == 200


@pytest.mark.parametrize("typed", HOSTILE.values(), ids=HOSTILE)
def test_hostile_question_is_kept_as_it_was_typed(site: TestClient, typed: str) -> None:
    page = Page(site.get("/", params={"q": typed, "instrument": typed}).text)
    assert_harmless(page)
    assert page.one("input", id="q")["value"].split() == typed.split()
    assert page.one("input", type="hidden", name="instrument")["value"].split() == typed.split()


@pytest.mark.parametrize("path", ["/", "/?q=(", "/?limit=0", "/datasets/{id}", "/datasets/0", "/nowhere"])
@pytest.mark.parametrize("root_path", ["", "/catalogue"])
def test_nothing_comes_from_elsewhere(filled: Catalogue, ids: dict[str, int], path: str, root_path: str) -> None:
    with TestClient(create_app(filled.settings), root_path=root_path) as client:
        answer = client.get(root_path + path.format(id=ids["entity"]), headers=BROWSER)
        page = Page(answer.text)
        assert_harmless(page)
        assert answer.headers["content-security-policy"] == PAGE_POLICY
        loaded = [e["href"] for e in page.all("link") if e["rel"] != "alternate"] + [e["src"] for e in page.all("img")]
        assert set(loaded) == {f"{root_path}/static/nxcat.css", f"{root_path}/static/nxcat.svg"}
        for address in set(loaded) | {page.link("Search"), page.link("API")}:
            assert client.get(address).status_code == 200
        assert {a.split("/")[1] for a in page.addresses() if a.startswith("/")} <= {
            root_path.strip("/") or "",
            *(() if root_path else ("static", "docs", "datasets", "files", "archives", "api")),
        } | {a.split("/")[1] for a in page.addresses() if a.startswith("/?")}


def test_policy_lets_nothing_run_and_nothing_in() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in PAGE_POLICY.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules.values()) == {"'none'", "'self'"}
    assert "script-src" not in rules


def test_style_and_picture_load_nothing(site: TestClient) -> None:
    for name in ("nxcat.css", "nxcat.svg"):
        content = site.get(f"/static/{name}").text
        for word in ("url(", "@import", "href", "<script", "@font-face"):
            assert word not in content
        assert len(content) < 20_000


@pytest.mark.parametrize(
    ("path", "accept", "status", "is_page"),
    [
        ("/datasets/999999", "*/*", 404, True),
        ("/datasets/999999", "application/json", 404, True),
        ("/datasets/one", "*/*", 422, True),
        ("/?limit=0", "*/*", 422, True),
        ("/nowhere", BROWSER["Accept"], 404, True),
        ("/nowhere", "*/*", 404, False),
        ("/static/nothing.css", BROWSER["Accept"], 404, True),
        ("/api/v1/datasets/999999", BROWSER["Accept"], 404, False),
        ("/api/v1/nowhere", BROWSER["Accept"], 404, False),
        ("/api/v1/datasets?limit=0", BROWSER["Accept"], 422, False),
        ("/health/nowhere", BROWSER["Accept"], 404, False),
        ("/files/999999/a.h5", BROWSER["Accept"], 404, True),
        ("/files/999999/a.h5", "*/*", 404, False),
    ],
)
def test_people_are_told_of_errors_in_pages_and_programs_in_problems(
    site: TestClient, path: str, accept: str, status: int, is_page: bool
) -> None:
    answer = site.get(path, headers={"Accept": accept})
    assert answer.status_code == status
    kind = "text/html; charset=utf-8" if is_page else "application/problem+json"
    assert answer.headers["content-type"] == kind
    assert "accept" in answer.headers["vary"].lower()
    if is_page:
        page = Page(answer.text)
        assert page.link("Search the datasets") == "/"
        assert f"{status} " in page.one("p", class_="quiet").text


def test_doors_of_programs_are_known_behind_a_proxy(filled: Catalogue) -> None:
    with TestClient(create_app(filled.settings), root_path="/catalogue") as client:
        answer = client.get("/catalogue/api/v1/nowhere", headers=BROWSER)
        assert answer.headers["content-type"] == "application/problem+json"


def test_other_method_is_refused_in_a_page(site: TestClient) -> None:
    answer = site.post("/", headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (HTTPException(410, "the link has expired"), 410, "The link has expired."),
        (UnavailableError(PRIVATE), 503, "try again"),
        (ValueError(PRIVATE), 500, "our side"),
    ],
)
@pytest.mark.parametrize("path", ["/", "/datasets/1"])
def test_error_page_says_what_to_do_and_nothing_private(
    app: FastAPI, client: TestClient, error: Exception, status: int, told: str, path: str
) -> None:
    app.dependency_overrides[get_now] = fail_with(error)
    answer = client.get(path)
    page = Page(answer.text)
    assert answer.status_code == status
    assert told in page.one("article").text
    assert PRIVATE not in answer.text
    assert (answer.headers["x-request-id"] in page.one("article").text) == (status >= 500)
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status == 503:
        assert answer.headers["retry-after"] == "5"


def test_broken_database_is_said_in_a_page(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.engine.begin() as connection:
        connection.execute(sql("ALTER TABLE dataset RENAME TO gone"))
    answer = client.get("/datasets/1")
    assert answer.status_code == 503
    assert "does not answer now" in Page(answer.text).one("h1").text


def test_bad_token_is_refused_in_a_page(site: TestClient) -> None:
    answer = site.get("/", headers={"Authorization": "Bearer nxcat_wrong"})
    assert answer.status_code == 401
    assert "token" in Page(answer.text).one("h1").text


def test_wrong_parameters_are_named(site: TestClient) -> None:
    page = Page(site.get("/?instrumnt=<b>&limit=0").text)
    assert {e.text.split(":")[0] for e in page.all("li")} == {"instrumnt", "limit"}
