"""Every field of ESRF's vocabulary that stands in a file where its definitions put it arrives under its name."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from ingest.catalogue.vocabulary import load_vocabulary
from ingest.mapping.drafts import Moment, Origin, Quantity
from ingest.mapping.mapping import to_drafts
from ingest.mapping.patients import to_kept
from ingest.mapping.rules import choose_rules, load_rules, shipped_rules
from ingest.nexus.budget import DEFAULT_BUDGET
from ingest.nexus.master import read_master
from tests.esrf import GENERATOR, LEAVES, UNITS, WHEN, to_value, write_leaves
from tests.mapping.record_parts import PARIS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ingest.mapping.drafts import DatasetDraft, ParameterDraft
    from ingest.nexus.record import MasterRecord

WHOLE = replace(DEFAULT_BUDGET, first_entry_fields=2000)
"""More fields than one entry of a real file has: here it has all that there are."""
PLACES = {
    "datasetName": "title",
    "proposal": "experiment_identifier",
    "startDate": "start_time",
    "endDate": "end_time",
    "Sample_name": "sample_name",
    "beamlineID": "instrument_name",
    "location": "",
}
"""What says where a dataset belongs has columns of its own; its folder the catalogue knows better than the file."""
PATIENT = {leaf.name for leaf in LEAVES if leaf.is_patients}
"""Nothing of a patient is stored by the rules that are shipped."""
BEAM = {"InstrumentBeam_incident_energy": 17.0, "InstrumentBeam_incident_wavelength": 0.729317626}
"""They are one thing said twice, so they have to agree."""
FIRST = {leaf.name: leaf for leaf in reversed(LEAVES) if not GENERATOR["_is_borrowed"](leaf)}
"""Each name at the place that it is called after."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> MasterRecord:
    path = write_leaves(tmp_path_factory.mktemp("esrf") / "whole.h5", LEAVES, BEAM)
    return read_master(path, WHOLE)


def draft_of(record: MasterRecord) -> DatasetDraft:
    rules = choose_rules(record, shipped_rules())
    assert rules.name == "esrf-icat"
    return to_drafts(to_kept(record, rules.plan), rules, PARIS)


def by_name(draft: DatasetDraft) -> dict[str, ParameterDraft]:
    found = {parameter.name: parameter for parameter in draft.parameters}
    assert len(found) == len(draft.parameters)
    return found


def to_said(parameter: ParameterDraft) -> Any:
    value = parameter.value.value
    if isinstance(value, Moment):
        return value.instant
    if isinstance(value, Quantity):
        return value.value if value.value is not None else value.values
    return value


def to_path(leaf: Any) -> str:
    return "/".join(["/entry_0000", *(name for _, name in leaf.groups), leaf.field])


def to_expected(leaf: Any) -> Any:
    value = BEAM.get(leaf.name, to_value(leaf))
    if leaf.nx_type == "NX_DATE_TIME":
        return datetime.fromisoformat(WHEN)
    return str(bool(value)).lower() if leaf.nx_type == "NX_BOOLEAN" else value


def to_origin(leaf: Any) -> Origin:
    """Return how the value came about: numbers without a unit, of which we say that they have one, were judged."""
    return Origin.INFERRED if leaf.unit not in ("", "1", UNITS[leaf.name]) and not UNITS[leaf.name] else Origin.READ


def test_every_field_arrives_under_its_name_with_its_unit_and_its_path(whole: MasterRecord) -> None:
    found = by_name(draft_of(whole))
    wanted = {name: leaf for name, leaf in FIRST.items() if name not in PLACES.keys() | PATIENT}
    assert wanted.keys() - found.keys() == set()
    assert {name for name, one in load_vocabulary().items() if one.is_esrf} == wanted.keys() | PLACES.keys() | PATIENT
    said = {name: (to_said(found[name]), found[name].value.path, found[name].value.origin) for name in wanted}
    assert said == {name: (to_expected(leaf), to_path(leaf), to_origin(leaf)) for name, leaf in wanted.items()}
    units = {name: one.value.value.unit for name, one in found.items() if isinstance(one.value.value, Quantity)}
    assert units.items() >= {name: leaf.unit for name, leaf in wanted.items() if leaf.unit}.items()
    originals = {name: found[name].value.original_unit for name in units.keys() & wanted.keys()}
    assert originals == {name: UNITS[name] or None for name in originals}


