"""What the doors show: frozen values without ties to the database, the same for the API and the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ingest.catalogue.highlights import Highlight
    from ingest.catalogue.search import Facet, Noun, Sort


class Visibility(StrEnum):
    """The three classes of who may see a dataset; see `ingest.catalogue.visibility`."""

    OPEN = "open"
    EMBARGOED = "embargoed"
    SECRET = "secret"  # noqa: S105 (a class, no password)


@dataclass(frozen=True, slots=True)
class InvestigationView:
    """A proposal and a visit; `name` is both as they are shown. No visit: None."""

    id: int
    name: str
    proposal: str
    visit_id: str | None
    title: str
    is_inferred: bool


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample by its name, with its formula if one is known."""

    id: int
    name: str
    formula: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """A dataset as a hit shows it. `title` and `definition` are its first scan's; sizes are in bytes."""

    id: int
    name: str
    title: str | None
    definition: str | None
    facility: str
    investigation: InvestigationView
    instruments: tuple[str, ...]
    sample: SampleView | None
    techniques: tuple[str, ...]
    start_date: datetime | None
    end_date: datetime | None
    is_complete: bool
    file_count: int
    file_size: int
    visibility: Visibility
    release_date: datetime | None
    doi: str | None


@dataclass(frozen=True, slots=True)
class TechniqueSourceView:
    """A technique of a dataset and what told it: `origin` is read or inferred, `layer` file or notice."""

    name: str
    pid: str | None
    origin: str
    layer: str
    source_path: str | None
    original_value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView(DatasetSummary):
    """A dataset as its own page shows it.

    `master_state` and `master_reason` tell where its master stands and why it is incomplete, if it is. Places on the
    server's disks are given only to those who see all.
    """

    description: str | None
    scan_count: int
    master_state: str
    master_reason: str | None
    location: str | None
    master_path: str | None
    copy_of_id: int | None
    """The dataset that it is a copy of, if the viewer may know of that one."""
    flags: tuple[str, ...]
    technique_sources: tuple[TechniqueSourceView, ...]
    corrected: tuple[str, ...]
    """Title, description, name or formula of the sample, where a person's word is shown."""
    motors: tuple[Mapping[str, Any], ...]
    """Where all motors stood at its first scan: name, value, unit, HDF5 path."""
    rules: str
    rules_version: str
    revision: int
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """A dataset that was found; the score only where hits are sorted by it, highlights only if they were asked for."""

    dataset: DatasetSummary
    score: float | None
    highlights: tuple[Highlight, ...] = ()


