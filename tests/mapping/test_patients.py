"""What tells of a patient does not get through, but where a rule asks for it, wherever in a file it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.redaction import is_patient_group, is_patients
from ingest.mapping.mapping import to_drafts
from ingest.mapping.patients import to_kept
from ingest.mapping.rule_checks import find_remarks, to_faults
from ingest.mapping.rule_texts import RuleFileError
from ingest.mapping.rules import load_rules
from ingest.nexus.encoding import encode_record
from tests.mapping.record_parts import PARIS, entry, field, group, record

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.mapping.rules import Rules
    from ingest.nexus.record import Field, Group

HEAD = 'name = "mine"\nversion = "1"\nextends = "nexus"\n'
AGE = """
[parameters.SamplePatient_age]
kind = "quantity"
unit = "a"
personal = "{}"
bare = [{{ unit = "a", low = 0.0, high = 130.0 }}]
sources = [{{ at = ["NXsample/:patient"], fields = ["age"] }}]
"""
PATIENT = group(
    "patient",
    "NXcollection",
    field("age", 63.5),
    field("sex", "F"),
    field("info", "diabetes"),
    group("notes", "NXnote", field("text", "smoked for years")),
    number="LADAF-2021-17",
)
SAMPLE = group("sample", "NXsample", field("name", "kidney"), PATIENT)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


def by(path: Path, text: str) -> Rules:
    path.write_text(HEAD + text)
    return load_rules(str(path))


@pytest.mark.parametrize(
    "member",
    [
        SAMPLE,
        group("sample", "NXsample", group("donor", "NXnote", field("anything", "smoked"))),
        group("sample", "", group("subject", "", field("anything", "smoked"))),
        group("SAMPLE_1", "", group("Human", "NXcollection", field("anything", "smoked"))),
        group("patient_data", "NXcollection", field("anything", "smoked")),
        group("sample", "NXsample", field("age", 63), field("sex", "smoked"), field("medical_history", "smoked")),
        group("sample", "NXsample", group("notes", "NXnote", field("patientSex", "smoked"))),
        group("anything", "NXcollection", field("SamplePatient_age", "smoked")),
        group("anything", "NXcollection", field("donor_age", "smoked"), field("date_of_birth", "smoked")),
        group("sample", "NXsample", field("name", "kidney", attributes={"patient_id": "smoked"}), gender="smoked"),
    ],
)
def test_nothing_of_a_patient_gets_through(member: Group) -> None:
    master = record(entry(member))
    kept = to_kept(master, load_rules("nexus").plan)
    text = encode_record(kept).decode()
    for told in ("smoked", "63", "LADAF", "diabetes", '"F"'):
        assert told not in text
    assert kept.truncated["patient"] > 0
    assert to_kept(kept, load_rules("nexus").plan) == kept


@pytest.mark.parametrize(
    "member",
    [
        group("sample", "NXsample", field("name", "LaB6"), field("temperature", 4.0, "K"), field("donor_level", 0.1)),
        group("user", "NXuser", field("name", "Ada"), field("role", "patient scientist")),
        group("detector", "NXdetector", field("age", 3), field("message", "wait"), field("stage", 1.0)),
        group("instrument", "NXinstrument", field("essex", 1.0), field("unisex", 1.0), field("individual_gain", 2.0)),
    ],
)
def test_a_record_without_a_patient_is_left_as_it_is(member: Group) -> None:
    master = record(entry(member))
    assert to_kept(master, load_rules("nexus").plan) is master


@pytest.mark.parametrize(
    ("name", "in_sample", "is_one"),
    [
        ("age", True, True),
        ("age", False, False),
        ("sample_age", True, True),
        ("sex", False, True),
        ("medicalHistory", False, True),
        ("PATIENT_WEIGHT", False, True),
        ("donor_concentration", True, False),
        ("donor_weight", False, True),
        ("birthday", False, True),
        ("averages", True, False),
    ],
)
def test_what_tells_of_a_patient_is_known_by_its_name(name: str, is_one: bool, in_sample: bool) -> None:
    assert is_patients(name, in_sample) is is_one


def test_groups_of_a_patient_are_known_by_their_names() -> None:
    assert is_patient_group("patient_01", in_sample=False)
    assert is_patient_group("subject", in_sample=True)
    assert not is_patient_group("subject", in_sample=False)
    assert not is_patient_group("sample", in_sample=True)


@pytest.mark.parametrize(("word", "is_public"), [("closed", False), ("public", True)])
def test_what_a_rule_asks_for_is_kept_and_no_more(rules: Path, word: str, is_public: bool) -> None:
    mine = by(rules, AGE.format(word))
    kept = to_kept(record(entry(SAMPLE)), mine.plan)
    text = encode_record(kept).decode()
    assert "63.5" in text
    assert "diabetes" not in text
    assert "LADAF" not in text
    (parameter,) = to_drafts(kept, mine, PARIS).parameters
    assert (parameter.name, parameter.value.value.value, parameter.is_public) == ("SamplePatient_age", 63.5, is_public)


def test_an_attribute_and_a_field_with_one_can_be_asked_for(rules: Path) -> None:
    number = '[parameters.Site_number]\nkind = "text"\npersonal = "closed"\n'
    source = 'sources = [{ at = ["NXsample/:patient"], fields = ["@number", "sex@code"] }]'
    coded = group("patient", "", field("sex", "F", attributes={"code": "II"}), field("age", 3))
    for member, value in ((SAMPLE, "LADAF-2021-17"), (group("sample", "NXsample", coded), "II")):
        mine = by(rules, number + source)
        kept = to_kept(record(entry(member)), mine.plan)
        (parameter,) = to_drafts(kept, mine, PARIS).parameters
        assert parameter.value.value == value
        assert '"age"' not in encode_record(kept).decode()


def test_a_rule_that_does_not_say_so_is_given_nothing_and_that_is_remarked(rules: Path) -> None:
    mine = by(rules, AGE.replace('personal = "{}"\n', "").replace("{{", "{").replace("}}", "}"))
    kept = to_kept(record(entry(SAMPLE)), mine.plan)
    assert to_drafts(kept, mine, PARIS).parameters == ()
    (remark,) = to_faults(mine.chain, find_remarks(mine.file))
    assert remark.key == "parameters.SamplePatient_age"
    assert remark.advice == 'say personal = "closed", or "public"'
    by_name = '[parameters.Site_sex]\nkind = "text"\nsources = [{ at = ["NXsample"], fields = ["sex"] }]'
    assert len(find_remarks(by(rules, by_name).file)) == 1
    assert find_remarks(by(rules, AGE.format("closed")).file) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[targets.sample_name]\npersonal = "closed"', "make it a parameter"),
        ('[parameters.Sample_mass]\npersonal = "yes"', "'closed'"),
    ],
)
def test_only_a_parameter_can_be_personal(rules: Path, text: str, problem: str) -> None:
    with pytest.raises(RuleFileError, match=problem):
        by(rules, text)


def test_any_parameter_can_be_closed(rules: Path) -> None:
    mine = by(rules, '[parameters.Sample_mass]\npersonal = "closed"')
    members: list[Field] = [field("mass", 3.0, "g"), field("thickness", 1.0, "mm")]
    found = to_drafts(record(entry(group("sample", "NXsample", *members))), mine, PARIS).parameters
    assert {each.name: each.is_public for each in found} == {"Sample_mass": False, "Sample_thickness": True}
