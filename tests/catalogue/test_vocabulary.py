from __future__ import annotations

import runpy
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import icat_esrf_definitions
import pytest

from ingest.catalogue.units import parse_unit
from ingest.catalogue.vocabulary import ValueType, find_parameter, list_numbered, load_vocabulary

GENERATOR = Path(__file__).parents[2] / "generators" / "esrf.py"
ADVICE = "the definitions changed: run `python generators/esrf.py` and look at the difference"


def test_units_are_spelled_as_we_spell_them() -> None:
    assert {one.name for one in load_vocabulary().values() if one.unit and parse_unit(one.unit) != one.unit} == set()


def test_only_numbers_have_units() -> None:
    assert all(bool(one.unit) == (one.value_type is ValueType.NUMERIC) for one in load_vocabulary().values())


def test_no_alias_means_two_things() -> None:
    meant = {(text.casefold(), one.name) for one in load_vocabulary().values() for text in (one.name, *one.aliases)}
    assert [text for text, count in Counter(text for text, _ in meant).items() if count > 1] == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("energy", "InstrumentBeam_incident_energy"),
        ("Wavelength", "InstrumentBeam_incident_wavelength"),
        ("temperature", "Sample_temperature"),
        ("exposure time", "Scan_exposure_time"),
        ("detector_distance", "InstrumentDetector01_distance"),
        ("instrumentsource_current", "InstrumentSource_current"),
    ],
)
def test_what_a_person_types(typed: str, name: str) -> None:
    assert find_parameter(typed).name == name


def test_unknown_name() -> None:
    assert find_parameter("colour") is None


def test_numbered_parameters_exist_once_for_each_number() -> None:
    names = [name for name in load_vocabulary() if name.startswith("InstrumentDetector") and name.endswith("_distance")]
    assert names == [f"InstrumentDetector{number:02d}_distance" for number in range(1, 11)]
    assert find_parameter("InstrumentDetector02_distance").aliases == ()


def test_esrfs_vocabulary_is_there_whole_with_its_units() -> None:
    given = {
        leaf.text.strip().strip("${}"): parse_unit(leaf.get("units") or "")
        for leaf in ET.parse(icat_esrf_definitions.DEFINITIONS_FILE).getroot().iter()  # noqa: S314 - a package of our own choice
        if leaf.text and leaf.text.strip().startswith("${")
    }
    known = load_vocabulary()
    assert {name for name, one in known.items() if one.is_esrf} == given.keys()
    assert {name: unit for name, unit in given.items() if unit and known[name].unit != unit} == {}


def test_the_vocabulary_is_what_its_generator_makes_of_the_installed_definitions() -> None:
    generator = runpy.run_path(str(GENERATOR))
    leaves = generator["read_leaves"]()
    assert generator["VOCABULARY"].read_text(encoding="utf-8") == generator["to_vocabulary"](leaves), ADVICE


@pytest.mark.parametrize(
    ("name", "unit", "value_type"),
    [
        ("TOMOAcquisition_camera_pixel_size", "um", ValueType.NUMERIC),
        ("SamplePatient_age", "a", ValueType.NUMERIC),
        ("EM_dose", "electrons/angstrom^2", ValueType.NUMERIC),
        ("MRT_doseRate", "Gy/s/mA", ValueType.NUMERIC),
        ("InstrumentSlits_vertical_gap", "mm", ValueType.NUMERIC),
        ("InstrumentDetector07_elapsed_real_time", "s", ValueType.NUMERIC),
        ("MX_numberOfImages", "1", ValueType.NUMERIC),
        ("TOMOAcquisition_half_acquisition", "", ValueType.STRING),
        ("actualStartDate", "", ValueType.DATE_AND_TIME),
        ("InstrumentAttenuator15_thickness", "mm", ValueType.NUMERIC),
        ("InstrumentAttenuator15_transmission", "1", ValueType.NUMERIC),
    ],
)
def test_what_a_parameter_is(name: str, unit: str, value_type: ValueType) -> None:
    known = load_vocabulary()[name]
    assert (known.unit, known.value_type) == (unit, value_type)
    assert known.description


def test_numbers_end_where_esrfs_do() -> None:
    assert list_numbered("InstrumentAttenuator{nn}_transmission")[-1] == "InstrumentAttenuator15_transmission"
    assert list_numbered("InstrumentXraylens{nn}_anything")[-1] == "InstrumentXraylens10_anything"
    assert list_numbered("Site_shutter{nn}")[-1] == "Site_shutter10"
    assert list_numbered("Sample_mass") == ["Sample_mass"]
    assert "InstrumentAttenuator02_description" not in load_vocabulary()
