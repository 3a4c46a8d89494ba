"""Why a record says what it says: the explanation agrees with the mapping, and tells of every place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.inspecting import read_record
from ingest.mapping.drafts import Origin
from ingest.mapping.explaining import Candidate, Explanation, Verdict, explain
from ingest.mapping.rules import choose_rules, load_rules, shipped_rules
from ingest.nexus.errors import ReaderError
from ingest.nexus.gate import read_gate
from tests.builders import write_master
from tests.mapping.record_parts import PARIS, entry, field, group, instrument, record, source

if TYPE_CHECKING:
    from ingest.nexus.record import Field, Group

HEAD = 'name = "mine"\nversion = "7"\nextends = "nexus"\n'


def explained(name: str, *members: Field | Group, rules: str = "nexus") -> Explanation:
    ((_, (found,)),) = explain(record(entry(*members)), load_rules(rules), PARIS, {name})
    return found


def verdicts(found: Explanation) -> list[tuple[str | None, Verdict]]:
    return [(each.path, each.verdict) for each in found.candidates if each.path is not None]


def test_the_place_that_was_taken_is_told_with_its_rule_and_what_it_says() -> None:
    found = explained("title", field("title", "a scan"))
    taken = Candidate("nexus targets.title.sources.0", "NXentry: title", Verdict.TAKEN, "/entry/title", "a scan")
    assert found.candidates == (
        taken,
        Candidate("nexus targets.title.sources.1", "NXsubentry: title", Verdict.ABSENT),
        Candidate("nexus targets.title.sources.2", "NXentry: experiment_title", Verdict.ABSENT),
    )
    assert [value.value for value in found.taken] == ["a scan"]


def test_placeholders_are_passed_over_and_what_comes_later_is_lower() -> None:
    found = explained(
        "title",
        field("title", "untitled"),
        group("one", "NXsubentry", field("title", "the one")),
        group("other", "NXsubentry", field("title", "another")),
    )
    assert verdicts(found) == [
        ("/entry/title", Verdict.PLACEHOLDER),
        ("/entry/one/title", Verdict.TAKEN),
        ("/entry/other/title", Verdict.LOWER),
    ]


@pytest.mark.parametrize(
    ("member", "verdict"),
    [
        (field("temperature", 12.0, "mm"), Verdict.WRONG_UNIT),
        (field("temperature", 12.0, "furlong"), Verdict.WRONG_UNIT),
        (field("temperature", 20.0), Verdict.UNIT_NOT_BELIEVED),
        (field("temperature", 9e4, "K"), Verdict.OUT_OF_BOUNDS),
        (field("temperature", 0.0, "K"), Verdict.NOT_KNOWN),
        (field("temperature", "warm"), Verdict.NO_NUMBER),
        (field("temperature", "0"), Verdict.NOT_KNOWN),
        (field("temperature"), Verdict.EMPTY),
        (field("temperature", [1.0, 9.0], "K"), Verdict.TAKEN),
    ],
)
def test_a_number_is_passed_over_for_a_reason(member: Field, verdict: Verdict) -> None:
    assert verdicts(explained("temperature", group("sample", "NXsample", member))) == [
        ("/entry/sample/temperature", verdict)
    ]


def test_a_group_that_is_excluded_by_its_name_is_told() -> None:
    beam = group("pump_beam", "NXbeam", field("incident_energy", 1.55, "eV"))
    found = explained("incident_energy", instrument(beam))
    assert verdicts(found) == [("/entry/instrument/pump_beam/incident_energy", Verdict.EXCLUDED)]


def test_a_text_of_another_form_and_a_time_that_is_none() -> None:
    kind = source(field("type", "Rotating anode"), probe=None)
    assert verdicts(explained("probe", instrument(kind))) == [("/entry/instrument/source/type", Verdict.OTHER_FORM)]
    assert verdicts(explained("start_time", field("start_time", "soon"))) == [("/entry/start_time", Verdict.NO_TIME)]
    assert verdicts(explained("start_time", field("start_time", ""))) == [("/entry/start_time", Verdict.EMPTY)]


def test_energy_and_wavelength_decide_for_each_other() -> None:
    mono = group("mono", "NXmonochromator", field("energy", 12398.4), field("wavelength", 1.0, "angstrom"))
    members = instrument(source(), mono)
    path = "/entry/instrument/mono"
    assert verdicts(explained("wavelength", members)) == [(f"{path}/wavelength", Verdict.TAKEN)]
    assert verdicts(explained("incident_energy", members)) == [(f"{path}/energy", Verdict.TAKEN)]
    alone = explained(
        "incident_energy", instrument(source(), group("mono", "NXmonochromator", field("wavelength", 1.0, "nm")))
    )
    assert [value.origin for value in alone.taken] == [Origin.DERIVED]
    assert verdicts(alone) == []


def test_a_number_without_unit_gives_way_to_one_with() -> None:
    beam = group("beam", "NXbeam", field("incident_wavelength", 1.5))
    mono = group("mono", "NXmonochromator", field("wavelength", 1.0, "angstrom"))
    assert verdicts(explained("wavelength", instrument(source(), beam, mono))) == [
        ("/entry/instrument/beam/incident_wavelength", Verdict.NO_UNIT),
        ("/entry/instrument/mono/wavelength", Verdict.TAKEN),
    ]
    needs = explained("InstrumentMonochromator_energy", instrument(group("m", "NXmonochromator", field("energy", 9.0))))
    assert verdicts(needs) == [("/entry/instrument/m/energy", Verdict.NO_UNIT)]


def test_of_a_numbered_parameter_each_group_gives_one() -> None:
    detectors = [
        group(name, "NXdetector", field("local_name", name), field("name", f"{name} too")) for name in ("a", "b")
    ]
    found = explained("InstrumentDetector{nn}_name", instrument(*detectors))
    assert verdicts(found) == [
        ("/entry/instrument/a/local_name", Verdict.TAKEN),
        ("/entry/instrument/a/name", Verdict.LOWER),
        ("/entry/instrument/b/local_name", Verdict.TAKEN),
        ("/entry/instrument/b/name", Verdict.LOWER),
    ]


def test_the_rule_is_told_by_the_file_that_says_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'{HEAD}[targets.title]\nsources = [{{ at = ["NXnote"], fields = ["title"] }}]\n')
    found = explained("title", field("title", "a scan"), rules=str(path))
    assert [each.rule for each in found.candidates][:2] == [
        f"{path} targets.title.sources.0",
        "nexus targets.title.sources.0",
    ]


def test_points_are_counted_by_their_place() -> None:
    measured = group("measurement", "NXcollection", field("epoch", shape=(21,)), field("timer", 1.0))
    found = explained("point_count", measured, rules="esrf-bliss")
    assert verdicts(found) == [
        ("/entry/measurement/epoch", Verdict.TAKEN),
        ("/entry/measurement/timer", Verdict.NO_NUMBER),
    ]


def test_scans_come_in_their_order() -> None:
    master = record(entry(name="10.1"), entry(name="2.1"))
    assert [name for name, _ in explain(master, load_rules("nexus"), PARIS, {"title"})] == ["/2.1", "/10.1"]


def assert_agrees(path: Path) -> None:
    """Fail if what is explained as taken is not what the mapping took."""
    master = read_record(path)
    for scan, found in explain(master, choose_rules(master, shipped_rules()), PARIS):
        for each in found:
            stated = sorted({value.path for value in each.taken if value.origin is not Origin.DERIVED})
            told = sorted(one.path for one in each.candidates if one.verdict is Verdict.TAKEN)
            assert told == stated, (path, scan, each.name)


def test_it_agrees_with_the_mapping_over_a_master(tmp_path: Path) -> None:
    assert_agrees(write_master(tmp_path / "a.h5", scans=2))


@pytest.mark.needs("corpus")
def test_it_agrees_with_the_mapping_over_real_files() -> None:
    corpus = Path(__file__).parents[3] / "shared" / "corpus"
    masters = [path for path in sorted(corpus.rglob("*")) if path.is_file() and read_gate(path).kind is None]
    assert len(masters) > 40
    for path in masters:
        try:
            assert_agrees(path)
        except ReaderError:
            continue
