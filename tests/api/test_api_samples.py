"""Samples as far as one may know of datasets or scans that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from ingest.catalogue.model import Dataset, InvestigationSample, Sample, Scan
from tests.api.visits import CLOSED, Visits, add_visits, list_names
from tests.entities import add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

PATH = "/api/v1/samples"
ELSEWHERE = "hellebore"
"""A closed visit that measured zinnia's sample, too."""
PID = "https://doi.org/10.60510/ice"


@pytest.fixture(scope="module")
def visits(module_catalogue: Catalogue) -> Visits:
    made = add_visits(module_catalogue)
    with module_catalogue.sessions.begin() as session:
        elsewhere = add_dataset(session, ELSEWHERE, is_secret=True)
        sample_id = find_sample(session, "zinnia sample")
        session.merge(
            InvestigationSample(
                investigation_id=session.get_one(Dataset, elsewhere).investigation_id, sample_id=sample_id
            )
        )
        of_it = {"sample_id": sample_id}
        session.execute(update(Dataset).where(Dataset.id == elsewhere).values(**of_it))
        session.execute(update(Scan).where(Scan.dataset_id == elsewhere).values(**of_it))
        # Scans of different samples: the dataset has none.
        session.execute(update(Dataset).where(Dataset.id == made.datasets["aster"]).values(sample_id=None))
        session.execute(update(Sample).where(Sample.name == "daisy sample").values(pid=PID))
        session.execute(update(Sample).where(Sample.name == "aster sample").values(proposal=""))
    return made


def find_sample(session: Session, name: str) -> int:
    return session.scalars(select(Sample.id).where(Sample.name == name)).one()


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["aster", "clover", "daisy", "zinnia"]),
        ({"q": "ST SAMPLE"}, ["aster"]),
        ({"q": "z_nn"}, []),
        ({"name": "clover sample"}, ["clover"]),
        ({"name": "Clover sample"}, []),
        ({"name": ["clover sample", "daisy sample", ""]}, ["clover", "daisy"]),
        ({"formula": "ZINNIAo2"}, ["zinnia"]),
        ({"facility": "Aster Facility"}, ["aster"]),
        ({"proposal": "CLOVER"}, ["clover"]),
        ({"proposal": "daisy"}, ["daisy"]),
        ({"proposal": "aster"}, []),
        ({"investigation_id": "zinnia"}, ["zinnia"]),
        ({"investigation_id": "zinnia", "name": "daisy sample"}, []),
        ({"investigation_id": 999_999}, []),
    ],
    ids=str,
)
def test_list_is_what_is_asked_for(client: TestClient, visits: Visits, asked: dict[str, Any], found: list[str]) -> None:
    if asked.get("investigation_id") == "zinnia":
        asked = asked | {"investigation_id": visits.investigations["zinnia"]}
    assert list_names(client, PATH, asked) == [f"{word} sample" for word in found]


@pytest.mark.parametrize("asked", [{"name": f"{CLOSED} sample"}, {"q": CLOSED}, {"formula": f"{CLOSED}O2"}], ids=str)
def test_sample_of_closed_data_is_found_by_readers_only(client: TestClient, visits: Visits, asked: Any) -> None:
    assert list_names(client, PATH, asked) == []
    assert list_names(client, PATH, asked, visits.reader) == [f"{CLOSED} sample"]


def test_list_shows_and_counts_what_may_be_known(client: TestClient, visits: Visits) -> None:
    answer = client.get(PATH, params={"name": "zinnia sample"})
    (sample,) = answer.json()["items"]
    investigation_id = visits.investigations["zinnia"]
    assert sample == {
        "id": sample["id"],
        "name": "zinnia sample",
        "formula": "zinniaO2",
        "pid": None,
        "facility": "zinnia facility",
        "proposal": "zinnia",
        "investigations": [
            {
                "id": investigation_id,
                "name": "zinnia/v1",
                "proposal": "zinnia",
                "visit_id": "v1",
                "title": "zinnia proposal",
                "is_inferred": False,
            }
        ],
        "dataset_count": 2,
        "links": {
            "self": f"{PATH}/{sample['id']}",
            "datasets": "/api/v1/datasets?sample=zinnia+sample&facility=zinnia+facility&proposal=zinnia",
            "investigations": "/api/v1/investigations?sample=zinnia+sample&facility=zinnia+facility",
        },
    }
    assert client.get(sample["links"]["self"]).json() == sample
    assert ELSEWHERE not in answer.text


def test_reader_is_shown_every_visit_the_latest_first(client: TestClient, visits: Visits) -> None:
    (sample,) = client.get(PATH, params={"name": "zinnia sample"}, headers=visits.reader).json()["items"]
    assert [each["name"] for each in sample["investigations"]] == [f"{ELSEWHERE}/v1", "zinnia/v1"]
    assert sample["dataset_count"] == 3


def test_samples_of_a_closed_visit_are_not_told(client: TestClient, visits: Visits) -> None:
    asked = {"name": "zinnia sample"}
    (sample,) = client.get(PATH, params=asked, headers=visits.reader).json()["items"]
    closed, shown = ({"investigation_id": each["id"]} for each in sample["investigations"])
    assert list_names(client, PATH, shown) == ["zinnia sample"]
    assert list_names(client, PATH, closed) == []
    assert list_names(client, PATH, closed, visits.reader) == ["zinnia sample"]


def test_sample_of_scans_alone_is_counted(client: TestClient, visits: Visits) -> None:
    assert visits
    (sample,) = client.get(PATH, params={"name": "aster sample"}).json()["items"]
    assert (sample["dataset_count"], [each["name"] for each in sample["investigations"]]) == (1, ["aster/v1"])
    assert sample["proposal"] is None
    assert sample["links"]["datasets"] == "/api/v1/datasets?sample=aster+sample&facility=aster+facility"


def test_sample_with_an_identifier_is_the_same_in_every_proposal(client: TestClient, visits: Visits) -> None:
    assert visits
    (sample,) = client.get(PATH, params={"name": "daisy sample"}).json()["items"]
    assert (sample["pid"], sample["proposal"]) == (PID, "daisy")
    assert sample["links"]["datasets"] == "/api/v1/datasets?sample=daisy+sample&facility=daisy+facility"
    assert client.get(sample["links"]["datasets"]).json()["total"] == 1


@pytest.mark.parametrize("word", ["zinnia", "aster"])
def test_links_lead_to_what_is_counted(client: TestClient, visits: Visits, word: str) -> None:
    assert visits
    (sample,) = client.get(PATH, params={"name": f"{word} sample"}).json()["items"]
    assert client.get(sample["links"]["datasets"]).json()["total"] == sample["dataset_count"]
    assert list_names(client, sample["links"]["investigations"]) == [each["name"] for each in sample["investigations"]]
