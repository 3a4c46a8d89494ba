"""Instruments as a viewer may see them: those of datasets that it may find. Functions that only read.

There are some dozens or hundreds, so a list is read whole; the counts come from the index.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from sqlalchemy import and_, select, true

from ingest.catalogue.counting import CountedSort, count_by_value, count_values, list_counted, of_facility
from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.matching import contains_words, is_one_of
from ingest.catalogue.model import Facility, Instrument
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, to_key, to_list_name
from ingest.catalogue.search import AnyOf, DatasetIndex, Noun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from ingest.catalogue.search import FacetValue
    from ingest.catalogue.visibility import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentQuestion:
    """What instruments are asked for: words of name, full name or description; facilities by name."""

    text: str = ""
    facilities: tuple[str, ...] = ()
    sort: CountedSort = CountedSort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentView:
    """A beamline or an instrument, with the number of its datasets that the viewer may find."""

    id: int
    name: str
    full_name: str | None
    facility: str
    type: str | None
    description: str | None
    url: str | None
    pid: str | None
    dataset_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentDetail(InstrumentView):
    """An instrument with the techniques of these datasets, the most frequent first."""

    technique_counts: tuple[FacetValue, ...]


def list_instruments(
    session: Session,
    index: DatasetIndex,
    viewer: Viewer,
    now: datetime,
    question: InstrumentQuestion,
    request: PageRequest = FIRST_PAGE,
) -> Page[InstrumentView]:
    """Return a page of the instruments that match and that the viewer may know of.

    Raises InvalidQueryError for too many words.
    """
    matching = contains_words(question.text, Instrument.name, Instrument.full_name, Instrument.description)
    of_facilities = is_one_of(question.facilities, Facility.name) if question.facilities else true()
    found = _load(session, index, viewer, now, and_(matching, of_facilities))
    return list_counted(to_list_name("instruments", question), request, found, question.sort)


def get_instrument(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, instrument_id: int
) -> InstrumentDetail:
    """Return the instrument; raises NotFoundError if there is none, or none that the viewer may know of."""
    found = _load(session, index, viewer, now, Instrument.id == to_key(instrument_id))
    if not found:
        raise NotFoundError("instrument", instrument_id)
    view = found[0]
    of_it = (AnyOf(Noun.INSTRUMENT, (view.name,)), of_facility(view.facility))
    return InstrumentDetail(
        **{field.name: getattr(view, field.name) for field in fields(view)},
        technique_counts=count_values(index, viewer, now, Noun.TECHNIQUE, *of_it),
    )


def _load(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, condition: ColumnElement[bool]
) -> Sequence[InstrumentView]:
    rows = session.execute(
        select(Instrument, Facility.name).join(Facility, Facility.id == Instrument.facility_id).where(condition)
    ).all()
    facilities = {facility for _, facility in rows}
    counts = {each: count_by_value(index, viewer, now, Noun.INSTRUMENT, of_facility(each)) for each in facilities}
    return [
        _to_view(instrument, facility, counts[facility][instrument.name])
        for instrument, facility in rows
        if instrument.name in counts[facility]
    ]


def _to_view(instrument: Instrument, facility: str, count: int) -> InstrumentView:
    return InstrumentView(
        id=instrument.id,
        name=instrument.name,
        full_name=instrument.full_name,
        facility=facility,
        type=instrument.type,
        description=instrument.description,
        url=instrument.url,
        pid=instrument.pid,
        dataset_count=count,
    )
