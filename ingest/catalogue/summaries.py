"""Datasets as hits and pages begin them: a whole batch in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, and_, select

from ingest.catalogue.model import (
    NO_VISIT,
    Dataset,
    DatasetInstrument,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    MasterFile,
    Sample,
    SampleType,
    Scan,
    Technique,
)
from ingest.catalogue.model.investigation import to_investigation_name
from ingest.catalogue.views import DatasetSummary, InvestigationView, SampleView, Visibility
from ingest.catalogue.visibility import Viewer, may_find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session


class DatasetRow(NamedTuple):
    """A dataset with those entities of which it has one."""

    dataset: Dataset
    investigation: Investigation
    master: MasterFile
    facility: str
    sample: Sample | None
    formula: str | None


def load_summaries(
    session: Session, viewer: Viewer, now: datetime, dataset_ids: Sequence[int]
) -> Mapping[int, DatasetSummary]:
    """Return those of the datasets that the viewer may know of, by id, in a handful of queries."""
    rows = load_rows(session, and_(Dataset.id.in_(dataset_ids), may_find(viewer, now)))
    return to_summaries(session, rows, now)


def load_rows(session: Session, condition: ColumnElement[bool]) -> list[DatasetRow]:
    """Return the datasets for which the condition holds; the condition has asked the rule."""
    statement = (
        select(Dataset, Investigation, MasterFile, Facility.name, Sample, SampleType.molecular_formula)
        .join(Investigation, Investigation.id == Dataset.investigation_id)
        .join(Facility, Facility.id == Investigation.facility_id)
        .join(MasterFile, MasterFile.id == Dataset.master_file_id)
        .outerjoin(Sample, Sample.id == Dataset.sample_id)
        .outerjoin(SampleType, SampleType.id == Sample.type_id)
        .where(condition)
    )
    return [DatasetRow(*row) for row in session.execute(statement)]


def to_summaries(session: Session, rows: Sequence[DatasetRow], now: datetime) -> dict[int, DatasetSummary]:
    """Return what a hit shows of the datasets, by id."""
    ids = [row.dataset.id for row in rows]
    instruments = load_names(session, DatasetInstrument, Instrument, ids)
    techniques = load_names(session, DatasetTechnique, Technique, ids)
    first_scans = _load_first_scans(session, ids)
    return {
        row.dataset.id: _to_summary(
            row,
            now,
            instruments=tuple(instruments[row.dataset.id]),
            techniques=tuple(techniques[row.dataset.id]),
            first_scan=first_scans.get(row.dataset.id, (None, None)),
        )
        for row in rows
    }


def load_names(session: Session, link: Any, entity: Any, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return for each dataset the names of the entities that the link table ties it to, in order."""
    key = getattr(link, f"{entity.__tablename__}_id")
    names: dict[int, list[str]] = defaultdict(list)
    statement = select(link.dataset_id, entity.name).join(entity, entity.id == key).where(link.dataset_id.in_(ids))
    for dataset_id, name in session.execute(statement.order_by(entity.name)):
        names[dataset_id].append(name)
    return names


def _load_first_scans(session: Session, ids: Sequence[int]) -> dict[int, tuple[str | None, str | None]]:
    """Return title and definition of each dataset's first scan."""
    statement = select(Scan.dataset_id, Scan.title, Scan.definition).where(
        Scan.dataset_id.in_(ids), Scan.ordinal == 0, Scan.is_withdrawn.is_(False)
    )
    return {dataset_id: (title, definition) for dataset_id, title, definition in session.execute(statement)}


def _to_summary(
    row: DatasetRow,
    now: datetime,
    *,
    instruments: tuple[str, ...],
    techniques: tuple[str, ...],
    first_scan: tuple[str | None, str | None],
) -> DatasetSummary:
    dataset = row.dataset
    return DatasetSummary(
        id=dataset.id,
        name=dataset.name,
        title=first_scan[0] if dataset.title is None else dataset.title or None,
        definition=first_scan[1],
        facility=row.facility,
        investigation=to_investigation(row.investigation),
        instruments=instruments,
        sample=to_sample(row.sample, to_formula(dataset, row.formula)),
        techniques=techniques,
        start_date=dataset.start_date,
        end_date=dataset.end_date,
        is_complete=dataset.is_complete,
        file_count=dataset.file_count,
        file_size=dataset.file_size,
        visibility=_to_visibility(dataset, now),
        release_date=dataset.release_date,
        doi=dataset.doi,
    )


def to_investigation(investigation: Investigation) -> InvestigationView:
    """Return the investigation as what belongs to it names it."""
    proposal, visit = investigation.name, investigation.visit_id
    return InvestigationView(
        id=investigation.id,
        name=to_investigation_name(proposal, visit),
        proposal=proposal,
        visit_id=None if visit == NO_VISIT else visit,
        title=investigation.title,
        is_inferred=investigation.is_inferred,
    )


def to_formula(dataset: Dataset, formula: str | None) -> str | None:
    """Return the formula of the dataset's sample: a person's word, else the sample's own."""
    return formula if dataset.sample_formula is None else dataset.sample_formula or None


def to_sample(sample: Sample | None, formula: str | None) -> SampleView | None:
    """Return the sample as what has it names it."""
    return None if sample is None else SampleView(sample.id, sample.name, formula)


def _to_visibility(dataset: Dataset, now: datetime) -> Visibility:
    if dataset.is_secret:
        return Visibility.SECRET
    is_released = dataset.release_date is not None and dataset.release_date <= now
    return Visibility.OPEN if is_released else Visibility.EMBARGOED
