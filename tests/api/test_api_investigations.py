"""Investigations as far as one may know of their datasets: what closed ones say is neither shown, counted nor found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from ingest.catalogue.model import Investigation
from tests.api.visits import CLOSED, Visits, add_visits, list_names
from tests.entities import FUTURE, START, add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

PATH = "/api/v1/investigations"
LONG_AGO = START.replace(year=1990)


@pytest.fixture(scope="module")
def visits(module_catalogue: Catalogue) -> Visits:
    made = add_visits(module_catalogue)
    with module_catalogue.sessions.begin() as session:
        clover = {"beside": made.datasets["clover"], "name": "clover_0002", "start_date": None}
        add_dataset(session, "clover", **clover, release_date=None, is_metadata_public=True)
        told: dict[str, Any] = {"summary": "strain in bearing steel", "doi": "10.5072/zinnia"}
        # Its own dates follow all its datasets, closed ones too: they are not what is shown.
        told |= {"start_date": LONG_AGO, "end_date": FUTURE, "release_date": FUTURE}
        session.execute(update(Investigation).where(Investigation.name == "zinnia").values(**told))
    return made


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["aster", "zinnia", "daisy", "clover"]),
        ({"sort": "newest"}, ["aster", "zinnia", "daisy", "clover"]),
        ({"sort": "oldest"}, ["daisy", "zinnia", "aster", "clover"]),
        ({"sort": "name"}, ["aster", "clover", "daisy", "zinnia"]),
        ({"q": "ZINN"}, ["zinnia"]),
        ({"q": "v1 aster"}, ["aster"]),
        ({"q": "daisy proposal"}, ["daisy"]),
        ({"q": "bearing steel"}, ["zinnia"]),
        ({"q": "%"}, []),
        ({"facility": "Aster Facility"}, ["aster"]),
        ({"facility": ["aster facility", "daisy facility", ""]}, ["aster", "daisy"]),
        ({"proposal": "CLOVER"}, ["clover"]),
        ({"instrument": "daisy-bm"}, ["daisy"]),
        ({"sample": "zinnia sample"}, ["zinnia"]),
        ({"sample": "zinnia"}, []),
        ({"date": "2021"}, ["zinnia"]),
        ({"date": "2018..2019"}, ["zinnia", "daisy"]),
        ({"date": "2020.."}, ["aster", "zinnia"]),
        ({"date": "..2018"}, ["daisy"]),
        ({"q": "zinnia", "instrument": "daisy-bm"}, []),
        ({"facility": "zinnia facility", "date": "2019", "proposal": "zinnia"}, ["zinnia"]),
    ],
    ids=str,
)
def test_list_is_what_is_asked_for(client: TestClient, asked: dict[str, Any], found: list[str]) -> None:
    assert list_names(client, PATH, asked) == [f"{word}/v1" for word in found]


@pytest.mark.parametrize(
    "asked",
    [{"instrument": f"{CLOSED}-bm"}, {"sample": f"{CLOSED} sample"}, {"date": "2010"}, {"date": "..2017"}],
    ids=str,
)
def test_nothing_is_found_by_what_only_closed_data_say(client: TestClient, visits: Visits, asked: Any) -> None:
    assert list_names(client, PATH, asked) == []
    assert list_names(client, PATH, asked, visits.reader) == ["zinnia/v1"]


def test_list_shows_and_counts_open_datasets_alone(client: TestClient, visits: Visits) -> None:
    answer = client.get(PATH, params={"q": "zinnia"})
    path = f"{PATH}/{visits.investigations['zinnia']}"
    assert answer.json()["items"] == [
        {
            "id": visits.investigations["zinnia"],
            "name": "zinnia/v1",
            "proposal": "zinnia",
            "visit_id": "v1",
            "title": "zinnia proposal",
            "is_inferred": False,
            "facility": "zinnia facility",
            "instruments": ["zinnia-bm"],
            "start_date": "2019-03-04T09:30:00Z",
            "end_date": "2021-03-04T10:30:00Z",
            "visibility": "open",
            "release_date": "2020-01-01T00:00:00Z",
            "dataset_count": 2,
            "links": {
                "self": path,
                "datasets": "/api/v1/datasets?investigation=zinnia%2Fv1&facility=zinnia+facility",
                "samples": f"/api/v1/samples?investigation_id={visits.investigations['zinnia']}",
            },
        }
    ]
    assert CLOSED not in answer.text


def test_reader_is_shown_what_closed_datasets_say(client: TestClient, visits: Visits) -> None:
    (item,) = client.get(PATH, params={"q": "zinnia"}, headers=visits.reader).json()["items"]
    assert (item["dataset_count"], item["visibility"], item["start_date"][:4]) == (3, "secret", "2010")
    assert item["instruments"] == [f"{CLOSED}-bm", "zinnia-bm"]
    assert list_names(client, PATH, {"sort": "oldest"}, visits.reader)[0] == "zinnia/v1"


def test_one_is_shown_with_its_users_and_its_extent(client: TestClient, visits: Visits) -> None:
    path = f"{PATH}/{visits.investigations['zinnia']}"
    answer = client.get(path)
    (of_list,) = client.get(PATH, params={"q": "zinnia"}).json()["items"]
    assert answer.json() == of_list | {
        "summary": "strain in bearing steel",
        "doi": "10.5072/zinnia",
        "users": [{"name": "Ada zinnia", "role": None}],
        "sample_count": 1,
        "file_count": 4,
        "file_size": 40,
    }
    whole = client.get(path, headers=visits.reader).json()
    assert (whole["sample_count"], whole["file_count"]) == (2, 9)
    assert [person["name"] for person in whole["users"]] == [f"Ada {CLOSED}", "Ada zinnia"]


def test_announced_one_is_embargoed_until_its_last_dataset_opens(client: TestClient, visits: Visits) -> None:
    daisy = client.get(f"{PATH}/{visits.investigations['daisy']}").json()
    assert (daisy["visibility"], daisy["release_date"]) == ("embargoed", "2999-01-01T00:00:00Z")
    clover = client.get(f"{PATH}/{visits.investigations['clover']}").json()
    assert (clover["dataset_count"], clover["visibility"], clover["release_date"]) == (2, "embargoed", None)


def test_links_lead_to_what_is_counted(client: TestClient, visits: Visits) -> None:
    for headers in ({}, visits.reader):
        shown = client.get(f"{PATH}/{visits.investigations['zinnia']}", headers=headers).json()
        links = shown["links"]
        assert client.get(links["self"], headers=headers).json() == shown
        assert client.get(links["datasets"], headers=headers).json()["total"] == shown["dataset_count"]
        assert len(client.get(links["samples"], headers=headers).json()["items"]) == shown["sample_count"]


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"date": "soon"}, 400),
        ({"date": "2026..2025"}, 400),
        ({"q": "a b c d e f g h i"}, 400),
        ({"sort": "relevance"}, 422),
        ({"proposal": ["a"] * 21}, 422),
    ],
    ids=str,
)
def test_question_that_is_not_understood_is_refused(client: TestClient, asked: Any, status: int) -> None:
    answer = client.get(PATH, params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert next(iter(asked)) in answer.json()["detail"] or "9 words" in answer.json()["detail"]
