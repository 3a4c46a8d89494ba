"""A whole result, dataset by dataset, for whoever may find it: which datasets, is that of one moment.

Nothing holds more than a batch of them. Each batch is read in a transaction of its own, so that a slow reader keeps no
snapshot of the database; a dataset that was hidden or taken away in between is left out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, true

from ingest.catalogue.finding import resolve_parameter, settle_unit, to_request
from ingest.catalogue.model import DatasetParameter, ParameterType
from ingest.catalogue.search.nouns import AMOUNT_UNITS
from ingest.catalogue.summaries import load_summaries
from ingest.catalogue.units import convert

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session, sessionmaker

    from ingest.catalogue.finding import SearchQuestion
    from ingest.catalogue.search import DatasetIndex, SearchRequest
    from ingest.catalogue.views import DatasetSummary
    from ingest.catalogue.visibility import Viewer

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class ParameterColumn:
    """A parameter or an amount to export: what it was asked as, its stored name and unit, and the unit wanted."""

    label: str
    name: str
    stored_unit: str
    unit: str


@dataclass(frozen=True, slots=True)
class ExportedValue:
    """What a dataset has of a parameter: a number, the reach of several, a list of them, or texts."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportedDataset:
    """A dataset with the parameters that were asked for, those that it has, by their labels."""

    dataset: DatasetSummary
    parameters: Mapping[str, ExportedValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Export:
    """What is exported: settled before anything is sent, so that what cannot be understood is refused in time."""

    request: SearchRequest
    columns: tuple[ParameterColumn, ...]


def plan_export(
    session: Session, viewer: Viewer, now: datetime, question: SearchQuestion, parameters: Sequence[str]
) -> Export:
    """Return what is exported: all that the question finds, with parameters written as `energy` or `energy:eV`.

    One with a colon in its name ends with another. Raises InvalidQueryError for what cannot be understood, such as an
    unknown parameter or a unit of another kind.
    """
    columns = tuple(_to_column(session, viewer, now, written) for written in parameters)
    export = Export(to_request(session, viewer, now, question), columns)
    # As long as the session lives, which is until all is sent, its transaction would keep a snapshot.
    session.rollback()
    return export


def walk_datasets(
    sessions: sessionmaker[Session], index: DatasetIndex, viewer: Viewer, now: datetime, export: Export
) -> Iterator[ExportedDataset]:
    """Yield the datasets by rising id, each once."""
    for stretch in index.walk(export.request):
        for start in range(0, len(stretch), _BATCH):
            ids = stretch[start : start + _BATCH]
            with sessions() as session:
                summaries = load_summaries(session, viewer, now, ids)
                parameters = _load_values(session, viewer, summaries, export.columns)
            for dataset_id in ids:
                if dataset_id in summaries:
                    yield ExportedDataset(summaries[dataset_id], parameters[dataset_id])


def _to_column(session: Session, viewer: Viewer, now: datetime, written: str) -> ParameterColumn:
    label, _, wanted = written.rpartition(":") if ":" in written else (written, "", "")
    name, stored = resolve_parameter(session, viewer, now, label)
    return ParameterColumn(label, name, stored, settle_unit(wanted.strip(), stored, written))


def _load_values(
    session: Session, viewer: Viewer, summaries: Mapping[int, DatasetSummary], columns: Sequence[ParameterColumn]
) -> dict[int, dict[str, ExportedValue]]:
    """Return for each dataset what it has in the columns: numbers of the whole dataset, texts of all its scans."""
    found: dict[int, dict[str, ExportedValue]] = defaultdict(dict)
    if not columns:
        return found
    rows: dict[tuple[int, str], list[DatasetParameter]] = defaultdict(list)
    statement = (
        select(DatasetParameter, ParameterType.name)
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .where(
            DatasetParameter.dataset_id.in_(list(summaries)),
            ParameterType.name.in_({column.name for column in columns}),
        )
        .where(DatasetParameter.is_shown.is_(True))
        .where(true() if viewer.sees_all else DatasetParameter.is_public.is_(True))
        .order_by(DatasetParameter.id)
    )
    for row, name in session.execute(statement):
        rows[row.dataset_id, name].append(row)
    for column in columns:
        for dataset_id, summary in summaries.items():
            is_amount = column.name in AMOUNT_UNITS
            value = _to_amount(summary, column) if is_amount else _to_value(rows[dataset_id, column.name], column)
            if value is not None:
                found[dataset_id][column.label] = value
    return found


def _to_amount(summary: DatasetSummary, column: ParameterColumn) -> ExportedValue:
    return ExportedValue(_convert(getattr(summary, column.name), column))


def _to_value(rows: Sequence[DatasetParameter], column: ParameterColumn) -> ExportedValue | None:
    texts = dict.fromkeys(row.string_value for row in rows if row.string_value is not None)
    times = dict.fromkeys(row.date_time_value.isoformat() for row in rows if row.date_time_value is not None)
    if texts or times:
        return ExportedValue(texts=(*texts, *times))
    for row in rows:
        if row.scan_id is None and (row.numeric_value is not None or row.range_bottom is not None):
            return ExportedValue(
                _convert(row.numeric_value, column),
                _convert(row.range_bottom, column),
                _convert(row.range_top, column),
                tuple(number for each in row.values or () if (number := _convert(each, column)) is not None),
            )
    return None


def _convert(number: float | None, column: ParameterColumn) -> float | None:
    return None if number is None else convert(number, column.stored_unit, column.unit)
