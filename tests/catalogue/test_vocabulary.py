from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

import icat_esrf_definitions
import pytest

from ingest.catalogue.units import parse_unit
from ingest.catalogue.vocabulary import ValueType, find_parameter, load_vocabulary


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


def test_names_and_units_are_esrfs() -> None:
    known = {
        leaf.text.strip().strip("${}"): parse_unit(leaf.get("units") or "") or ""
        for leaf in ET.parse(icat_esrf_definitions.DEFINITIONS_FILE).getroot().iter()  # noqa: S314 - a package of our own choice
        if leaf.text and leaf.text.strip().startswith("${")
    }
    ours = {one.name: "" if one.unit == "1" else one.unit for one in load_vocabulary().values() if one.is_esrf}
    assert {name: unit for name, unit in ours.items() if known.get(name) != unit} == {}
    assert {one.name for one in load_vocabulary().values() if not one.is_esrf} & known.keys() == set()
