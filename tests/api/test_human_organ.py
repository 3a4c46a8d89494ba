"""A human organ: written as ESRF's own model lays it out, through the whole path, and read from the API as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.units import parse_unit
from tests.entities import PAST
from tests.esrf import LEAVES, UNITS
from tests.pipeline.site import Site, set_age, staying_reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.pipeline import Services

PLACES = {
    "datasetName": "LADAF-2021-17_kidney_2.5um",
    "proposal": "md1389",
    "location": "/data/visitor/md1389/bm18/20261120/RAW_DATA/kidney",
    "startDate": "2026-11-20T10:20:30+01:00",
    "endDate": "2026-11-20T14:20:30+01:00",
    "Sample_name": "LADAF-2021-17_kidney",
    "beamlineID": "BM18",
}
PATIENT: dict[str, Any] = {
    "SamplePatient_institute": "Laboratoire d'Anatomie des Alpes",
    "SamplePatient_number": 17,
    "SamplePatient_age": 63.0,
    "SamplePatient_sex": "female",
    "SamplePatient_weight": 61.5,
    "SamplePatient_size": 168.0,
    "SamplePatient_info": "diabetes, cured tuberculosis",
    "SamplePatient_organ_name": "kidney",
    "SamplePatient_organ_description": "left kidney, in ethanol 70 %",
}
ORGAN: dict[str, Any] = {
    "Project_name": "Human Organ Atlas",
    "Sample_description": "formalin fixed, partially dehydrated",
    "Sample_thickness": 72.5,
    "SampleEnvironmentSensors_name": "hexapod_temperature room_humidity",
    "SampleEnvironmentSensors_value": "21.5 40",
    "InstrumentSource_current": 198.5,
    "InstrumentDetector01_name": "iris15",
    "InstrumentDetector01_sensor_material": "LuAG:Ce",
    "InstrumentDetector01_sensor_thickness": 0.0002,
    "InstrumentDetector01_x_pixel_size": 4.25,
    "InstrumentDetector02_name": "basler",
    "InstrumentDetector02_distance": 1.5,
    "InstrumentAttenuator03_type": "sapphire",
    "InstrumentAttenuator03_thickness": 5.0,
    "InstrumentSlitPrimary_vertical_gap": "12.5",
    "TOMO_propagationDistance": 3475.0,
    "TOMO_total_voi_dose": 21.5,
    "TOMO_surface_dose": 8.25,
    "TOMO_zStages": 14.0,
    "TOMOAcquisition_technique": "HiP-CT",
    "TOMOAcquisition_energy": 88.5,
    "TOMOAcquisition_proj_n": 6000.0,
    "TOMOAcquisition_exposure_time": 0.033,
    "TOMOAcquisition_half_acquisition": "true",
    "TOMOAcquisition_sample_pixel_size": 2.5,
    "TOMOAcquisition_scan_range": 360.0,
    "TOMOAcquisition_scintillator": "LuAG:Ce 2000 um",
    "TOMOAcquisitionZseries_z_delta": 2.25,
    "TOMOReconstruction_method": "FBP",
    "TOMOReconstruction_centered_axis": "false",
    "TOMOReconstruction_voxel_size_x": 2.5,
    "TOMOReconstruction_nb_voxel_x": 9120.0,
    "TOMOReconstruction_nb_voxel_z": 21000.0,
    "TOMOReconstruction_end_z": 20999,
    "TOMOReconstructionPhase_delta_beta": 1000.0,
}


@pytest.fixture
def site(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr("ingest.drain.make_reader", staying_reader.take)
    folder = tmp_path / "root"
    folder.mkdir()
    return Site(services, folder)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    assert site.services
    with TestClient(create_app()) as started:
        yield started


@pytest.fixture
def reader(site: Site) -> dict[str, str]:
    with site.services.write_sessions.begin() as session:
        return {"Authorization": f"Bearer {create_token(session, 'reader', [Scope.READ], PAST, None).text}"}


def write_organ(site: Site) -> Path:
    """Write the record as ESRF's model gives it to its writers of NeXus."""
    from icat_esrf_definitions.models import IcatDatasetParameters  # noqa: PLC0415 (takes 1 s)

    record = {name: str(value) for name, value in (PLACES | PATIENT | ORGAN).items()}
    path = site.folder / "organ.h5"
    with h5py.File(path, "w") as file:
        put(file.create_group("entry_0000"), IcatDatasetParameters.from_icat_dict(record).to_nexus_dict())
    set_age(path)
    return path


