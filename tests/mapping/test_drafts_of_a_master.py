from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ingest.mapping.drafts import Origin
from ingest.mapping.inspection import to_inspection
from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import load_rules
from ingest.nexus.record import FileKind, Group, MasterRecord
from tests.mapping.record_parts import PARIS, drafted, entry, field, group, instrument, record, source

if TYPE_CHECKING:
    from ingest.mapping.drafts import DatasetDraft
    from ingest.nexus.record import Field


def test_file_that_says_nothing_is_a_side_file() -> None:
    bare = entry(
        group("instrument", "NXinstrument", group("detector", "NXdetector", field("data", None, shape=(1, 1000))))
    )
    assert drafted(bare).is_side_file


@pytest.mark.parametrize(
    "said", [field("title", "t"), field("start_time", "2020-01-01T00:00:00Z"), field("definition", "NXmx")]
)
def test_file_that_says_what_was_measured_is_none(said: Field) -> None:
    assert not drafted(entry(said)).is_side_file


def test_placeholder_or_a_mere_group_name_says_nothing() -> None:
    assert drafted(entry(field("title", "UNKNOWN"), group("DIFFABS", "NXinstrument"))).is_side_file


def test_master_that_links_to_other_files_is_no_side_file() -> None:
    assert not to_drafts(record(entry(), links=1), load_rules("nexus"), PARIS).is_side_file


def test_file_without_entries_has_no_scans_and_is_no_side_file() -> None:
    draft = to_drafts(MasterRecord(FileKind.OTHER, Group("/")), load_rules("nexus"), PARIS)
    assert (draft.scans, draft.is_side_file, draft.kind) == ((), False, FileKind.OTHER)


@pytest.mark.parametrize(
    ("definition", "probe", "pid"),
    [
        ("NXsas", "neutron", "PaNET01189"),
        ("nxsas", "x-ray", "PaNET01188"),
        ("NXsas", None, None),
        ("NXmx", None, "PaNET01164"),
        ("NXarchive", "x-ray", None),
    ],
)
def test_technique_follows_from_definition_and_probe(definition: str, probe: str | None, pid: str | None) -> None:
    techniques = drafted(entry(field("definition", definition), instrument(source(probe=probe)))).techniques
    assert [one.pid.rpartition("/")[2] for one in techniques] == ([pid] if pid else [])
    assert all(one.origin is Origin.INFERRED for one in techniques)


def test_rules_are_named_with_their_version() -> None:
    draft = drafted(entry())
    assert (draft.rules, draft.rules_version) == ("nexus", load_rules("nexus").version)


def full() -> DatasetDraft:
    user = group("user", "NXuser", field("name", "Ada"), field("role", "PI"))
    sample = group("sample", "NXsample", field("name", "LaB6"), field("temperature", [290.0, 300.0], "K"))
    mono = group("monochromator", "NXmonochromator", field("energy", 12000.0, "eV"))
    detector = group("eiger", "NXdetector", field("description", "Eiger 4M"))
    title, start = field("title", "t"), field("start_time", "2020-01-01T10:00:00")
    return drafted(entry(title, start, user, sample, instrument(source(), mono, detector)))


def test_inspection_is_json_of_the_agreed_shape() -> None:
    told = json.loads(json.dumps(to_inspection(full())))
    (scan,) = told["scans"]
    assert (told["file_kind"], told["finished"]) == ("hdf5-nexus", True)
    assert scan["entry"] == "/entry"
    assert (scan["title"]["value"], scan["title"]["path"]) == ("t", "/entry/title")
    energy = scan["incident_energy"]
    assert (energy["value"], energy["unit"], energy["original"], energy["derived"]) == (12.0, "keV", "12000.0", False)
    assert scan["wavelength"]["derived"]
    assert (scan["temperature"]["min"], scan["temperature"]["max"]) == (290.0, 300.0)
    assert (scan["start_time"]["value"], scan["start_time"]["zone_known"]) == ("2020-01-01T10:00:00", False)
    assert (scan["users"][0]["value"], scan["users"][0]["role"]) == ("Ada", "PI")
    assert scan["detectors"] == [{"name": "eiger", "path": "/entry/instrument/eiger", "label": "Eiger 4M", "shape": []}]
    assert scan["end_time"] is None
    assert {"Sample_temperature", "InstrumentBeam_incident_energy"} <= {one["name"] for one in told["parameters"]}


def test_inspection_tells_what_the_gate_knows_better() -> None:
    told = to_inspection(full(), file_kind="hdf5-unclosed", finished=False, more={"state": "settling"})
    assert (told["file_kind"], told["finished"], told["state"]) == ("hdf5-unclosed", False, "settling")
