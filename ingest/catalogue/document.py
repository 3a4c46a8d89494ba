"""What the index knows of one dataset."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class NumericEntry:
    """A numeric parameter as it is searched: the extremes in the type's unit and, for a list, every value.

    A search for a range finds it if the ranges overlap; a list only if one of its values lies inside.
    A document has at most one of a name.
    """

    name: str
    low: float
    high: float
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class TextEntry:
    """A parameter that holds text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """One dataset as it is indexed. Names are the catalogue's; dates are aware and in UTC."""

    id: int
    revision: int
    name: str
    facility: str
    investigation: str
    """Proposal and visit, as they are shown: `hc6001/20261101`, or the proposal alone."""
    proposal: str
    titles: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    technique_names: tuple[str, ...] = ()
    """Other names of the techniques, and the names of those that they fall under: found by, never counted."""
    definitions: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    motors: tuple[str, ...] = ()
    """Those that one of its scans moved."""
    counters: tuple[str, ...] = ()
    scan_kinds: tuple[str, ...] = ()
    linked_files: tuple[str, ...] = ()
    """What became of the other files that its master needs: present, missing, on_tape, unreachable."""
    probes: tuple[str, ...] = ()
    start_date: datetime | None = None
    end_date: datetime | None = None
    complete: bool = True
    file_size: int = 0
    """Of all its files, in bytes."""
    file_count: int = 0
    numbers: tuple[NumericEntry, ...] = ()
    texts: tuple[TextEntry, ...] = ()
    release_date: datetime | None = None
    """When it opens; None while nobody can say: closed."""
    is_secret: bool = False
    is_metadata_public: bool = False
    keywords: tuple[str, ...] = field(default=())
    abstracts: tuple[str, ...] = ()
    """What is said at length: of its investigation, of its scans, and for its DOI."""
    dois: tuple[str, ...] = ()
    """Those by which it is cited: its own, and those of what it is published in."""
    unsearched: tuple[str, ...] = ()
    """Names of parameters that hold neither a number nor a text, such as instants: they are counted only."""

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names of all its parameters, each once."""
        held = [entry.name for entry in self.numbers] + [entry.name for entry in self.texts]
        return tuple(dict.fromkeys([*held, *self.unsearched]))
