"""What a record may lack: only where a cap cut the reading short, and only what rules ask for there."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from ingest.mapping.lacks import OLDER_FORMAT, find_lacks, list_unkept
from ingest.mapping.mapping import to_drafts
from ingest.mapping.plan import to_plan
from ingest.mapping.rule_schema import RuleFile
from ingest.mapping.rules import Rules, shipped_rules
from tests.mapping.record_parts import entry, field, group, record

if TYPE_CHECKING:
    from ingest.nexus.record import Group, MasterRecord

MOTORS = [field(f"m{number}", 1.0, "mm") for number in range(70)]


def make(*sources: str, name: str = "Site_x", **more: Any) -> Rules:
    """Return rules with one parameter that looks at these positions for `x`."""
    text = f'kind = "text"\nsources = [{{ at = [{", ".join(map(repr, sources))}], fields = ["x"] }}]\n'
    table = tomllib.loads(f'name = "mine"\nversion = "1"\n[parameters."{name}"]\n{text}') | more
    file = RuleFile.model_validate(table)
    return Rules("mine", "1", file, to_plan(file), ())


def lacks(master: MasterRecord, rules: Rules) -> tuple[str, ...]:
    return find_lacks(master, to_drafts(master, rules, ZoneInfo("UTC")), rules.plan)


def cut(*entries: Group, by: str = "fields") -> MasterRecord:
    return replace(record(*entries), truncated={by: 3})


POSITIONERS = group("positioners", "NXcollection", *MOTORS)
EMPTY = group("logs", "NXcollection")


def test_a_whole_record_lacks_nothing() -> None:
    assert lacks(record(entry(POSITIONERS, EMPTY)), make("NXcollection")) == ()


@pytest.mark.parametrize("by", ["fields", "groups", "members"])
def test_a_group_that_was_cut_may_hold_what_is_asked(by: str) -> None:
    for member in (POSITIONERS, EMPTY):
        assert lacks(cut(entry(field("title", "t"), member), by=by), make("NXcollection")) == ("Site_x",)


@pytest.mark.parametrize("by", ["linked_files", "attributes", "unreadable", "entries"])
def test_other_caps_cut_no_group(by: str) -> None:
    assert lacks(cut(entry(POSITIONERS), by=by), make("NXcollection")) == ()


def test_what_was_found_or_stands_elsewhere_is_not_lacking() -> None:
    sample = group("sample", "NXsample", field("x", "here"))
    assert lacks(cut(entry(POSITIONERS, sample)), make("NXcollection", "NXsample")) == ()
    assert lacks(cut(entry(POSITIONERS, sample)), make("NXsample")) == ()
    assert lacks(cut(entry(POSITIONERS, sample)), make("NXcollection:other")) == ()


def test_a_group_that_is_not_there_may_lie_in_one_that_was_cut() -> None:
    instrument = group("instrument", "NXinstrument")
    master = cut(entry(field("title", "t"), instrument), by="groups")
    assert lacks(master, make("NXinstrument/NXdetector")) == ("Site_x",)
    assert lacks(master, make("NXsample/NXdetector")) == ()
    assert lacks(master, make("NXdetector")) == (), "it would stand right below the entry, which is whole"
    assert lacks(cut(entry(*MOTORS), by="fields"), make("NXdetector")) == ("Site_x",)


def test_the_last_group_that_was_read_may_be_cut_in_the_middle() -> None:
    last = group("logs", "NXcollection", field("a", 1.0))
    assert lacks(cut(entry(field("title", "t"), last)), make("NXcollection")) == ("Site_x",)
    assert lacks(cut(entry(field("title", "t"), last), by="groups"), make("NXcollection")) == ()
    assert lacks(cut(entry(field("title", "t"), last)), make("NXentry")) == ()


def test_what_one_entry_shows_whole_is_not_missed_in_the_others() -> None:
    whole = group("logs", "NXcollection", field("a", 1.0))
    first = entry(field("title", "t"), whole, name="1.1")
    second = entry(field("title", "t"), group("logs", "NXcollection"), name="2.1")
    assert lacks(cut(first, second, by="groups"), make("NXcollection")) == ()
    assert lacks(cut(second, by="groups"), make("NXcollection")) == ("Site_x",)


def test_groups_of_which_the_class_alone_is_kept_and_copies_are_not_cut() -> None:
    shape = group("shape", "NXoff_geometry")
    copy = group("again", "NXcollection", target="/entry/logs")
    assert (
        lacks(cut(entry(field("title", "t"), shape, copy), by="groups"), make("NXcollection", "NXoff_geometry")) == ()
    )


def test_targets_and_numbered_parameters_count_too() -> None:
    targets = {"targets": {"title": {"kind": "text", "sources": [{"at": ["NXcollection"], "fields": ["x"]}]}}}
    master = cut(entry(POSITIONERS))
    assert lacks(master, make("NXsample", **targets)) == ("title",)
    camera = group("camera", "NXdetector", field("x", "here"))
    numbered = make("NXdetector", "NXcollection", name="InstrumentDetector{nn}_name")
    assert lacks(master, numbered) == ("InstrumentDetector{nn}_name",)
    assert lacks(cut(entry(POSITIONERS, camera)), numbered) == ()


def test_an_older_format_lacks_whatever_later_ones_keep() -> None:
    assert lacks(replace(record(entry()), format=0), make("NXsample")) == (OLDER_FORMAT,)


def test_rules_that_no_record_can_fill_are_named() -> None:
    (told,) = list_unkept(make("NXsample", "NXoff_geometry").plan)
    assert told == "Site_x: of NXoff_geometry the class alone is kept"
    table = {"targets": {"title": {"kind": "text", "sources": [{"at": ["NXuser"], "fields": ["email", "name"]}]}}}
    (told,) = list_unkept(make("NXsample", **table).plan)
    assert told.startswith("title: email may be")


def test_the_shipped_rules_ask_for_nothing_that_is_never_kept() -> None:
    assert {rules.name: list_unkept(rules.plan) for rules in shipped_rules() if list_unkept(rules.plan)} == {}
