"""From entities to search documents: a whole batch of datasets in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, func, or_, select, update
from sqlalchemy.orm import undefer

from ingest.catalogue.document import NumericEntry, SearchDocument, TextEntry
from ingest.catalogue.model import (
    DataCollectionDataset,
    DataPublication,
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    Keyword,
    ParameterType,
    Sample,
    SampleType,
    Scan,
    Technique,
)
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.model.investigation import to_investigation_name
from ingest.catalogue.summaries import select_tied, to_formula
from ingest.catalogue.technique_terms import to_search_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.orm import Session


_ABSTRACTS: Final = ("DOI_abstract", "scan_description")
_KEYWORDS: Final = "DOI_keywords"
"""Parameters whose texts are nouns as well."""


def find_unindexed(session: Session, limit: int) -> list[int]:
    """Return datasets whose latest revision the index does not know."""
    lags = Dataset.indexed_revision < Dataset.revision
    return list(session.scalars(select(Dataset.id).where(lags).order_by(Dataset.id).limit(limit)))


def has_unindexed(session: Session) -> bool:
    """Return whether the index lags behind at all."""
    return bool(find_unindexed(session, 1))


def mark_indexed(session: Session, documents: Iterable[SearchDocument]) -> None:
    """Note the revisions that the index knows now; a newer one that came in between stays due."""
    # In one order, so that two who note the same wait for each other and do not stop each other.
    ordered = sorted(documents, key=attrgetter("id"))
    rows = [{"known_id": document.id, "known_revision": document.revision} for document in ordered]
    # The dataset itself did not change by it: its own time of change stays.
    statement = (
        update(Dataset)
        .where(Dataset.id == bindparam("known_id"))
        .values(
            indexed_revision=bindparam("known_revision"),
            searchable_at=func.coalesce(Dataset.searchable_at, utc_now()),
            modified_at=Dataset.modified_at,
        )
    )
    session.connection().execute(statement, rows)


def forget_indexed(session: Session) -> None:
    """Make every dataset due that the index was told of."""
    session.execute(
        update(Dataset).where(Dataset.indexed_revision > 0).values(indexed_revision=0, modified_at=Dataset.modified_at)
    )


def load_documents(session: Session, dataset_ids: Sequence[int]) -> list[SearchDocument]:
    """Return what the index shall know of these datasets."""
    rows = session.execute(
        select(Dataset, Investigation, Facility.name)
        .join(Investigation, Investigation.id == Dataset.investigation_id)
        .join(Facility, Facility.id == Investigation.facility_id)
        .where(Dataset.id.in_(dataset_ids))
        .options(undefer(Dataset.linked_files))
    ).all()
    parts = _Parts(session, dataset_ids)
    return [_to_document(dataset, investigation, facility, parts) for dataset, investigation, facility in rows]


class _Parts:
    """What belongs to the datasets of one batch: rows by dataset."""

    def __init__(self, session: Session, ids: Sequence[int]) -> None:
        self.instruments = _group(session, _instruments_of(ids))
        self.techniques = _group(session, _techniques_of(ids))
        self.keywords = _group(session, _keywords_of(ids))
        self.publications = _group(session, _publications_of(ids))
        self.scans = _group(session, _scans_of(ids))
        self.parameters = _group(session, _parameters_of(ids))


def _group(session: Session, statement: Any) -> dict[int, list[Any]]:
    """Return the rows by their first column, in order."""
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in session.execute(statement):
        rows[row[0]].append(row)
    return rows


def _instruments_of(ids: Sequence[int]) -> Any:
    return select_tied(DatasetInstrument, Instrument, ids, Instrument.name).order_by(Instrument.name)


def _keywords_of(ids: Sequence[int]) -> Any:
    """Select the keywords of each dataset's investigation."""
    return (
        select(Dataset.id, Keyword.name)
        .join(Keyword, Keyword.investigation_id == Dataset.investigation_id)
        .where(Dataset.id.in_(ids))
        .order_by(Keyword.name)
    )


def _publications_of(ids: Sequence[int]) -> Any:
    """Select the DOIs under which each dataset is published, alone or with others."""
    return (
        select(DataCollectionDataset.dataset_id, DataPublication.pid)
        .join(DataPublication, DataPublication.content_id == DataCollectionDataset.data_collection_id)
        .where(DataCollectionDataset.dataset_id.in_(ids))
        .order_by(DataPublication.id)
    )


def _techniques_of(ids: Sequence[int]) -> Any:
    return select_tied(DatasetTechnique, Technique, ids, Technique.name, Technique.pid).order_by(Technique.name)