def put(group: h5py.Group, members: Mapping[str, Any]) -> None:
    """Write what the dictionary holds: groups, fields, and after them attributes (`@NX_class`, `age@units`)."""
    for name, value in sorted(members.items(), key=lambda member: "@" in member[0]):
        field, at, attribute = name.partition("@")
        if isinstance(value, Mapping):
            put(group.create_group(name), value)
        elif at:
            (group[field] if field else group).attrs[attribute] = value
        else:
            group[name] = value


def write_rules(path: Path, word: str) -> str:
    """Write the rules of a facility that keeps what it knows of its donors."""
    text = 'name = "organs"\nversion = "1"\nextends = "esrf-icat"\n'
    for leaf in LEAVES:
        if leaf.is_patients:
            source = f'at = ["{leaf.position}"], fields = ["{leaf.field}"]'
            text += f'\n[parameters.{leaf.name}]\npersonal = "{word}"\nsources = [{{ {source} }}]\n'
    path.write_text(text)
    return str(path)


def parameters_of(client: TestClient, dataset_id: int, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = client.get(f"/api/v1/datasets/{dataset_id}/parameters", params={"limit": 200}, headers=headers)
    assert answer.status_code == 200
    return {item["name"]: item for item in answer.json()["items"]}


def to_said(item: dict[str, Any]) -> Any:
    return item["numeric_value"] if item["value_type"] == "NUMERIC" else item["string_value"]


def expected(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: float(value) if name == "InstrumentSlitPrimary_vertical_gap" else value for name, value in record.items()
    }


def test_the_record_comes_back_as_it_was_written(site: Site, client: TestClient, reader: dict[str, str]) -> None:
    path = write_organ(site)
    rules = write_rules(site.folder.parent / "organs.toml", "closed")
    site.crawl(release_policy="immediately", rules=rules)
    dataset = client.get(f"/api/v1/datasets/{site.dataset(path).id}").json()
    assert (dataset["sample"]["name"], dataset["instruments"]) == ("LADAF-2021-17_kidney", ["BM18"])
    assert dataset["start_date"] == "2026-11-20T09:20:30Z"
    found = parameters_of(client, site.dataset(path).id, reader)
    record = PATIENT | ORGAN
    assert {name: to_said(found[name]) for name in record} == expected(record)
    units = {name: parse_unit(UNITS[name]) for name in record if UNITS[name]}
    assert {name: found[name]["unit"] for name in units} == units
    places = {leaf.name: "/".join(["/entry_0000", *(name for _, name in leaf.groups), leaf.field]) for leaf in LEAVES}
    assert {name: found[name]["source_path"] for name in record} == {name: places[name] for name in record}


def test_the_world_is_shown_the_scan_and_nothing_of_the_donor(site: Site, client: TestClient) -> None:
    path = write_organ(site)
    site.crawl(release_policy="immediately", rules=write_rules(site.folder.parent / "organs.toml", "closed"))
    found = parameters_of(client, site.dataset(path).id)
    assert found.keys().isdisjoint(PATIENT)
    assert {name: to_said(found[name]) for name in ORGAN} == expected(ORGAN)
    hits = client.get("/api/v1/datasets", params={"q": "TOMOAcquisition_sample_pixel_size:2..3um"}).json()["items"]
    assert len(hits) == 1
    assert client.get("/api/v1/datasets", params={"q": "SamplePatient_age:60..70"}).json()["items"] == []


def test_by_the_rules_that_are_shipped_nothing_of_the_donor_is_kept(
    site: Site, client: TestClient, reader: dict[str, str]
) -> None:
    path = write_organ(site)
    site.crawl(release_policy="immediately")
    found = parameters_of(client, site.dataset(path).id, reader)
    assert found.keys().isdisjoint(PATIENT)
    assert {name: to_said(found[name]) for name in ORGAN} == expected(ORGAN)
    told = client.get(f"/api/v1/datasets/{site.dataset(path).id}/record", headers=reader).text
    assert [value for value in PATIENT.values() if isinstance(value, str) and f'"{value}"' in told] == []
