"""What the catalogue says of a dataset in the layer of its file, and what a draft would make it say, in one form.

Both are made of the same columns of rows, so that whatever is stored otherwise shows as a difference.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, select

from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Instrument,
    Investigation,
    Layer,
    ParameterType,
    Sample,
    Scan,
    Technique,
)
from ingest.catalogue.model.investigation import to_investigation_name
from ingest.identity import to_instruments, to_names, to_place
from ingest.mapping.differences import Field, Said, Statement
from ingest.rows import to_parameter_row, to_positions, to_sample_name, to_scan_row, to_wanted_types
from ingest.told import list_contradictions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from ingest.identity import MasterContext
    from ingest.mapping.drafts import DatasetDraft

IS_ENDED: Final = Field("scan", "attribute", "is_ended")
_SCAN_COLUMNS: Final = (
    *("ordinal", "title", "definition", "command", "start_date", "end_date", "end_reason", "is_ended", "point_count"),
    *("instrument_name", "source_name", "source_type", "probe", "detectors", "users"),
    *("motors", "counters", "kind", "frames", "served_by"),
)
_PARAMETER_COLUMNS: Final = (
    *("numeric_value", "range_bottom", "range_top", "values", "value_count", "string_value", "date_time_value"),
    *("origin", "source_path", "original_value", "original_unit", "is_public"),
)


def load_statements(session: Session, dataset_ids: Sequence[int]) -> dict[int, Statement]:
    """Return what is said of each of these datasets."""
    said: dict[int, _Statement] = defaultdict(_Statement)
    rows = select(Dataset.id, *_DATASET_COLUMNS).join(Investigation, Investigation.id == Dataset.investigation_id)
    for row in session.execute(rows.where(Dataset.id.in_(dataset_ids))).mappings():
        said[row["id"]].put_dataset(row)
    for dataset_id, item, path, origin in session.execute(
        select(DatasetTechnique.dataset_id, Technique.name, DatasetTechnique.source_path, DatasetTechnique.origin)
        .join(Technique, Technique.id == DatasetTechnique.technique_id)
        .where(DatasetTechnique.dataset_id.in_(dataset_ids), DatasetTechnique.layer == Layer.FILE)
    ):
        said[dataset_id].put_item("technique", item, path, origin)
    for dataset_id, item in session.execute(
        select(DatasetInstrument.dataset_id, Instrument.name)
        .join(Instrument, Instrument.id == DatasetInstrument.instrument_id)
        .where(DatasetInstrument.dataset_id.in_(dataset_ids))
    ):
        said[dataset_id].put_item("instrument", item)
    for row in session.execute(_scans_of(dataset_ids)).mappings():
        said[row["dataset_id"]].put_scan(row)
    for row in session.execute(_parameters_of(dataset_ids)).mappings():
        said[row["dataset_id"]].put_parameter(row)
    return {dataset_id: statement.said for dataset_id, statement in said.items()}


def to_statement(draft: DatasetDraft, context: MasterContext, known_name: str) -> Statement:
    """Return what will be said of the dataset once the draft is stored; it keeps its name if it still may have it."""
    statement = _Statement()
    place = to_place(draft, context)
    statement.put_dataset(
        {
            "name": _to_name(context, known_name),
            "proposal": place.proposal,
            "visit_id": place.visit,
            "facility_id": context.root.facility_id,
            "is_complete": context.is_complete,
            "rules": draft.rules,
            "flags": (*draft.flags, *list_contradictions(draft, context.told)),
            "motors": to_positions(draft),
        }
    )
    for technique in draft.techniques:
        statement.put_item("technique", technique.value, technique.path, technique.origin)
    for name in to_instruments(draft, context):
        statement.put_item("instrument", name)
    for ordinal, scan in enumerate(draft.scans):
        statement.put_scan({**to_scan_row(scan, ordinal, None), "sample": to_sample_name(scan)})
    units = {wanted.name: wanted.unit for wanted in to_wanted_types(draft.parameters)}
    entries = {scan.entry: scan.entry for scan in draft.scans}
    for parameter in draft.parameters:
        row = to_parameter_row(parameter, 0, entries)  # type: ignore[arg-type] # entries stand for the ids to come
        statement.put_parameter({**row, "name": parameter.name, "unit": units[parameter.name], "entry": row["scan_id"]})
    return statement.said


class _Statement:
    """A statement in the making, from the columns of rows."""

    def __init__(self) -> None:
        self.said: dict[Field, dict[str, Said]] = {}

    def put_dataset(self, row: Mapping[Any, Any]) -> None:
        of_visit = to_investigation_name(row["proposal"], row["visit_id"])
        self._put(_of_dataset("name"), "", Said(row["name"]))
        self._put(_of_dataset("investigation"), "", Said(of_visit, remark=f"facility {row['facility_id']}"))
        self._put(_of_dataset("is_complete"), "", Said(_to_text(row["is_complete"])))
        self._put(_of_dataset("rules"), "", Said(row["rules"]))
        if row["motors"]:
            self._put(_of_dataset("motors"), "", Said(_to_text(row["motors"])))
        for flag in row["flags"]:
            self.put_item("flag", flag)

    def put_item(self, name: str, item: str, path: str | None = None, remark: str = "") -> None:
        self._put(_of_dataset(name), item, Said(item, path, remark))

    def put_scan(self, row: Mapping[Any, Any]) -> None:
        sources = dict(row["sources"])
        if row["sample"]:
            self._put(Field("scan", "attribute", "sample"), row["entry_name"], Said(row["sample"]))
        for name in _SCAN_COLUMNS:
            source = sources.pop(name, {})
            if row[name] not in (None, "", [], {}):
                self._put_attribute(row["entry_name"], name, _to_text(row[name]), source)
        for name, source in sources.items():
            # Kept of the sample, or as a parameter: here only where it came from.
            self._put_attribute(row["entry_name"], name, _to_text(source["original"]), source)

    def put_parameter(self, row: Mapping[Any, Any]) -> None:
        entry = row["entry"]
        field = Field("dataset" if entry is None else "scan", "parameter", row["name"])
        closed = None if row["is_public"] else "not public"
        remark = _to_remark(row["origin"], row["original_value"], row["original_unit"], closed)
        self._put(field, entry or "", Said(_to_amount(row), row["source_path"], remark))

    def _put_attribute(self, entry: str, name: str, text: str, source: Mapping[str, Any]) -> None:
        is_guess = source.get("zone_known") is False
        remark = _to_remark(source.get("origin"), source.get("original"), "in an assumed zone" if is_guess else None)
        self._put(Field("scan", "attribute", name), entry, Said(text, source.get("path"), remark))

    def _put(self, field: Field, place: str, said: Said) -> None:
        places = self.said.setdefault(field, {})
        # Two rules may give one parameter twice.
        while place in places:
            place += "'"
        places[place] = said


def _of_dataset(name: str) -> Field:
    return Field("dataset", "attribute", name)


_DATASET_COLUMNS: Final = (
    *(Dataset.name, Dataset.is_complete, Dataset.rules, Dataset.flags, Dataset.motors),
    *(Investigation.name.label("proposal"), Investigation.visit_id, Investigation.facility_id),
)


def _scans_of(dataset_ids: Sequence[int]) -> Any:
    columns = [getattr(Scan, name) for name in ("dataset_id", "entry_name", "sources", *_SCAN_COLUMNS)]
    return (
        select(*columns, Sample.name.label("sample"))
        .outerjoin(Sample, Sample.id == case((Scan.is_sample_corrected, Scan.file_sample_id), else_=Scan.sample_id))
        .where(Scan.dataset_id.in_(dataset_ids), Scan.is_withdrawn.is_(False))
    )


def _parameters_of(dataset_ids: Sequence[int]) -> Any:
    columns = [getattr(DatasetParameter, name) for name in ("dataset_id", *_PARAMETER_COLUMNS)]
    return (
        select(*columns, ParameterType.name, ParameterType.units.label("unit"), Scan.entry_name.label("entry"))
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .outerjoin(Scan, Scan.id == DatasetParameter.scan_id)
        .where(DatasetParameter.dataset_id.in_(dataset_ids), DatasetParameter.layer == Layer.FILE)
        .order_by(DatasetParameter.id)
    )


def _to_name(context: MasterContext, known_name: str) -> str:
    """Return the known name if it is one that the dataset may have, else the best."""
    names = list(to_names(context))
    return known_name if known_name in names or known_name.startswith(f"{names[-1]} (") else names[0]


def _to_amount(row: Mapping[Any, Any]) -> str:
    """Return a parameter's value with its unit, in full precision."""
    if row["values"]:
        text = ", ".join(map(repr, row["values"]))
    elif row["range_bottom"] is not None:
        counted = f" of {row['value_count']}" if row["value_count"] else ""
        text = f"{row['range_bottom']!r} .. {row['range_top']!r}{counted}"
    elif row["numeric_value"] is not None:
        text = repr(row["numeric_value"])
    else:
        return _to_text(row["date_time_value"] if row["string_value"] is None else row["string_value"])
    return text if row["unit"] in ("", "1") else f"{text} {row['unit']}"


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return "; ".join(" ".join(str(part) for part in item.values() if part) for item in value)
    return "" if value is None else str(value)


def _to_remark(*parts: str | None) -> str:
    told: Iterable[str] = (part for part in parts if part and part != "read")
    return ", ".join(told)
