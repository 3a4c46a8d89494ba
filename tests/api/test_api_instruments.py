"""Instruments and techniques, counted over the datasets that one may know of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from ingest.catalogue.model import Instrument, Technique
from tests.api.visits import CLOSED, Visits, add_visits, list_names
from tests.entities import add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

INSTRUMENTS, TECHNIQUES = "/api/v1/instruments", "/api/v1/techniques"
PID = "http://purl.org/pan-science/PaNET/PaNET01216"


@pytest.fixture(scope="module")
def visits(module_catalogue: Catalogue) -> Visits:
    with module_catalogue.sessions.begin() as session:
        session.add(Technique(name="aster diffraction", pid=PID, description="x-ray scattering"))
        # Of the same name at another facility: another instrument.
        add_dataset(session, "begonia")
        session.execute(update(Instrument).where(Instrument.name == "begonia-bm").values(name="zinnia-bm"))
    made = add_visits(module_catalogue)
    with module_catalogue.sessions.begin() as session:
        told = {"full_name": "The Aster Beamline", "type": "beamline", "description": "hard x-rays", "pid": "20.500/a"}
        session.execute(update(Instrument).where(Instrument.name == "aster-bm").values(**told))
    return made


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["aster", "clover", "daisy", "zinnia", "zinnia"]),
        ({"sort": "name"}, ["aster", "clover", "daisy", "zinnia", "zinnia"]),
        ({"q": "CLOVER"}, ["clover"]),
        ({"q": "beamline the"}, ["aster"]),
        ({"q": "hard x-rays aster"}, ["aster"]),
        ({"q": "aster_bm"}, []),
        ({"facility": "Daisy Facility"}, ["daisy"]),
        ({"facility": ["daisy facility", "begonia facility", ""]}, ["daisy", "zinnia"]),
        ({"facility": "daisy facility", "q": "aster"}, []),
    ],
    ids=str,
)
def test_instruments_are_what_is_asked_for(client: TestClient, asked: dict[str, Any], found: list[str]) -> None:
    assert list_names(client, INSTRUMENTS, asked) == [f"{word}-bm" for word in found]


@pytest.mark.usefixtures("visits")
def test_instruments_with_the_most_datasets_come_first(client: TestClient) -> None:
    items = client.get(INSTRUMENTS, params={"sort": "count"}).json()["items"]
    counted = [(each["name"], each["facility"], each["dataset_count"]) for each in items]
    assert counted[0] == ("zinnia-bm", "zinnia facility", 2)
    assert {count for *_, count in counted[1:]} == {1}
    assert ("zinnia-bm", "begonia facility", 1) in counted


@pytest.mark.parametrize(("path", "name"), [(INSTRUMENTS, f"{CLOSED}-bm"), (TECHNIQUES, f"{CLOSED} diffraction")])
def test_what_only_closed_data_have_is_found_by_readers_only(
    client: TestClient, visits: Visits, path: str, name: str
) -> None:
    assert list_names(client, path, {"q": CLOSED}) == []
    assert list_names(client, path, {"q": CLOSED}, visits.reader) == [name]
    assert CLOSED not in client.get(path).text


def test_instrument_is_shown_with_its_techniques(client: TestClient, visits: Visits) -> None:
    assert visits
    (item,) = client.get(INSTRUMENTS, params={"facility": "aster facility"}).json()["items"]
    assert item == {
        "id": item["id"],
        "name": "aster-bm",
        "full_name": "The Aster Beamline",
        "facility": "aster facility",
        "type": "beamline",
        "description": "hard x-rays",
        "url": None,
        "pid": "20.500/a",
        "dataset_count": 1,
        "links": {
            "self": f"{INSTRUMENTS}/{item['id']}",
            "datasets": "/api/v1/datasets?instrument=aster-bm&facility=aster+facility",
            "investigations": "/api/v1/investigations?instrument=aster-bm&facility=aster+facility",
        },
    }
    one = client.get(item["links"]["self"]).json()
    assert one == item | {"technique_counts": [{"value": "aster diffraction", "count": 1}]}
    assert client.get(item["links"]["datasets"]).json()["total"] == 1
    assert list_names(client, item["links"]["investigations"]) == ["aster/v1"]


def test_techniques_of_an_instrument_are_counted_there_alone(client: TestClient, visits: Visits) -> None:
    """Neither those of the other facility's instrument of that name, nor those of closed datasets."""
    assert visits
    of_name = client.get(INSTRUMENTS, params={"q": "zinnia"}).json()["items"]
    told = {each["facility"]: client.get(each["links"]["self"]).json()["technique_counts"] for each in of_name}
    assert told == {
        "zinnia facility": [{"value": "zinnia diffraction", "count": 2}],
        "begonia facility": [{"value": "begonia diffraction", "count": 1}],
    }


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["aster", "begonia", "clover", "daisy", "zinnia"]),
        ({"sort": "count", "limit": 1}, ["zinnia"]),
        ({"q": "Daisy"}, ["daisy"]),
        ({"q": "x-ray scattering"}, ["aster"]),
        ({"q": "PaNET01216"}, ["aster"]),
        ({"q": "daisy scattering"}, []),
    ],
    ids=str,
)
def test_techniques_are_what_is_asked_for(client: TestClient, asked: dict[str, Any], found: list[str]) -> None:
    assert list_names(client, TECHNIQUES, asked) == [f"{word} diffraction" for word in found]


def test_technique_is_shown_with_its_term(client: TestClient, visits: Visits) -> None:
    (item,) = client.get(TECHNIQUES, params={"q": "aster"}).json()["items"]
    broader = item.pop("broader")
    assert {"pid": PID.replace("01216", "01184"), "label": "x-ray scattering"} in broader
    assert item == {
        "id": item["id"],
        "name": "aster diffraction",
        "pid": PID,
        "description": "x-ray scattering",
        "dataset_count": 1,
        "links": {
            "self": f"{TECHNIQUES}/{item['id']}",
            "datasets": "/api/v1/datasets?technique=aster+diffraction",
        },
    }
    assert client.get(item["links"]["self"]).json() == item | {"broader": broader}
    (found,) = client.get(item["links"]["datasets"]).json()["items"]
    assert found["id"] == visits.datasets["aster"]


def test_what_falls_under_a_technique_is_found_by_it_and_not_counted(client: TestClient, visits: Visits) -> None:
    """`aster diffraction` has the identifier of x-ray diffraction, which is a kind of x-ray scattering."""
    for asked in ({"technique": "X-ray scattering"}, {"q": 'technique:"x-ray scattering"'}, {"q": "technique:XRD"}):
        found = client.get("/api/v1/datasets", params=asked | {"facets": "technique"}).json()
        assert [item["id"] for item in found["items"]] == [visits.datasets["aster"]], asked
        assert found["facets"]["technique"]["values"] == [{"value": "aster diffraction", "count": 1}]


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize("path", [INSTRUMENTS, TECHNIQUES])
@pytest.mark.parametrize(
    ("asked", "status"), [({"q": "a b c d e f g h i"}, 400), ({"sort": "newest"}, 422), ({"technique": "a"}, 422)]
)
def test_question_that_is_not_understood_is_refused(
    client: TestClient, path: str, asked: dict[str, str], status: int
) -> None:
    assert client.get(path, params=asked).status_code == status
