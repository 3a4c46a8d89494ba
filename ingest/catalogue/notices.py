"""Notices: what the facility says when a dataset is closed. Functions over a Session; none commits.

A notice is known by its place. Told again, it is the same one, and is looked at again; told in the wrong order, what
ended later counts. Of the disk only the links in the path are looked at here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import func, or_, select, update

from ingest.catalogue.database import insert_ignoring
from ingest.catalogue.errors import NotFoundError, PathOutsideRootsError
from ingest.catalogue.masters import LONGEST_PATH, check_length
from ingest.catalogue.model import Dataset, MasterFile, Notice, NoticeState
from ingest.catalogue.paging import LARGEST_KEY, Page, PageRequest, from_cursor, to_page
from ingest.catalogue.redaction import is_patients, is_personal, to_redacted
from ingest.catalogue.roots import get_root, normalise
from ingest.catalogue.views import NoticeView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

LEASE: Final = timedelta(minutes=2)
"""Whoever took a notice in hand and was lost has it this long; then another one does."""
FIRST_DELAY: Final = timedelta(seconds=10)
LONGEST_DELAY: Final = timedelta(hours=1)
LONGEST_MESSAGE: Final = 65_536
LONGEST_NAME: Final = 255
_NAMES: Final = ("proposal", "instrument", "dataset_name", "sample_name")
"""Bytes that are kept of a message that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDataset:
    """What a notice says: a place, and whatever else is known; parameters are texts by ESRF's names."""

    path: str
    proposal: str | None = None
    instrument: str | None = None
    dataset_name: str | None = None
    sample_name: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DueNotice:
    """A notice in the hand of one worker."""

    id: int
    path: str
    root_id: int
    attempts: int
    instrument: str | None
    is_news: bool
    """It says something that it did not say when its master was made due last."""


def record_notice(session: Session, told: ToldDataset, source: str, now: datetime) -> int:
    """Leave the notice known and due to be looked at; return its id.

    One for a place outside of every root is kept as refused, so that it can be asked for.
    """
    path, root_id = _find_place(session, told.path)
    columns = _to_columns(told)
    state = NoticeState.REFUSED if root_id is None else NoticeState.ANNOUNCED
    queue: dict[str, Any] = {
        "state": state,
        "reason": "it lies outside every root of the catalogue" if root_id is None else None,
        "root_id": root_id,
        "source": source,
        "repeated_at": now,
        "attempts": 0,
        "next_attempt_at": None if root_id is None else now,
    }
    made = insert_ignoring(session, Notice).values(path=path, told_at=now, times_told=0, **queue, **columns)
    session.execute(made)
    is_this = Notice.path == path
    session.execute(update(Notice).where(is_this).values(times_told=Notice.times_told + 1, **queue))
    is_news = or_(Notice.end_date.is_(None), Notice.end_date <= told.end_date) if told.end_date else is_this
    session.execute(update(Notice).where(is_this, is_news).values(**columns))
    return session.scalars(select(Notice.id).where(is_this)).one()


def record_unreadable(session: Session, body: bytes, problem: str, now: datetime) -> int:
    """Keep a message that cannot be understood as a refused notice, so that nothing is lost; return its id."""
    path = f"message:{blake2b(body, digest_size=20).hexdigest()}"
    text = to_redacted(body[:LONGEST_MESSAGE].decode("utf-8", "replace").replace("\0", "\ufffd"))
    columns = _to_columns(ToldDataset(path=path, parameters={"message": text}))
    queue = {"state": NoticeState.REFUSED, "reason": problem[:255], "source": "message", "repeated_at": now}
    made = insert_ignoring(session, Notice).values(path=path, told_at=now, times_told=0, attempts=0, **queue, **columns)
    session.execute(made)
    session.execute(update(Notice).where(Notice.path == path).values(times_told=Notice.times_told + 1, repeated_at=now))
    return session.scalars(select(Notice.id).where(Notice.path == path)).one()


def has_due_notice(session: Session, now: datetime) -> bool:
    """Return whether any notice is to be looked at: asked often, and answered without a write."""
    return session.scalar(select(Notice.id).where(Notice.next_attempt_at <= now).limit(1)) is not None


def claim_due_notices(session: Session, now: datetime, limit: int) -> list[DueNotice]:
    """Take notices that nobody has looked at yet, or that are due to be looked at again; the longest waiting first."""
    due = select(Notice.id).where(Notice.next_attempt_at <= now).order_by(Notice.next_attempt_at, Notice.id)
    # What another worker is about to take is passed over.
    ids = session.scalars(due.limit(limit).with_for_update(skip_locked=True)).all()
    statement = (
        update(Notice)
        .where(Notice.id.in_(ids))
        .values(next_attempt_at=now + LEASE, attempts=Notice.attempts + 1)
        .returning(Notice)
        .execution_options(synchronize_session=False)
    )
    return [
        DueNotice(
            id=each.id,
            path=each.path,
            root_id=each.root_id or 0,
            attempts=each.attempts,
            instrument=each.instrument,
            is_news=each.accepted_digest != each.content_digest,
        )
        for each in session.scalars(statement)
    ]


