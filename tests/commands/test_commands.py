"""The command line, as a beamline scientist and as a script meet it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from click.testing import CliRunner

from ingest.catalogue.schema import SCHEMA_VERSION
from ingest.cli import main
from tests.builders import write_master

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = 1_600_000_000


@pytest.fixture
def root(tmp_path: Path, data_folder: Path) -> Path:
    """Write two good masters and a text file, all old enough to be read."""
    assert not data_folder.exists()
    folder = tmp_path / "masters"
    write_master(folder / "hc1234" / "one.h5", scans=2)
    write_master(folder / "hc1234" / "two.h5", sample__name="Fe2O3", instrument__monochromator__energy=(7.1, "keV"))
    (folder / "hc1234" / "notes.h5").write_text("not a file of measurements")
    for path in folder.rglob("*.h5"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


def run(*arguments: str | Path, status: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def run_json(*arguments: str | Path, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status))


def test_crawl_tells_what_became_of_each_file(root: Path) -> None:
    output = run("crawl", root)
    assert "3 new" in output
    assert "read: 2 ingested, 1 quarantined" in output
    assert f"quarantined       {root / 'hc1234' / 'notes.h5'}: not HDF5" in output
    assert "nothing was due" in run("crawl", root)


def test_crawl_as_json_counts(root: Path) -> None:
    found = run_json("crawl", root)
    assert found["masters"] == {"ingested": 2, "quarantined": 1}
    assert found["roots"][0]["new"] == 3


def test_search_finds_words_and_ranges_and_counts_facets(root: Path) -> None:
    run("crawl", root)
    assert [d["name"] for d in run_json("search", "energy:7..8 keV")["datasets"]] == ["two"]
    assert [d["name"] for d in run_json("search", "energy:12400 eV")["datasets"]] == ["one"]
    found = run_json("search", "--facet", "sample", "--limit", "1")
    assert found["total"] == 2
    assert {v["value"]: v["count"] for v in found["facets"]["sample"]["values"]} == {"LaB6": 1, "Fe2O3": 1}
    rest = run_json("search", "--limit", "1", "--cursor", found["next_cursor"])
    assert {found["datasets"][0]["name"], rest["datasets"][0]["name"]} == {"one", "two"}
    assert "1 dataset" in run("search", "Fe2O3")


def test_show_tells_values_with_units_and_paths(root: Path) -> None:
    run("crawl", root)
    number = run_json("search", "Fe2O3")["datasets"][0]["id"]
    shown = run_json("show", str(number))
    energy = next(p for p in shown["parameters"] if p["name"] == "InstrumentMonochromator_energy")
    assert (energy["numeric_value"], energy["unit"]) == (7.1, "keV")
    assert energy["source_path"] == "/1.1/instrument/monochromator/energy"
    assert [f["name"] for f in shown["files"]] == ["two.h5"]
    assert "/1.1/instrument/monochromator/energy" in run("show", str(number))
    assert "no dataset 999" in run("show", "999", status=1)


def test_show_tells_what_scans_did_and_which_files_are_missing(root: Path) -> None:
    run("crawl", root)
    write_master(
        root / "hc1234" / "linked.h5",
        title="dark",
        instrument__positioners__samx=([0.0, 1.5], "mm"),
        measurement__I0=[1.0, 2.0],
        instrument__link=h5py.ExternalLink("gone.h5", "/entry"),
    )
    (outcome,) = run_json("ingest", root / "hc1234" / "linked.h5")
    shown = run("show", str(outcome["dataset_id"]))
    for told in ("dark", "samx 0 .. 1.5 mm", "I0", "linked files: 1 missing", "gone.h5", "/1.1/instrument/link"):
        assert told in shown
    assert run_json("show", str(outcome["dataset_id"]))["linked_files"]["missing"] == 1


def test_status_and_quarantine(root: Path) -> None:
    run("crawl", root)
    status = run_json("status")
    assert status["dataset_count"] == 2
    assert status["quarantine"] == {"not HDF5": 1}
    assert "2 datasets" in run("status")
    (listed,) = run_json("quarantine", "list")
    assert listed["path"].endswith("notes.h5")
    assert "not HDF5" in run("quarantine", "list")
    (tried,) = run_json("quarantine", "retry", root / "hc1234" / "notes.h5")
    assert tried["state"] == "quarantined"
    write_master(root / "hc1234" / "notes.h5")
    os.utime(root / "hc1234" / "notes.h5", (LONG_AGO, LONG_AGO))
    assert "ingested" in run("quarantine", "retry")
    assert "nothing is in quarantine" in run("quarantine", "list")
    assert "nothing to retry" in run("quarantine", "retry")


def test_a_lost_index_is_filled_again_by_the_next_crawl(root: Path, data_folder: Path) -> None:
    run("crawl", root)
    shutil.rmtree(data_folder / "index")
    run("crawl", root)
    assert run_json("search", "Fe2O3")["total"] == 1


def test_a_lost_index_is_filled_again_whoever_writes_to_it_next(root: Path, data_folder: Path) -> None:
    run("crawl", root)
    shutil.rmtree(data_folder / "index")
    run("ingest", write_master(root / "hc1234" / "three.h5"))
    assert run_json("verify")["is_equal"] is True


def test_ingest_reads_a_file_at_once_and_takes_it_for_closed(root: Path) -> None:
    run("crawl", root)
    path = write_master(root / "hc1234" / "three.h5")
    (outcome,) = run_json("ingest", path)
    assert outcome["state"] == "ingested"
    assert run_json("show", str(outcome["dataset_id"]))["dataset"]["is_complete"] is True


def test_ingest_outside_the_roots_is_refused_and_a_bad_file_fails(root: Path, tmp_path: Path) -> None:
    run("crawl", root)
    outside = write_master(tmp_path / "elsewhere.h5")
    assert "outside every root" in run("ingest", outside, status=1)
    assert "quarantined" in run("ingest", root / "hc1234" / "notes.h5", status=1)
    assert "No such file" in run("ingest", root / "missing.h5", status=1)


def test_ingest_of_a_folder_says_what_would_do(root: Path) -> None:
    run("crawl", root)
    assert "name the master in it" in run("ingest", root / "hc1234", status=1)
    assert run_json("status")["quarantine"] == {"not HDF5": 1}


def test_names_of_files_move_no_cursor_and_end_no_line(root: Path) -> None:
    hostile = root / "hc1234" / "a\x1b[2Jb\nquarantined.h5"
    (root / "hc1234" / "notes.h5").rename(hostile)
    for output in (run("crawl", root), run("quarantine", "list")):
        assert "\x1b[2J" not in output
        assert r"a\x1b[2Jb\x0aquarantined.h5" in output


def test_inspect_tells_what_a_file_is_and_stores_nothing(root: Path, data_folder: Path) -> None:
    found = run_json("inspect", root / "hc1234" / "one.h5")
    assert found["file_kind"] == "hdf5-nexus"
    assert found["scans"][0]["incident_energy"]["value"] == 12.4
    refused = run_json("inspect", root / "hc1234" / "notes.h5")
    assert (refused["file_kind"], refused["scans"]) == ("not-hdf5", [])
    assert "not HDF5" in run("inspect", root / "hc1234" / "notes.h5")
    assert "12.4 keV" in run("inspect", root / "hc1234" / "one.h5")
    assert "No such file" in run("inspect", root / "nothing.h5", status=1)
    assert not data_folder.exists()


def test_inspect_takes_relative_paths_and_links(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root / "hc1234")
    (root / "link.h5").symlink_to("hc1234/one.h5")
    assert len(run_json("inspect", "one.h5")["scans"]) == 2
    assert len(run_json("inspect", "../link.h5")["scans"]) == 2


def test_crawl_and_ingest_take_relative_paths(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root.parent)
    assert run_json("crawl", root.name)["masters"] == {"ingested": 2, "quarantined": 1}
    (outcome,) = run_json("ingest", f"{root.name}/hc1234/one.h5")
    assert outcome["state"] == "ingested"


def test_root_options_are_kept_and_hold_for_what_is_there(root: Path) -> None:
    run("crawl", root, "--facility", "ESRF", "--release", "never")
    assert run_json("status")["roots"][0]["release_policy"] == "never"
    assert run_json("search", "")["datasets"][0]["visibility"] == "embargoed"
    run("crawl", root, "--release", "immediately")
    assert run_json("search", "")["datasets"][0]["visibility"] == "open"
    assert run_json("status")["roots"][0]["facility"] == "ESRF"
    run("crawl", root, "--secret")
    assert run_json("search", "")["datasets"][0]["visibility"] == "secret"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--release", "soon", "say immediately, never, or a number of years"),
        ("--timezone", "Mars/Olympus", "give a name such as Europe/Paris"),
        ("--rules", "nobody", "there is no such file"),
    ],
)
def test_wrong_options_say_what_would_do(root: Path, option: str, value: str, message: str) -> None:
    assert message in run("crawl", root, option, value, status=1)


@pytest.mark.parametrize(
    ("query", "message"),
    [("energy:12..13 s", "keV"), ("enrgy:1 keV", "energy"), ("(LaB6", "at character")],
)
def test_wrong_queries_say_what_would_do(root: Path, query: str, message: str) -> None:
    run("crawl", root)
    assert message in run("search", query, status=1)


def test_roots_must_be_folders_that_lie_apart(root: Path) -> None:
    assert "no such folder" in run("crawl", root / "missing", status=1)
    run("crawl", root)
    assert "lies in or around" in run("crawl", root / "hc1234", status=1)
    assert "lies in or around" in run("crawl", root.parent, status=1)


def test_a_data_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_DATA", "/proc/nowhere")
    assert "/proc/nowhere" in run("status", status=1)


@pytest.mark.usefixtures("data_folder")
def test_migrate_says_where_the_schema_stands() -> None:
    assert f"the database is at schema {SCHEMA_VERSION}" in run("migrate")


def test_another_database_is_used_if_one_is_named(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_DATABASE_URL", f"sqlite:///{tmp_path / 'elsewhere' / 'other.sqlite'}")
    run("crawl", root)
    assert (tmp_path / "elsewhere" / "other.sqlite").exists()
    assert run_json("search", "Fe2O3")["total"] == 1


def test_demo_shows_the_whole_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_DATA", "")  # put back afterwards: the command names its own folder
    output = run("demo", tmp_path / "demo", "--no-serve")
    assert "22 datasets" in output
    assert "$ nxcat search 'energy:12..13 keV'\n2 datasets" in output
    assert "Serve it" in output


def test_serve_answers_reads_what_is_due_and_leaves_nothing_behind(root: Path) -> None:
    run("crawl", root)
    server = subprocess.Popen(
        [sys.executable, "-c", "from ingest.cli import main; main()", "serve", "--port", "18431"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_for("http://127.0.0.1:18431/health/ready")
        with urllib.request.urlopen("http://127.0.0.1:18431/api/v1/datasets") as answer:
            assert json.load(answer)["total"] == 2
        children = list_children(server.pid)
        assert len(children) >= 1
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=30)
    assert "Traceback" not in output
    assert not any(is_alive(child) for child in children)
    assert "cannot listen" in run("serve", "--host", "203.0.113.1", status=1)


def wait_for(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def list_children(process: int) -> list[int]:
    command = ["ps", "-o", "pid=", "--ppid", str(process)]
    return [int(line) for line in subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
