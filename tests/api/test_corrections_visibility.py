"""Who may correct a dataset and see what was corrected: nobody learns of a closed one, nor who it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from tests.entities import FUTURE, PAST, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from tests.entities import Catalogue

DATASETS: dict[str, dict[str, Any]] = {
    "zinnia": {},
    "marigold": {"release_date": FUTURE, "is_metadata_public": True},
    "hellebore": {"release_date": FUTURE},
    "nightshade": {"is_secret": True},
}
FOUND = ("zinnia", "marigold")
CLOSED = ("hellebore", "nightshade")
ROUTES = {"PATCH": ("/api/v1/datasets/{}", Scope.EDIT), "GET": ("/api/v1/datasets/{}/corrections", Scope.OPERATE)}
BODY = {"set": {"description": "a powder"}, "reason": "why"}
Carried = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue) -> Iterator[TestClient]:
    with TestClient(create_app(module_catalogue.settings), raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        return {word: add_dataset(session, word, **values) for word, values in DATASETS.items()}


@pytest.fixture(scope="module")
def carried(module_catalogue: Catalogue) -> Carried:
    """Give out a token for each scope, and for each of ours one that reads, too."""
    sets = {str(scope): [scope] for scope in Scope} | {f"read {scope}": [Scope.READ, scope] for scope in Scope}
    with module_catalogue.sessions.begin() as session:
        made = {name: create_token(session, f"Ada {name}", scopes, PAST, None) for name, scopes in sets.items()}
    return {name: {"Authorization": f"Bearer {token.text}"} for name, token in made.items()}


def ask(client: TestClient, method: str, dataset_id: int, headers: dict[str, str] | None = None) -> Response:
    body = BODY if method == "PATCH" else None
    return client.request(method, ROUTES[method][0].format(dataset_id), headers=headers, json=body)


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize("word", DATASETS)
def test_without_its_scope_nobody_is_answered(
    client: TestClient, ids: dict[str, int], carried: Carried, method: str, word: str
) -> None:
    anonymous = ask(client, method, ids[word])
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "missing_token")
    assert word not in anonymous.text
    for scope in set(Scope) - {ROUTES[method][1]}:
        answer = ask(client, method, ids[word], carried[scope])
        assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
        assert word not in answer.text


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize("word", DATASETS)
def test_with_its_scope_what_may_be_known_of_is_answered(
    client: TestClient, ids: dict[str, int], carried: Carried, method: str, word: str
) -> None:
    scope = ROUTES[method][1]
    assert ask(client, method, ids[word], carried[scope]).status_code == (200 if word in FOUND else 404)
    assert ask(client, method, ids[word], carried[f"read {scope}"]).status_code == 200


@pytest.mark.parametrize("method", ROUTES)
@pytest.mark.parametrize("word", CLOSED)
def test_closed_is_answered_as_absent(
    client: TestClient, ids: dict[str, int], carried: Carried, method: str, word: str
) -> None:
    headers = carried[ROUTES[method][1]]
    closed, absent = (ask(client, method, each, headers) for each in (ids[word], 999_999))
    assert closed.status_code == absent.status_code == 404
    assert closed.text.replace(f"dataset {ids[word]}", "") == absent.text.replace("dataset 999999", "")


def test_a_refused_correction_of_a_closed_dataset_changes_nothing(
    client: TestClient, ids: dict[str, int], carried: Carried
) -> None:
    path = f"/api/v1/datasets/{ids['hellebore']}"
    before = client.get(path, headers=carried["read"]).json()["revision"]
    assert ask(client, "PATCH", ids["hellebore"], carried["edit"]).status_code == 404
    assert client.get(path, headers=carried["read"]).json()["revision"] == before


def test_who_corrected_it_is_told_to_operators_only(client: TestClient, ids: dict[str, int], carried: Carried) -> None:
    order = {"set": {"title": "rust", "energy": "9 keV"}, "reason": "by the logbook of Bob"}
    path = f"/api/v1/datasets/{ids['zinnia']}"
    answer = client.patch(path, json=order, headers=carried["read edit"])
    assert answer.status_code == 200
    pages = [path, f"{path}/scans", f"{path}/parameters", f"{path}/record", path.removeprefix("/api/v1")]
    for headers in ({}, carried["read"], carried["edit"]):
        for page in pages:
            text = client.get(page, headers=headers).text
            assert "Ada read" not in text
            assert "Bob" not in text
    told = client.get(f"{path}/corrections", headers=carried["operate"]).json()["items"][0]
    assert told["author"].startswith("token ")
    assert told["author"].endswith(": Ada read edit")
    assert told["reason"] == "by the logbook of Bob"
