from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from ingest.mapping import rule_schema
from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import RuleFileError, Rules, load_rules, shipped_rules
from tests.mapping.record_parts import entry, field, group, record

DOCS = Path(__file__).parents[2] / "docs" / "rule-files.md"
HEAD = 'name = "mine"\nversion = "7"\nextends = "nexus"\n'


def load(folder: Path, text: str) -> Rules:
    path = folder / "mine.toml"
    path.write_text(text)
    return load_rules(str(path))


def test_shipped_rules_end_with_the_default() -> None:
    assert [rules.name for rules in shipped_rules()] == ["esrf-bliss", "nexus"]


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


def test_example_of_the_documentation_is_a_rule_file(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)
    rules = load(tmp_path, example)
    assert rules.file.extends == "nexus"


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
