"""The queue of record: where each master stands, who has it in hand, and when it is looked at again.

Functions over a Session; none commits. A row waits while `next_attempt_at` is set, and is in hand while `claimed_at`
is. A claim counts an attempt before the file is opened, so that a file at which workers die is found out.
"""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, CursorResult, and_, select, update

from ingest.catalogue.database import insert_ignoring
from ingest.catalogue.errors import ConflictError
from ingest.catalogue.model import Datafile, Dataset, MasterFile, MasterState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_LARGEST_NS = 2**63 - 1
LONGEST_PATH: Final = 2600
"""Bytes of a path that is stored: with its root's number it goes into an index of PostgreSQL, a third of a page."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A master in the hand of one worker: what the row said when it was claimed."""

    master_file_id: int
    root_id: int
    path: str
    state: str
    file_size: int
    mtime_ns: int
    seen_at: datetime
    is_closed: bool
    attempts: int
    failures: int
    record_digest: str | None
    claimed_by: str


def to_claimant() -> str:
    """Return a name for this process that tells, on this machine, whether it is still there."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start_of(os.getpid())}"


def clamp_ns(mtime_ns: int) -> int:
    """Return the mtime as it is stored and compared: the integers of a database end in 2262, file systems later."""
    return max(-_LARGEST_NS, min(mtime_ns, _LARGEST_NS))


def check_length(path: str) -> None:
    """Raise OSError, as a file system does, if the path is too long to be stored."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise OSError(errno.ENAMETOOLONG, f"its path has more than {LONGEST_PATH} bytes", path)


def to_instant(mtime_ns: int) -> datetime:
    """Return the mtime as an instant, within what is stored."""
    return datetime.fromtimestamp(clamp_ns(mtime_ns) / 1e9, UTC)


