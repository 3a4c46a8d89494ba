"""What an open group, field or attribute can tell, whoever opened it: libhdf5 or our own parser."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from ingest.nexus.record import LinkKind


class Kind(NamedTuple):
    """An HDF5 type as far as a record tells it."""

    name: str
    item_size: int = 1 << 62
    """Bytes of one value; unbounded for a type without plain values, so that none of them fits a budget."""
    numeric: bool = False
    text: bool = False


class Head:
    """Type and shape of a field or an attribute, before any of its values is read."""

    __slots__ = ("kind", "shape", "size")

    def __init__(self, kind: Kind, shape: tuple[int, ...], *, null: bool = False) -> None:
        self.kind = kind
        self.shape = shape
        self.size = 0 if null else math.prod(shape) if shape else 1


@dataclass(frozen=True, slots=True)
class Storage:
    """How a field's values are stored. `foreign` ones lie outside this file, in `sources`, and are never read."""

    chunks: tuple[int, ...] = ()
    filters: tuple[str, ...] = ()
    foreign: bool = False
    sources: tuple[tuple[LinkKind, str, str], ...] = ()
    """Kind of reference, file, target in it."""


CONTIGUOUS = Storage()

MOST_SOURCES = 1_000

FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32008: "bitshuffle"}
"""Registered numbers of filters; others are told by number."""


@dataclass(slots=True)
class Members:
    """The links of one group by kind, each in order of names, so that equal files give equal records."""

    hard: list[tuple[bytes, int]] = field(default_factory=list)
    """Name and address: two names of one object have the same address."""
    soft: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Name and the path that it leads to."""
    external: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    """Name, file and the path in it."""
    lost: int = 0
    """Links past the cap."""

    def drop_names_beyond(self, name_bytes: int) -> int:
        """Leave out links with longer names; return how many these are."""
        dropped = 0
        for links in (self.hard, self.soft, self.external):
            kept = [link for link in links if len(link[0]) <= name_bytes]
            dropped += len(links) - len(kept)
            links[:] = kept  # type: ignore[assignment]
        return dropped


class OpenAttribute(Protocol):
    """An attribute whose value was not read yet."""

    name: str
    head: Head

    def read_items(self) -> list[Any]:
        """Return all values, flat: bytes, numbers or booleans."""
        ...


class OpenObject(Protocol):
    """A group or a field, with attributes in order of their names."""

    attribute_count: int

    def open_attribute(self, index: int) -> OpenAttribute:
        """Return one attribute."""
        ...


class OpenField(OpenObject, Protocol):
    """A field (HDF5 dataset) whose values were not read yet."""

    head: Head
    storage: Storage

    def read_items(self) -> list[Any]:
        """Return all values, flat: bytes, numbers or booleans."""
        ...


class OpenGroup(OpenObject, Protocol):
    """A group whose members were not listed yet."""

    def list_members(self, most: int) -> Members:
        """Return up to `most` links; nothing of them is followed."""
        ...
