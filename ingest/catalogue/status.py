"""The catalogue in figures, and whether it can answer: for its operator and for what watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.model import Dataset, Facility, MasterFile, MasterState, Root
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, from_cursor, to_page
from ingest.catalogue.schema import SCHEMA_VERSION, find_schema_version
from ingest.catalogue.views import QuarantinedView, RootView, StatusView

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ingest.catalogue.search import DatasetIndex

_QUARANTINE: Final = "quarantine"


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


def get_status(session: Session) -> StatusView:
    """Return the whole catalogue in figures, whoever may see what: not for anonymous viewers."""
    lags = Dataset.indexed_revision < Dataset.revision
    waits = MasterFile.next_attempt_at.is_not(None)
    return StatusView(
        dataset_count=session.scalar(select(func.count()).select_from(Dataset)) or 0,
        unindexed_count=session.scalar(select(func.count()).select_from(Dataset).where(lags)) or 0,
        waiting_count=session.scalar(select(func.count()).select_from(MasterFile).where(waits)) or 0,
        masters=count_masters(session),
        quarantine=_count_quarantined(session),
        roots=_list_roots(session),
    )


def count_masters(session: Session) -> dict[str, int]:
    """Return how many masters are in each state that one is in."""
    statement = select(MasterFile.state, func.count()).group_by(MasterFile.state).order_by(MasterFile.state)
    return dict(session.execute(statement).all())


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


def _count_quarantined(session: Session) -> dict[str, int]:
    reason = func.coalesce(MasterFile.reason, "")
    statement = select(reason, func.count()).where(MasterFile.state == MasterState.QUARANTINED)
    rows = session.execute(statement.group_by(reason).order_by(func.count().desc(), reason))
    return dict(rows.all())


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
