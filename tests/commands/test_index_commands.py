"""`nxcat verify` and `nxcat reindex`, as an operator and as a script meet them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from ingest import proving, reindexing
from ingest.catalogue.model import Dataset
from ingest.catalogue.search.embedded_folder import get_current
from ingest.cli import main
from ingest.pipeline import index_pending
from ingest.services import open_rebuild
from tests.entities import add_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.pipeline import Services

DATASETS = 30


@pytest.fixture
def ids(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Write and index some datasets."""
    monkeypatch.setattr(proving, "PATIENCE_SECONDS", 0.2)
    with services.write_sessions.begin() as session:
        ids = [add_dataset(session, f"word{number}") for number in range(DATASETS)]
    index_pending(services)
    return ids


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def run_json(*arguments: str, status: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", status=status))


def test_verify_says_that_all_is_well(ids: list[int]) -> None:
    assert run("verify") == f"the index holds what the database says of all its {len(ids)} datasets\n"
    kinds = dict.fromkeys(["missing", "extra", "older", "newer", "waiting"], 0)
    assert run_json("verify") == {"is_equal": True, "dataset_count": 30, "counts": kinds, "differences": []}


def test_verify_lists_the_first_differences_and_counts_all(services: Services, ids: list[int]) -> None:
    services.index.delete(ids[:25])
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == ids[25]).values(revision=2, indexed_revision=2))
    output = run("verify", status=1)
    assert "compared 30 datasets: the index differs from the database\n25 missing in the index\n1 older" in output
    assert "the first 20" in output
    assert output.count("missing in the index") == 1 + 20
    assert "'nxcat reindex' builds a new index" in output
    found = run_json("verify", status=1)
    assert (found["is_equal"], found["counts"]["missing"], found["counts"]["older"]) == (False, 25, 1)
    assert found["differences"][-1] == {"dataset_id": ids[25], "kind": "older", "revision": 2, "held_revision": 1}
    assert len(found["differences"]) == 26


def test_verify_of_what_waits_says_who_indexes_it(services: Services, ids: list[int]) -> None:
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == ids[0]).values(revision=2))
    output = run("verify", status=1)
    assert "1 waiting to be indexed" in output
    assert "the first" not in output
    assert "'nxcat crawl' and 'nxcat serve' index what waits" in output
    assert "reindex" not in output


def test_reindex_says_how_much_it_indexed(services: Services, ids: list[int]) -> None:
    services.index.delete(ids)
    assert run("reindex") == "30 datasets indexed anew\n"
    run("verify")
    assert run_json("reindex") == {"datasets": 30, "written": 30, "kept": 0}


def test_reindex_says_what_it_went_on_with(services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "COMMIT_BATCH", 20)
    with open_rebuild() as (sessions, rebuild):
        reindexing.bring_over(sessions, rebuild)
        rebuild.delete(ids[20:])
    assert run("reindex") == "30 datasets indexed anew, 20 of them before it was interrupted\n"
    assert len(services.index.revisions()) == len(ids)


@pytest.mark.parametrize("damage", ["broken", "older", "emptied"])
def test_a_damaged_index_is_named_and_healed(ids: list[int], data_folder: Path, damage: str) -> None:
    current = get_current(data_folder / "index")
    match damage:
        case "broken":
            (current / "meta.json").write_text("{")
        case "older":
            (current / "layout-version").write_text("0\n")
        case "emptied":
            shutil.rmtree(current)
    complaint = run("verify", status=1)
    assert complaint.startswith(f"Error: the index {data_folder / 'index'} ")
    assert complaint.endswith("'nxcat reindex' builds a new one from the database\n")
    assert run("reindex") == f"{len(ids)} datasets indexed anew\n"
    run("verify")


def test_a_second_reindex_is_refused(ids: list[int]) -> None:
    with open_rebuild():
        assert "another process is rebuilding the index" in run("reindex", status=1)
    assert run("reindex") == f"{len(ids)} datasets indexed anew\n"


def test_files_that_were_deleted_are_found_missing(ids: list[int], data_folder: Path) -> None:
    shutil.rmtree(data_folder / "index")
    assert run_json("verify", status=1)["counts"]["missing"] == len(ids)
    run("reindex")
    run("verify")


def test_a_crawl_fills_a_lost_index_as_before(ids: list[int], data_folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(data_folder / "index")
    (tmp_path / "root").mkdir()
    run("crawl", str(tmp_path / "root"))
    assert run_json("verify")["dataset_count"] == len(ids)


@pytest.mark.parametrize(("command", "word"), [("verify", "comparing"), ("reindex", "indexing")])
def test_a_terminal_shows_how_far_it_is_beside_the_answer(
    ids: list[int], monkeypatch: pytest.MonkeyPatch, command: str, word: str
) -> None:
    assert word not in CliRunner().invoke(main, [command]).stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    result = CliRunner().invoke(main, [command, "--json"])
    assert word in result.stderr
    assert f"{len(ids)}/{len(ids)}" in result.stderr
    assert len(ids) in json.loads(result.stdout).values()
