"""What holds for every list: whole pages, cursors of its own, caching, and nothing that it was not asked."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from tests.entities import START, add_dataset
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

API = "/api/v1"
LISTS = {
    "investigations": ["newest", "oldest", "name"],
    "samples": [None],
    "instruments": ["name", "count"],
    "techniques": ["name", "count"],
    "parameter-types": ["name", "count"],
}
SORTED = [(name, sort) for name, sorts in LISTS.items() for sort in sorts]
WORDS = ("clover", "Aster", "begonia", "d\u00e6sy", "erica")
MANY = {"parameter-types": 3 * len(WORDS)}
"""Of whatever has no number here there is one for each word."""


@pytest.fixture
def filled(catalogue: Catalogue) -> Catalogue:
    with catalogue.sessions.begin() as session:
        for number, word in enumerate(WORDS):
            add_dataset(session, word, start_date=START.replace(year=2000 + number % 3))
        add_dataset(session, "clover", beside=1, name="clover_0002", start_date=None)
        add_dataset(session, "nightshade", is_secret=True)
    catalogue.index_all()
    return catalogue


def read_pages(client: TestClient, path: str) -> list[list[dict[str, Any]]]:
    """Return the items of each page; the last one leads nowhere."""
    pages = []
    following: str | None = path
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        pages.append(page["items"])
        assert len(pages) <= 100, "the pages have no end"
        following = page["links"]["next"]
        assert answer.headers.get("link") == (following and f'<{following}>; rel="next"')
        assert page["links"]["self"] in (path, str(answer.request.url).removeprefix("http://testserver"))
    return pages


def to_path(name: str, sort: str | None, **asked: Any) -> str:
    given = {"sort": sort, **asked}
    return f"{API}/{name}?" + "&".join(f"{key}={value}" for key, value in given.items() if value is not None)


@on_both_databases
@pytest.mark.usefixtures("filled")
def test_pages_are_the_whole_list(client: TestClient) -> None:
    for name, sort in SORTED:
        (whole,) = read_pages(client, to_path(name, sort, limit=100))
        assert len(whole) == len({item["id"] for item in whole}) == MANY.get(name, len(WORDS)), name
        for limit in (1, 2, len(whole)):
            pages = read_pages(client, to_path(name, sort, limit=limit))
            assert [item for page in pages for item in page] == whole, (name, sort)
            assert len(pages) == -(-len(whole) // limit)


@on_both_databases
def test_what_comes_in_between_moves_no_page(filled: Catalogue, client: TestClient) -> None:
    """What was there is neither missed nor shown twice; what is new is shown if its place is still to come."""
    before, first = {}, {}
    for part in SORTED:
        before[part] = [item["id"] for item in client.get(to_path(*part)).json()["items"]]
        page = client.get(to_path(*part, limit=3)).json()
        first[part] = [item["id"] for item in page["items"]], page["links"]["next"]
    with filled.sessions.begin() as session:
        add_dataset(session, "aaron", start_date=START.replace(year=2030))
        add_dataset(session, "zinnia", start_date=START.replace(year=1990))
    filled.index_all()
    for part in SORTED:
        shown, following = first[part]
        shown = shown + [item["id"] for page in read_pages(client, following) for item in page]
        now = [item["id"] for item in client.get(to_path(*part)).json()["items"]]
        passed_over = set(now) - set(shown)
        assert set(before[part]) <= set(shown), part
        assert shown == [each for each in now if each not in passed_over], part
        assert 0 < len(set(shown) - set(before[part])) < len(set(now) - set(before[part])) or part[1] == "count", part


@pytest.mark.usefixtures("filled")
def test_cursor_of_another_list_is_refused(client: TestClient) -> None:
    cursors = {part: client.get(to_path(*part, limit=1)).json()["next"] for part in SORTED}
    for (part, cursor), (other, _) in permutations(cursors.items(), 2):
        answer = client.get(to_path(*other, cursor=cursor))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query"), (part, other)
        assert "begin again" in answer.json()["detail"]
    for name in LISTS:
        cursor = client.get(to_path(name, None, limit=1)).json()["next"]
        assert client.get(to_path(name, None, cursor=cursor, q="a")).status_code == 400


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("colour=red", 422),
        ("Q=a", 422),
        ("limit=0", 422),
        ("limit=1001", 422),
        ("limit=many", 422),
        ("q=%00", 422),
        ("sort=colour", 422),
        ("cursor=abc", 400),
        ("cursor=W10", 400),
        ("q=" + "+".join("abcdefghi"), 400),
    ],
)
def test_what_is_no_question_is_refused(client: TestClient, asked: str, status: int) -> None:
    for name in LISTS:
        answer = client.get(f"{API}/{name}?{asked}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), name
        if status == 422:
            assert [error["name"] for error in answer.json()["errors"]] == [asked.partition("=")[0]]


@pytest.mark.usefixtures("filled")
def test_empty_fields_of_a_form_ask_for_nothing(client: TestClient) -> None:
    for name in LISTS:
        assert client.get(f"{API}/{name}?q=&cursor=").json()["items"] == client.get(f"{API}/{name}").json()["items"]


def test_empty_catalogue_has_empty_lists(client: TestClient) -> None:
    for name in LISTS:
        path = f"{API}/{name}"
        assert client.get(path).json() == {"items": [], "next": None, "links": {"self": path, "next": None}}


def test_answer_is_tagged_until_the_catalogue_says_another_thing(filled: Catalogue, client: TestClient) -> None:
    paths = [f"{API}/{name}" for name in LISTS]
    paths += [client.get(path).json()["items"][0]["links"]["self"] for path in paths]
    paths.append(f"{API}/datasets/1/record")
    tags = {}
    for path in paths:
        first, head = client.get(path), client.head(path)
        tags[path] = {"If-None-Match": first.headers["etag"]}
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])
        assert client.get(path, headers=tags[path]).status_code == 304
    with filled.sessions.begin() as session:
        add_dataset(session, "zinnia")
    filled.index_all()
    for name in LISTS:
        path = f"{API}/{name}"
        assert client.get(path, headers=tags[path]).status_code == 200


@pytest.mark.parametrize(
    ("key", "status"), [("999999", 404), (str(2**63 - 1), 404), (str(2**63), 422), ("0", 422), ("-1", 422), ("a", 422)]
)
def test_what_is_not_there(client: TestClient, key: str, status: int) -> None:
    for name in LISTS:
        answer = client.get(f"{API}/{name}/{key}")
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), name
        if status == 404:
            assert answer.json()["detail"] == f"no {name.removesuffix('s').replace('-', ' ')} {key}"
