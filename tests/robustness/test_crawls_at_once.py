"""Several crawls at once, from the very first moment of a catalogue: no harm, and nothing is done twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ingest.samples.hdf5 import set_age
from tests.builders import write_master
from tests.pipeline.site import OLD
from tests.robustness.processes import finish, write_masters
from tests.servers import on_both_databases

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.robustness.processes import Catalogue

MASTERS = 60
CRAWLS = 4


@on_both_databases
def test_crawls_at_once_read_each_master_once(catalogue: Catalogue, root: Path) -> None:
    paths = write_masters(root, MASTERS)
    running = [catalogue.start("crawl", root) for _ in range(CRAWLS)]
    printed = [finish(process) for process in running]
    read = Counter(line.split()[-1] for text in printed for line in text.splitlines() if line.startswith("ingested "))
    assert read == Counter(map(str, paths))
    # The last one to finish may have found the index busy: whoever was writing looked again.
    catalogue.assert_whole(MASTERS)


@on_both_databases
def test_crawls_of_two_roots_at_once_share_a_catalogue(catalogue: Catalogue, root: Path) -> None:
    for name in ("a", "b"):
        write_masters(root / name, 20)
    # The same content twice: those of one root are copies of those of the other, whichever comes first.
    for process in [catalogue.start("crawl", root / name) for name in ("a", "b")]:
        finish(process)
    assert catalogue.ask("SELECT count(*), count(copy_of_id) FROM dataset") == [(40, 20)]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_crawls_at_once_some_are_killed_and_the_others_and_the_next_one_lose_nothing(
    catalogue: Catalogue, root: Path
) -> None:
    moment = random.Random(1)  # noqa: S311 - no secret, the same choices each time
    paths = write_masters(root, MASTERS)
    for kill in range(2):
        running = [catalogue.start("crawl", root) for _ in range(CRAWLS)]
        wait_until_some_are_in_hand(catalogue, running)
        time.sleep(moment.uniform(0, 0.3))
        for process in running[:2]:
            process.kill()
            process.communicate()
        for process in running[2:]:
            finish(process)
        for path in moment.sample(paths, MASTERS // 2):
            write_master(path, title=f"scan of {path.stem}, change {kill}")
            set_age(path, OLD.replace(day=2 + kill))
    catalogue.run("crawl", root)
    catalogue.assert_whole(MASTERS)
    assert catalogue.ask("SELECT count(DISTINCT title) FROM scan") == [(MASTERS,)]
    assert catalogue.run("crawl", root).endswith("read: nothing was due\n")
    assert f"all its {MASTERS} datasets" in catalogue.run("verify")


def wait_until_some_are_in_hand(catalogue: Catalogue, running: list[subprocess.Popen[str]]) -> None:
    while catalogue.ask("SELECT count(*) FROM master_file WHERE claimed_at IS NOT NULL")[0][0] < 2:
        assert None in [process.poll() for process in running]
        time.sleep(0.005)