def test_what_says_where_a_dataset_belongs_is_of_the_scan(whole: MasterRecord) -> None:
    draft = draft_of(whole)
    assert PLACES.keys().isdisjoint(by_name(draft))
    taken = {name: getattr(draft.scans[0], field) for name, field in PLACES.items() if field}
    assert {name: one.path for name, one in taken.items()} == {name: to_path(FIRST[name]) for name in taken}


def test_nothing_of_a_patient_arrives_unless_rules_of_the_facility_say_so(whole: MasterRecord) -> None:
    assert len(PATIENT) == 9
    assert PATIENT.isdisjoint(by_name(draft_of(whole)))


def test_parameters_that_no_definition_has_come_of_other_rules(whole: MasterRecord) -> None:
    assert by_name(draft_of(whole)).keys() - FIRST.keys() == set()


def drafted_from(path: Path, values: Mapping[str, Any], units: Mapping[str, str] | None = None) -> dict[str, Any]:
    named = values.keys() | {"location", "proposal"}
    master = write_leaves(path / "part.h5", [leaf for leaf in FIRST.values() if leaf.name in named], values, units)
    return by_name(draft_of(read_master(master)))


def test_a_file_may_have_other_units_of_the_kind(tmp_path: Path) -> None:
    values = {"Sample_thickness": 250.0, "TOMOAcquisition_energy": 89000.0, "InstrumentSlits_vertical_gap": 0.5}
    units = {"Sample_thickness": "um", "TOMOAcquisition_energy": "eV", "InstrumentSlits_vertical_gap": "cm"}
    found = drafted_from(tmp_path, values, units)
    assert {name: to_said(found[name]) for name in values} == {
        "Sample_thickness": 0.25,
        "TOMOAcquisition_energy": 89.0,
        "InstrumentSlits_vertical_gap": 5.0,
    }
    thickness = found["Sample_thickness"].value
    assert (thickness.original, thickness.original_unit, thickness.value.unit) == ("250.0", "um", "mm")


def test_a_number_without_a_unit_is_in_the_one_that_is_agreed_on(tmp_path: Path) -> None:
    value = drafted_from(tmp_path, {"TOMOAcquisition_sample_pixel_size": 2.5}, {})["TOMOAcquisition_sample_pixel_size"]
    assert (to_said(value), value.value.value.unit, value.value.original_unit) == (2.5, "um", None)
    assert value.value.origin is Origin.INFERRED


@pytest.mark.parametrize(
    ("unit", "said"), [("mbar", 12.5), ("arbitrary words", 12.5), ("%", 0.125), ("", 12.5), ("pixel", 12.5)]
)
def test_where_the_definitions_give_no_unit_the_files_stands_beside_the_number(
    tmp_path: Path, unit: str, said: float
) -> None:
    value = drafted_from(tmp_path, {"TOMO_vacuum_value": 12.5}, {"TOMO_vacuum_value": unit})["TOMO_vacuum_value"].value
    assert (value.value.value, value.value.unit, value.original, value.original_unit) == (
        said,
        "1",
        "12.5",
        unit or None,
    )


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("SamplePositioners_name", ["sx", "none", "sx"], "sx none sx"),
        ("SamplePositioners_name", "sx sy sz", "sx sy sz"),
        ("SamplePositioners_value", [0.5, -1.0, 2.25], "0.5 -1 2.25"),
        ("DOI_keywords", ["bone", "lung"], "bone;lung"),
        ("InstrumentSlits_vertical_gap", [0.5, 0.4], (0.5, 0.4)),
        ("InstrumentSlits_vertical_gap", "0.5 0.4 0.5", (0.5, 0.4, 0.5)),
        ("InstrumentDetector01Rois_value", "10,20 30,40", (10.0, 20.0, 30.0, 40.0)),
        ("InstrumentDetector01Rois_value", [[10, 20], [30, 40]], (10.0, 20.0, 30.0, 40.0)),
        ("HOLO_source_sample_distances", [1.0, 2.0], (1.0, 2.0)),
        ("EM_energy_filter_on", 1, "true"),
        ("EM_energy_filter_on", "False", "false"),
    ],
)
def test_lists_and_truth_values(tmp_path: Path, name: str, written: Any, said: Any) -> None:
    assert to_said(drafted_from(tmp_path, {name: written})[name]) == said


