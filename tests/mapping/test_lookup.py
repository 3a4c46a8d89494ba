"""Only what an entry can hold is looked for, wherever and however a rule looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.mapping.mapping import to_drafts
from ingest.mapping.positions import EntryIndex
from ingest.mapping.rules import load_rules
from tests.mapping.record_parts import PARIS, entry, field, group, record

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.nexus.record import Group, MasterRecord

HEAD = 'name = "mine"\nversion = "1"\nextends = "nexus"\n'
LOG = group("pressure_log", "NXlog", field("value", 2.0, "bar"))
SHUTTER = group("shutter_2", "NXcollection", field("Mode", "fast", attributes={"label": "F"}), state="open")


def master() -> MasterRecord:
    inner: Group = group("instrument", "NXinstrument", SHUTTER, LOG, field("speed", 3.0, "mm/s"))
    return record(entry(inner, field("shift", "night"), group("extra", "", field("note", "x"))), site="ID00")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ('at = ["NXcollection"], fields = ["mode"]', "fast"),
        ('at = ["NXinstrument/NXcollection:shutter*"], fields = ["MODE"]', "fast"),
        ('at = ["NXcollection:shutter_2"], fields = ["mode@label"]', "F"),
        ('at = [":shutter_2"], fields = ["@state"]', "open"),
        ('at = ["NXinstrument/NXcollection"], fields = ["."]', "shutter_2"),
        ('at = ["NXlog:pressure*"], fields = ["*"]', "2"),
        ('at = ["NXinstrument"], fields = ["pressure_log"]', "2"),
        ('at = ["NXentry"], fields = ["shift"]', "night"),
        ('at = ["NXentry/:extra"], fields = ["absent", "note"]', "x"),
        ('at = ["root"], fields = ["@site"]', "ID00"),
    ],
)
def test_a_rule_finds_what_is_there_in_whatever_way_it_looks(tmp_path: Path, source: str, value: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'{HEAD}[parameters.Site_it]\nkind = "text"\nsources = [{{ {source} }}]\n')
    found = {one.name: one.value.value for one in to_drafts(master(), load_rules(str(path)), PARIS).parameters}
    assert found["Site_it"] == value


def test_of_a_thousand_parameters_those_alone_are_looked_for_that_may_be_there() -> None:
    plan = load_rules("esrf-bliss").plan
    index = EntryIndex(master().entries[0], master().root, plan.classes)
    asked = [target.name for target in plan.lookup.list_targets(index)]
    assert len(plan.parameters) > 800
    assert len(asked) < 20
    assert [target.name for target in plan.parameters if target.name in set(asked)] == asked
