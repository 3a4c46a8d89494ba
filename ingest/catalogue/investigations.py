"""Investigations as a viewer may see them: through those of their datasets that it may find, and no others.

An investigation's own dates follow all its datasets, closed ones too; so its dates, its class, its instruments, its
samples and its users are taken from the datasets that may be found. Functions over a Session that only read.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true, tuple_

from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.finding import parse_dates
from ingest.catalogue.investigation_parts import count_samples, load_instruments, load_users
from ingest.catalogue.matching import contains_words, is_one_of
from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    Facility,
    Instrument,
    Investigation,
    InvestigationInstrument,
    InvestigationSample,
    Sample,
    Scan,
)
from ingest.catalogue.paging import (
    FIRST_PAGE,
    Page,
    PageRequest,
    from_cursor,
    from_key_of_instant,
    to_key,
    to_key_of_instant,
    to_list_name,
    to_page,
)
from ingest.catalogue.summaries import to_investigation
from ingest.catalogue.views import InvestigationView, Visibility
from ingest.catalogue.visibility import Viewer, may_find, may_find_investigation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from ingest.catalogue.investigation_parts import PersonView

_LONG_AGO: Final = datetime(1000, 1, 1, tzinfo=UTC)
_FAR_OFF: Final = datetime(9000, 1, 1, tzinfo=UTC)


class InvestigationSort(StrEnum):
    """The order of a list: by when the first dataset began, those that nobody knows it of last; or by name."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationQuestion:
    """What investigations are asked for; all that is given must hold. Of several names of one kind one is enough.

    `text` is words of name, visit, title or summary; `date` is a period in which a dataset began, `2025-03..2025-05`.
    """

    text: str = ""
    facilities: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    date: str = ""
    sort: InvestigationSort = InvestigationSort.NEWEST


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationSummary(InvestigationView):
    """An investigation as lists show it, over the datasets that the viewer may find.

    Open where all of them are; `release_date` is when the last of them opens, None if that is not known.
    """

    facility: str
    instruments: tuple[str, ...]
    start_date: datetime | None
    end_date: datetime | None
    visibility: Visibility
    release_date: datetime | None
    dataset_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationDetail(InvestigationSummary):
    """An investigation as its own page shows it; sizes are in bytes."""

    summary: str | None
    doi: str | None
    users: tuple[PersonView, ...]
    sample_count: int
    file_count: int
    file_size: int


def list_investigations(
    session: Session,
    viewer: Viewer,
    now: datetime,
    question: InvestigationQuestion,
    request: PageRequest = FIRST_PAGE,
) -> Page[InvestigationSummary]:
    """Return a page of the investigations that match and that the viewer may know of.

    Raises InvalidQueryError for dates that cannot be understood and for too many words.
    """
    name = to_list_name("investigations", question)
    seen = and_(may_find_investigation(viewer, now), *_to_conditions(question, may_find(viewer, now)))
    by_name = question.sort is InvestigationSort.NAME
    statement = _order_by_name(name, request) if by_name else _order_by_start(name, request, viewer, now, question.sort)
    rows = session.execute(statement.where(seen).limit(request.limit + 1)).all()
    summaries = _load_summaries(session, viewer, now, [row[0] for row in rows[: request.limit]])
    to_row_key = _to_name_key if by_name else _to_start_key
    return to_page(name, request, rows, to_row_key, lambda row: summaries[row[0]])


def get_investigation(session: Session, viewer: Viewer, now: datetime, investigation_id: int) -> InvestigationDetail:
    """Return the investigation; raises NotFoundError if there is none, or none that the viewer may know of."""
    seen = and_(Investigation.id == to_key(investigation_id), may_find_investigation(viewer, now))
    row = session.scalar(select(Investigation).where(seen))
    if row is None:
        raise NotFoundError("investigation", investigation_id)
    findable = and_(Dataset.investigation_id == row.id, may_find(viewer, now))
    sizes = select(func.sum(Dataset.file_count), func.sum(Dataset.file_size)).where(findable)
    file_count, file_size = session.execute(sizes).one()
    summary = _load_summaries(session, viewer, now, [row.id])[row.id]
    return InvestigationDetail(
        **{field.name: getattr(summary, field.name) for field in fields(summary)},
        summary=row.summary,
        doi=row.doi,
        users=load_users(session, findable),
        sample_count=count_samples(session, viewer, now, row.id),
        file_count=int(file_count),
        file_size=int(file_size),
    )


def _order_by_name(name: str, request: PageRequest) -> Any:
    key = (Investigation.name, Investigation.visit_id, Investigation.id)
    statement = select(Investigation.id, Investigation.name, Investigation.visit_id).order_by(*key)
    if after := from_cursor(name, request, (str, str, int)):
        statement = statement.where(tuple_(*key) > tuple_(*after))
    return statement


def _order_by_start(name: str, request: PageRequest, viewer: Viewer, now: datetime, sort: InvestigationSort) -> Any:
    """Return the investigations by the start of the first dataset that may be found.

    That is looked up for each one, at some microseconds: a column of the investigation would tell of closed datasets.
    """
    is_newest = sort is InvestigationSort.NEWEST
    of_this = and_(Dataset.investigation_id == Investigation.id, may_find(viewer, now))
    first = select(func.min(Dataset.start_date)).where(of_this).correlate(Investigation).scalar_subquery()
    started = func.coalesce(first, _LONG_AGO if is_newest else _FAR_OFF)
    statement = select(Investigation.id, started)
    if after := from_cursor(name, request, (int, int)):
        place, last = tuple_(started, Investigation.id), tuple_(from_key_of_instant(after[0]), after[1])
        statement = statement.where(place < last if is_newest else place > last)
    if is_newest:
        return statement.order_by(started.desc(), Investigation.id.desc())
    return statement.order_by(started, Investigation.id)


