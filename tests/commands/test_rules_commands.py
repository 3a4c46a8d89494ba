"""`nxcat rules`: checking, showing and explaining rule files, as a person and as a script meet it."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.cli import main
from tests.builders import write_master

ROOT = Path(__file__).parents[2]
GOOD = 'name = "mine"\nversion = "7"\nextends = "nexus"\n'
COMMENT = '[parameters.Site_comment]\nkind = "text"\nsources = [{ at = ["NXentry"], fields = ["comment"] }]\n'


def run(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["rules", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def run_json(*arguments: str | Path, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status))


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    return path


def test_a_good_rule_file_is_said_to_be_good(rules: Path) -> None:
    rules.write_text(GOOD + COMMENT.replace("comment", "email"))
    assert f"{rules}: good: mine 7+" in run("check", rules)
    assert "remark: never found: Site_email: email may be somebody's address" in run("check", rules)
    told = run_json("check", rules)
    assert (told["is_valid"], told["name"], told["faults"], told["remarks"]) == (True, "mine", [], [])
    assert told["never_kept"] != []


def test_faults_are_told_one_by_one_with_their_places(rules: Path) -> None:
    rules.write_text(f"{GOOD}colour = 1\n[targets.titel]\n")
    output = run("check", rules, status=1)
    assert f"{rules}: line 4, colour: there is no such key: there are name, version" in output
    assert f"{rules}: line 5, targets.titel: a scan has no such field: write title\n2 faults" in output
    told = run_json("check", rules, status=1)
    assert told["is_valid"] is False
    assert told["faults"][1] == {
        "file": str(rules),
        "line": 5,
        "key": "targets.titel",
        "problem": "a scan has no such field",
        "advice": "write title",
    }


@pytest.mark.parametrize("name", ["mine.txt", "nexus", "none.toml"])
def test_what_is_no_rule_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "1 fault;" in run("check", tmp_path / name, status=1)


def test_rules_are_shown_as_they_hold(rules: Path) -> None:
    rules.write_text(GOOD + COMMENT)
    shown = tomllib.loads(run("show", rules))
    assert (shown["name"], "extends" in shown) == ("mine", False)
    assert shown["parameters"]["Site_comment"]["sources"] == [{"at": ["NXentry"], "fields": ["comment"]}]
    assert shown["targets"]["title"]["sources"][0] == {"at": ["NXentry"], "fields": ["title"]}
    told = run_json("show", rules)
    assert (told["files"], told["rules"]) == ([str(rules), "nexus"], shown)
    rules.write_text(run("show", rules))
    assert run_json("show", rules)["rules"] == shown


def test_the_shipped_rules_are_listed() -> None:
    listed = {each["name"]: each for each in run_json("show")}
    assert list(listed)[-1] == "nexus"
    assert listed["dls-gda"]["recognised_by"][:2] == [
        r"NXentry: program_name has ^GDA\b (10)",
        "NXentry/NXcollection:diamond_scan is there (10)",
    ]
    assert listed["esrf-bliss"]["recognised_by"][0] == "publisher has ^bliss$ (10)"
    assert "all others" in run("show")


def test_a_file_is_explained_without_a_catalogue(tmp_path: Path, data_folder: Path) -> None:
    master = write_master(tmp_path / "a.h5", title="untitled", sample__temperature=(3.0, "mm"))
    output = run("explain", master)
    assert "/1.1/sample/name" in output
    assert "wrong unit" in output
    assert "nothing stands anywhere for: command, " in output
    assert run("explain", master, "--rules", "esrf-icat").rstrip().endswith("more")
    told = run_json("explain", master, "--field", "title", "--field", "TEMPERATURE")
    (scan,) = told["scans"]
    by_name = {each["name"]: each for each in scan["fields"]}
    assert list(by_name) == ["title", "temperature"]
    assert by_name["title"]["values"] == []
    assert by_name["title"]["candidates"][0] | {"rule": ""} == {
        "rule": "",
        "place": "NXentry: title",
        "verdict": "placeholder",
        "path": "/1.1/title",
        "original": "untitled",
        "original_unit": None,
    }
    assert not data_folder.exists()


def test_an_alias_and_a_numbered_name_are_understood(tmp_path: Path) -> None:
    master = write_master(tmp_path / "a.h5")
    for name, wanted in {
        "current": "InstrumentSource_current",
        "InstrumentDetector02_type": "InstrumentDetector{nn}_type",
    }.items():
        assert run_json("explain", master, "--field", name)["scans"][0]["fields"][0]["name"] == wanted
    assert "absent" in run("explain", master, "--field", "current")
    assert "write title" in run("explain", master, "--field", "titel", status=1)


def test_what_is_no_hdf5_cannot_be_explained(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_text("notes")
    assert "not HDF5" in run("explain", tmp_path / "a.h5", status=1)


def test_a_dataset_is_explained_by_its_record_and_by_other_rules(
    tmp_path: Path, data_folder: Path, rules: Path
) -> None:
    assert not data_folder.exists()
    master = write_master(tmp_path / "root" / "a.h5", comment="hello")
    os.utime(master, (1_600_000_000, 1_600_000_000))
    crawled = CliRunner().invoke(main, ["crawl", str(tmp_path / "root")])
    assert "1 ingested" in crawled.output
    master.unlink()
    told = run_json("explain", "1")
    assert (told["dataset_id"], told["master"]) == (1, str(master))
    rules.write_text(GOOD + COMMENT)
    told = run_json("explain", "1", "--rules", rules, "--field", "site_comment")
    (found,) = told["scans"][0]["fields"]
    assert found["values"][0]["value"] == "hello"
    assert "no dataset 7" in run("explain", "7", status=1)
    edit = ["edit", "1", "--set", "energy=9 keV", "--set", "title=rust", "--reason", "why"]
    assert CliRunner().invoke(main, edit).exit_code == 0
    assert run_json("explain", "1")["said_otherwise"] == [
        {"name": "title", "layer": "person"},
        {"name": "InstrumentBeam_incident_energy", "layer": "person"},
    ]
    assert "title: a person says otherwise, and that is shown" in run("explain", "1")


def test_the_page_of_the_fields_is_the_one_that_the_command_writes() -> None:
    assert (ROOT / "docs" / "fields.md").read_text(encoding="utf-8") == run("docs")