def mark_accepted(session: Session, notice: DueNotice, master_file_id: int) -> None:
    """Note which master the notice means; from now on its state tells."""
    # Also if it was told again in between: whoever reads the master now shall know what was told.
    session.execute(
        update(Notice)
        .where(Notice.id == notice.id)
        .values(master_file_id=master_file_id)
        .execution_options(synchronize_session=False)
    )
    _mark(
        session,
        notice,
        state=NoticeState.ACCEPTED,
        reason=None,
        next_attempt_at=None,
        accepted_digest=Notice.content_digest,
    )


def mark_waiting(session: Session, notice: DueNotice, reason: str, now: datetime) -> None:
    """Note why no master is known yet; it is looked for again after a delay that grows."""
    delay = min(FIRST_DELAY * 2 ** min(notice.attempts - 1, 20), LONGEST_DELAY)
    _mark(session, notice, state=NoticeState.WAITING, reason=reason[:255], next_attempt_at=now + delay)


def find_told(session: Session, master_file_id: int) -> ToldDataset | None:
    """Return what was told last about the master, if anything was."""
    of_master = select(Notice).where(Notice.master_file_id == master_file_id)
    notice = session.scalar(of_master.order_by(Notice.repeated_at.desc(), Notice.id.desc()).limit(1))
    if notice is None:
        return None
    return ToldDataset(**{each.name: getattr(notice, each.name) for each in fields(ToldDataset)})


def find_told_at(session: Session, master_file_id: int) -> datetime | None:
    """Return when the master was told of first, if it was."""
    return session.scalar(select(func.min(Notice.told_at)).where(Notice.master_file_id == master_file_id))


def get_notice(session: Session, notice_id: int) -> NoticeView:
    """Return the notice, with where its master stands; raises NotFoundError if there is none of that number."""
    row = session.execute(_views().where(Notice.id == min(notice_id, LARGEST_KEY))).one_or_none()
    if row is None:
        raise NotFoundError("notice", notice_id)
    return _to_view(*row)


def list_notices(
    session: Session, request: PageRequest, *, states: Sequence[str] = (), path: str | None = None
) -> Page[NoticeView]:
    """Return the notices, the newest first: all, or those in these states, or the one for a place."""
    name = f"notices {','.join(states)} {path or ''}"
    statement = _views().order_by(Notice.id.desc()).limit(request.limit + 1)
    if states:
        statement = statement.where(Notice.state.in_(states))
    if path is not None:
        statement = statement.where(Notice.path == path)
    if after := from_cursor(name, request, (int,)):
        statement = statement.where(Notice.id < after[0])
    rows = session.execute(statement).all()
    return to_page(name, request, rows, lambda row: [row[0].id], lambda row: _to_view(*row))


def _find_place(session: Session, told: str) -> tuple[str, int | None]:
    """Return the path as it is stored, and the root that it lies in, if it lies in one."""
    if not told.startswith("/") or "\0" in told:
        return _to_refused(told), None
    try:
        root = get_root(session, Path(told))
        real = str(normalise(Path(told)))
        check_length(real)
    except (PathOutsideRootsError, OSError):
        return _to_refused(os.path.normpath(told)), None
    return real, root.id


def _to_refused(told: str) -> str:
    """Return what can be stored of a place that is none of ours."""
    raw = told.replace("\0", "?").encode("utf-8", "backslashreplace")
    return raw[:LONGEST_PATH].decode("utf-8", "ignore")


def _may_keep(name: str) -> bool:
    """Return whether a parameter of that name is nobody's address, and tells of no patient: no rule can ask for it."""
    return not is_personal(name) and not is_patients(name)


def _to_columns(told: ToldDataset) -> dict[str, Any]:
    """Return what is kept of what was told: no personal address among it."""
    parameters = {name: to_redacted(text) for name, text in told.parameters.items() if _may_keep(name)}
    columns = {
        **{name: to_redacted(getattr(told, name) or "")[:LONGEST_NAME] or None for name in _NAMES},
        "start_date": told.start_date,
        "end_date": told.end_date,
        "parameters": parameters,
    }
    digest = blake2b(msgspec.json.encode(columns, order="sorted"), digest_size=20).hexdigest()
    return {**columns, "content_digest": digest}


def _mark(session: Session, notice: DueNotice, **values: Any) -> None:
    # Told again in between, it is due again at once, and this look at it was the former one's.
    session.execute(
        update(Notice)
        .where(Notice.id == notice.id, Notice.attempts == notice.attempts)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _views() -> Any:
    return (
        select(Notice, MasterFile.state, MasterFile.reason, Dataset.id, Dataset.revision, Dataset.indexed_revision)
        .outerjoin(MasterFile, MasterFile.id == Notice.master_file_id)
        .outerjoin(Dataset, Dataset.master_file_id == MasterFile.id)
    )


def _to_view(
    notice: Notice,
    master_state: str | None,
    master_reason: str | None,
    dataset_id: int | None,
    revision: int | None,
    indexed_revision: int | None,
) -> NoticeView:
    return NoticeView(
        id=notice.id,
        path=notice.path,
        state=notice.state,
        reason=notice.reason or master_reason,
        source=notice.source,
        told_at=notice.told_at,
        repeated_at=notice.repeated_at,
        times_told=notice.times_told,
        next_attempt_at=notice.next_attempt_at,
        master_state=master_state,
        dataset_id=dataset_id,
        is_searchable=revision is not None and revision == indexed_revision,
    )
