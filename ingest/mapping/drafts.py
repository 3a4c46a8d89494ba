"""What the mapping makes of one record: plain drafts of the entities that will be stored.

Every value says where it came from: `Taken` for the fields of a scan, `ParameterDraft` for parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from ingest.nexus.record import FileKind, LinkedFile

T = TypeVar("T")


class Origin(StrEnum):
    """How a value came about."""

    READ = "read"
    DERIVED = "derived"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """A value with its source: the HDF5 path (`path@name` for an attribute) and the text or number in the file."""

    value: T
    path: str | None = None
    original: str | None = None
    original_unit: str | None = None
    origin: Origin = Origin.READ


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, a range or a list of numbers, in one unit. Exactly one of the three forms is given.

    `count` is how many values the range was made of, where that is known.
    """

    unit: str
    value: float | None = None
    bottom: float | None = None
    top: float | None = None
    values: tuple[float, ...] = ()
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant in UTC; `zone_known` tells whether the file said which zone, else the root's zone was taken.

    `written` is ISO 8601 as the clock at the instrument showed it, with a zone only where the file gives one.
    """

    instant: datetime
    zone_known: bool
    written: str = ""


@dataclass(frozen=True, slots=True)
class ParameterDraft:
    """One parameter of the dataset (`entry` None) or of one of its scans, under its catalogue name."""

    name: str
    value: Taken[Quantity] | Taken[str] | Taken[Moment]
    entry: str | None = None
    is_public: bool = True
    """Else only who sees all is shown it, though the dataset be open."""


@dataclass(frozen=True, slots=True)
class TechniqueDraft(Taken[str]):
    """An experimental technique by its name, with its term in an ontology."""

    pid: str | None = None


@dataclass(frozen=True, slots=True)
class PersonDraft:
    """A person named by the file. Never an e-mail address, a telephone number or a postal address."""

    name: Taken[str]
    role: str | None = None
    orcid: str | None = None


@dataclass(frozen=True, slots=True)
class DetectorDraft:
    """A detector group of a scan: its group's name, and what describes it, if anything does."""

    name: str
    path: str
    label: str | None = None
    shape: tuple[int, ...] = ()
    """Of its data; empty where the entry does not tell."""


@dataclass(frozen=True, slots=True)
class MotorDraft:
    """A motor that a scan moved: where it was first and last, and how far it went; None what was not read."""

    name: str
    path: str
    unit: str | None = None
    first: float | None = None
    last: float | None = None
    low: float | None = None
    high: float | None = None
    point_count: int | None = None


@dataclass(frozen=True, slots=True)
class PositionDraft:
    """Where a motor stood that may not have moved."""

    name: str
    path: str
    value: float | str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class CounterDraft:
    """A channel that a scan measured, by its name; the shape is that of all its points."""

    name: str
    path: str
    shape: tuple[int, ...] = ()
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class ServingDraft:
    """Another scan of the dataset that was taken for the sake of this one."""

    kind: str
    entry: str


@dataclass(frozen=True, slots=True)
class ScanDraft:
    """One NXentry."""

    entry: str
    number: float | None = None
    title: Taken[str] | None = None
    start_time: Taken[Moment] | None = None
    end_time: Taken[Moment] | None = None
    end_reason: Taken[str] | None = None
    definition: Taken[str] | None = None
    command: Taken[str] | None = None
    point_count: Taken[int] | None = None
    instrument_name: Taken[str] | None = None
    source_name: Taken[str] | None = None
    source_type: Taken[str] | None = None
    probe: Taken[str] | None = None
    sample_name: Taken[str] | None = None
    sample_formula: Taken[str] | None = None
    sample_identifier: Taken[str] | None = None
    experiment_identifier: Taken[str] | None = None
    temperature: Taken[Quantity] | None = None
    incident_energy: Taken[Quantity] | None = None
    wavelength: Taken[Quantity] | None = None
    users: tuple[PersonDraft, ...] = ()
    detectors: tuple[DetectorDraft, ...] = ()
    motors: tuple[MotorDraft, ...] = ()
    """Those that it moved."""
    counters: tuple[CounterDraft, ...] = ()
    positions: tuple[PositionDraft, ...] = ()
    """Where motors stood, moved or not, as far as this entry tells."""
    kind: Taken[str] | None = None
    """What it was taken for, where that is anything special."""
    frames: dict[str, int] = field(default_factory=dict)
    """How many frames it has of each kind, where that is told for each."""
    served_by: tuple[ServingDraft, ...] = ()
    ended: bool = True
    """False where the rules demand an end of every entry and this one has none."""


@dataclass(frozen=True, slots=True)
class DatasetDraft:
    """All that one master says, ready to be stored.

    `scans` are in the order of their number, then their start. `flags` are disagreements found in the file, in words.
    `is_side_file` is true where nothing in any entry says what was measured: the file belongs to another master.
    """

    kind: FileKind
    rules: str
    rules_version: str
    scans: tuple[ScanDraft, ...] = ()
    parameters: tuple[ParameterDraft, ...] = ()
    techniques: tuple[TechniqueDraft, ...] = ()
    positions: tuple[PositionDraft, ...] = ()
    """Where all motors stood, by the scan that tells most of them."""
    linked_files: tuple[LinkedFile, ...] = ()
    flags: tuple[str, ...] = ()
    is_side_file: bool = False
    truncated: dict[str, int] = field(default_factory=dict)

    @property
    def all_ended(self) -> bool:
        """Whether no scan is known to be unfinished."""
        return all(scan.ended for scan in self.scans)
