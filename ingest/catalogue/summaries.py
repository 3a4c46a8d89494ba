"""Datasets as hits and pages begin them: a whole batch in two statements.

Every page of hits passes here. To make a statement costs more than SQLite's answer to it: each is made once.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import and_, bindparam, literal, select, union_all

from ingest.catalogue.model import (
    NO_VISIT,
    Dataset,
    DatasetInstrument,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    Sample,
    SampleType,
    Scan,
    Technique,
)
from ingest.catalogue.model.base import UtcDateTime
from ingest.catalogue.model.investigation import to_investigation_name
from ingest.catalogue.views import DatasetSummary, InvestigationView, SampleView, Visibility
from ingest.catalogue.visibility import Viewer, may_find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

_IDS: Final[Any] = bindparam("ids", expanding=True)
_NOW: Final[Any] = bindparam("now", type_=UtcDateTime())
_COLUMNS: Final[dict[str, Any]] = {
    "id": Dataset.id,
    "name": Dataset.name,
    "title": Dataset.title,
    "sample_formula": Dataset.sample_formula,
    "start_date": Dataset.start_date,
    "end_date": Dataset.end_date,
    "is_complete": Dataset.is_complete,
    "file_count": Dataset.file_count,
    "file_size": Dataset.file_size,
    "is_secret": Dataset.is_secret,
    "release_date": Dataset.release_date,
    "doi": Dataset.doi,
    "investigation_id": Investigation.id,
    "proposal": Investigation.name,
    "visit": Investigation.visit_id,
    "investigation_title": Investigation.title,
    "is_inferred": Investigation.is_inferred,
    "facility": Facility.name,
    "sample_id": Sample.id,
    "sample_name": Sample.name,
    "molecular_formula": SampleType.molecular_formula,
    "scan_title": Scan.title,
    "definition": Scan.definition,
}


class _Row(NamedTuple):
    """What a summary is made of: to read a field of it takes a tenth of what it takes with a row of the database's."""

    id: int
    name: str
    title: str | None
    sample_formula: str | None
    start_date: datetime | None
    end_date: datetime | None
    is_complete: bool
    file_count: int
    file_size: int
    is_secret: bool
    release_date: datetime | None
    doi: str | None
    investigation_id: int
    proposal: str
    visit: str
    investigation_title: str
    is_inferred: bool
    facility: str
    sample_id: int | None
    sample_name: str | None
    molecular_formula: str | None
    scan_title: str | None
    definition: str | None


def load_summaries(
    session: Session, viewer: Viewer, now: datetime, dataset_ids: Sequence[int]
) -> Mapping[int, DatasetSummary]:
    """Return those of the datasets that the viewer may know of, by id."""
    # Rows of columns, read past the mapper, which would take half as long again for each of them.
    connection = session.connection()
    asked = {"ids": dataset_ids, "now": now}
    rows = [_Row._make(row) for row in connection.execute(_select_datasets(viewer.sees_all), asked)]
    names: dict[tuple[str, int], list[str]] = defaultdict(list)
    for dataset_id, kind, name in connection.execute(_select_names(), {"ids": [row.id for row in rows]}):
        names[kind, dataset_id].append(name)
    return {row.id: _to_summary(row, names, now) for row in rows}


@cache
def _select_datasets(sees_all: bool) -> Select[Any]:
    return (
        select(*(_COLUMNS[name].label(name) for name in _Row._fields))
        .select_from(Dataset)
        .join(Investigation, Investigation.id == Dataset.investigation_id)
        .join(Facility, Facility.id == Investigation.facility_id)
        .outerjoin(Sample, Sample.id == Dataset.sample_id)
        .outerjoin(SampleType, SampleType.id == Sample.type_id)
        .outerjoin(Scan, and_(Scan.dataset_id == Dataset.id, Scan.ordinal == 0, Scan.is_withdrawn.is_(False)))
        .where(Dataset.id.in_(_IDS), may_find(Viewer(sees_all=sees_all), _NOW))
    )


@cache
def _select_names() -> Any:
    """Return the statement for the instruments and techniques of datasets, in order."""
    parts = [_select_names_of(DatasetInstrument, Instrument), _select_names_of(DatasetTechnique, Technique)]
    return union_all(*parts).order_by("name")


def _select_names_of(link: Any, entity: Any) -> Select[Any]:
    return select_tied(link, entity, _IDS, literal(entity.__tablename__).label("kind"), entity.name)


def select_tied(link: Any, entity: Any, ids: Any, *columns: Any) -> Select[Any]:
    """Select these columns of the entities that a table of links ties the datasets to; the dataset comes first."""
    own = getattr(link, f"{entity.__tablename__}_id")
    return select(link.dataset_id, *columns).join(entity, entity.id == own).where(link.dataset_id.in_(ids))


def _to_summary(row: _Row, names: Mapping[tuple[str, int], list[str]], now: datetime) -> DatasetSummary:
    return DatasetSummary(
        id=row.id,
        name=row.name,
        title=row.scan_title if row.title is None else row.title or None,
        definition=row.definition,
        facility=row.facility,
        investigation=_to_reference(
            row.investigation_id, row.proposal, row.visit, row.investigation_title, is_inferred=row.is_inferred
        ),
        instruments=tuple(names.get(("instrument", row.id), ())),
        sample=_to_sample(row),
        techniques=tuple(names.get(("technique", row.id), ())),
        start_date=row.start_date,
        end_date=row.end_date,
        is_complete=row.is_complete,
        file_count=row.file_count,
        file_size=row.file_size,
        visibility=_to_visibility(row, now),
        release_date=row.release_date,
        doi=row.doi,
    )


def _to_sample(row: _Row) -> SampleView | None:
    if row.sample_id is None or row.sample_name is None:
        return None
    return SampleView(row.sample_id, row.sample_name, to_formula(row, row.molecular_formula))


def to_investigation(entity: Investigation) -> InvestigationView:
    """Return the investigation as what belongs to it names it."""
    return _to_reference(entity.id, entity.name, entity.visit_id, entity.title, is_inferred=entity.is_inferred)


def _to_reference(key: int, proposal: str, visit: str, title: str, *, is_inferred: bool) -> InvestigationView:
    return InvestigationView(
        id=key,
        name=to_investigation_name(proposal, visit),
        proposal=proposal,
        visit_id=None if visit == NO_VISIT else visit,
        title=title,
        is_inferred=is_inferred,
    )


def to_formula(dataset: Any, formula: str | None) -> str | None:
    """Return the formula of the dataset's sample: a person's word, else the sample's own."""
    return formula if dataset.sample_formula is None else dataset.sample_formula or None


def to_sample(sample: Sample, formula: str | None) -> SampleView:
    """Return the sample as what has it names it."""
    return SampleView(sample.id, sample.name, formula)


def _to_visibility(dataset: Any, now: datetime) -> Visibility:
    if dataset.is_secret:
        return Visibility.SECRET
    is_released = dataset.release_date is not None and dataset.release_date <= now
    return Visibility.OPEN if is_released else Visibility.EMBARGOED
