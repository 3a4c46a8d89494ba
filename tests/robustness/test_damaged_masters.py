"""Damage of every kind: each file ends as read or quarantined, and nothing that it broke is left behind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ingest.samples.hdf5 import set_age
from ingest.samples.tree import write_samples
from tests.builders import mutate, write_master
from tests.nexus.conftest import CORPUS
from tests.pipeline.site import OLD
from tests.robustness.fuzzing import find_masters, fuzz

if TYPE_CHECKING:
    from pathlib import Path

    from tests.robustness.processes import Catalogue

COPIES = 200
FUZZED = 150
ENDS = {"ingested", "incomplete", "side_file", "quarantined"}


def test_masters_of_all_writers_are_read_or_refused_however_damaged(tmp_path: Path) -> None:
    write_samples(tmp_path / "samples")
    assert_survived(tmp_path / "samples", tmp_path)


@pytest.mark.needs("corpus")
def test_real_masters_are_read_or_refused_however_damaged(tmp_path: Path) -> None:
    assert_survived(CORPUS, tmp_path)


def assert_survived(masters: Path, place: Path) -> None:
    fuzzed = fuzz(list(find_masters([masters])), range(FUZZED), place)
    assert fuzzed.faults == []
    assert sum(fuzzed.ends.values()) == FUZZED
    assert fuzzed.ends["read, with scans"] > FUZZED / 10
    assert sum(count for end, count in fuzzed.ends.items() if not end.startswith("read")) > FUZZED / 10


def test_every_damaged_copy_is_read_or_quarantined_with_its_reason(catalogue: Catalogue, root: Path) -> None:
    whole = write_master(root / "whole.h5", scans=2).read_bytes()
    set_age(root / "whole.h5", OLD)
    for seed in range(COPIES):
        path = root / f"{seed:03}.h5"
        path.write_bytes(mutate(whole, seed))
        set_age(path, OLD)
    printed = catalogue.run("crawl", root, READ_TIMEOUT_SECONDS=2, READ_MEMORY_MB=256)
    states = catalogue.states()
    assert len(states) == COPIES + 1
    assert states["whole.h5"] == "ingested"
    assert {name: state for name, state in states.items() if state not in ENDS} == {}
    counts = Counter(states.values())
    assert counts["quarantined"] > COPIES / 10, "damage that breaks nothing shows nothing"
    assert counts["ingested"] > COPIES / 10, "damage that breaks all shows nothing"
    unexplained = "reason IS NULL OR last_error IS NULL OR reason LIKE 'exited%'"
    assert catalogue.ask(f"SELECT path FROM master_file WHERE state = 'quarantined' AND ({unexplained})") == []  # noqa: S608
    assert "Traceback" not in printed
    assert catalogue.ask("SELECT count(*) FROM master_file WHERE claimed_at IS NOT NULL") == [(0,)]
    catalogue.assert_no_process_is_left()
