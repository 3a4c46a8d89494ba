from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from ingest.mapping import rule_schema
from ingest.mapping.mapping import to_drafts
from ingest.mapping.rule_checks import find_remarks, to_faults
from ingest.mapping.rule_texts import RuleFileError
from ingest.mapping.rules import Rules, load_rules, shipped_rules
from tests.mapping.record_parts import entry, field, group, record

DOCS = Path(__file__).parents[2] / "docs" / "rule-files.md"
HEAD = 'name = "mine"\nversion = "7"\nextends = "nexus"\n'


def load(folder: Path, text: str) -> Rules:
    path = folder / "mine.toml"
    path.write_text(text)
    return load_rules(str(path))


def test_shipped_rules_end_with_the_default() -> None:
    assert [rules.name for rules in shipped_rules()][-2:] == ["spec2nexus", "nexus"]
    assert {rules.file.extends for rules in shipped_rules()} == {"esrf-icat", "nexus", ""}


def test_version_says_the_declared_one_and_the_content(tmp_path: Path) -> None:
    one = load(tmp_path, HEAD)
    other = load(tmp_path, f'{HEAD}placeholders = ["foo"]\n')
    assert one.version.startswith("7+")
    assert other.version.startswith("7+")
    assert one.version != other.version
    assert load(tmp_path, HEAD).version == one.version


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colour = 1\n", "colour"),
        ("[targets.colour]\n", "colour"),
        ('[targets.title]\nsources = [{ at = ["NXentry"], field = ["title"] }]\n', "targets.title.sources.0.field"),
        ('[targets.temperature]\nunit = "kelvins"\n', "write K"),
        ('[targets.title]\nsources = [{ at = ["NXentry/*"], fields = ["title"] }]\n', "no step of a position"),
        ('placeholder_patterns = ["("]\n', "regular expression"),
        ("[parameters.Nobody_knows]\nsources = []\n", "not in the vocabulary"),
        ('[parameters.InstrumentSource_current]\nunit = "A"\n', "kept in mA"),
        ('[[paths]]\npattern = "{proposal}/{proposal}"\n', "twice"),
        ("[[recognise]]\nscore = 3\n", "root attribute or the form"),
        ('extends = "nexus"\n', "extends"),
    ],
)
def test_faults_are_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RuleFileError, match=re.escape(problem)) as caught:
        load(tmp_path, HEAD + text)
    assert caught.value.source.endswith("mine.toml")


def faults_of(path: Path) -> list[tuple[int | None, str, str, str]]:
    with pytest.raises(RuleFileError) as caught:
        load_rules(str(path))
    return [(fault.line, fault.key, fault.problem, fault.advice) for fault in caught.value.faults]


def test_each_fault_is_told_with_its_line_and_what_would_do(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f"""{HEAD}
placeholdres = []
[targets.titel]

[targets.title]
# a list over several lines
sources = [
    {{ at = ["NXentry"], fields = ["title"] }},
    {{ at = ["NXentry"], field = ["title"] }},
]
[targets.wavelength]
low = 1
high = "far"
"""
    )
    assert faults_of(path) == [
        (5, "placeholdres", "there is no such key", "write placeholders or placeholder_patterns"),
        (6, "targets.titel", "a scan has no such field", "write title"),
        (12, "targets.title.sources.1.fields", "it is missing", "write `fields = ...`"),
        (12, "targets.title.sources.1.field", "there is no such key", "write fields"),
        (16, "targets.wavelength.high", "Input should be a valid number, unable to parse string as a number", ""),
    ]


@pytest.mark.parametrize(
    ("text", "line", "key", "problem", "advice"),
    [
        ('[targets.title]\nkind = "quantity"', 5, "targets.title.kind", "this field is no quantity", "write text"),
        ('[targets.wavelength]\nunit = "nm"', 5, "targets.wavelength.unit", "kept in angstrom", "write 'angstrom'"),
        ("[targets.temperature]\nlow = 9\nhigh = 3", 5, "targets.temperature.low", "nothing lies", "low below high"),
        (
            '[targets.temperature]\nbare = [{ unit = "mm", low = 1, high = 2 }]',
            *(5, "targets.temperature.bare.0.unit", "'mm' cannot be converted to 'K'", ""),
        ),
        ('[parameters.energy]\nkind = "quantity"', 4, "parameters.energy", "not in the vocabulary", "say its kind"),
        ("[parameters.flux]", 4, "parameters.flux", "not in the vocabulary", "write InstrumentBeam_flux, or say"),
        ("[parameters.InstrumentSource_mode]\nlow = 3\nhigh = 2\n[targets.colour]", 7, "targets.colour", "no such", ""),
        (
            "path_parts = { visit = '(?P<proposal>x)' }\n[[paths]]\npattern = '{proposal}/{visit}'",
            5,
            "paths.0.parts",
            "",
            "",
        ),
    ],
)
def test_what_cannot_be_meant_is_a_fault(
    tmp_path: Path, text: str, line: int, key: str, problem: str, advice: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text)
    (found,) = faults_of(path)
    assert found[:2] == (line, key)
    assert problem in found[2]
    assert advice in found[3]


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        ("\ntitle =", 5, "it says: title ="),
        ('a = 1\nb = "open\nc = 2', 5, 'it says: b = "open'),
        ("a = [1,\n2", 5, "2"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, line: int, shown: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD + text)
    ((found, key, problem, advice),) = faults_of(path)
    assert (found, key) == (line, "")
    assert problem.startswith("no TOML: ")
    assert shown in advice


