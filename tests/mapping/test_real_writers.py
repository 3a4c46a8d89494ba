"""Masters that the packages of facilities write are read right, and each value stands where it is said to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest.mapping.inspection import to_inspection
from tests.mapping.test_paths_lead_to_values import draft_of, find_faults
from tests.mapping.writers import WRITERS

pytestmark = pytest.mark.needs("writers")
HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def masters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write one master with each, all at once."""
    folder = tmp_path_factory.mktemp("masters")
    paths = {name: folder / f"{name}.h5" for name in WRITERS}
    command = [sys.executable, "-m", "tests.mapping.writers"]
    started = {
        name: subprocess.Popen([*command, name, path], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for name, path in paths.items()
    }
    said = {name: process.communicate()[0] for name, process in started.items()}
    assert {name: said[name] for name, process in started.items() if process.returncode} == {}
    return paths


def told_of(path: Path) -> dict[str, Any]:
    return to_inspection(draft_of(path))


def plain(scan: dict[str, Any], *names: str) -> list[Any]:
    return [scan[name] and scan[name]["value"] for name in names]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_each_value_stands_where_it_is_said_to(masters: dict[str, Path], name: str) -> None:
    assert find_faults(masters[name]) == []


def test_nexusformat(masters: dict[str, Path]) -> None:
    (scan,) = told_of(masters["nexusformat"])["scans"]
    assert plain(scan, "title", "instrument_name", "sample_name", "sample_formula", "experiment_identifier") == [
        *("rotation of LaB6", "6-ID-D", "LaB6 660c", "LaB6", "GUP-77123"),
    ]
    assert plain(scan, "temperature", "incident_energy", "source_type", "probe") == [
        *(295.0, 15.9, "Synchrotron X-ray Source", "x-ray"),
    ]
    assert [(user["value"], user["role"]) for user in scan["users"]] == [("Ada Berg", "principal_investigator")]
    assert [detector["label"] for detector in scan["detectors"]] == ["Pilatus 2M"]
    assert (scan["start_time"]["value"], scan["start_time"]["zone_known"]) == ("2024-05-06T07:08:09-05:00", True)


def test_silx(masters: dict[str, Path]) -> None:
    by_entry = {scan["entry"]: scan for scan in told_of(masters["silx"])["scans"]}
    assert set(by_entry) == {"/scan", "/fit"}
    scan = by_entry["/scan"]
    assert plain(scan, "title", "sample_name", "incident_energy", "probe") == ["map of a leaf", "leaf 3", 7.2, "x-ray"]
    assert scan["wavelength"]["derived"]
    assert plain(by_entry["/fit"], "title", "sample_name", "incident_energy") == [None, None, None]


def test_nxtomo(masters: dict[str, Path]) -> None:
    told = told_of(masters["nxtomo"])
    (scan,) = told["scans"]
    assert plain(scan, "title", "definition", "instrument_name", "sample_name", "incident_energy", "probe") == [
        *("bone, half acquisition", "NXtomo", "BM05", "bone 12", 35.0, "x-ray"),
    ]
    assert (scan["end_time"]["value"], scan["end_time"]["zone_known"]) == ("2023-01-02T03:24:05", False)
    assert [technique["value"] for technique in told["techniques"]] == ["x-ray tomography"]
    by_name = {parameter["name"]: parameter for parameter in told["parameters"]}
    assert by_name["Scan_exposure_time"]["value"] == 0.1


def test_pyfai(masters: dict[str, Path]) -> None:
    told = told_of(masters["pyFAI"])
    (scan,) = told["scans"]
    assert plain(scan, "title", "definition", "incident_energy") == ["Scanning 1D experiment", None, None]
    assert scan["end_time"]["value"] >= scan["start_time"]["value"]


def test_blisswriter(masters: dict[str, Path]) -> None:
    told = told_of(masters["blisswriter"])
    (scan,) = told["scans"]
    assert (told["rules"]["name"], told["finished"], scan["ended"]) == ("esrf-bliss", True, True)
    assert plain(scan, "title", "command", "end_reason", "point_count", "instrument_name", "sample_name") == [
        *("ascan samx 0 1 10 0.1", "ascan samx 0 1 10 0.1", "SUCCESS", 11, "id00", "LaB6"),
    ]
    assert plain(scan, "incident_energy", "probe", "source_name") == [15.2, "x-ray", "ESRF"]
    by_name = {parameter["name"]: parameter for parameter in told["parameters"]}
    assert by_name["Scan_exposure_time"]["path"] == "/1.1/scan_parameters/count_time"
