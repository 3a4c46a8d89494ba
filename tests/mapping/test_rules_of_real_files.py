"""What real files do, one oddity after another, in files written with plain h5py and read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from ingest.mapping.inspection import to_inspection
from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import choose_rules, shipped_rules
from ingest.nexus.master import read_master
from tests.mapping.record_parts import PARIS

if TYPE_CHECKING:
    from pathlib import Path

LATIN_ANGSTROM, LATIN_DEGREE = b"\xc5", b"\xb0C"
SOURCE = {"source:NXsource": {"probe": "x-ray"}}


def write(group: h5py.Group, members: dict[str, Any]) -> None:
    """Write `name:NXclass` as a group, `@name` as an attribute, (value, unit) as a field with its unit.

    A name that has a colon itself is parted from its class by a stroke.
    """
    for key, value in members.items():
        mark = "|" if "|" in key else ":"
        name, _, nx_class = key.rpartition(mark) if mark in key else (key, "", "")
        if isinstance(value, dict):
            inner = group.create_group(name)
            if nx_class:
                inner.attrs["NX_class"] = nx_class
            write(inner, value)
        elif key.startswith("@"):
            group.attrs[key[1:]] = value
        else:
            number, unit = value if isinstance(value, tuple) else (value, None)
            field = group.create_dataset(name, data=number)
            if unit is not None:
                field.attrs["units"] = unit


def told_of(path: Path, members: dict[str, Any], **entries: dict[str, Any]) -> dict[str, Any]:
    with h5py.File(path, "w") as file:
        for name, inner in ({"entry": members} | entries).items():
            write(file, {f"{name}:NXentry": inner})
    record = read_master(path)
    return to_inspection(to_drafts(record, choose_rules(record, shipped_rules()), PARIS))


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return tmp_path / "a.nx5"


@pytest.mark.parametrize(
    "text",
    [
        "LaB6",
        np.bytes_("LaB6"),
        np.array([b"LaB6"]),
        np.array([[b"LaB6  "]]),
        np.array(["LaB6"], dtype=h5py.string_dtype()),
        np.bytes_("LaB6\n"),
        "b'LaB6'",
    ],
    ids=["vlen", "fixed", "array", "matrix", "vlen array", "newline", "repr of bytes"],
)
def test_strings_of_every_kind_are_one_text(master: Path, text: Any) -> None:
    (scan,) = told_of(master, {"sample:NXsample": {"name": text}})["scans"]
    assert scan["sample_name"]["value"] == "LaB6"


@pytest.mark.parametrize(
    ("number", "unit", "angstrom"),
    [
        (1.5, LATIN_ANGSTROM, 1.5),
        (1.5, "A", 1.5),
        (1.5, "Å", 1.5),
        (1.5, "Angstroem", 1.5),
        (1.5, np.array([b"Angstroms"]), 1.5),
        (0.15, "nm", 1.5),
        (1.5e-10, "m", 1.5),
        (1.5, "furlong", None),
    ],
)
def test_a_wavelength_has_its_unit_in_many_spellings(
    master: Path, number: float, unit: Any, angstrom: float | None
) -> None:
    mono = {"mono:NXmonochromator": {"wavelength": (number, unit)}}
    (scan,) = told_of(master, {"instrument:NXinstrument": mono})["scans"]
    assert (scan["wavelength"] and scan["wavelength"]["value"]) == (angstrom and pytest.approx(angstrom))


@pytest.mark.parametrize(("unit", "kev"), [("meV", 5e-6), ("MeV", None), ("KeV", 5.0), ("eV", 5e-3), ("J", None)])
def test_the_case_of_a_unit_counts(master: Path, unit: str, kev: float | None) -> None:
    mono = {"mono:NXmonochromator": {"energy": (5.0, unit)}}
    (scan,) = told_of(master, {"instrument:NXinstrument": mono})["scans"]
    assert (scan["incident_energy"] and scan["incident_energy"]["value"]) == (kev and pytest.approx(kev))


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"instrument:NXinstrument": {"sample:NXsample": {"name": "a"}}}, "sample_name"),
        ({"sub:NXsubentry": {"sample:NXsample": {"name": "a"}}}, "sample_name"),
        ({"sample:NXsample": {"sample_name": "a"}}, "sample_name"),
        ({"sample_description": "a"}, "sample_name"),
        ({"experiment_title": "a"}, "title"),
        ({"scancommand": "a"}, "command"),
        ({"user:NXuser": {"experiment_number": "a"}}, "experiment_identifier"),
        ({"microscope:NXem_instrument": {"name": "a"}}, "instrument_name"),
        ({"IDF_version": 1, "lab": "a"}, "source_name"),
        ({"sample:NXsample": {"chemicalFormula": "a"}}, "sample_formula"),
        ({"sample:NXsample": {"sampleId": "a"}}, "sample_identifier"),
        ({"source:NXsource": {"name": "a"}}, "source_name"),
        ({"instrument:NXinstrument": {"definition": "a"}}, "definition"),
        ({"sub:NXsubentry": {"definition": "a"}}, "definition"),
        ({"instrument:NXinstrument": {"title": "a"}}, "instrument_name"),
        ({"instrument:NXinstrument": {"instrument_name": "a"}}, "instrument_name"),
        ({"proposal": "a"}, "experiment_identifier"),
        ({"experiment_identifier:NXidentifier": {"identifier": "a"}}, "experiment_identifier"),
    ],
)
def test_a_text_stands_at_many_places_under_many_names(master: Path, place: dict[str, Any], field: str) -> None:
    (scan,) = told_of(master, place)["scans"]
    assert scan[field]["value"] == "a"


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"sample:NXsample": {"incident_energy": (8.0, "keV")}}, "incident_energy"),
        ({"instrument:NXinstrument": {"c:NXcrystal": {"wavelength": (8.0, "angstrom")}}}, "wavelength"),
        ({"instrument:NXinstrument": {"c:NXcollection": {"energy": (8.0, "keV")}}}, "incident_energy"),
        ({"instrument:NXinstrument": {"v:NXvelocity_selector": {"lambda": (8.0, "A")}}}, "wavelength"),
        ({"instrument:NXinstrument": {"monochromator": {"energy": (8.0, "keV")}}}, "incident_energy"),
        ({"instrument:NXinstrument": {"m:NXMonochromator ": {"energy": (8.0, "keV")}}}, "incident_energy"),
        ({"sample:NXsample": {"temperature_env": (8.0, "K")}}, "temperature"),
        ({"sample:NXsample": {"temperature:NXlog": {"value": ([8.0, 8.0], "K")}}}, "temperature"),
        ({"logs:NXcollection": {"BL1:SE:SampleTemp|NXlog": {"value": ([8.0, 8.0], "K")}}}, "temperature"),
        ({"beam_probe:NXbeam": {"photon_energy": (8.0, "keV")}}, "incident_energy"),
    ],
)
def test_a_number_stands_at_many_places_under_many_names(master: Path, place: dict[str, Any], field: str) -> None:
    (scan,) = told_of(master, place)["scans"]
    assert scan[field]["value"] == 8.0


@pytest.mark.parametrize(
    "place",
    [
        {"source:NXsource": {"energy": (6.0, "GeV")}},
        {"pump_laser:NXbeam": {"incident_energy": (1.55, "eV")}, "beam:NXbeam": {}},
        {"beam_pump_0:NXbeam": {"photon_energy": (1.55, "eV")}},
        {"detector:NXdetector": {"threshold_energy": (6.0, "keV")}},
        {"analyser:NXmonochromator": {"energy": (6.0, "keV")}},
        {"beam:NXbeam": {"final_energy": (6.0, "keV")}},
        {"mono:NXmonochromator": {"energy": (-1.0, "keV")}},
        {"mono:NXmonochromator": {"energy": (float("nan"), "keV")}},
        {"mono:NXmonochromator": {"energy": (7e78, "keV")}},
    ],
)
def test_another_energy_is_not_the_incident_one(master: Path, place: dict[str, Any]) -> None:
    (scan,) = told_of(master, {"instrument:NXinstrument": place})["scans"]
    assert scan["incident_energy"] is None


@pytest.mark.parametrize(
    "place",
    [
        {"instrument:NXinstrument": {"moderator:NXmoderator": {"temperature": (20.0, "K")}}},
        {"instrument:NXinstrument": {"detector:NXdetector": {"temperature": (300.0, "K")}}},
        {"sample:NXsample": {"temperature": (0.0, "K")}},
        {"sample:NXsample": {"temperature": (-327.68, LATIN_DEGREE)}},
        {"sample:NXsample": {"temperature:NXlog": {"value": ([], "K"), "average_value": (0.0, "K")}}},
        {"sample:NXsample": {"temperature_setpoint:NXlog": {"value": ([4.0], "K")}}},
        {"logs:NXcollection": {"BL1:SE:SampleTempSP|NXlog": {"value": ([4.0], "K")}}},
        {"sample:NXsample": {"temperature_2:NXsensor": {"attached_to": "cold head", "value": (4.0, "K")}}},
    ],
)
def test_another_temperature_is_not_the_samples(master: Path, place: dict[str, Any]) -> None:
    (scan,) = told_of(master, place)["scans"]
    assert scan["temperature"] is None


def test_latin1_degrees_are_celsius(master: Path) -> None:
    (scan,) = told_of(master, {"sample:NXsample": {"temperature": (20.0, LATIN_DEGREE)}})["scans"]
    assert scan["temperature"]["value"] == pytest.approx(293.15)


def test_of_duplicates_the_path_tells_which_was_taken(master: Path) -> None:
    beam = {"beam:NXbeam": {"incident_energy": (8.0, "keV")}}
    members = {"sample:NXsample": beam, "instrument:NXinstrument": {"mono:NXmonochromator": {"energy": (9.0, "keV")}}}
    (scan,) = told_of(master, members)["scans"]
    assert (scan["incident_energy"]["value"], scan["incident_energy"]["path"]) == (
        8.0,
        "/entry/sample/beam/incident_energy",
    )


def test_energy_of_neutrons_and_of_photons_are_other_wavelengths(master: Path) -> None:
    def wavelength_of(probe: str) -> float:
        parts = {"source:NXsource": {"probe": probe}, "mono:NXmonochromator": {"energy": (0.08, "eV")}}
        (scan,) = told_of(master, {"instrument:NXinstrument": parts})["scans"]
        assert scan["wavelength"]["derived"]
        return float(scan["wavelength"]["value"])

    assert wavelength_of("neutron") == pytest.approx(1.0112, abs=1e-4)
    assert wavelength_of("x-ray") == pytest.approx(154980, abs=1)


def test_a_scanned_energy_is_its_range(master: Path) -> None:
    parts = {**SOURCE, "mono:NXmonochromator": {"energy": (np.linspace(7.0, 7.5, 500), "keV")}}
    (scan,) = told_of(master, {"instrument:NXinstrument": parts})["scans"]
    assert (scan["incident_energy"]["min"], scan["incident_energy"]["max"]) == (7.0, 7.5)


def test_of_people_names_and_roles_alone_are_told(master: Path) -> None:
    contact = {
        "email": "ada@example.org",
        "telephone_number": "+33 4 76 88 20 00",
        "fax_number": "0476882001",
        "address": "71 avenue des Martyrs, 38000 Grenoble",
        "affiliation": "ESRF",
        "name": "Ada Berg <ada@example.org>",
        "role": "principal_investigator",
    }
    told = told_of(master, {"user:NXuser": contact, "title": "asked by ada@example.org"})
    assert [(user["value"], user["role"]) for user in told["scans"][0]["users"]] == [
        ("Ada Berg", "principal_investigator")
    ]
    assert not [text for text in ("example.org", "Martyrs", "047688", "76 88") if text in str(told)]


def test_entries_come_in_their_number_not_by_the_alphabet(master: Path) -> None:
    names = ["10.1", "2.1", "1.1"]
    told = told_of(master, {"title": "t"}, **{name: {"title": name} for name in names})
    assert [scan["entry"] for scan in told["scans"]] == ["/1.1", "/2.1", "/10.1", "/entry"]


@pytest.mark.parametrize("name", ["entry-01", "1.1", "a b:c#d", "größe"])
def test_an_entry_may_be_called_anything(master: Path, name: str) -> None:
    told = told_of(master, {"title": "t"}, **{name: {"title": "this"}})
    assert f"/{name}" in {scan["entry"] for scan in told["scans"]}


def test_definition_of_any_text_is_kept(master: Path) -> None:
    (scan,) = told_of(master, {"definition": "pulsedTD"})["scans"]
    assert scan["definition"]["value"] == "pulsedTD"


@pytest.mark.parametrize("attribute", ["canSAS_class", "NX_class"])
def test_classes_of_cansas_alone_are_the_manuals(master: Path, attribute: str) -> None:
    detector = {"@canSAS_class": "SASdetector", "name": "rear"}
    tree = {
        "@canSAS_class": "SASentry",
        "definition": "NXcanSAS",
        "title": "rest",
        "inst": {"@canSAS_class": "SASinstrument", "name": "D22", "d": detector},
        "powder": {"@canSAS_class": "SASsample", "ID": "silica"},
    }
    with h5py.File(master, "w") as file:
        write(file, {"run": tree})
        file.visititems(lambda _, item: item.attrs.update({attribute: item.attrs.pop("canSAS_class", "")}))
    record = read_master(master)
    (scan,) = to_inspection(to_drafts(record, choose_rules(record, shipped_rules()), PARIS))["scans"]
    assert (scan["title"]["value"], scan["instrument_name"]["value"]) == ("rest", "D22")
    assert (scan["sample_name"]["value"], scan["detectors"][0]["label"]) == ("silica", "rear")


@pytest.mark.parametrize(
    ("field", "text", "probe", "name"),
    [
        ("definition", "TOFRAW", "neutrons", "neutron time of flight technique"),
        ("definition", "pulsedTD", "muons", "muon spectroscopy"),
        ("analysis", "muonTD", "muons", "muon spectroscopy"),
    ],
)
def test_definitions_that_are_none_of_the_manuals_name_techniques(
    master: Path, field: str, text: str, probe: str, name: str
) -> None:
    told = told_of(master, {field: text, "source:NXsource": {"probe": probe}})
    assert [technique["value"] for technique in told["techniques"]] == [name]


def test_what_hyperspy_saved_stands_in_its_own_metadata(master: Path) -> None:
    microscope = {"beam_energy": 200.0, "microscope": "Titan"}
    metadata = {"General": {"title": "EELS map"}, "Acquisition_instrument": {"TEM": microscope}}
    with h5py.File(master, "w") as file:
        write(
            file, {"@file_writer": "hyperspy_nexus_v3", "entry1:NXentry": {"hyperspy_metadata:NXcollection": metadata}}
        )
    record = read_master(master)
    (scan,) = to_inspection(to_drafts(record, choose_rules(record, shipped_rules()), PARIS))["scans"]
    assert (scan["title"]["value"], scan["instrument_name"]["value"]) == ("EELS map", "Titan")
    assert (scan["incident_energy"]["value"], scan["incident_energy"]["derived"]) == (200.0, True)


def test_times_of_what_mantid_reduced_stand_in_its_logs(master: Path) -> None:
    logs = {"run_start:NXlog": {"value": "2012-08-20T10:11:12"}, "run_end:NXlog": {"value": "2012-08-20T11:11:12"}}
    (scan,) = told_of(master, {"logs:NXgroup": logs})["scans"]
    assert (scan["start_time"]["value"], scan["end_time"]["value"]) == ("2012-08-20T10:11:12", "2012-08-20T11:11:12")


def test_a_file_without_entries_has_no_scans(master: Path) -> None:
    with h5py.File(master, "w") as file:
        file["Beamline/energy"] = 111.0
        file.attrs["Sample"] = "TiSe2"
    record = read_master(master)
    assert to_drafts(record, choose_rules(record, shipped_rules()), PARIS).scans == ()
