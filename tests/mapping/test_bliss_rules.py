"""What ESRF's rules add: ends, commands, side files, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.mapping.paths import match_path, to_master_names
from ingest.mapping.rules import choose_rules, load_rules, shipped_rules
from ingest.rulebook import Rulebook
from tests.mapping.record_parts import drafted, entry, field, group, record

if TYPE_CHECKING:
    from ingest.mapping.drafts import DatasetDraft
    from ingest.nexus.record import Field, Group


def bliss_scan(name: str = "1.1", *members: Field | Group) -> Group:
    measurement = group("measurement", "NXcollection", field("epoch", None, "s", shape=(11,)))
    parameters = group("scan_parameters", "NXparameters", field("count_time", 0.1, "s"))
    instrument = group("instrument", "NXinstrument", field("name", "ESRF-id00", attributes={"short_name": "id00"}))
    title = field("title", "ascan samx 0 1 10 0.1")
    status = group("writer", "NXnote", field("status", "SUCCEEDED"))
    return entry(title, instrument, measurement, parameters, status, *members, name=name)


def bliss(*members: Field | Group) -> DatasetDraft:
    return drafted(bliss_scan("1.1", *members), rules="esrf-bliss")


def test_scan_tells_command_points_and_beamline() -> None:
    scan = bliss().scans[0]
    assert scan.command.value == scan.title.value == "ascan samx 0 1 10 0.1"
    assert (scan.point_count.value, scan.point_count.path) == (11, "/1.1/measurement/epoch")
    assert (scan.instrument_name.value, scan.instrument_name.path) == ("id00", "/1.1/instrument/name@short_name")


def test_entry_without_an_end_is_unfinished_whatever_the_writer_says() -> None:
    assert not bliss().scans[0].ended
    assert not bliss().all_ended
    assert bliss(field("end_time", "2026-11-20T11:56:26+00:00")).all_ended


def test_default_rules_demand_no_end() -> None:
    assert drafted(bliss_scan()).all_ended


@pytest.mark.parametrize("reason", ["SUCCESS", "USER_ABORT", "FAILURE", "DELETION"])
def test_end_reason(reason: str) -> None:
    assert bliss(field("end_reason", reason)).scans[0].end_reason.value == reason


def test_exposure_time_is_the_count_time_of_the_scan() -> None:
    (parameter,) = [one for one in bliss().parameters if one.name == "Scan_exposure_time"]
    assert (parameter.value.value.value, parameter.value.path) == (0.1, "/1.1/scan_parameters/count_time")


def test_energy_motor_counts_only_with_its_unit() -> None:
    with_unit = group("instrument", "NXinstrument", group("positioners", "NXcollection", field("energy", 15.2, "keV")))
    without = group("instrument", "NXinstrument", group("positioners", "NXcollection", field("energy", 15.2)))
    scans = drafted(entry(with_unit, name="1.1"), entry(without, name="2.1"), rules="esrf-bliss").scans
    assert scans[0].incident_energy.value.value == 15.2
    assert scans[1].incident_energy is None


def test_lima_file_is_a_side_file_though_it_has_a_title() -> None:
    lima = entry(field("title", "Lima 2D detector acquisition"), field("start_time", "2026-11-20T11:56:34Z"))
    assert drafted(lima, rules="esrf-bliss", creator="LIMA-1.10").is_side_file
    assert not drafted(lima, rules="esrf-bliss", creator="blissdata").is_side_file


@pytest.mark.parametrize(
    ("attributes", "entries", "name"),
    [
        ({"publisher": "bliss", "creator": "blissdata"}, ["1.1"], "esrf-bliss"),
        ({"creator": "Bliss"}, ["entry"], "esrf-bliss"),
        ({"creator": "LIMA-1.10"}, ["entry_0000"], "esrf-bliss"),
        ({}, ["1.1", "2.1"], "nexus"),
        ({"creator": "areaDetector"}, ["entry"], "nexus"),
    ],
)
def test_rules_are_chosen_by_what_tells_the_writer(attributes: dict[str, str], entries: list[str], name: str) -> None:
    master = record(*(entry(name=one) for one in entries), **attributes)
    assert choose_rules(master, shipped_rules()).name == name


def test_the_roots_own_rules_go_first() -> None:
    master = record(entry(), publisher="bliss")
    assert Rulebook().open("nexus", "UTC").choose(master).name == "nexus"


MASTER = "RAW_DATA/LaB6/LaB6_0001/LaB6_0001.h5"


@pytest.mark.parametrize(
    "path",
    [
        f"visitor/hc6001/id00/20261101/{MASTER}",
        f"hc6001/id00/20261101/{MASTER}",
        f"/data/visitor/hc6001/id00/20261101/{MASTER}",
        f"id00/inhouse/hc6001/id00/20261101/{MASTER}",
    ],
)
def test_path_tells_everything_wherever_the_root_stands(path: str) -> None:
    match = match_path(path, load_rules("esrf-bliss"))
    found = match.proposal, match.visit, match.beamline, match.collection, match.dataset
    assert found == ("hc6001", "20261101", "id00", "LaB6", "LaB6_0001")


def test_collection_master_lies_in_no_dataset() -> None:
    match = match_path("visitor/hc6001/id00/20261101/RAW_DATA/LaB6/hc6001_LaB6.h5", load_rules("esrf-bliss"))
    assert (match.proposal, match.visit, match.dataset) == ("hc6001", "20261101", None)


def test_path_without_raw_data_tells_the_visit_only() -> None:
    match = match_path("inhouse/blc14/id21/20260101/test/file.h5", load_rules("esrf-bliss"))
    assert (match.proposal, match.visit, match.dataset) == ("blc14", "20260101", None)


@pytest.mark.parametrize(
    "path", ["some/where/else.h5", "hc6001/id00/notadate/x.h5", "", "visitor/hc6001/id00/202611011/x.h5"]
)
def test_path_without_proposal(path: str) -> None:
    assert match_path(path, load_rules("esrf-bliss")) is None


def test_default_rules_know_no_paths() -> None:
    assert match_path(f"visitor/hc6001/id00/20261101/{MASTER}", load_rules("nexus")) is None


def test_master_has_its_folders_name() -> None:
    assert to_master_names("LaB6_0001", load_rules("esrf-bliss")) == ("LaB6_0001.h5",)
    assert to_master_names("LaB6_0001", load_rules("nexus")) == ()
