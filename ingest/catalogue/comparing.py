"""Whether the index holds what the database says: both are walked by id, side by side, a stretch at a time.

An index is written after the database has committed, and what it was told of is noted after that. So a stretch is read
in one order: the database, the index, the database once more. An index that holds less than was noted before it was
read has lost something; one that holds more than the database says after it was read is of another database. Neither
can be work in flight, and neither needs a pause to be told from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from sqlalchemy import bindparam, func, select, update

from ingest.catalogue.model import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session, sessionmaker

    from ingest.catalogue.search import DatasetIndex

STRETCH: Final = 10_000
"""Rows and entries that are held at a time: 3 MB; an index finds the beginning of each by looking at all ids."""
_IDS_A_QUERY: Final = 500


class Stored(NamedTuple):
    """What the database says of a dataset: its revision, and the one that it noted as indexed."""

    revision: int
    indexed_revision: int


class DifferenceKind(StrEnum):
    """How the index differs from the database over one dataset."""

    MISSING = "missing"
    """The index was told of it, and does not hold it."""
    EXTRA = "extra"
    """The index holds it, and there is no such dataset."""
    OLDER = "older"
    """The index holds an older revision than it was told of."""
    NEWER = "newer"
    """The index holds a revision that the database has not come to: the database was set back."""
    WAITING = "waiting"
    """The index was not told yet: the next crawl, or the service, brings it along."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A dataset over which index and database differ; None where one of them has nothing of it."""

    dataset_id: int
    kind: DifferenceKind
    revision: int | None
    held_revision: int | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """All that the database says, and then the index, of the ids of one stretch."""

    stored: dict[int, Stored]
    held: dict[int, int]

    def list_differing(self) -> list[int]:
        """Return the ids of which the two say different revisions, or only one says any, rising."""
        stored = {dataset_id: row.revision for dataset_id, row in self.stored.items()}
        if stored == self.held:
            return []
        ids = stored.keys() | self.held.keys()
        return sorted(dataset_id for dataset_id in ids if stored.get(dataset_id) != self.held.get(dataset_id))

    def list_misnoted(self) -> list[tuple[int, int]]:
        """Return the datasets of which another revision is noted as indexed than is held, with the held one or 0."""
        held = ((dataset_id, row, self.held.get(dataset_id, 0)) for dataset_id, row in self.stored.items())
        return [(dataset_id, revision) for dataset_id, row, revision in held if revision != row.indexed_revision]


class HoldsRevisions(Protocol):
    """An index, or one that is filled."""

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As DatasetIndex.revisions."""


def count_datasets(session: Session) -> int:
    """Return how many datasets there are."""
    return session.scalar(select(func.count()).select_from(Dataset)) or 0


def find_indexed(session: Session) -> int | None:
    """Return one of the datasets that an index was told of; None if there is none."""
    return session.scalar(select(Dataset.id).where(Dataset.indexed_revision > 0).limit(1))


def walk_stretches(sessions: sessionmaker[Session], index: HoldsRevisions) -> Iterator[Stretch]:
    """Yield both sides, stretch by stretch, each read a moment before it is yielded.

    A stretch ends where the shorter page of the two does; what the other side says of ids beyond is read again.
    """
    after: float = 0
    while after < inf:
        with sessions() as session:
            stored = _read_page(session, int(after))
        held = index.revisions(int(after), STRETCH)
        ends = [page[-1][0] for page in (stored, held) if len(page) == STRETCH]
        end = min(ends, default=inf)
        yield Stretch(
            {dataset_id: row for dataset_id, row in stored if dataset_id <= end},
            {dataset_id: revision for dataset_id, revision in held if dataset_id <= end},
        )
        after = end


def find_differences(sessions: sessionmaker[Session], stretch: Stretch) -> list[Difference]:
    """Return over what the two differed when they were read; WAITING and EXTRA may be work in flight."""
    return _judge(sessions, stretch, stretch.list_differing())


def look_again(
    sessions: sessionmaker[Session], index: DatasetIndex, differences: Sequence[Difference]
) -> list[Difference]:
    """Return those of the differences that there still are, as they are now.

    What waits is done when the index holds the revision that it waited for, be there another one by now.
    """
    waited_for = {found.dataset_id: found.revision or 0 for found in differences}
    stored = _load_stored(sessions, list(waited_for))
    held = index.revisions_of(waited_for)
    found = _judge(sessions, Stretch(stored, held), list(waited_for))
    return [
        one
        for one in found
        if one.kind is not DifferenceKind.WAITING or held.get(one.dataset_id, 0) < waited_for[one.dataset_id]
    ]


def note_held(session: Session, stretch: Stretch) -> None:
    """Note for each dataset of the stretch what the index holds of it; what it does not hold becomes due.

    A dataset of which somebody has noted another revision in between is left alone.
    """
    rows = [
        {"of_id": dataset_id, "noted": stretch.stored[dataset_id].indexed_revision, "held": held}
        for dataset_id, held in stretch.list_misnoted()
    ]
    # As in `mark_indexed`: a dataset does not change by being indexed.
    statement = (
        update(Dataset)
        .where(Dataset.id == bindparam("of_id"), Dataset.indexed_revision == bindparam("noted"))
        .values(indexed_revision=bindparam("held"), modified_at=Dataset.modified_at)
    )
    session.connection().execute(statement, rows)


def _judge(sessions: sessionmaker[Session], before: Stretch, ids: Sequence[int]) -> list[Difference]:
    """Return what is different over these ids: by what was stored before the index was read, and by what is now."""
    after = _load_stored(sessions, ids)
    found = []
    for dataset_id in ids:
        now, held = after.get(dataset_id), before.held.get(dataset_id)
        kind = _to_kind(before.stored.get(dataset_id), held, now)
        if kind is not None:
            found.append(Difference(dataset_id, kind, now.revision if now else None, held))
    return found


def _to_kind(before: Stored | None, held: int | None, now: Stored | None) -> DifferenceKind | None:
    if now is None:
        return None if held is None else DifferenceKind.EXTRA
    if held is not None and held > now.revision:
        return DifferenceKind.NEWER
    if before is not None and (held or 0) < before.indexed_revision:
        return DifferenceKind.MISSING if held is None else DifferenceKind.OLDER
    return DifferenceKind.WAITING if (held or 0) < now.revision else None


def _read_page(session: Session, after_id: int) -> list[tuple[int, Stored]]:
    statement = (
        select(Dataset.id, Dataset.revision, Dataset.indexed_revision)
        .where(Dataset.id > after_id)
        .order_by(Dataset.id)
        .limit(STRETCH)
    )
    return [(row[0], Stored(row[1], row[2])) for row in session.execute(statement)]


def _load_stored(sessions: sessionmaker[Session], ids: Sequence[int]) -> dict[int, Stored]:
    found: dict[int, Stored] = {}
    with sessions() as session:
        for part in _to_parts(ids):
            statement = select(Dataset.id, Dataset.revision, Dataset.indexed_revision).where(Dataset.id.in_(part))
            found |= {row[0]: Stored(row[1], row[2]) for row in session.execute(statement)}
    return found


def _to_parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + _IDS_A_QUERY] for start in range(0, len(ids), _IDS_A_QUERY))