def test_a_numbered_group_keeps_its_number_and_the_others_get_those_that_are_free(tmp_path: Path) -> None:
    wanted = {"InstrumentDetector01_distance", "InstrumentDetector03_distance", "InstrumentAttenuator12_thickness"}
    leaves = [leaf for leaf in LEAVES if leaf.name in wanted | {"location", "proposal"}]
    basler = [("NXinstrument", "instrument"), ("NXdetector", "basler")]
    others = [replace(leaf, groups=tuple(basler)) for leaf in leaves if leaf.name == "InstrumentDetector01_distance"]
    kept = [leaf for leaf in leaves if leaf.name != "InstrumentDetector01_distance"]
    path = write_leaves(tmp_path / "some.h5", [*others, *kept], dict.fromkeys(wanted, 1.5))
    found = by_name(draft_of(read_master(path)))
    assert {name: found[name].value.path for name in wanted} == {
        "InstrumentDetector01_distance": "/entry_0000/instrument/basler/distance",
        "InstrumentDetector03_distance": "/entry_0000/instrument/detector03/distance",
        "InstrumentAttenuator12_thickness": "/entry_0000/instrument/attenuator12/thickness",
    }


def test_what_stands_at_two_places_is_found_at_either(tmp_path: Path) -> None:
    names = {"Source_current_start", "InstrumentSource_current_end", "TOMO_i0_start", "TOMO_it_end"}
    borrowed = [leaf for leaf in LEAVES if leaf.name in names and GENERATOR["_is_borrowed"](leaf)]
    others = [leaf for leaf in LEAVES if leaf.name in {"location", "proposal"}]
    found = by_name(draft_of(read_master(write_leaves(tmp_path / "fluo.h5", [*others, *borrowed]))))
    assert {found[name].value.path.rpartition("/")[0] for name in names} == {"/entry_0000/FLUO/measurement"}


def test_a_bliss_master_may_hold_all_of_it_too(tmp_path: Path) -> None:
    leaves = [leaf for leaf in FIRST.values() if leaf.name.startswith("TOMO")]
    record = read_master(write_leaves(tmp_path / "bliss.h5", leaves, entry="1.1", publisher="bliss"))
    rules = choose_rules(record, shipped_rules())
    found = by_name(to_drafts(record, rules, PARIS))
    assert rules.name == "esrf-bliss"
    assert {leaf.name for leaf in leaves} - found.keys() == set()


def test_all_that_esrfs_client_writes_into_a_file_arrives(tmp_path: Path) -> None:
    from pyicat_plus.apps.icat_as_nexus import save_icat_as_nexus  # noqa: PLC0415 (takes 3 s)

    path = tmp_path / "icat.h5"
    save_icat_as_nexus(str(path))
    found = by_name(draft_of(read_master(path, WHOLE)))
    assert FIRST.keys() - found.keys() == PLACES.keys() | PATIENT
    assert found["MirrorGeometry_vertical"].value.path == "/entryname/mirror/geometry/vertical"


def test_the_rules_are_what_the_generator_makes_of_the_installed_definitions() -> None:
    advice = "the definitions changed: run `python generators/esrf.py` and look at the difference"
    assert GENERATOR["RULES"].read_text(encoding="utf-8") == GENERATOR["to_rules"](LEAVES), advice


def test_no_rule_that_is_shipped_asks_for_a_patient() -> None:
    for rules in shipped_rules():
        assert not any(target.is_personal for target in rules.plan.parameters)
        assert PATIENT.isdisjoint(load_rules(rules.name).file.parameters)