def test_a_fault_of_an_extended_file_is_told_of_that_one(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text(HEAD + '\n[targets.title]\nsources = [{ at = ["NXentry"], feilds = ["a"] }]')
    source = '[targets.title]\nsources = [{ at = ["NXentry"], fields = ["b"] }]'
    upper = f'name = "a"\nversion = "1"\nextends = "base.toml"\n{source}'
    (tmp_path / "a.toml").write_text(upper)
    with pytest.raises(RuleFileError, match=re.escape(f"{tmp_path / 'base.toml'}: line 6, targets.title.sources.1")):
        load_rules(str(tmp_path / "a.toml"))


def test_a_file_that_extends_itself_by_a_roundabout_way_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(f'name = "a"\nversion = "1"\nextends = "../{tmp_path.name}/a.toml"\n')
    with pytest.raises(RuleFileError, match="extends itself"):
        load_rules(str(path))


def test_a_field_of_a_scan_needs_neither_kind_nor_unit(tmp_path: Path) -> None:
    source = 'sources = [{ at = ["NXentry"], fields = ["warmth"] }]'
    rules = load(
        tmp_path, f"{HEAD}[targets.temperature]\nreplace = true\n{source}\n[targets.wavelength]\nreplace = true\n"
    )
    scan = to_drafts(record(entry(field("warmth", 20.0, "degC"))), rules, ZoneInfo("UTC")).scans[0]
    assert scan.temperature is not None
    assert (scan.temperature.value.value, scan.temperature.value.unit) == (293.15, "K")


def test_what_does_nothing_is_remarked(tmp_path: Path) -> None:
    text = '[parameters.InstrumentBeam_flux]\n[parameters.Site_x]\nkind = "text"\n'
    rules = load(tmp_path, HEAD + text + '[[paths]]\npattern = "{propsal}/{visit}"\n')
    remarks = [str(fault) for fault in to_faults(rules.chain, find_remarks(rules.file))]
    assert remarks == [
        "line 5, parameters.Site_x: it is never found: it has no sources: write `sources`",
        "line 8, paths.0.pattern: nothing is taken of {propsal}: write proposal",
    ]


@pytest.mark.parametrize("name", ["no-such-rules", "../../../etc/passwd", "/no/such/file.toml"])
def test_missing_rules_are_told(name: str) -> None:
    with pytest.raises(RuleFileError, match="no such file"):
        load_rules(name)


def test_rules_that_extend_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "a"\nversion = "1"\nextends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('name = "b"\nversion = "1"\nextends = "a.toml"\n')
    with pytest.raises(RuleFileError, match="extends itself"):
        load_rules(str(tmp_path / "a.toml"))


def title_by(rules: Rules) -> str | None:
    note = group("comment", "NXnote", field("title", "from the note"))
    master = record(entry(field("title", "from the entry"), note))
    title = to_drafts(master, rules, ZoneInfo("UTC")).scans[0].title
    return title and title.value


SOURCE = 'sources = [{ at = ["NXnote"], fields = ["title"] }]\n'


def test_own_sources_come_before_the_extended_ones(tmp_path: Path) -> None:
    assert title_by(load(tmp_path, f"{HEAD}[targets.title]\n{SOURCE}")) == "from the note"


def test_extended_sources_remain_behind(tmp_path: Path) -> None:
    text = f'{HEAD}placeholders = ["from the note"]\n[targets.title]\n{SOURCE}'
    assert title_by(load(tmp_path, text)) == "from the entry"


def test_replaced_target_forgets_the_extended_sources(tmp_path: Path) -> None:
    text = f'{HEAD}placeholders = ["from the note"]\n[targets.title]\nkind = "text"\nreplace = true\n{SOURCE}'
    assert title_by(load(tmp_path, text)) is None


def test_parameter_of_ones_own(tmp_path: Path) -> None:
    source = 'sources = [{ at = ["NXnote"], fields = ["humidity"] }]'
    text = f'{HEAD}[parameters.Site_humidity]\nkind = "quantity"\nunit = "%"\n{source}\n'
    master = record(entry(group("comment", "NXnote", field("humidity", 0.4, "1"))))
    (parameter,) = to_drafts(master, load(tmp_path, text), ZoneInfo("UTC")).parameters
    assert (parameter.name, parameter.value.value.value, parameter.value.value.unit) == ("Site_humidity", 40.0, "%")


def test_examples_of_the_documentation_are_rule_files(tmp_path: Path) -> None:
    example, part = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert load(tmp_path, example).file.extends == "nexus"
    assert load(tmp_path, HEAD + part).file.parameters["SamplePatient_age"].personal == "closed"


def test_documentation_names_every_key() -> None:
    text = DOCS.read_text()
    models = [model for model in vars(rule_schema).values() if isinstance(model, type) and issubclass(model, BaseModel)]
    fields = {name for model in models for name in model.model_fields}
    assert {name for name in fields if f"`{name}`" not in text} == set()


def test_a_point_count_may_be_a_number_in_the_file(tmp_path: Path) -> None:
    target = '[targets.point_count]\nkind = "integer"\nsources = [{ at = ["NXentry"], fields = ["points"] }]\n'
    rules = load(tmp_path, HEAD + target)
    scan = to_drafts(record(entry(field("points", 21.0))), rules, ZoneInfo("UTC")).scans[0]
    assert scan.point_count is not None
    assert (scan.point_count.value, scan.point_count.path) == (21, "/entry/points")
