"""Several crawls at once, from the very first moment of a catalogue: no harm, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.robustness.processes import finish, write_masters

if TYPE_CHECKING:
    from pathlib import Path

    from tests.robustness.processes import Catalogue

MASTERS = 60


@pytest.mark.parametrize("crawls", [2, 4])
def test_crawls_at_once_read_each_master_once(catalogue: Catalogue, root: Path, crawls: int) -> None:
    paths = write_masters(root, MASTERS)
    running = [catalogue.start("crawl", root) for _ in range(crawls)]
    printed = [finish(process) for process in running]
    read = Counter(line.split()[-1] for text in printed for line in text.splitlines() if line.startswith("ingested "))
    assert read == Counter(map(str, paths))
    # The last one to finish may have found the index busy: whoever was writing looked again.
    catalogue.assert_whole(MASTERS)


def test_crawls_of_two_roots_at_once_share_a_catalogue(catalogue: Catalogue, root: Path) -> None:
    for name in ("a", "b"):
        write_masters(root / name, 20)
    # The same content twice: those of one root are copies of those of the other, whichever comes first.
    for process in [catalogue.start("crawl", root / name) for name in ("a", "b")]:
        finish(process)
    assert catalogue.ask("SELECT count(*), count(copy_of_id) FROM dataset") == [(40, 20)]
