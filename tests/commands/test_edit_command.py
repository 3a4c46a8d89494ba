"""`nxcat edit`, as a person with a list of corrections meets it."""

from __future__ import annotations

import getpass
import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from ingest.cli import main
from tests.builders import write_master

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_600_000_000
HEAD = "dataset,field,value,unit,action,reason\n"


@pytest.fixture
def data(tmp_path: Path, data_folder: Path) -> Path:
    """Crawl three masters; return the data folder."""
    for name in ("a", "b", "c"):
        path = write_master(tmp_path / "masters" / f"{name}.h5")
        os.utime(path, (LONG_AGO, LONG_AGO))
    run("crawl", tmp_path / "masters")
    return data_folder


def run(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def run_json(*arguments: str | Path, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status))


def ask(data: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / "catalogue.sqlite")) as connection:
        return connection.execute(query).fetchall()


def test_datasets_are_corrected_found_and_set_back(data: Path) -> None:
    assert "4 corrected, 0 said already" in run(
        *("edit", 1, 2, "--set", "sample_name=Fe2O3", "--set", "energy=7.1 keV", "--reason", "logbook")
    )
    assert sorted(d["id"] for d in run_json("search", "sample:Fe2O3 energy:7..8 keV")["datasets"]) == [1, 2]
    shown = run_json("show", "1")
    assert shown["dataset"]["sample"]["name"] == "Fe2O3"
    assert "sample_name" in shown["dataset"]["corrected"]
    assert ask(data, "SELECT DISTINCT author, reason FROM correction") == [
        (f"command line: {getpass.getuser()}", "logbook")
    ]
    told = run_json("edit", 1, "--undo", "sample_name", "--remove", "energy", "--undo", "title", "--reason", "no")
    assert (told["changed"], told["unchanged"], told["is_applied"]) == (2, 1, True)
    assert run_json("search", "energy:1..100 keV")["total"] == 2


def test_a_file_of_corrections_is_carried_out_and_a_second_time_changes_nothing(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    lines = [
        "1,title,rust,,,own reason",
        '2,sample_name,"Fe2O3, ground",,set,',
        "3,energy,7100,eV,,",
        "3,current,,,remove,",
    ]
    file.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8-sig")
    told = run_json("edit", "--from", file, "--reason", "sample list")
    assert (told["lines"], told["changed"], told["faulty"]) == (4, 4, 0)
    assert ask(data, "SELECT field, reason FROM correction ORDER BY id") == [
        ("title", "own reason"),
        ("sample_name", "sample list"),
        ("InstrumentBeam_incident_energy", "sample list"),
        ("InstrumentSource_current", "sample list"),
    ]
    assert run_json("search", "energy:7.1 keV")["total"] == 1
    before = ask(data, "SELECT id, revision FROM dataset")
    told = run_json("edit", "--from", file, "--reason", "sample list")
    assert (told["changed"], told["unchanged"]) == (0, 4)
    assert ask(data, "SELECT id, revision FROM dataset") == before


BAD = {
    "x,title,a,,,": "line 3: dataset 'x' is no number",
    "99,title,a,,,": "line 3: no dataset 99",
    "1,titel,a,,,": "line 3: titel: there is no such field: write title",
    "1,energy,9,mm,,": "cannot be converted to 'keV': write one of keV",
    "1,title,a,,delete,": "there is no action 'delete': write set, remove, undo",
    "1,title,a,,undo,": "undo takes no value",
    "1,title,a,,": "more or fewer cells",
    "1,title,a,,,,": "more or fewer cells",
    "1,title,,,,": "nothing is said",
}


def test_of_a_file_with_a_fault_nothing_is_done(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    for line, problem in BAD.items():
        file.write_text(f"{HEAD}2,title,good,,,\n{line}\n")
        output = run("edit", "--from", file, "--reason", "why", status=1)
        assert problem in output
        assert "line 3" in output
        assert "nothing was corrected: 1 of 2 cannot be" in output
    assert ask(data, "SELECT count(*) FROM correction") == [(0,)]


def test_where_it_keeps_going_the_rest_is_done(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("\n".join([HEAD.strip(), *BAD, "2,title,good,,,", "1,title,ask ada@example.org,,,"]))
    told = run_json("edit", "--from", file, "--reason", "why", "--keep-going", status=1)
    assert (told["changed"], told["faulty"]) == (1, len(BAD) + 1)
    assert [fault["line"] for fault in told["faults"]] == [*range(2, len(BAD) + 2), len(BAD) + 3]
    assert ask(data, "SELECT dataset_id, field FROM correction") == [(2, "title")]


NO_LISTS = {
    "": "no column dataset",
    "dataset;field;value\n": "no column dataset",
    "dataset,field,valeu\n": "unknown column 'valeu'",
    HEAD + '1,title,"open\n': "no CSV in UTF-8",
    HEAD + "1,title,\udcff,,,\n": "no CSV in UTF-8",
}


def test_what_is_no_list_is_refused_as_a_whole(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    for text, problem in NO_LISTS.items():
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert problem in run("edit", "--from", file, "--reason", "why", "--keep-going", status=1)
    assert ask(data, "SELECT count(*) FROM correction") == [(0,)]


@pytest.mark.usefixtures("data")
def test_thousands_of_lines_are_carried_out_and_many_faults_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text(HEAD + "".join(f"{number % 3 + 1},description,text {number},,,\n" for number in range(1000)))
    assert run_json("edit", "--from", file, "--reason", "why")["changed"] == 1000
    assert run_json("show", "1")["dataset"]["description"] == "text 999"
    file.write_text(HEAD + "9,title,x,,,\n" * 300)
    told = run_json("edit", "--from", file, "--reason", "why", status=1)
    assert (told["faulty"], len(told["faults"])) == (300, 50)
    assert "... and 250 more" in run("edit", "--from", file, "--reason", "why", status=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ["1", "--set", "title", "--reason", "x"],
        ["1", "--set", "=x", "--reason", "x"],
        ["1", "--set", "title=x"],
        ["1", "--reason", "x"],
        ["--set", "title=x", "--reason", "x"],
        ["1", "--from", "list.csv"],
        ["--from", "no-such-file.csv"],
    ],
)
def test_what_is_not_understood_ends_with_status_2(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text(HEAD)
    assert "Error: " in run("edit", *arguments, status=2)
