"""The catalogue in figures, and whether it can answer: for its operator and for what watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine, Select, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from ingest.catalogue.backlog import COUNTED, get_backlog
from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.model import Dataset, Facility, MasterFile, MasterState, Root
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, from_cursor, to_page
from ingest.catalogue.schema import SCHEMA_VERSION, find_schema_version
from ingest.catalogue.views import QuarantinedView, RootView, StatusView

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.search import DatasetIndex

_QUARANTINE: Final = "quarantine"
_STATES: Final = sorted(MasterState)


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which parts answer."""

    database: bool
    schema: bool
    index: bool

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered."""
        return self.database and self.schema and self.index


def check_readiness(engine: Engine, index: DatasetIndex) -> Readiness:
    """Return which parts answer now: the database, its schema being this release's, and the index."""
    try:
        version = find_schema_version(engine)
        has_database = True
    except (UnavailableError, SQLAlchemyError):
        version, has_database = None, False
    return Readiness(has_database, version == SCHEMA_VERSION, _can_search(index))


def get_status(session: Session, now: datetime) -> StatusView:
    """Return the whole catalogue in figures, whoever may see what: not for anonymous viewers.

    What is many is estimated on PostgreSQL, where counting a million rows takes a second; SQLite counts in a moment.
    """
    backlog = get_backlog(session, now)
    dataset_count, is_estimated = _count(session, select(Dataset.id))
    counts = {state: _count(session, select(MasterFile.id).where(MasterFile.state == state)) for state in _STATES}
    return StatusView(
        dataset_count=dataset_count,
        unindexed_count=backlog.unindexed_count,
        waiting_count=sum(each.due + each.in_hand + each.later for each in backlog.waiting),
        masters={state: count for state, (count, _) in counts.items() if count},
        quarantine=_count_quarantined(session),
        is_estimated=is_estimated or any(estimated for _, estimated in counts.values()),
        backlog=backlog,
        roots=_list_roots(session),
    )


def list_quarantined(session: Session, request: PageRequest = FIRST_PAGE) -> Page[QuarantinedView]:
    """Return the masters that could not be read, in the order in which they were first seen."""
    statement = (
        select(MasterFile)
        .where(MasterFile.state == MasterState.QUARANTINED)
        .order_by(MasterFile.id)
        .limit(request.limit + 1)
    )
    if after := from_cursor(_QUARANTINE, request, (int,)):
        statement = statement.where(MasterFile.id > after[0])
    rows = session.scalars(statement).all()
    return to_page(_QUARANTINE, request, rows, lambda master: [master.id], _to_quarantined)


def _can_search(index: DatasetIndex) -> bool:
    try:
        index.revisions(limit=1)
    except (UnavailableError, OSError):
        return False
    return True


def _count(session: Session, statement: Select[Any]) -> tuple[int, bool]:
    """Return how many rows there are, and whether that is the database's estimate."""
    some = session.scalar(select(func.count()).select_from(statement.limit(COUNTED).subquery())) or 0
    bind = session.get_bind()
    if some < COUNTED:
        return some, False
    if bind.dialect.name != "postgresql":
        return session.scalar(select(func.count()).select_from(statement.subquery())) or 0, False
    words = statement.compile(dialect=bind.dialect, compile_kwargs={"literal_binds": True})
    plan = session.scalar(text(f"EXPLAIN (FORMAT JSON) {words}"))
    return max(some, int(plan[0]["Plan"]["Plan Rows"])), True


def _count_quarantined(session: Session) -> dict[str, int]:
    reason = func.coalesce(MasterFile.reason, "").label("reason")
    rows = select(reason).where(MasterFile.state == MasterState.QUARANTINED).limit(COUNTED).subquery()
    statement = select(rows.c.reason, func.count()).group_by(rows.c.reason)
    return dict(session.execute(statement.order_by(func.count().desc(), rows.c.reason)).all())


def _list_roots(session: Session) -> tuple[RootView, ...]:
    statement = select(Root, Facility.name).join(Facility, Facility.id == Root.facility_id).order_by(Root.path)
    return tuple(_to_root(*row) for row in session.execute(statement))


def _to_root(root: Root, facility: str) -> RootView:
    return RootView(
        path=root.path,
        facility=facility,
        rules=root.rules,
        timezone=root.timezone,
        release_policy=root.release_policy,
        release_years=root.release_years,
        is_embargoed_metadata_public=root.is_embargoed_metadata_public,
        is_secret=root.is_secret,
        include=tuple(root.include),
        exclude=tuple(root.exclude),
        crawled_at=root.crawled_at,
    )


def _to_quarantined(master: MasterFile) -> QuarantinedView:
    return QuarantinedView(
        path=master.path,
        reason=master.reason,
        last_error=master.last_error,
        failures=master.failures,
        file_size=master.file_size,
        modified_at=master.modified_at,
    )