def announce(
    session: Session, root_id: int, path: str, size: int, mtime_ns: int, now: datetime, *, instrument: str | None = None
) -> int:
    """Leave the file known, due and declared closed, and return its id; the instrument as far as it is known yet.

    Raises OSError if the path is too long.
    """
    check_length(path)
    stat = {"file_size": size, "mtime_ns": clamp_ns(mtime_ns)}
    sighting: dict[str, Any] = {**stat, "seen_at": now, "next_attempt_at": now, "is_closed": True}
    if instrument is not None:
        sighting["instrument"] = instrument[:255]
    ready = {"state": MasterState.READY, "attempts": 0, "failures": 0}
    session.execute(insert_ignoring(session, MasterFile).values(root_id=root_id, path=path, **sighting, **ready))
    session.execute(
        update(MasterFile)
        .where(MasterFile.path == path)
        .values(**sighting, **ready)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(select(MasterFile.id).where(MasterFile.path == path)).one()


def has_due_master(session: Session, now: datetime) -> bool:
    """Return whether any master is due that nobody has in hand: asked often, and answered without a write."""
    due = select(MasterFile.id).where(MasterFile.next_attempt_at <= now, MasterFile.claimed_at.is_(None))
    return session.scalar(due.limit(1)) is not None


def claim_next(session: Session, claimant: str, now: datetime, root_ids: list[int] | None = None) -> Claim | None:
    """Take the master that waited longest and is due, count the attempt, and return it; None if none is due."""
    due = select(MasterFile.id).where(MasterFile.next_attempt_at <= now, MasterFile.claimed_at.is_(None))
    if root_ids is not None:
        # No index of roots may serve here: it would be read, and put in order, for each claim.
        due = due.where((MasterFile.root_id + 0).in_(root_ids))
    first = due.order_by(MasterFile.next_attempt_at, MasterFile.id).limit(1).with_for_update(skip_locked=True)
    return _claim(session, MasterFile.id == first.scalar_subquery(), claimant, now)


def claim_one(session: Session, master_file_id: int, claimant: str, now: datetime) -> Claim | None:
    """Take that master whether it is due or not, count the attempt, and return it; None if another one has it.

    A worker of this machine that is gone has nothing any more.
    """
    holder = session.scalar(select(MasterFile.claimed_by).where(MasterFile.id == master_file_id))
    if holder is not None and not _is_gone(holder):
        return None
    is_free = and_(MasterFile.id == master_file_id, MasterFile.claimed_by.is_not_distinct_from(holder))
    return _claim(session, is_free, claimant, now)


def hold_claim(session: Session, claim: Claim) -> None:
    """Keep the claim from being taken over until the transaction ends; raises ConflictError if it was already."""
    of_claim = and_(MasterFile.id == claim.master_file_id, MasterFile.claimed_by == claim.claimed_by)
    if session.scalar(select(MasterFile.id).where(of_claim).with_for_update(key_share=True)) is None:
        raise ConflictError(f"another worker took over {claim.path}")


def mark_master(session: Session, claim: Claim, state: MasterState, **values: Any) -> None:
    """Let go of a claimed master in its new state; what is not given of the queue's columns is cleared.

    Raises ConflictError if another worker took the claim over in the meantime: then that one's word counts.
    """
    cleared = {"claimed_at": None, "claimed_by": None, "next_attempt_at": None, "reason": None, "last_error": None}
    result = session.execute(
        update(MasterFile)
        .where(MasterFile.id == claim.master_file_id, MasterFile.claimed_by == claim.claimed_by)
        .values(**(cleared | values), state=state)
        .execution_options(synchronize_session=False)
    )
    if isinstance(result, CursorResult) and result.rowcount != 1:
        raise ConflictError(f"another worker took over {claim.path}")


def release_abandoned(
    session: Session, now: datetime, lease: timedelta, max_attempts: int, claimant: str | None = None
) -> int:
    """Free the claims of workers that are gone, and of `claimant`, the lost attempt counted; return how many.

    A worker of this machine is asked for by its process; one of another machine is given up after the lease. A file
    that was claimed so often without a word is quarantined: whatever is in it takes our workers down.
    """
    rows = session.execute(
        select(MasterFile.id, MasterFile.claimed_by, MasterFile.claimed_at, MasterFile.attempts).where(
            MasterFile.next_attempt_at.is_not(None), MasterFile.claimed_at.is_not(None)
        )
    ).all()
    gone = [
        row
        for row in rows
        if row.claimed_by == claimant or _is_gone(row.claimed_by or "") or now - row.claimed_at > lease
    ]
    for row in gone:
        # Behind the others, and the further the more often a worker was lost here.
        values: dict[str, Any] = {"next_attempt_at": now + timedelta(milliseconds=row.attempts)}
        if row.attempts >= max_attempts:
            reason = f"workers were lost over it, {row.attempts} attempts"
            values = {"state": MasterState.QUARANTINED, "next_attempt_at": None, "reason": reason, "last_error": reason}
        session.execute(
            update(MasterFile)
            .where(MasterFile.id == row.id, MasterFile.claimed_by == row.claimed_by)
            .values(claimed_at=None, claimed_by=None, **values)
            .execution_options(synchronize_session=False)
        )
    return len(gone)


def make_due(session: Session, master_file_id: int, now: datetime) -> None:
    """Let a master that was read be read again, by whoever looks next."""
    session.execute(
        update(MasterFile)
        .where(MasterFile.id == master_file_id, MasterFile.claimed_at.is_(None))
        .values(next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def mark_incomplete(session: Session, master_file_id: int, reason: str) -> None:
    """Leave a master that was read incomplete, for one more reason."""
    master = session.get_one(MasterFile, master_file_id)
    if master.state in (MasterState.INGESTED, MasterState.INCOMPLETE):
        reasons = [known for known in (master.reason or "").split("; ") if known and known != reason]
        master.state, master.reason = MasterState.INCOMPLETE, "; ".join([reason, *reasons])[:255]


def mark_vanished(session: Session, master_file_ids: list[int]) -> None:
    """Note that these masters are gone from disk. Their datasets stay; their files are marked."""
    if not master_file_ids:
        return
    session.execute(
        update(MasterFile)
        .where(MasterFile.id.in_(master_file_ids))
        .values(state=MasterState.VANISHED, next_attempt_at=None, reason="gone from disk")
    )
    # By their ids, so that PostgreSQL looks into no other part of the table.
    datasets = session.scalars(select(Dataset.id).where(Dataset.master_file_id.in_(master_file_ids))).all()
    session.execute(update(Datafile).where(Datafile.dataset_id.in_(datasets)).values(is_vanished=True))
    # Without digests, everything is written again should the master come back.
    session.execute(
        update(Dataset)
        .where(Dataset.master_file_id.in_(master_file_ids))
        .values(listing_digest="", content_digest="", revision=Dataset.revision + 1)
        .execution_options(synchronize_session=False)
    )


def retry_quarantined(session: Session, now: datetime, paths: list[str] | None = None) -> int:
    """Make quarantined masters ready again, all or those of the given paths; return how many."""
    chosen = MasterFile.state == MasterState.QUARANTINED
    if paths is not None:
        chosen = and_(chosen, MasterFile.path.in_(paths))
    result = session.execute(
        update(MasterFile)
        .where(chosen)
        .values(state=MasterState.READY, next_attempt_at=now, attempts=0, failures=0)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


_CLAIMED = (
    "id",
    "root_id",
    "path",
    "state",
    "file_size",
    "mtime_ns",
    "seen_at",
    "is_closed",
    "attempts",
    "failures",
    "record_digest",
    "claimed_by",
)


def _claim(session: Session, chosen: ColumnElement[bool], claimant: str, now: datetime) -> Claim | None:
    """Take the one master that is chosen in a single statement, so that no two workers have it."""
    row = session.execute(
        update(MasterFile)
        .where(chosen)
        .values(claimed_at=now, claimed_by=claimant, attempts=MasterFile.attempts + 1)
        .returning(*(getattr(MasterFile, name) for name in _CLAIMED))
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if row is None else Claim(*row)


def _is_gone(claimant: str) -> bool:
    host, _, process = claimant.rpartition(":")[0].rpartition(":")
    started = claimant.rpartition(":")[2]
    return host == socket.gethostname() and _start_of(int(process)) != started


def _start_of(process: int) -> str:
    """Return when the process started, in the kernel's ticks: a number that is used again later has another start."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
