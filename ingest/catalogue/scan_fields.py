"""The fields of a scan that rules fill, beside the parameters of the vocabulary: what each is, and in which unit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class FieldKind(StrEnum):
    """What a field of a scan holds."""

    TEXT = "text"
    TIME = "time"
    QUANTITY = "quantity"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class ScanField:
    """One field of a scan; `unit` is empty where it is no quantity."""

    name: str
    meaning: str
    kind: FieldKind = FieldKind.TEXT
    unit: str = ""


_FIELDS: Final = (
    ScanField("title", "What the scan is called"),
    ScanField("start_time", "When it began", FieldKind.TIME),
    ScanField("end_time", "When it ended", FieldKind.TIME),
    ScanField("end_reason", "How it ended: SUCCESS, USER_ABORT, ..."),
    ScanField("definition", "NeXus application definition"),
    ScanField("command", "What was typed to start it"),
    ScanField("point_count", "How many points it has", FieldKind.COUNT),
    ScanField("instrument_name", "The beamline or instrument"),
    ScanField("source_name", "The ring, reactor or target"),
    ScanField("source_type", "What kind of source that is"),
    ScanField("probe", "What hits the sample: x-ray, neutron, ..."),
    ScanField("sample_name", "What the sample is called"),
    ScanField("sample_formula", "Its chemical formula"),
    ScanField("sample_identifier", "Its persistent identifier"),
    ScanField("experiment_identifier", "The proposal that it belongs to"),
    ScanField("temperature", "Temperature of the sample", FieldKind.QUANTITY, "K"),
    ScanField("incident_energy", "Energy of each particle that hits the sample", FieldKind.QUANTITY, "keV"),
    ScanField("wavelength", "Wavelength of the beam that hits the sample", FieldKind.QUANTITY, "angstrom"),
)
SCAN_FIELDS: Final = MappingProxyType({field.name: field for field in _FIELDS})