@dataclass(frozen=True, slots=True)
class DatasetPage:
    """A page of hits; total and facets are of the whole result. `next_cursor` is None where nothing follows."""

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[Noun, Facet]
    sort: Sort | None
    """None where `order_by` says it."""
    next_cursor: str | None
    order_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanView:
    """One NXentry. `sources` tells for each attribute its HDF5 path, the text in the file and how it came about."""

    ordinal: int
    entry_name: str
    title: str | None
    definition: str | None
    command: str | None
    start_date: datetime | None
    end_date: datetime | None
    end_reason: str | None
    is_ended: bool
    point_count: int | None
    instrument_name: str | None
    source_name: str | None
    source_type: str | None
    probe: str | None
    sample: SampleView | None
    detectors: tuple[Mapping[str, Any], ...]
    motors: tuple[Mapping[str, Any], ...]
    """Those that it moved."""
    counters: tuple[Mapping[str, Any], ...]
    kind: str | None
    """What it was taken for, where that is anything special: projection, flat, dark, ..."""
    frames: Mapping[str, int]
    """How many frames it has of each kind, where that is told for each."""
    linked_files: Mapping[str, int]
    """How many other files it needs, by what became of them."""
    served_by: tuple[Mapping[str, Any], ...]
    """Scans of the dataset that were taken for its sake: kind and entry name."""
    users: tuple[Mapping[str, Any], ...]
    sources: Mapping[str, Mapping[str, Any]]
    is_withdrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterView:
    """One parameter: a number, a range, a list with its extremes, a text or an instant; numbers in `unit`.

    `layer` says who says it (file, rule, notice, person), `origin` how it came about (read, derived, inferred,
    or stated by a person).
    `scan` is the entry name of the scan that it belongs to, None where it is the dataset's own.
    """

    name: str
    scan: str | None
    description: str | None
    value_type: str
    unit: str
    numeric_value: float | None
    range_bottom: float | None
    range_top: float | None
    values: tuple[float, ...] | None
    value_count: int | None
    """How many values a range was made of, where that is known."""
    string_value: str | None
    date_time_value: datetime | None
    error: float | None
    original_value: str | None
    original_unit: str | None
    source_path: str | None
    origin: str
    layer: str
    is_public: bool
    """Else only who sees all is shown it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingFile:
    """A linked file that is not at hand: what links to it, and its name if the viewer may know it."""

    path: str
    kind: str
    state: str
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedFilesView:
    """What became of the other files that a master needs when it was last read: each counted once.

    `outside` lie outside of the dataset's folder, `unlisted` were too many to be looked at; `lacking` are the first
    that are not at hand.
    """

    present: int
    missing: int
    on_tape: int
    unreachable: int
    outside: int
    unlisted: int
    is_complete: bool
    lacking: tuple[LackingFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file, named relative to its dataset's location; the size is in bytes, the ordinal is given once and stays."""

    ordinal: int
    name: str
    file_size: int
    modified_at: datetime
    checksum: str | None
    is_vanished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedView:
    """A master that could not be read, and why."""

    path: str
    reason: str | None
    last_error: str | None
    failures: int
    file_size: int
    modified_at: datetime
    """When it was put here, or last touched by us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """A dataset that was declared closed, and what became of it."""

    id: int
    path: str
    state: str
    reason: str | None
    """Why it waits, was refused, or why its master is not complete."""
    source: str
    told_at: datetime
    repeated_at: datetime
    times_told: int
    next_attempt_at: datetime | None
    master_state: str | None
    dataset_id: int | None
    is_searchable: bool
    """The index knows the latest revision of its dataset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitView:
    """An investigation as the acquisition asks for it."""

    id: int
    proposal: str
    visit_id: str | None
    title: str
    summary: str | None
    doi: str | None
    start_date: datetime
    end_date: datetime | None
    release_date: datetime | None
    instrument_id: int
    instrument: str


@dataclass(frozen=True, slots=True)
class ArrivedDataset:
    """A dataset that was read, as the acquisition asks for it."""

    id: int
    name: str
    location: str
    start_date: datetime | None
    end_date: datetime | None
    file_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RootView:
    """A folder whose masters are catalogued, with what was said about it."""

    path: str
    facility: str
    rules: str | None
    timezone: str
    release_policy: str
    release_years: int
    is_embargoed_metadata_public: bool
    is_secret: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    crawled_at: datetime | None
    """When a crawl last came to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingView:
    """How many masters of one state and instrument are to be looked at: now, by somebody already, or later."""

    master_state: str
    instrument: str | None
    """As far as it is known before a file is read."""
    due: int
    in_hand: int
    later: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LagView:
    """How long datasets took from being closed to being found, lately; None if there were none."""

    count: int
    median_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogView:
    """What waits, and how long things take."""

    waiting: tuple[WaitingView, ...]
    notices: Mapping[str, int]
    """Those to be looked at, by state."""
    quarantined_count: int
    oldest_due_at: datetime | None
    """Since when the oldest master or notice is due."""
    unindexed_count: int
    revisions_behind: int
    oldest_unindexed_at: datetime | None
    """When the oldest dataset changed that the index does not know as it is."""
    searchable: LagView


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """The catalogue in figures: for its operator, whoever may see what."""

    dataset_count: int
    unindexed_count: int
    waiting_count: int
    """Masters that are to be looked at, now or later."""
    masters: Mapping[str, int]
    """By state."""
    quarantine: Mapping[str, int]
    """By reason."""
    is_estimated: bool
    """What is many was not counted: the database's own estimate stands there."""
    backlog: BacklogView
    roots: tuple[RootView, ...]
