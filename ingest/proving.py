"""Proving that the index holds what the database says, while both are in use."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ingest.catalogue.comparing import (
    Difference,
    DifferenceKind,
    count_datasets,
    find_differences,
    look_again,
    walk_stretches,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.pipeline import Services

LISTED: Final = 1000
"""How many differences are kept; all are counted."""
PATIENCE_SECONDS: Final = 5.0
"""What is in work gets this long to be done; whoever works looks at the index every two seconds."""
LOOK_EVERY_SECONDS: Final = 0.25
_IN_FLIGHT: Final = frozenset({DifferenceKind.WAITING, DifferenceKind.EXTRA})


@dataclass(slots=True)
class Proof:
    """How many datasets were compared, and over which of them index and database differ."""

    dataset_count: int = 0
    counts: Counter[DifferenceKind] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    """The first LISTED."""

    @property
    def is_equal(self) -> bool:
        """Whether the index holds each dataset at its revision, and nothing else."""
        return not self.counts

    def add(self, difference: Difference) -> None:
        """Count the difference, and keep it if it is one of the first."""
        self.counts[difference.kind] += 1
        if len(self.differences) < LISTED:
            self.differences.append(difference)


def prove_index(services: Services, report: Callable[[int, int], None]) -> Proof:
    """Return what index and database differ over, by id and revision.

    What may be work in flight is looked at again until PATIENCE_SECONDS are over, up to LISTED datasets; more than
    that are no moment's work, and are told as they are. `report` is given how many datasets were compared, and of how
    many.
    """
    proof = Proof()
    watched: list[Difference] = []
    with services.read_sessions() as session:
        total = count_datasets(session)
    for stretch in walk_stretches(services.read_sessions, services.index):
        proof.dataset_count += len(stretch.stored)
        for found in find_differences(services.read_sessions, stretch):
            if found.kind in _IN_FLIGHT and len(watched) < LISTED:
                watched.append(found)
            else:
                proof.add(found)
        report(proof.dataset_count, total)
    for found in _watch(services, watched):
        proof.add(found)
    return proof


def _watch(services: Services, watched: list[Difference]) -> list[Difference]:
    """Return those that are still there when the patience is over."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while watched and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_SECONDS)
        watched = look_again(services.read_sessions, services.index, watched)
    return watched
