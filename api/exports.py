"""Datasets as lines of JSON or as a table, made while they are sent."""

import csv
import re
from collections.abc import Generator, Iterable
from datetime import datetime
from io import StringIO
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.schemas.base import to_members
from api.schemas.exports import ExportedSchema, ExportedValueSchema
from ingest.catalogue.exporting import ExportedDataset, ExportedValue, ParameterColumn
from ingest.catalogue.views import DatasetSummary

NDJSON_TYPE: Final = "application/x-ndjson"
CSV_TYPE: Final = "text/csv"
PIECE_CHARACTERS: Final = 1 << 16
"""Lines are sent together until they have so many."""
HEAD: Final = (
    "id",
    "name",
    "title",
    "facility",
    "investigation",
    "instruments",
    "sample",
    "formula",
    "techniques",
    "definition",
    "start_date",
    "end_date",
    "is_complete",
    "file_count",
    "file_size (bytes)",
    "visibility",
    "release_date",
    "doi",
)
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n]")
"""What makes a program for tables take a text for a formula, or for another cell (OWASP, CSV Injection)."""
_BETWEEN: Final = "; "


class ExportStream(StreamingResponse):
    """Sends pieces that are made in threads; ends the walk that they come from, also when the client is gone."""

    def __init__(self, pieces: Generator[bytes], media_type: str, headers: dict[str, str]) -> None:
        super().__init__(pieces, media_type=media_type, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            # A walk may have to tell a server that it ends.
            await run_in_threadpool(self._pieces.close)


def to_lines(datasets: Iterable[ExportedDataset]) -> Generator[str]:
    """Yield one JSON object a line for each dataset, as NDJSON has it."""
    for exported in datasets:
        parameters = {label: ExportedValueSchema.model_validate(value) for label, value in exported.parameters.items()}
        yield ExportedSchema(**to_members(exported.dataset), parameters=parameters).model_dump_json() + "\n"


def to_table(datasets: Iterable[ExportedDataset], columns: tuple[ParameterColumn, ...]) -> Generator[str]:
    """Yield a head and a row for each dataset, as RFC 4180 has it; several values of a cell stand behind semicolons."""
    yield _to_row([*HEAD, *(_to_head(column) for column in columns)])
    for exported in datasets:
        parameters = (exported.parameters.get(column.label) for column in columns)
        yield _to_row([*_list_cells(exported.dataset), *map(_to_cell, parameters)])


def to_pieces(lines: Iterable[str]) -> Generator[bytes]:
    """Yield the same text in fewer pieces: each one costs a change of threads."""
    waiting: list[str] = []
    length = 0
    for line in lines:
        waiting.append(line)
        length += len(line)
        if length >= PIECE_CHARACTERS:
            yield "".join(waiting).encode()
            waiting, length = [], 0
    yield "".join(waiting).encode()


def to_harmless(text: str) -> str:
    """Return the text of a cell; before one that a program would calculate stands an apostrophe."""
    return f"'{text}" if _FORMULA.match(text) else text


def _list_cells(dataset: DatasetSummary) -> list[str]:
    sample = dataset.sample
    return [
        str(dataset.id),
        *map(to_harmless, (dataset.name, dataset.title or "", dataset.facility, dataset.investigation.name)),
        to_harmless(_BETWEEN.join(dataset.instruments)),
        to_harmless("" if sample is None else sample.name),
        to_harmless("" if sample is None else sample.formula or ""),
        to_harmless(_BETWEEN.join(dataset.techniques)),
        to_harmless(dataset.definition or ""),
        _to_time(dataset.start_date),
        _to_time(dataset.end_date),
        "true" if dataset.is_complete else "false",
        str(dataset.file_count),
        str(dataset.file_size),
        dataset.visibility.value,
        _to_time(dataset.release_date),
        dataset.doi or "",
    ]


def _to_cell(value: ExportedValue | None) -> str:
    if value is None:
        return ""
    if value.texts:
        return to_harmless(_BETWEEN.join(value.texts))
    if value.values:
        return _BETWEEN.join(map(repr, value.values))
    if value.value is not None:
        return repr(value.value)
    return f"{value.low!r}..{value.high!r}"


def _to_head(column: ParameterColumn) -> str:
    return to_harmless(column.label if column.unit in {"", "1"} else f"{column.label} ({column.unit})")


def _to_time(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat().replace("+00:00", "Z")


def _to_row(cells: list[str]) -> str:
    line = StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
