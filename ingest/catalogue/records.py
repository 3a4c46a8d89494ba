"""What was read of each master, and by which rules it was mapped last. Functions over a Session; none commits.

`rulebook` is a digest of the rules. Records are found by it through an index alone: they are large, and few are wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exists, func, select, update

from ingest.catalogue.database import upsert
from ingest.catalogue.model import Dataset, MasterFile, MasterRecord, MasterState, Notice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

READABLE: Final = (MasterState.INGESTED, MasterState.INCOMPLETE, MasterState.SIDE_FILE)
"""States of masters that were read, and lie where they lay, as far as one knows."""
_STREAMED = 10
"""Rows that are fetched at a time: records may have megabytes."""
_STANDING: Final = (
    *(MasterFile.record_digest, MasterFile.state, MasterFile.path),
    *(Dataset.id.label("dataset_id"), Dataset.name, Dataset.is_complete),
    *(Dataset.content_digest, Dataset.listing_digest),
    exists().where(Notice.master_file_id == MasterFile.id).label("is_told"),
)
"""What a reading, a move, a loss or the first notice would change."""


def store_record(session: Session, master_file_id: int, record_format: int, rulebook: str, document: bytes) -> None:
    """Keep the record of a master, in place of an older one, as mapped by these rules."""
    changed = {"format": record_format, "rulebook": rulebook, "document": document}
    session.execute(upsert(session, MasterRecord, {"master_file_id": master_file_id}, changed))


def find_rulebook(session: Session, master_file_id: int) -> str | None:
    """Return by which rules a master's record was mapped last; None if there is no record."""
    return session.scalar(select(MasterRecord.rulebook).where(MasterRecord.master_file_id == master_file_id))


def mark_mapped(session: Session, master_file_ids: Sequence[int], rulebook: str) -> None:
    """Note that these records were mapped by these rules."""
    session.execute(
        update(MasterRecord)
        .where(MasterRecord.master_file_id.in_(master_file_ids))
        .values(rulebook=rulebook)
        .execution_options(synchronize_session=False)
    )


def list_rulebooks(session: Session) -> list[str]:
    """Return all that records were mapped by last; as many look-ups in an index as there are."""
    found: list[str] = []
    smallest = select(func.min(MasterRecord.rulebook))
    known = session.scalar(smallest)
    while known is not None:
        found.append(known)
        known = session.scalar(smallest.where(MasterRecord.rulebook > known))
    return found


def count_records(session: Session, rulebooks: Collection[str]) -> int:
    """Return how many records were mapped last by one of these."""
    return session.scalar(select(func.count()).where(MasterRecord.rulebook.in_(rulebooks))) or 0


def list_mapped_by(session: Session, rulebooks: Collection[str], after: int, limit: int) -> list[Row[Any]]:
    """Return id and path of masters whose records were mapped last by one of these, and whose files can be read."""
    return list(
        session.execute(
            select(MasterFile.id, MasterFile.path)
            .join(MasterRecord, MasterRecord.master_file_id == MasterFile.id)
            .where(MasterRecord.rulebook.in_(rulebooks), MasterFile.state.in_(READABLE), MasterFile.id > after)
            .order_by(MasterFile.id)
            .limit(limit)
        )
    )


def stream_records(session: Session, rulebook: str, after: int, limit: int) -> Iterator[Row[Any]]:
    """Yield the records that were mapped last by these rules, with what is known of their masters and datasets.

    In the order of the masters' ids, from behind `after` on. Those that a worker has in hand are left out.
    """
    columns = (MasterFile.id, MasterFile.root_id, MasterFile.file_size, MasterFile.mtime_ns, MasterFile.reason)
    statement = (
        _join(select(*columns, *_STANDING, Dataset.location, MasterRecord.document), rulebook)
        .where(MasterRecord.master_file_id > after)
        .order_by(MasterRecord.master_file_id)
        .limit(limit)
    )
    yield from session.execute(statement.execution_options(yield_per=_STREAMED))


def find_standing(session: Session, rulebook: str, rows: Iterable[Row[Any]]) -> set[int]:
    """Return the masters of those rows of `stream_records` that nobody has read, moved or taken in hand since.

    They stay as they are until the transaction ends.
    """
    known = {row.id: _to_standing(row) for row in rows}
    statement = _join(select(MasterFile.id, *_STANDING), rulebook).where(MasterRecord.master_file_id.in_(known))
    found = session.execute(statement.order_by(MasterFile.id).with_for_update(of=MasterFile))
    return {row.id for row in found if _to_standing(row) == known[row.id]}


def _join(statement: Any, rulebook: str) -> Any:
    return (
        statement.join(MasterRecord, MasterRecord.master_file_id == MasterFile.id)
        .outerjoin(Dataset, Dataset.master_file_id == MasterFile.id)
        .where(MasterRecord.rulebook == rulebook, MasterFile.claimed_at.is_(None))
    )


def _to_standing(row: Row[Any]) -> tuple[Any, ...]:
    return tuple(getattr(row, column.key) for column in _STANDING)
