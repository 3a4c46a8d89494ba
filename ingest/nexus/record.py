"""What the reader saw in one master file: frozen dataclasses of plain values.

A record is kept for ever, so that better rules can be applied without opening the file again. Its format carries a
version; `docs/record-format.md` describes it with an example.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_FORMAT = 1

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = Scalar | list[Scalar]


class LinkKind(StrEnum):
    """How a master refers to another file."""

    EXTERNAL = "external"
    VIRTUAL = "virtual"
    STORAGE = "storage"


class FileKind(StrEnum):
    """What a file turned out to be, told without judging whether it is finished."""

    NEXUS = "hdf5-nexus"
    COLLECTION = "hdf5-collection"
    """Its root holds external links to scans of other files and no entry of its own."""
    OTHER = "hdf5-other"
    """HDF5 without any NXentry."""
    DAMAGED = "hdf5-damaged"
    HDF4 = "hdf4"
    XML = "xml"
    LFS_POINTER = "lfs-pointer"
    EMPTY = "empty"
    OFFLINE = "offline"
    UNKNOWN = "not-hdf5"


@dataclass(frozen=True, slots=True)
class Field:
    """One HDF5 dataset: its value if it is small, else its shape and, for numbers that were read, its extremes.

    `value` is None where the field is empty, blank, not finite, larger than the budget or of a type without plain
    values. `unit` is the `units` attribute as stored. `minimum`, `maximum` and `count` are given for numeric arrays
    that were read and are longer than the budget for arrays; `first` and `last` too, which matter in a log. `chunks`
    and `filters` describe how a field whose values were not read is stored.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] = ()
    value: Value | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    count: int | None = None
    first: float | None = None
    last: float | None = None
    chunks: tuple[int, ...] = ()
    filters: tuple[str, ...] = ()
    attributes: dict[str, Value] = field(default_factory=dict)
    tally: dict[str, int] = field(default_factory=dict)
    """How often each whole number stands there, of a long array of keys."""


@dataclass(frozen=True, slots=True)
class Group:
    """One HDF5 group with the members that the budget allows; `nx_class` as stored, stripped, empty if absent."""

    path: str
    nx_class: str = ""
    attributes: dict[str, Value] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path; empty for the root."""
        return self.path.rpartition("/")[2]

    def walk(self) -> Iterator[Group]:
        """Yield this group and every group below it, depth first, in file order."""
        yield self
        for group in self.groups:
            yield from group.walk()

    def path_of(self, name: str) -> str:
        """Return the HDF5 path of the member of that name."""
        return f"{self.path.rstrip('/')}/{name}"


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """Another file that the master refers to, with the HDF5 path that refers to it. It was not opened for this."""

    path: str
    kind: LinkKind
    file: str
    target: str = ""
    other_entries: tuple[str, ...] = ()
    """The paths of further entries that refer to it, in order of their names."""


@dataclass(frozen=True, slots=True)
class MasterRecord:
    """All that was read from one master.

    `root` holds the root's own attributes, fields and unclassed groups; `entries` are its NXentry groups in the
    order of the file. `truncated` counts what the budget left out, by the name of the cap.
    """

    kind: FileKind
    root: Group
    entries: tuple[Group, ...] = ()
    linked_files: tuple[LinkedFile, ...] = ()
    truncated: dict[str, int] = field(default_factory=dict)
    swmr: bool = False
    format: int = RECORD_FORMAT