def _scans_of(ids: Sequence[int]) -> Any:
    scan_columns: tuple[Any, ...] = (
        *(Scan.dataset_id, Scan.title, Scan.definition, Scan.probe, Scan.detectors, Scan.users),
        *(Scan.motors, Scan.counters, Scan.kind),
    )
    return (
        select(*scan_columns, Sample.name, SampleType.molecular_formula)
        .outerjoin(Sample, Sample.id == Scan.sample_id)
        .outerjoin(SampleType, SampleType.id == Sample.type_id)
        .where(Scan.dataset_id.in_(ids), Scan.is_withdrawn.is_(False))
        .order_by(Scan.dataset_id, Scan.ordinal)
    )


def _parameters_of(ids: Sequence[int]) -> Any:
    # Numbers of several scans are summed up in one of the dataset; texts are not, each of them is to be found.
    of_dataset = or_(DatasetParameter.scan_id.is_(None), DatasetParameter.string_value.is_not(None))
    # One index answers everybody: what is not public is not in it.
    shown = and_(DatasetParameter.is_shown.is_(True), DatasetParameter.is_public.is_(True), of_dataset)
    return (
        select(
            DatasetParameter.dataset_id,
            ParameterType.name,
            DatasetParameter.numeric_value,
            DatasetParameter.range_bottom,
            DatasetParameter.range_top,
            DatasetParameter.values,
            DatasetParameter.string_value,
        )
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .where(DatasetParameter.dataset_id.in_(ids), shown)
        .order_by(DatasetParameter.dataset_id, ParameterType.name)
    )


def _to_document(dataset: Dataset, investigation: Investigation, facility: str, parts: _Parts) -> SearchDocument:
    scans = parts.scans[dataset.id]
    parameters = parts.parameters[dataset.id]
    techniques = parts.techniques[dataset.id]
    texts = dict.fromkeys((row.name, row.string_value) for row in parameters if row.string_value is not None)
    return SearchDocument(
        id=dataset.id,
        revision=dataset.revision,
        name=dataset.name,
        facility=facility,
        investigation=to_investigation_name(investigation.name, investigation.visit_id),
        proposal=investigation.name,
        titles=_list_titles(dataset, scans),
        instruments=tuple(row.name for row in parts.instruments[dataset.id]),
        samples=_distinct(scan.name for scan in scans),
        formulas=_distinct(to_formula(dataset, scan.molecular_formula) for scan in scans),
        techniques=tuple(row.name for row in techniques),
        technique_names=_distinct(other for row in techniques for other in to_search_names(row.name, row.pid)),
        definitions=_distinct(scan.definition for scan in scans),
        users=_distinct(user["name"] for scan in scans for user in scan.users),
        detectors=_distinct(text for scan in scans for d in scan.detectors for text in (d["name"], d["label"])),
        motors=_distinct(motor["name"] for scan in scans for motor in scan.motors),
        counters=_distinct(counter["name"] for scan in scans for counter in scan.counters),
        scan_kinds=_distinct(scan.kind for scan in scans),
        linked_files=tuple((dataset.linked_files or {}).get("counts", {})),
        probes=_distinct(scan.probe for scan in scans),
        start_date=dataset.start_date,
        end_date=dataset.end_date,
        complete=dataset.is_complete,
        file_size=dataset.file_size,
        file_count=dataset.file_count,
        numbers=tuple(_to_number(row) for row in parameters if _is_number(row)),
        texts=tuple(TextEntry(name, text) for name, text in texts),
        unsearched=_distinct(row.name for row in parameters if not _is_number(row) and row.string_value is None),
        release_date=dataset.release_date,
        is_secret=dataset.is_secret,
        is_metadata_public=dataset.is_metadata_public,
        keywords=_distinct([*(row.name for row in parts.keywords[dataset.id]), *_list_keywords(texts)]),
        dois=_distinct([dataset.doi, *(row.pid for row in parts.publications[dataset.id]), investigation.doi]),
        abstracts=_distinct([investigation.summary, *(text for name, text in texts if name in _ABSTRACTS)]),
    )


def _list_keywords(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Return the keywords of a DOI, which one text holds with semicolons between them."""
    return [word.strip() for name, text in texts if name == _KEYWORDS for word in text.split(";")]


def _list_titles(dataset: Dataset, scans: Sequence[Any]) -> tuple[str, ...]:
    """Return the titles of the scans; a person's title stands in the place of the first one's."""
    if dataset.title is None:
        return _distinct(scan.title for scan in scans)
    return _distinct([dataset.title, *(scan.title for scan in scans[1:])])


def _is_number(row: Any) -> bool:
    return row.numeric_value is not None or (row.range_bottom is not None and row.range_top is not None)


def _to_number(row: Any) -> NumericEntry:
    if row.numeric_value is not None:
        return NumericEntry(row.name, row.numeric_value, row.numeric_value)
    return NumericEntry(row.name, row.range_bottom, row.range_top, tuple(row.values or ()))


def _distinct(texts: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))
