"""What waits and for how long: asked often, at a cost that follows the backlog and not the catalogue.

A backlog of more than `COUNTED` is counted as that many: by then its size is not what matters.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, case, func, select

from ingest.catalogue.model import Dataset, MasterFile, MasterState, Notice
from ingest.catalogue.views import BacklogView, LagView, WaitingView

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

COUNTED: Final = 100_000
LAG_PERIOD: Final = timedelta(hours=1)
LAG_SAMPLE: Final = 1000
"""Of what became searchable in that time, so many of the newest are looked at."""


def get_backlog(session: Session, now: datetime) -> BacklogView:
    """Return what waits to be looked at, read and indexed, and how long it took lately: whoever may see what."""
    unindexed = _lagging()
    lagging = select(func.count(), func.sum(unindexed.c.behind), func.min(unindexed.c.modified_at))
    unindexed_count, revisions_behind, oldest_unindexed_at = session.execute(lagging).one()
    return BacklogView(
        waiting=_list_waiting(session, now),
        notices=_count_notices(session),
        quarantined_count=_count_quarantined(session),
        oldest_due_at=_find_oldest_due_at(session, now),
        unindexed_count=unindexed_count,
        revisions_behind=int(revisions_behind or 0),
        oldest_unindexed_at=oldest_unindexed_at,
        searchable=_measure_lag(session, now),
    )


def _lagging() -> Any:
    behind = (Dataset.revision - Dataset.indexed_revision).label("behind")
    lags = Dataset.indexed_revision < Dataset.revision
    return select(behind, Dataset.modified_at).where(lags).limit(COUNTED).subquery()


def _list_waiting(session: Session, now: datetime) -> tuple[WaitingView, ...]:
    columns = (MasterFile.state, MasterFile.instrument, MasterFile.next_attempt_at, MasterFile.claimed_at)
    rows = select(*columns).where(MasterFile.next_attempt_at.is_not(None)).limit(COUNTED).subquery()
    is_claimed = rows.c.claimed_at.is_not(None)
    is_due = rows.c.next_attempt_at <= now
    statement = (
        select(
            rows.c.state,
            rows.c.instrument,
            func.sum(case((and_(~is_claimed, is_due), 1), else_=0)),
            func.sum(case((is_claimed, 1), else_=0)),
            func.sum(case((and_(~is_claimed, ~is_due), 1), else_=0)),
        )
        .group_by(rows.c.state, rows.c.instrument)
        .order_by(rows.c.state, rows.c.instrument.nulls_first())
    )
    return tuple(
        WaitingView(master_state=state, instrument=instrument, due=due, in_hand=in_hand, later=later)
        for state, instrument, due, in_hand, later in session.execute(statement)
    )


def _count_notices(session: Session) -> dict[str, int]:
    rows = select(Notice.state).where(Notice.next_attempt_at.is_not(None)).limit(COUNTED).subquery()
    statement = select(rows.c.state, func.count()).group_by(rows.c.state).order_by(rows.c.state)
    return dict(session.execute(statement).all())


def _count_quarantined(session: Session) -> int:
    rows = select(MasterFile.id).where(MasterFile.state == MasterState.QUARANTINED).limit(COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(rows)) or 0


def _find_oldest_due_at(session: Session, now: datetime) -> datetime | None:
    """Return since when the master or the notice is due that waits longest; None if none is."""
    is_due = and_(MasterFile.next_attempt_at <= now, MasterFile.claimed_at.is_(None))
    of_masters = select(MasterFile.next_attempt_at).where(is_due).order_by(MasterFile.next_attempt_at).limit(1)
    of_notices = (
        select(Notice.next_attempt_at).where(Notice.next_attempt_at <= now).order_by(Notice.next_attempt_at).limit(1)
    )
    found = [session.scalar(of_masters), session.scalar(of_notices)]
    return min((since for since in found if since is not None), default=None)


def _measure_lag(session: Session, now: datetime) -> LagView:
    rows = session.execute(
        select(Dataset.closed_at, Dataset.searchable_at)
        .where(Dataset.searchable_at > now - LAG_PERIOD)
        .order_by(Dataset.searchable_at.desc())
        .limit(LAG_SAMPLE)
    )
    # What lay there before anybody asked for it has no time at which it was closed.
    lags = [(found - closed).total_seconds() for closed, found in rows if closed is not None and found is not None]
    if not lags:
        return LagView(count=0, median_seconds=None, p95_seconds=None)
    twentieths = quantiles(lags, n=20, method="inclusive") if len(lags) > 1 else lags * 19
    return LagView(count=len(lags), median_seconds=twentieths[9], p95_seconds=twentieths[18])
