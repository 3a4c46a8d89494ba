"""Drafts as `nxcat inspect --json` prints them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

from ingest.mapping.drafts import Moment, Origin, Quantity, Taken
from ingest.mapping.rule_schema import ScanField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.mapping.drafts import DatasetDraft, ParameterDraft, ScanDraft

_VALUES: tuple[str, ...] = get_args(ScanField)


def to_inspection(
    draft: DatasetDraft,
    *,
    file_kind: str | None = None,
    finished: bool | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a dataset would hold, ready for JSON.

    `file_kind` and `finished` are the record's and the rules' own unless the gate knows better; `more` is added at
    the top. Values say their HDF5 path, the original and, where they are conclusions, `derived`.
    """
    return {
        "file_kind": file_kind or str(draft.kind),
        "finished": draft.all_ended if finished is None else finished,
        "rules": {"name": draft.rules, "version": draft.rules_version},
        "is_side_file": draft.is_side_file,
        "scans": [_to_scan(scan) for scan in draft.scans],
        "parameters": [_to_parameter(parameter) for parameter in draft.parameters],
        "techniques": [{**to_plain_value(technique), "pid": technique.pid} for technique in draft.techniques],
        "links": [
            {"path": link.path, "kind": str(link.kind), "file": link.file, "target": link.target}
            for link in draft.linked_files
        ],
        "flags": list(draft.flags),
        "truncated": dict(draft.truncated),
        **(more or {}),
    }


def _to_scan(scan: ScanDraft) -> dict[str, Any]:
    values = {name: taken for name in _VALUES if (taken := getattr(scan, name)) is not None}
    return {
        "entry": scan.entry,
        "number": scan.number,
        "ended": scan.ended,
        **{name: to_plain_value(values[name]) if name in values else None for name in _VALUES},
        "users": [
            {"value": user.name.value, "role": user.role, "orcid": user.orcid, "path": user.name.path}
            for user in scan.users
        ],
        "detectors": [
            {"name": detector.name, "path": detector.path, "label": detector.label, "shape": list(detector.shape)}
            for detector in scan.detectors
        ],
        "motors": [asdict(motor) for motor in scan.motors],
        "counters": [asdict(counter) for counter in scan.counters],
        "kind": None if scan.kind is None else to_plain_value(scan.kind),
        "frames": scan.frames,
        "served_by": [asdict(serving) for serving in scan.served_by],
    }


def _to_parameter(parameter: ParameterDraft) -> dict[str, Any]:
    return {"name": parameter.name, "entry": parameter.entry, **to_plain_value(parameter.value)}


def to_plain_value(taken: Taken[Any]) -> dict[str, Any]:
    """Return a value with its source, ready for JSON."""
    return {
        **_to_plain(taken.value),
        "path": taken.path,
        "original": taken.original,
        "original_unit": taken.original_unit,
        "derived": taken.origin is not Origin.READ,
    }


def _to_plain(value: object) -> dict[str, Any]:
    if isinstance(value, Moment):
        return {"value": value.written, "utc": value.instant.isoformat(), "zone_known": value.zone_known}
    if not isinstance(value, Quantity):
        return {"value": value}
    if value.value is not None:
        return {"value": value.value, "unit": value.unit}
    if value.values:
        return {"value": list(value.values), "unit": value.unit}
    return {"min": value.bottom, "max": value.top, "count": value.count, "unit": value.unit}
