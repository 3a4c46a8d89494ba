"""The files of a dataset: a listing is written as it comes, and one that was stored is compared in one pass.

Nothing here holds a listing: the largest have 200,000 files. Functions over a Session; none commits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import select, update

from ingest.catalogue.database import insert_plain, to_batches
from ingest.catalogue.model import Datafile
from ingest.catalogue.partitions import prepare_partitions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from ingest.catalogue.model import Dataset

ListedFile: TypeAlias = tuple[str, int, int]
"""Name relative to the dataset's location, bytes, mtime in ns."""
_COLUMNS: Final = ("dataset_id", "ordinal", "name", "file_size", "mtime_ns", "is_vanished")
_STREAMED: Final = 5000
"""Stored rows that are fetched at a time."""
_UPDATED: Final = 1000


@dataclass(slots=True)
class _Difference:
    """What a listing changes of what is stored."""

    added: list[ListedFile] = field(default_factory=list)
    changed: list[tuple[int, int, int]] = field(default_factory=list)
    """Ordinal, bytes, mtime."""
    gone: list[int] = field(default_factory=list)


def store_datafiles(session: Session, dataset: Dataset, files: Collection[ListedFile], digest: str) -> None:
    """Leave the dataset with this listing, which is in the order of the names; a file that is gone is marked.

    An unchanged listing, told by its digest, costs nothing.
    """
    if dataset.listing_digest == digest:
        return
    first = dataset.next_file_ordinal
    # The first ordinal is 0, and is given with the first file.
    difference = _compare(session, dataset.id, files) if first else None
    added: Collection[ListedFile] = files if difference is None else difference.added
    if added:
        prepare_partitions(session, dataset.id)
        # An attribute of an entity costs as much as all the rest of a row.
        dataset_id = dataset.id
        rows = ((dataset_id, ordinal, *file, False) for ordinal, file in enumerate(added, first))
        insert_plain(session, Datafile, _COLUMNS, rows)
    if difference is not None:
        _update(session, dataset.id, difference)
    dataset.next_file_ordinal = first + len(added)
    dataset.listing_digest = digest
    dataset.file_count = len(files)
    dataset.file_size = sum(size for _, size, _ in files)


def _compare(session: Session, dataset_id: int, files: Iterable[ListedFile]) -> _Difference:
    """Return what differs: listing and rows run beside each other, both in the order of the names."""
    difference = _Difference()
    stored = _stream(session, dataset_id)
    row = next(stored, None)
    for file in files:
        name, size, mtime_ns = file
        while row is not None and row.name < name:
            _note_gone(difference, row)
            row = next(stored, None)
        if row is None or row.name != name:
            difference.added.append(file)
            continue
        if (row.file_size, row.mtime_ns, row.is_vanished) != (size, mtime_ns, False):
            difference.changed.append((row.ordinal, size, mtime_ns))
        row = next(stored, None)
    while row is not None:
        _note_gone(difference, row)
        row = next(stored, None)
    return difference


def _stream(session: Session, dataset_id: int) -> Iterator[Row[Any]]:
    columns = (Datafile.name, Datafile.ordinal, Datafile.file_size, Datafile.mtime_ns, Datafile.is_vanished)
    statement = select(*columns).where(Datafile.dataset_id == dataset_id).order_by(Datafile.name)
    return iter(session.execute(statement.execution_options(yield_per=_STREAMED)))


def _note_gone(difference: _Difference, row: Row[Any]) -> None:
    if not row.is_vanished:
        difference.gone.append(row.ordinal)


def _update(session: Session, dataset_id: int, difference: _Difference) -> None:
    own = {"dataset_id": dataset_id}
    seen = {"checksum": None, "is_vanished": False}
    changed: Iterator[dict[str, Any]] = (
        {**own, **seen, "ordinal": ordinal, "file_size": size, "mtime_ns": mtime_ns}
        for ordinal, size, mtime_ns in difference.changed
    )
    gone: Iterator[dict[str, Any]] = ({**own, "ordinal": ordinal, "is_vanished": True} for ordinal in difference.gone)
    for rows in (changed, gone):
        for batch in to_batches(rows, _UPDATED):
            session.execute(update(Datafile), batch)
