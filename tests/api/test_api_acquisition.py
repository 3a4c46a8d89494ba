"""ICAT+'s calls as BLISS asks them through pyicat-plus: its paths, its letters, a token in the place of its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Dataset, Investigation, MasterFile, MasterState
from tests.entities import FUTURE, PAST, START, add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

NAMED = {"instrumentName": "zinnia-bm", "investigationName": "zinnia"}


@pytest.fixture(scope="module")
def doors(module_catalogue: Catalogue) -> dict[Scope, str]:
    """Fill the catalogue; return where each token leads to."""
    with module_catalogue.sessions.begin() as session:
        zinnia = add_dataset(session, "zinnia", files=3)
        add_dataset(session, "zinnia", beside=zinnia, name="zinnia_0002", is_secret=True, end_date=None)
        waiting = add_dataset(session, "zinnia", beside=zinnia, name="zinnia_0003")
        daisy = add_dataset(session, "daisy")
        of_waiting = MasterFile.id == session.get_one(Dataset, waiting).master_file_id
        session.execute(update(MasterFile).where(of_waiting).values(state=MasterState.QUARANTINED))
        told = {"start_date": START, "release_date": FUTURE, "summary": "strain"}
        session.execute(update(Investigation).where(Investigation.name == "zinnia").values(**told))
        session.execute(update(Investigation).where(Investigation.name == "daisy").values(visit_id="none"))
        assert (zinnia, daisy) == (1, 4)
        made = {scope: create_token(session, scope, [scope], PAST, None).text for scope in Scope}
    return {scope: f"/icatplus/dataacquisition/{token}" for scope, token in made.items()}


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


def test_visit_is_found_by_instrument_and_proposal(client: TestClient, doors: dict[Scope, str]) -> None:
    answer = client.get(f"{doors[Scope.NOTIFY]}/investigation", params=NAMED)
    assert answer.json() == [
        {
            "id": 1,
            "name": "zinnia",
            "visitId": "v1",
            "title": "zinnia proposal",
            "summary": "strain",
            "startDate": "2019-03-04T09:30:00Z",
            "releaseDate": "2999-01-01T00:00:00Z",
            "instrument": {"id": 1, "name": "zinnia-bm"},
        }
    ]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"instrumentName": "ZINNIA-bm", "investigationName": "Zinnia"}, ["zinnia"]),
        ({"instrumentName": "daisy-bm", "investigationName": "daisy"}, ["daisy"]),
        ({"instrumentName": "daisy-bm", "investigationName": "zinnia"}, []),
        ({"instrumentName": "nix", "investigationName": "zinnia"}, []),
        (NAMED | {"skip": 1}, []),
        (NAMED | {"limit": 1}, ["zinnia"]),
    ],
    ids=str,
)
def test_visits_are_those_that_are_asked_for(
    client: TestClient, doors: dict[Scope, str], asked: dict[str, Any], names: list[str]
) -> None:
    found = client.get(f"{doors[Scope.NOTIFY]}/investigation", params=asked).json()
    assert [each["name"] for each in found] == names
    assert all("startDate" in each for each in found)
    if names == ["daisy"]:
        assert "visitId" not in found[0]


def test_datasets_that_arrived_are_listed_closed_ones_too(client: TestClient, doors: dict[Scope, str]) -> None:
    path = f"{doors[Scope.NOTIFY]}/dataset"
    found = client.get(path, params={"investigationId": 1}).json()
    assert found[0] == {
        "id": 1,
        "name": "zinnia_0001",
        "location": "/data/zinnia",
        "startDate": "2019-03-04T09:30:00Z",
        "endDate": "2019-03-04T10:30:00Z",
        "investigation": {"id": 1},
        "parameters": [{"id": 0, "name": "__fileCount", "value": "3"}],
    }
    assert [each["name"] for each in found] == ["zinnia_0001", "zinnia_0002"]
    assert "endDate" not in found[1]
    (second,) = client.get(path, params={"investigationId": 1, "skip": 1, "limit": 1}).json()
    assert second["name"] == "zinnia_0002"


@pytest.mark.parametrize(
    ("call", "asked", "status"),
    [
        ("dataset", {"investigationId": 99}, 404),
        ("dataset", {"investigationId": 0}, 422),
        ("dataset", {}, 422),
        ("dataset", {"investigationId": 1, "limit": 10_001}, 422),
        ("investigation", {"instrumentName": "a"}, 422),
        ("investigation", {"instrumentName": "a", "investigationName": "\0"}, 422),
    ],
)
def test_question_that_is_not_understood_is_refused(
    client: TestClient, doors: dict[Scope, str], call: str, asked: dict[str, Any], status: int
) -> None:
    answer = client.get(f"{doors[Scope.NOTIFY]}/{call}", params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("call", ["investigation", "dataset"])
def test_key_is_a_token_that_may_tell(client: TestClient, doors: dict[Scope, str], call: str) -> None:
    asked = NAMED | {"investigationId": 1}
    wrong = {scope: client.get(f"{door}/{call}", params=asked).status_code for scope, door in doors.items()}
    assert wrong == {scope: 200 if scope is Scope.NOTIFY else 403 for scope in Scope}
    stranger = client.get(f"/icatplus/dataacquisition/nxcat_{'A' * 43}/{call}", params=asked)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "invalid_token")
    assert "AAAA" not in stranger.text
