"""What the acquisition asks: which visits there are, and which of its datasets arrived. Functions that only read.

These are the questions that BLISS asks ICAT+ through pyicat-plus. Whoever asks carries a token for notices: what is
closed is told, too, since it comes from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, func, select

from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.model import (
    NO_VISIT,
    Dataset,
    Instrument,
    Investigation,
    InvestigationInstrument,
    MasterFile,
    MasterState,
)
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.views import ArrivedDataset, VisitView

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST: Final = 10_000
"""The most that one question is answered with; a visit has some hundreds of datasets."""


def find_visits(
    session: Session, instrument: str, proposal: str, *, offset: int = 0, limit: int = MOST
) -> list[VisitView]:
    """Return the investigations of the proposal at the instrument, names without case, in the order they came."""
    used = (
        select(Instrument.id, Instrument.name)
        .join(InvestigationInstrument, InvestigationInstrument.instrument_id == Instrument.id)
        .where(InvestigationInstrument.investigation_id == Investigation.id)
        .where(func.lower(Instrument.name) == instrument.lower())
    )
    statement = (
        select(Investigation)
        .where(func.lower(Investigation.name) == proposal.lower(), exists(used.correlate(Investigation)))
        .order_by(Investigation.id)
        .offset(offset)
        .limit(min(limit, MOST))
    )
    found = session.scalar(select(Instrument).where(func.lower(Instrument.name) == instrument.lower()).limit(1))
    return [_to_visit(each, found) for each in session.scalars(statement) if found is not None]


def list_arrived(
    session: Session, investigation_id: int, *, offset: int = 0, limit: int = MOST
) -> list[ArrivedDataset]:
    """Return the datasets of the investigation that were read, in the order they came.

    Raises NotFoundError if there is no such investigation.
    """
    investigation = session.get(Investigation, min(max(investigation_id, 0), LARGEST_KEY))
    if investigation is None:
        raise NotFoundError("investigation", investigation_id)
    statement = (
        select(Dataset.id, Dataset.name, Dataset.location, Dataset.start_date, Dataset.end_date, Dataset.file_count)
        .join(MasterFile, MasterFile.id == Dataset.master_file_id)
        .where(Dataset.investigation_id == investigation.id)
        .where(MasterFile.state.in_((MasterState.INGESTED, MasterState.INCOMPLETE)))
        .order_by(Dataset.id)
        .offset(offset)
        .limit(min(limit, MOST))
    )
    return [ArrivedDataset(*row) for row in session.execute(statement)]


def _to_visit(investigation: Investigation, instrument: Instrument) -> VisitView:
    return VisitView(
        id=investigation.id,
        proposal=investigation.name,
        visit_id=None if investigation.visit_id == NO_VISIT else investigation.visit_id,
        title=investigation.title,
        summary=investigation.summary,
        doi=investigation.doi,
        # The client passes over a visit without a beginning.
        start_date=investigation.start_date or investigation.created_at,
        end_date=investigation.end_date,
        release_date=investigation.release_date,
        instrument_id=instrument.id,
        instrument=instrument.name,
    )
