"""kill -9 at any moment: the next crawl completes, nothing is lost, nothing is there twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ingest.samples.hdf5 import set_age
from tests.builders import write_master
from tests.pipeline.site import OLD
from tests.robustness.processes import write_masters

if TYPE_CHECKING:
    from pathlib import Path

    from tests.robustness.processes import Catalogue

MASTERS = 50
KILLS_A_ROUND = 6
CHANGES = 35


def kill_crawl(catalogue: Catalogue, root: Path, pending: int, moment: random.Random, kill: int) -> str:
    """Start a crawl and kill it at a random moment; return how far it had come by then.

    One third of the moments lie in the time before it reads, one third while it reads, one third after it has told
    of the last of the pending masters and writes the index.
    """
    process = catalogue.start("crawl", root)
    assert process.stdout is not None
    told = 0
    if kill % 3 == 0:
        time.sleep(moment.uniform(0, 1))
    else:
        wanted = moment.randrange(1, pending) if kill % 3 == 1 else pending
        while told < wanted and process.stdout.readline():
            told += 1
        time.sleep(moment.uniform(0, 0.04))
    process.kill()
    rest, _ = process.communicate()
    told += rest.count("\n")
    catalogue.assert_no_process_is_left()
    return to_phase(catalogue, told, pending)


def to_phase(catalogue: Catalogue, told: int, pending: int) -> str:
    if told == 0:
        due = catalogue.ask("SELECT count(*) FROM master_file WHERE next_attempt_at IS NOT NULL")
        return "reading the first" if due == [(pending,)] else "starting or walking"
    if told < pending:
        return "reading"
    lagging = catalogue.ask("SELECT count(*) FROM dataset WHERE indexed_revision < revision")
    return "indexing" if lagging != [(0,)] else "done"


def count_pending(catalogue: Catalogue, paths: list[Path]) -> int:
    """Return how many masters the next crawl has to read: those that it does not know as they are now."""
    read = "SELECT path, mtime_ns FROM master_file WHERE next_attempt_at IS NULL"
    known = dict(catalogue.ask(read))
    return sum(known.get(str(path)) != path.stat().st_mtime_ns for path in paths)


def change(paths: list[Path], moment: random.Random, kill: int) -> None:
    """Give most masters new content, so that the next crawl has work."""
    for path in moment.sample(paths, CHANGES):
        write_master(path, title=f"scan of {path.stem}, change {kill}")
        set_age(path, OLD.replace(day=2 + kill, minute=kill))


@pytest.mark.parametrize(("database", "seed"), [("sqlite", 0), ("postgresql", 2)], indirect=["database"])
def test_what_a_killed_crawl_left_the_next_one_completes(catalogue: Catalogue, root: Path, seed: int) -> None:
    moment = random.Random(seed)  # noqa: S311 - no secret, the same choices each time
    paths = write_masters(root, MASTERS)
    phases: Counter[str] = Counter()
    for kill in range(KILLS_A_ROUND):
        pending = count_pending(catalogue, paths)
        phases[kill_crawl(catalogue, root, pending, moment, kill)] += 1
        change(paths, moment, kill)
    print(f"seed {seed}: {dict(phases)}")  # noqa: T201 - how the moments were spread, shown with -rP
    assert {"starting or walking", "reading"} <= set(phases), "the moments are not spread"
    catalogue.run("crawl", root)
    catalogue.assert_whole(MASTERS)
    assert catalogue.ask("SELECT count(DISTINCT title) FROM scan") == [(MASTERS,)]
    assert catalogue.run("crawl", root).endswith("read: nothing was due\n")
