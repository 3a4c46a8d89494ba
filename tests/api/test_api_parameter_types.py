"""What parameters mean, and where their values lie in the datasets that one may know of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select, update

from ingest.catalogue.indexing import forget_indexed
from ingest.catalogue.model import DatasetParameter, ParameterType
from tests.api.visits import CLOSED, Visits, add_visits, list_names
from tests.entities import PAST

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

PATH = "/api/v1/parameter-types"
ENERGY = "InstrumentBeam_incident_energy"
OF_ZINNIA = {"facility": "zinnia facility"}


@pytest.fixture(scope="module")
def visits(module_catalogue: Catalogue) -> Visits:
    made = add_visits(module_catalogue)
    with module_catalogue.sessions.begin() as session:
        energies = select(ParameterType.id).where(ParameterType.name == ENERGY)
        is_energy = DatasetParameter.type_id.in_(energies) & DatasetParameter.scan_id.is_(None)
        for word, value in (("zinnia", 7.1234), ("zinnia_0002", 20.0), (CLOSED, 90.0), ("aster", 50.0)):
            of_it = DatasetParameter.dataset_id == made.datasets[word]
            session.execute(update(DatasetParameter).where(is_energy, of_it).values(numeric_value=value))
        of_pressure = (
            DatasetParameter.type_id
            == select(ParameterType.id).where(ParameterType.name == "zinnia_pressure").scalar_subquery()
        )
        of_second = DatasetParameter.dataset_id == made.datasets["zinnia_0002"]
        session.execute(delete(DatasetParameter).where(of_pressure, of_second))
        told = {"description": "how it presses", "pid": "https://example.org/pressure"}
        session.execute(update(ParameterType).where(ParameterType.name == "aster_pressure").values(**told))
        _add_texts(session, made)
        forget_indexed(session)
    module_catalogue.index_all()
    return made


def _add_texts(session: Session, made: Visits) -> None:
    """Leave more remarks, some of which not everybody may read, and a time."""
    remark = session.scalars(select(ParameterType).where(ParameterType.name == "zinnia_remark")).one()
    of_second = DatasetParameter.dataset_id == made.datasets["zinnia_0002"]
    newer = update(DatasetParameter).where(DatasetParameter.type_id == remark.id, of_second)
    session.execute(newer.values(string_value="- (newer) remark: " + "x" * 200))
    opened = ParameterType(facility_id=remark.facility_id, name="zinnia_opened", units="", value_type="DATE_AND_TIME")
    session.add(opened)
    session.flush()
    for word, more in (
        (CLOSED, {"string_value": f"{CLOSED} as it is"}),
        ("zinnia", {"string_value": "of a patient", "is_public": False}),
        ("zinnia", {"string_value": "of old", "is_shown": False}),
        ("zinnia", {"string_value": ""}),
        ("zinnia", {"string_value": "zinnia as it was"}),
        ("zinnia", {"string_value": "one too many"}),
        ("zinnia", {"date_time_value": PAST, "type_id": opened.id}),
    ):
        columns = {"dataset_id": made.datasets[word], "type_id": remark.id, "layer": 1, "origin": "read"} | more
        session.add(DatasetParameter(**columns))


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (OF_ZINNIA, [ENERGY, "zinnia_opened", "zinnia_pressure", "zinnia_remark"]),
        ({"q": "PRESSURE"}, [f"{word}_pressure" for word in ("aster", "clover", "daisy", "zinnia")]),
        ({"q": "how it presses"}, ["aster_pressure"]),
        ({"q": "clover remark"}, ["clover_remark"]),
        ({"q": "energy", **OF_ZINNIA}, [ENERGY]),
        ({"unit": "eV", **OF_ZINNIA}, [ENERGY]),
        ({"unit": "mbar", **OF_ZINNIA}, ["zinnia_pressure"]),
        ({"unit": "1", **OF_ZINNIA}, []),
        ({"value_type": "STRING", **OF_ZINNIA}, ["zinnia_remark"]),
        ({"value_type": ["NUMERIC", "STRING"], "q": "zinnia"}, ["zinnia_pressure", "zinnia_remark"]),
        ({"value_type": "DATE_AND_TIME"}, ["zinnia_opened"]),
        ({"facility": ["ASTER facility", ""], "value_type": "NUMERIC"}, ["aster_pressure", ENERGY]),
        ({"sort": "count", **OF_ZINNIA}, [ENERGY, "zinnia_remark", "zinnia_pressure", "zinnia_opened"]),
        ({"q": CLOSED}, []),
    ],
    ids=str,
)
def test_list_is_what_is_asked_for(client: TestClient, asked: dict[str, Any], found: list[str]) -> None:
    assert list_names(client, PATH, asked) == found


def test_closed_data_are_neither_counted_nor_measured(client: TestClient, visits: Visits) -> None:
    answer = client.get(PATH, params={"q": "energy", **OF_ZINNIA})
    (energy,) = answer.json()["items"]
    assert energy == {
        "id": energy["id"],
        "name": ENERGY,
        "description": energy["description"],
        "value_type": "NUMERIC",
        "unit": "keV",
        "facility": "zinnia facility",
        "pid": None,
        "aliases": energy["aliases"],
        "dataset_count": 2,
        "smallest": 7.1234,
        "largest": 20.0,
        "example_values": [],
        "example": "energy:7.12..20 keV",
        "links": {"self": f"{PATH}/{energy['id']}", "datasets": "/api/v1/datasets?q=energy%3A7.12..20+keV"},
    }
    assert "energy" in energy["aliases"]
    assert energy["description"]
    assert client.get(energy["links"]["self"]).json() == energy
    (whole,) = client.get(PATH, params={"q": "energy", **OF_ZINNIA}, headers=visits.reader).json()["items"]
    assert (whole["dataset_count"], whole["largest"], whole["example"]) == (3, 90.0, "energy:7.12..90 keV")


@pytest.mark.usefixtures("visits")
def test_example_finds_what_is_counted(client: TestClient) -> None:
    for item in client.get(PATH, params={"q": "_pressure"}).json()["items"]:
        assert item["example"] == f"{item['name']}:5..5 Pa"
        assert client.get(item["links"]["datasets"]).json()["total"] == item["dataset_count"]


def test_own_name_is_explained_by_its_row(client: TestClient, visits: Visits) -> None:
    assert visits
    (item,) = client.get(PATH, params={"q": "aster_pressure"}).json()["items"]
    told = ("how it presses", "https://example.org/pressure", [])
    assert (item["description"], item["pid"], item["aliases"]) == told


def test_text_has_an_example_and_no_extent(client: TestClient, visits: Visits) -> None:
    (item,) = client.get(PATH, params={"q": "zinnia_remark"}).json()["items"]
    assert (item["smallest"], item["largest"], item["unit"]) == (None, None, "")
    assert item["example_values"] == [("- (newer) remark: " + "x" * 200)[:200], "zinnia as it is", "zinnia as it was"]
    assert item["example"] == 'zinnia_remark:"newer) remark"'
    found = client.get(item["links"]["datasets"]).json()["items"]
    assert [hit["id"] for hit in found] == [visits.datasets["zinnia_0002"]]
    assert client.get(f"{PATH}/{item['id']}").json() == item
    assert list_names(client, PATH, {"q": f"{CLOSED}_remark"}, visits.reader) == [f"{CLOSED}_remark"]


def test_closed_text_is_an_example_for_those_who_see_it(client: TestClient, visits: Visits) -> None:
    with_closed = client.get(PATH, params={"q": CLOSED}, headers=visits.reader).json()["items"]
    assert {item["name"]: item["example_values"] for item in with_closed} == {
        f"{CLOSED}_pressure": [],
        f"{CLOSED}_remark": [f"{CLOSED} as it is"],
    }
    assert CLOSED not in client.get(PATH).text


@pytest.mark.usefixtures("visits")
def test_time_has_examples_and_no_query(client: TestClient) -> None:
    (item,) = client.get(PATH, params={"q": "zinnia_opened"}).json()["items"]
    assert (item["example_values"], item["example"], item["smallest"]) == ([f"{PAST:%Y-%m-%dT%H:%M:%S}Z"], None, None)


@pytest.mark.usefixtures("visits")
@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ({"unit": "parsecond"}, 400, "'parsecond' is not a known unit"),
        ({"q": "a b c d e f g h i"}, 400, "9 words"),
        ({"value_type": "NUMBER"}, 422, "value_type"),
        ({"limit": 201}, 422, "limit"),
        ({"sort": "newest"}, 422, "sort"),
    ],
    ids=str,
)
def test_question_that_is_not_understood_is_refused(client: TestClient, asked: Any, status: int, part: str) -> None:
    answer = client.get(PATH, params=asked)
    assert (answer.status_code, part in answer.json()["detail"]) == (status, True)
