"""A dataset and its parts, as the database has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from ingest.catalogue.model import (
    Datafile,
    Dataset,
    DatasetParameter,
    Investigation,
    Layer,
    MasterFile,
    MasterState,
    Scan,
)
from tests.entities import add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"


@pytest.fixture
def dataset_id(catalogue: Catalogue) -> int:
    with catalogue.sessions.begin() as session:
        add_dataset(session, "zinnia", scans=2)
        return add_dataset(session, "daisy", scans=2)


def test_dataset_tells_all_of_itself(client: TestClient, dataset_id: int) -> None:
    dataset = client.get(f"{DATASETS}/{dataset_id}").json()
    assert dataset["created_at"].endswith("Z")
    told = {
        "id": dataset_id,
        "name": "daisy_0001",
        "scan_count": 2,
        "master_state": "ingested",
        "master_reason": None,
        "location": None,
        "master_path": None,
        "copy_of_id": None,
        "flags": ["daisy puzzles"],
        "rules": "nexus",
        "rules_version": "1",
        "revision": 1,
        "doi": None,
        "instruments": ["daisy-bm"],
    }
    assert {name: dataset[name] for name in told} == told


def test_dataset_tells_why_it_is_incomplete(catalogue: Catalogue, client: TestClient, dataset_id: int) -> None:
    with catalogue.sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset_id).values(is_complete=False))
        master_id = session.get_one(Dataset, dataset_id).master_file_id
        values = {"state": MasterState.INCOMPLETE, "reason": "a scan has no end"}
        session.execute(update(MasterFile).where(MasterFile.id == master_id).values(**values))
    dataset = client.get(f"{DATASETS}/{dataset_id}").json()
    assert not dataset["is_complete"]
    assert (dataset["master_state"], dataset["master_reason"]) == ("incomplete", "a scan has no end")


def test_dataset_without_a_visit_says_none(catalogue: Catalogue, client: TestClient, dataset_id: int) -> None:
    with catalogue.sessions.begin() as session:
        session.execute(update(Investigation).where(Investigation.name == "daisy").values(visit_id="none"))
    investigation = client.get(f"{DATASETS}/{dataset_id}").json()["investigation"]
    assert (investigation["name"], investigation["visit_id"]) == ("daisy", None)


def test_scans_are_those_of_the_dataset_with_their_sources(client: TestClient, dataset_id: int) -> None:
    scans = client.get(f"{DATASETS}/{dataset_id}/scans").json()["items"]
    assert [(scan["entry_name"], scan["title"]) for scan in scans] == [
        ("/1.1", "daisy loop 0"),
        ("/2.1", "daisy loop 1"),
    ]
    first = scans[0]
    assert first["sources"]["title"] == {
        "path": "/1.1/title",
        "original": "daisy loop",
        "origin": "read",
        "zone_known": None,
    }
    assert first["detectors"] == [{"name": "daisycam", "path": "/1.1/cam", "label": None, "shape": []}]
    (motor,), (counter,) = first["motors"], first["counters"]
    assert (motor["name"], motor["unit"], motor["low"], motor["high"], motor["first"]) == ("daisyx", "mm", 0, 1, None)
    assert counter == {"name": "daisydiode", "path": "/1.1/diode", "shape": [11], "unit": None}
    (position,) = client.get(f"{DATASETS}/{dataset_id}").json()["motors"]
    assert position == {"name": "daisyy", "value": 0.5, "unit": "mm", "path": "/1.1/y"}
    assert first["users"] == [{"name": "Ada daisy", "role": None, "path": "/1.1/user/name"}]
    assert first["sample"] == {"id": first["sample"]["id"], "name": "daisy sample", "formula": "daisyO2"}


def test_parameters_stand_with_their_unit_and_what_the_file_says(client: TestClient, dataset_id: int) -> None:
    parameters = client.get(f"{DATASETS}/{dataset_id}/parameters").json()["items"]
    assert [each["name"] for each in parameters] == ["InstrumentBeam_incident_energy", "daisy_pressure", "daisy_remark"]
    pressure = parameters[1]
    told = {"numeric_value": 5.0, "unit": "Pa", "original_value": "50", "original_unit": "ubar", "layer": "file"}
    assert {name: pressure[name] for name in told} == told
    assert (parameters[2]["string_value"], parameters[2]["numeric_value"]) == ("daisy as it is", None)
    assert parameters[0]["source_path"] == "/1.1/energy"


def test_parameters_of_a_scan_are_its_own(client: TestClient, dataset_id: int) -> None:
    parameters = client.get(f"{DATASETS}/{dataset_id}/parameters", params={"scan": "2.1"}).json()["items"]
    assert [(each["name"], each["numeric_value"]) for each in parameters] == [("InstrumentBeam_incident_energy", 12.5)]
    assert client.get(f"{DATASETS}/{dataset_id}/parameters", params={"scan": "3.1"}).status_code == 404


def test_what_a_person_says_is_shown_instead(catalogue: Catalogue, client: TestClient, dataset_id: int) -> None:
    with catalogue.sessions.begin() as session:
        said = session.query(DatasetParameter).filter_by(dataset_id=dataset_id, numeric_value=5.0).one()
        said.is_shown = False
        corrected = {"type_id": said.type_id, "layer": int(Layer.PERSON), "numeric_value": 7.0, "origin": "read"}
        session.add(DatasetParameter(dataset_id=dataset_id, **corrected))
    parameters = client.get(f"{DATASETS}/{dataset_id}/parameters").json()["items"]
    found = [(each["numeric_value"], each["layer"]) for each in parameters if each["name"] == "daisy_pressure"]
    assert found == [(7.0, "person")]


@pytest.mark.parametrize("number", [math.inf, -math.inf, 1e308, 5e-324])
def test_numbers_that_json_cannot_say_do_no_harm(
    catalogue: Catalogue, client: TestClient, dataset_id: int, number: float
) -> None:
    with catalogue.sessions.begin() as session:
        of_dataset = DatasetParameter.dataset_id == dataset_id
        values = {"numeric_value": number, "values": [number, 1.0, math.nan]}
        session.execute(update(DatasetParameter).where(of_dataset).values(**values))
    answer = client.get(f"{DATASETS}/{dataset_id}/parameters")
    assert answer.status_code == 200
    shown = number if math.isfinite(number) else None
    assert answer.json()["items"][0]["numeric_value"] == shown
    assert answer.json()["items"][0]["values"] == [shown, 1.0, None]


def test_files_stand_in_their_order(catalogue: Catalogue, client: TestClient, dataset_id: int) -> None:
    with catalogue.sessions.begin() as session:
        columns = {"dataset_id": dataset_id, "ordinal": 7, "file_size": 2**40, "mtime_ns": -1, "is_vanished": True}
        session.add(Datafile(name='a "b"\n<é>.h5', **columns))
    files = client.get(f"{DATASETS}/{dataset_id}/files").json()["items"]
    assert files == [
        {
            "ordinal": 0,
            "name": "daisy_0000.h5",
            "file_size": 10,
            "modified_at": "2020-09-13T12:26:40.123456Z",
            "checksum": None,
            "address": f"/files/{dataset_id}/daisy_0000.h5",
            "is_vanished": False,
        },
        {
            "ordinal": 7,
            "name": 'a "b"\n<é>.h5',
            "file_size": 2**40,
            "modified_at": "1969-12-31T23:59:59.999999Z",
            "checksum": None,
            "address": None,
            "is_vanished": True,
        },
    ]


def test_withdrawn_scan_is_listed_and_not_counted(catalogue: Catalogue, client: TestClient, dataset_id: int) -> None:
    with catalogue.sessions.begin() as session:
        first = (Scan.dataset_id == dataset_id) & (Scan.ordinal == 0)
        session.execute(update(Scan).where(first).values(is_withdrawn=True))
    assert [s["is_withdrawn"] for s in client.get(f"{DATASETS}/{dataset_id}/scans").json()["items"]] == [True, False]
    dataset = client.get(f"{DATASETS}/{dataset_id}").json()
    assert (dataset["scan_count"], dataset["title"]) == (1, None)
