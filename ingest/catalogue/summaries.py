"""Datasets as hits and pages begin them: a whole batch in two statements.

Every page of hits passes here. To make a statement costs more than SQLite's answer to it: each is made once.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, literal, select, union_all
from sqlalchemy.orm import Bundle

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
_DATASET: Final[Any] = Bundle(
    "dataset",
    *(Dataset.id, Dataset.name, Dataset.title, Dataset.sample_formula, Dataset.start_date, Dataset.end_date),
    *(Dataset.is_complete, Dataset.file_count, Dataset.file_size, Dataset.is_secret, Dataset.release_date, Dataset.doi),
)
_INVESTIGATION: Final[Any] = Bundle(
    "investigation",
    *(Investigation.id, Investigation.name, Investigation.visit_id, Investigation.title, Investigation.is_inferred),
)
_SAMPLE: Final[Any] = Bundle("sample", Sample.id, Sample.name, SampleType.molecular_formula)
_FIRST_SCAN: Final[Any] = Bundle("scan", Scan.title, Scan.definition)


def load_summaries(
    session: Session, viewer: Viewer, now: datetime, dataset_ids: Sequence[int]
) -> Mapping[int, DatasetSummary]:
    """Return those of the datasets that the viewer may know of, by id."""
    rows = session.execute(_select_datasets(viewer.sees_all), {"ids": dataset_ids, "now": now}).all()
    names: dict[tuple[str, int], list[str]] = defaultdict(list)
    for dataset_id, kind, name in session.execute(_select_names(), {"ids": [row.dataset.id for row in rows]}):
        names[kind, dataset_id].append(name)
    return {row.dataset.id: _to_summary(row, names, now) for row in rows}


@cache
def _select_datasets(sees_all: bool) -> Select[Any]:
    return (
        select(_DATASET, _INVESTIGATION, _SAMPLE, _FIRST_SCAN, Facility.name.label("facility"))
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


def _to_summary(row: Any, names: Mapping[tuple[str, int], list[str]], now: datetime) -> DatasetSummary:
    dataset, sample, scan = row.dataset, row.sample, row.scan
    return DatasetSummary(
        id=dataset.id,
        name=dataset.name,
        title=scan.title if dataset.title is None else dataset.title or None,
        definition=scan.definition,
        facility=row.facility,
        investigation=to_investigation(row.investigation),
        instruments=tuple(names.get(("instrument", dataset.id), ())),
        sample=None if sample.id is None else to_sample(sample, to_formula(dataset, sample.molecular_formula)),
        techniques=tuple(names.get(("technique", dataset.id), ())),
        start_date=dataset.start_date,
        end_date=dataset.end_date,
        is_complete=dataset.is_complete,
        file_count=dataset.file_count,
        file_size=dataset.file_size,
        visibility=_to_visibility(dataset, now),
        release_date=dataset.release_date,
        doi=dataset.doi,
    )


def to_investigation(investigation: Any) -> InvestigationView:
    """Return the investigation, an entity or its columns, as what belongs to it names it."""
    proposal, visit = investigation.name, investigation.visit_id
    return InvestigationView(
        id=investigation.id,
        name=to_investigation_name(proposal, visit),
        proposal=proposal,
        visit_id=None if visit == NO_VISIT else visit,
        title=investigation.title,
        is_inferred=investigation.is_inferred,
    )


def to_formula(dataset: Any, formula: str | None) -> str | None:
    """Return the formula of the dataset's sample: a person's word, else the sample's own."""
    return formula if dataset.sample_formula is None else dataset.sample_formula or None


def to_sample(sample: Any, formula: str | None) -> SampleView:
    """Return the sample, an entity or its columns, as what has it names it."""
    return SampleView(sample.id, sample.name, formula)


def _to_visibility(dataset: Any, now: datetime) -> Visibility:
    if dataset.is_secret:
        return Visibility.SECRET
    is_released = dataset.release_date is not None and dataset.release_date <= now
    return Visibility.OPEN if is_released else Visibility.EMBARGOED
