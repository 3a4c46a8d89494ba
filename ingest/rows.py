"""From drafts to the columns of rows: pure. Ids of other entities are given, and nothing is looked up."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ingest.catalogue.store import WantedType
from ingest.catalogue.vocabulary import ValueType, load_vocabulary
from ingest.mapping.drafts import Moment, ParameterDraft, Quantity, ScanDraft, Taken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ingest.mapping.drafts import CounterDraft, DatasetDraft, MotorDraft, PositionDraft

# NeXus speaks of times, ICAT of dates.
_COLUMNS = {"start_time": "start_date", "end_time": "end_date"}


def to_scan_row(scan: ScanDraft, ordinal: int, sample_id: int | None) -> dict[str, Any]:
    """Return the columns of a scan; each value's source stands under the name of its column."""
    taken = {_COLUMNS.get(f.name, f.name): v for f in fields(scan) if isinstance(v := getattr(scan, f.name), Taken)}
    return {
        "ordinal": ordinal,
        "entry_name": scan.entry,
        "title": to_value(scan.title),
        "definition": to_value(scan.definition),
        "command": to_value(scan.command),
        "start_date": scan.start_time.value.instant if scan.start_time else None,
        "end_date": scan.end_time.value.instant if scan.end_time else None,
        "end_reason": to_value(scan.end_reason),
        "is_ended": scan.ended,
        "point_count": scan.point_count.value if scan.point_count else None,
        "instrument_name": to_value(scan.instrument_name),
        "source_name": to_value(scan.source_name),
        "source_type": to_value(scan.source_type),
        "probe": to_value(scan.probe),
        "sample_id": sample_id,
        "is_sample_corrected": False,
        "file_sample_id": None,
        "detectors": [
            {"name": d.name, "path": d.path, "label": d.label, "shape": list(d.shape)} for d in scan.detectors
        ],
        "motors": [_to_said(motor) for motor in scan.motors],
        "counters": [{**_to_said(counter), "shape": list(counter.shape)} for counter in scan.counters],
        "kind": to_value(scan.kind),
        "frames": scan.frames or None,
        "served_by": [{"kind": serving.kind, "entry_name": serving.entry} for serving in scan.served_by],
        "users": [{"name": p.name.value, "role": p.role, "path": p.name.path} for p in scan.users],
        "sources": {name: _to_source(value) for name, value in taken.items()},
        "is_withdrawn": False,
    }


def to_positions(draft: DatasetDraft) -> list[dict[str, Any]]:
    """Return where all motors stood, as the dataset keeps it."""
    return [_to_said(position) for position in draft.positions]


def _to_said(draft: MotorDraft | CounterDraft | PositionDraft) -> dict[str, Any]:
    """Return what a draft says, without what it does not: there are hundreds of them."""
    said = ((each.name, getattr(draft, each.name)) for each in fields(draft))
    return {name: value for name, value in said if value is not None}


def _to_source(taken: Taken[Any]) -> dict[str, Any]:
    source: dict[str, Any] = {"path": taken.path, "original": taken.original, "origin": str(taken.origin)}
    if isinstance(taken.value, Moment):
        source["zone_known"] = taken.value.zone_known
    return source


def to_wanted_types(parameters: Iterable[ParameterDraft]) -> list[WantedType]:
    """Return the types that the parameters need, each once, with the vocabulary's word on what they mean."""
    vocabulary = load_vocabulary()
    wanted = {}
    for parameter in parameters:
        value = parameter.value.value
        known = vocabulary.get(parameter.name)
        unit = value.unit if isinstance(value, Quantity) else ""
        wanted[parameter.name] = WantedType(
            parameter.name, unit, _to_value_type(value), known.description if known else None
        )
    return list(wanted.values())


def _to_value_type(value: Quantity | str | Moment) -> ValueType:
    if isinstance(value, Quantity):
        return ValueType.NUMERIC
    return ValueType.DATE_AND_TIME if isinstance(value, Moment) else ValueType.STRING


def to_parameter_row(parameter: ParameterDraft, type_id: int, scan_ids: Mapping[str, int]) -> dict[str, Any]:
    """Return the columns of a parameter; a list has its extremes beside it."""
    taken: Taken[Any] = parameter.value
    value = taken.value
    number = value if isinstance(value, Quantity) else None
    listed = list(number.values) if number and number.values else None
    return {
        "scan_id": scan_ids[parameter.entry] if parameter.entry is not None else None,
        "type_id": type_id,
        "numeric_value": number.value if number else None,
        "range_bottom": min(listed) if listed else number.bottom if number else None,
        "range_top": max(listed) if listed else number.top if number else None,
        "values": listed,
        "value_count": number.count if number else None,
        "string_value": value if isinstance(value, str) else None,
        "date_time_value": value.instant if isinstance(value, Moment) else None,
        "origin": str(taken.origin),
        "source_path": taken.path,
        "original_value": taken.original,
        "original_unit": taken.original_unit,
        "is_public": parameter.is_public,
    }


def to_sample_name(scan: ScanDraft) -> str | None:
    """Return what the scan's sample is called, None if the scan names none."""
    return to_value(scan.sample_name) or to_value(scan.sample_identifier) or to_value(scan.sample_formula)


def to_value(taken: Taken[str] | None) -> str | None:
    """Return the text that was taken, None if there was none."""
    return taken.value if taken else None
