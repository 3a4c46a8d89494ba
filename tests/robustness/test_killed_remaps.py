"""kill -9 at any moment of a remap: the next one completes, and the catalogue is that of an undisturbed run."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections import Counter
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from ingest.samples.hdf5 import set_age
from tests.builders import write_master
from tests.pipeline.said import read_revisions, read_said
from tests.pipeline.site import OLD
from tests.robustness.processes import NXCAT, Catalogue, finish, write_masters
from tests.servers import copied_database, on_both_databases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MASTERS = 150
KILLS = 3
HEAD = 'name = "mine"\nversion = "1"\nextends = "nexus"\n'
WORD = """
[parameters.Site_word]
kind = "text"
sources = [{ at = ["NXentry"], fields = ["title"], matching = 'scan of (.*)' }]
[targets.definition]
replace = true
"""
NEW = "SELECT count(*) FROM master_record WHERE rulebook <> '{}'"


@pytest.fixture
def rules(root: Path) -> Path:
    path = root.parent / "mine.toml"
    path.write_text(HEAD)
    return path


@contextmanager
def remapped_elsewhere(catalogue: Catalogue) -> Iterator[Catalogue]:
    """Yield a copy of the catalogue, remapped without being disturbed."""
    folder = catalogue.folder.parent / "undisturbed"
    shutil.copytree(catalogue.folder, folder)
    with copied_database(catalogue.database) if catalogue.database else nullcontext() as database:
        copy = Catalogue(folder, database)
        copy.run("remap")
        yield copy


def kill(catalogue: Catalogue, old: str, wanted: int, moment: random.Random) -> str:
    """Start a remap, kill it once so many records are done, or some time after its start; return how far it came."""
    process = catalogue.start("remap")
    deadline = time.monotonic() + moment.uniform(0.5, 1.5) if wanted == 0 else float("inf")
    while process.poll() is None and time.monotonic() < deadline:
        if wanted and catalogue.ask(NEW.format(old))[0][0] >= wanted:
            break
        time.sleep(0.002)
    time.sleep(moment.uniform(0, 0.05))
    process.kill()
    process.communicate()
    catalogue.assert_no_process_is_left()
    ((done,),) = catalogue.ask(NEW.format(old))
    if done < MASTERS:
        return "mapping" if done else "starting"
    return "indexing" if catalogue.ask("SELECT 1 FROM dataset WHERE indexed_revision < revision LIMIT 1") else "done"


@on_both_databases
def test_what_a_killed_remap_left_the_next_one_completes(catalogue: Catalogue, root: Path, rules: Path) -> None:
    moment = random.Random(1)  # noqa: S311 - no secret, the same choices each time
    write_masters(root, MASTERS)
    catalogue.run("crawl", root, "--rules", rules, "--release", "never")
    ((old,),) = catalogue.ask("SELECT DISTINCT rulebook FROM master_record")
    rules.write_text(HEAD + WORD)
    phases: Counter[str] = Counter()
    with remapped_elsewhere(catalogue) as undisturbed:
        for number in range(KILLS):
            wanted = (0, 1, MASTERS)[number]
            phases[kill(catalogue, old, wanted, moment)] += 1
        print(dict(phases))  # noqa: T201 - how the moments were spread, shown with -rP
        assert {"starting", "mapping"} <= set(phases), "the moments are not spread"
        catalogue.run("remap")
        assert read_said(catalogue.ask) == read_said(undisturbed.ask)
        assert read_revisions(catalogue.ask) == read_revisions(undisturbed.ask)
    catalogue.assert_whole(MASTERS)
    assert f"all its {MASTERS} datasets" in catalogue.run("verify")
    assert catalogue.run("remap").startswith("nothing to map")


def test_remaps_and_crawls_at_once_leave_what_the_files_and_the_new_rules_say(
    catalogue: Catalogue, root: Path, rules: Path
) -> None:
    paths = write_masters(root, 50)
    catalogue.run("crawl", root, "--rules", rules)
    rules.write_text(HEAD + WORD)
    for path in paths[::2]:
        write_master(path, title=f"scan of the new {path.stem}")
        set_age(path, OLD.replace(month=6))
    running = [catalogue.start(*arguments) for arguments in (("remap",), ("crawl", root), ("remap",), ("crawl", root))]
    for process in running:
        finish(process)
    catalogue.run("remap")
    catalogue.assert_whole(len(paths))
    words = "SELECT string_value FROM dataset_parameter p JOIN parameter_type t ON t.id = p.type_id WHERE t.name = '{}'"
    expected = [f"the new {path.stem}" if number % 2 == 0 else path.stem for number, path in enumerate(paths)]
    assert sorted(word for (word,) in catalogue.ask(words.format("Site_word"))) == sorted(expected)
    assert catalogue.ask("SELECT count(*) FROM scan WHERE definition IS NOT NULL") == [(0,)]
    fresh = Catalogue(catalogue.folder.parent / "fresh")
    fresh.run("crawl", root, "--rules", rules)
    assert read_said(catalogue.ask)["parameters"] == read_said(fresh.ask)["parameters"]


@pytest.mark.needs("strace")
def test_nothing_below_a_root_is_opened_or_looked_at(catalogue: Catalogue, root: Path, rules: Path) -> None:
    write_masters(root, 30)
    catalogue.run("crawl", root, "--rules", rules)
    rules.write_text(HEAD + WORD)
    log = root.parent / "strace.log"
    strace = ["strace", "-f", "-y", "-s", "4096", "-e", "trace=%file,getdents64", "-o", str(log)]
    command = [*strace, *NXCAT, "remap", "--json"]
    environment = catalogue.environment(PYTHONDONTWRITEBYTECODE=1)
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=root.parent).stdout
    assert '"changed": 30' in told
    calls = log.read_text()
    assert str(rules) in calls, "nothing seen"
    assert [line for line in calls.splitlines() if f"{os.path.normpath(root)}/" in line or f'"{root}"' in line] == []