def _to_name_key(row: Any) -> list[int | str]:
    return [row[1], row[2], row[0]]


def _to_start_key(row: Any) -> list[int | str]:
    return [to_key_of_instant(row[1]), row[0]]


def _to_conditions(question: InvestigationQuestion, findable: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    conditions = [
        contains_words(
            question.text, Investigation.name, Investigation.visit_id, Investigation.title, Investigation.summary
        )
    ]
    if question.facilities:
        named = select(Facility.id).where(is_one_of(question.facilities, Facility.name))
        conditions.append(Investigation.facility_id.in_(named))
    if question.proposals:
        conditions.append(is_one_of(question.proposals, Investigation.name))
    if question.instruments:
        conditions.append(_used_instruments(question.instruments, findable))
    if question.samples:
        conditions.append(_had_samples(question.samples, findable))
    if question.date:
        conditions.append(_has_dataset(findable, _began_within(question.date)))
    return conditions


def _used_instruments(names: tuple[str, ...], findable: ColumnElement[bool]) -> ColumnElement[bool]:
    named = select(Instrument.id).where(is_one_of(names, Instrument.name))
    used = select(InvestigationInstrument.investigation_id).where(InvestigationInstrument.instrument_id.in_(named))
    of_dataset = exists().where(DatasetInstrument.dataset_id == Dataset.id, DatasetInstrument.instrument_id.in_(named))
    # The first is a look-up and knows of closed datasets, too: the second decides.
    return and_(Investigation.id.in_(used), _has_dataset(findable, of_dataset))


def _had_samples(names: tuple[str, ...], findable: ColumnElement[bool]) -> ColumnElement[bool]:
    named = select(Sample.id).where(Sample.name.in_(names))
    had = select(InvestigationSample.investigation_id).where(InvestigationSample.sample_id.in_(named))
    of_scan = exists().where(Scan.dataset_id == Dataset.id, Scan.sample_id.in_(named))
    return and_(Investigation.id.in_(had), _has_dataset(findable, or_(Dataset.sample_id.in_(named), of_scan)))


def _began_within(text: str) -> ColumnElement[bool]:
    dates = parse_dates("date", text)
    return and_(
        true() if dates.low is None else Dataset.start_date >= dates.low,
        true() if dates.high is None else Dataset.start_date < dates.high,
        Dataset.start_date.is_not(None),
    )


def _has_dataset(findable: ColumnElement[bool], condition: ColumnElement[bool]) -> ColumnElement[bool]:
    of_this = Dataset.investigation_id == Investigation.id
    return exists().where(of_this, findable, condition).correlate(Investigation)


def _load_summaries(
    session: Session, viewer: Viewer, now: datetime, ids: Sequence[int]
) -> Mapping[int, InvestigationSummary]:
    rows = session.execute(
        select(Investigation, Facility.name)
        .join(Facility, Facility.id == Investigation.facility_id)
        .where(Investigation.id.in_(ids))
    )
    instruments = load_instruments(session, viewer, now, ids)
    seen = _load_seen(session, viewer, now, ids)
    return {
        row.id: _to_summary(row, facility, tuple(instruments[row.id]), seen[row.id], viewer) for row, facility in rows
    }


def _load_seen(session: Session, viewer: Viewer, now: datetime, ids: Sequence[int]) -> Mapping[int, Row[Any]]:
    """Return for each investigation what its findable datasets say together."""
    is_open = and_(Dataset.is_secret.is_(False), func.coalesce(Dataset.release_date <= now, False))
    statement = (
        select(
            Dataset.investigation_id,
            func.count().label("count"),
            func.min(Dataset.start_date).label("start_date"),
            func.max(Dataset.end_date).label("end_date"),
            func.max(Dataset.release_date).label("release_date"),
            func.count(Dataset.release_date).label("dated"),
            func.sum(case((Dataset.is_secret, 1), else_=0)).label("secret"),
            func.sum(case((is_open, 1), else_=0)).label("open"),
        )
        .where(Dataset.investigation_id.in_(ids), may_find(viewer, now))
        .group_by(Dataset.investigation_id)
    )
    return {row.investigation_id: row for row in session.execute(statement)}


def _to_summary(
    row: Investigation, facility: str, instruments: tuple[str, ...], seen: Any, viewer: Viewer
) -> InvestigationSummary:
    reference = to_investigation(row)
    release_date = seen.release_date if seen.dated == seen.count else None
    if release_date is None and viewer.sees_all:
        release_date = row.release_date
    return InvestigationSummary(
        **{field.name: getattr(reference, field.name) for field in fields(reference)},
        facility=facility,
        instruments=instruments,
        start_date=seen.start_date,
        end_date=seen.end_date,
        visibility=_to_visibility(seen),
        release_date=release_date,
        dataset_count=seen.count,
    )


def _to_visibility(seen: Any) -> Visibility:
    if seen.secret:
        return Visibility.SECRET
    return Visibility.OPEN if seen.open == seen.count else Visibility.EMBARGOED
