"""Scans, parameters and files of one dataset: filtered, and each scan at its own address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from ingest.catalogue.model import Datafile, Scan
from tests.entities import add_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"
SCANS: dict[int, Mapping[str, Any]] = {
    0: {"command": "ascan samx 0 1 10 0.1", "kind": "dark"},
    1: {
        "title": "Tomography of a tooth",
        "definition": "NXtomo",
        "is_ended": False,
        "motors": [{"name": "samx", "path": "/2.1/x"}, {"name": 'r\u00f6t "%', "path": "/2.1/r"}],
        "counters": [{"name": "I0", "path": "/2.1/samy", "shape": [5]}],
        "kind": "projection",
        "served_by": [{"kind": "dark", "entry_name": "/1.1"}],
        "frames": {"projection": 5},
        "linked_files": {"missing": 2, "present": 1},
        "detectors": [{"name": "eiger", "path": "/2.1/e", "label": None, "shape": [5, 64, 96]}],
    },
    2: {"title": "50% done", "definition": "NXtomo", "entry_name": "/a b/\u00e9?c%"},
}
FILES: dict[int, Mapping[str, Any]] = {
    0: {"name": "scan0001/eiger_0000.h5"},
    1: {"name": "scan0002/eiger_0000.h5", "is_vanished": True},
    2: {"name": "scan0002/EIGER%_[1].h5"},
    3: {"name": "notes.txt"},
}


@pytest.fixture(scope="module")
def path(module_catalogue: Catalogue) -> str:
    with module_catalogue.sessions.begin() as session:
        add_dataset(session, "zinnia", scans=3, files=4)
        dataset_id = add_dataset(session, "daisy", scans=3, files=4)
        for kind, changes in ((Scan, SCANS), (Datafile, FILES)):
            for ordinal, values in changes.items():
                of_it = (kind.dataset_id == dataset_id) & (kind.ordinal == ordinal)
                session.execute(update(kind).where(of_it).values(**values))
    return f"{DATASETS}/{dataset_id}"


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.parametrize(
    ("asked", "ordinals"),
    [
        ({}, [0, 1, 2]),
        ({"q": "TOOTH tomo"}, [1]),
        ({"q": "samx"}, [0]),
        ({"q": "%"}, [2]),
        ({"q": "daisy"}, [0]),
        ({"definition": "nxTOMO"}, [1, 2]),
        ({"definition": ["NXdaisy", "NXtomo", ""]}, [0, 1, 2]),
        ({"definition": "NXtom"}, []),
        ({"ended": "true"}, [0, 2]),
        ({"ended": "false"}, [1]),
        ({"definition": "NXtomo", "ended": "true", "q": "done"}, [2]),
        ({"motor": "SAMX"}, [1]),
        ({"motor": ["daisyx", "nothing"]}, [0, 2]),
        ({"motor": 'r\u00f6t "%'}, [1]),
        ({"motor": "samy"}, []),
        ({"motor": "sam"}, []),
        ({"motor": "%"}, []),
        ({"counter": "I0", "motor": "samx"}, [1]),
        ({"counter": "samx"}, []),
        ({"detector": "eiger"}, [1]),
        ({"kind": "dark"}, [0]),
        ({"kind": ["dark", "projection"]}, [0, 1]),
        ({"linked": "missing"}, [1]),
        ({"linked": ["on_tape", "present"]}, [1]),
        ({"linked": "on_tape"}, []),
        ({"served_by": "1.1"}, [1]),
        ({"served_by": "/1.1"}, [1]),
        ({"served_by": "1"}, []),
        ({"served_by": "dark"}, []),
    ],
    ids=str,
)
def test_scans_are_what_is_asked_for(client: TestClient, path: str, asked: Any, ordinals: list[int]) -> None:
    assert [scan["ordinal"] for scan in client.get(f"{path}/scans", params=asked).json()["items"]] == ordinals


def test_scan_tells_its_kind_its_frames_and_by_which_it_is_served(client: TestClient, path: str) -> None:
    first, second, third = client.get(f"{path}/scans").json()["items"]
    assert [each["kind"] for each in (first, second, third)] == ["dark", "projection", None]
    assert (second["frames"], third["frames"]) == ({"projection": 5}, {})
    assert (second["served_by"], third["served_by"]) == ([{"kind": "dark", "entry_name": "/1.1"}], [])


def test_linked_files_are_counted_and_those_that_are_not_at_hand_named(
    client: TestClient, catalogue: Catalogue
) -> None:
    with catalogue.sessions.begin() as session:
        without_any = add_dataset(session, "clover", linked_files=None)
    nothing = client.get(f"{DATASETS}/{without_any}/linked-files").json()
    assert (nothing["present"], nothing["missing"], nothing["is_complete"], nothing["lacking"]) == (0, 0, True, [])
    lacking = {"path": "/1.1/x", "kind": "external", "state": "missing"}
    held = {"counts": {"present": 2, "missing": 2}, "outside": 1, "unlisted": 3}
    held["lacking"] = [{**lacking, "file": file} for file in ("a/b.h5", "/data/secret.h5")]
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "tulip", linked_files=held)
    found = client.get(f"{DATASETS}/{dataset_id}/linked-files").json()
    assert [each["file"] for each in found["lacking"]] == ["a/b.h5", None]
    assert (found["present"], found["missing"], found["outside"], found["unlisted"]) == (2, 2, 1, 3)
    assert (found["on_tape"], found["unreachable"], found["is_complete"]) == (0, 0, False)


def test_each_scan_is_reached_by_its_entry_name(client: TestClient, path: str) -> None:
    for scan in client.get(f"{path}/scans").json()["items"]:
        assert client.get(scan["links"]["self"]).json() == scan
        parameters = client.get(scan["links"]["parameters"]).json()["items"]
        assert {(each["scan"], each["numeric_value"]) for each in parameters} == {(scan["entry_name"], 12.5)}


def test_scan_is_found_with_its_slash_or_without(client: TestClient, path: str) -> None:
    assert client.get(f"{path}/scans/1.1").json() == client.get(f"{path}/scans//1.1").json()
    assert client.get(f"{path}/scans/1.1").json()["entry_name"] == "/1.1"


@pytest.mark.parametrize("entry_name", ["1", "1.1/", "3.1", "%2F", "*"])
def test_scan_that_is_not_there(client: TestClient, path: str, entry_name: str) -> None:
    answer = client.get(f"{path}/scans/{entry_name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [("InstrumentBeam_incident_energy", None), ("daisy_pressure", None), ("daisy_remark", None)]),
        ({"q": "PRESS daisy"}, [("daisy_pressure", None)]),
        ({"q": "incident_energy"}, [("InstrumentBeam_incident_energy", None)]),
        ({"q": "%"}, []),
        ({"scan": "1.1"}, [("InstrumentBeam_incident_energy", "/1.1")]),
        ({"scan": "1.1", "q": "pressure"}, []),
        (
            {"scan": "*"},
            [("InstrumentBeam_incident_energy", entry) for entry in ("/1.1", "/2.1", SCANS[2]["entry_name"])],
        ),
    ],
    ids=str,
)
def test_parameters_are_what_is_asked_for(
    client: TestClient, path: str, asked: Any, found: list[tuple[str, str | None]]
) -> None:
    items = client.get(f"{path}/parameters", params=asked).json()["items"]
    assert [(each["name"], each["scan"]) for each in items] == found


@pytest.mark.parametrize(
    ("asked", "ordinals"),
    [
        ({}, [0, 1, 2, 3]),
        ({"name": "Eiger"}, [0, 1, 2]),
        ({"name": "scan0002/"}, [1, 2]),
        ({"name": "*.TXT"}, [3]),
        ({"name": "*/eiger_????.h5"}, [0, 1]),
        ({"name": "eiger_*"}, []),
        ({"name": "%_[1]"}, [2]),
        ({"name": "*%*"}, [2]),
        ({"name": "_"}, [0, 1, 2]),
        ({"name": "scan0001?eiger*"}, [0]),
        ({"vanished": "true"}, [1]),
        ({"vanished": "false"}, [0, 2, 3]),
        ({"vanished": "false", "name": "eiger"}, [0, 2]),
    ],
    ids=str,
)
def test_files_are_what_is_asked_for(client: TestClient, path: str, asked: Any, ordinals: list[int]) -> None:
    assert [file["ordinal"] for file in client.get(f"{path}/files", params=asked).json()["items"]] == ordinals


def test_address_of_a_file_is_encoded_and_only_of_what_is_there(client: TestClient, path: str) -> None:
    files = client.get(f"{path}/files").json()["items"]
    folder = path.replace(DATASETS, "/files")
    assert [file["address"] for file in files] == [
        f"{folder}/scan0001/eiger_0000.h5",
        None,
        f"{folder}/scan0002/EIGER%25_%5B1%5D.h5",
        f"{folder}/notes.txt",
    ]


@pytest.mark.parametrize("part", ["scans", "parameters"])
def test_too_many_words_are_refused(client: TestClient, path: str, part: str) -> None:
    answer = client.get(f"{path}/{part}", params={"q": "a b c d e f g h i"})
    assert (answer.status_code, answer.json()["detail"]) == (400, "9 words are given, 8 are the most")
