"""One field (HDF5 dataset) of a master: what it is, where its values lie, and its value if it is metadata."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from h5py import h5d, h5p

from ingest.nexus.classes import Reading, is_payload
from ingest.nexus.record import Field, LinkKind
from ingest.nexus.redaction import is_personal
from ingest.nexus.values import (
    MEMBER_ERRORS,
    Head,
    raise_if_out_of_reach,
    read_array,
    read_attributes,
    to_extremes,
    to_name,
    to_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.nexus.budget import Budget
    from ingest.nexus.record import Value

_FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 32008: "bitshuffle"}


class Storage:
    """How a field's values are stored: told by its creation properties, without touching a value."""

    __slots__ = ("chunks", "filters", "foreign", "sources")

    def __init__(self, did: h5d.DatasetID, most: int) -> None:
        self.foreign = False
        self.sources: list[tuple[LinkKind, str, str]] = []
        self.chunks: tuple[int, ...] = ()
        self.filters: tuple[str, ...] = ()
        # An address means contiguous inside this file: neither chunked nor virtual nor external. It costs a tenth
        # of the property list, and is what nearly all metadata fields are.
        if did.get_offset() is not None:
            return
        plist = did.get_create_plist()
        layout = plist.get_layout()
        if layout == h5d.CHUNKED:
            self.chunks = plist.get_chunk()
            numbers = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
            self.filters = tuple(_FILTERS.get(number, str(number)) for number in numbers)
        elif layout == h5d.VIRTUAL:
            self.foreign = True
            self.sources = _list_virtual(plist, most)
        elif layout == h5d.CONTIGUOUS:
            count = plist.get_external_count()
            self.foreign = count > 0
            names = [to_name(plist.get_external(index)[0]) for index in range(min(count, most))]
            self.sources = [(LinkKind.STORAGE, name, "") for name in names]


def _list_virtual(plist: h5p.PropDCID, most: int) -> list[tuple[LinkKind, str, str]]:
    indices = range(min(plist.get_virtual_count(), most))
    sources = [(plist.get_virtual_filename(index), plist.get_virtual_dsetname(index)) for index in indices]
    return [(LinkKind.VIRTUAL, file, target) for file, target in sources if file != "."]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the group says about its fields: how they are read, within which budget, whom to tell of other files."""

    reading: Reading
    of_a_user: bool
    budget: Budget
    add_link: Callable[[str, LinkKind, str, str], None]
    """Called with the member's name, the kind of link, the other file and the target in it."""


def read_field(did: h5d.DatasetID, name: str, scope: Scope) -> Field:
    """Return one field, its value where it is small metadata stored in this very file.

    Values outside the file (external storage, virtual) are never read: they would escape the allowed folders.
    """
    head = Head(did)
    attributes, _ = read_attributes(did, scope.budget, scope.of_a_user)
    storage = Storage(did, scope.budget.linked_files)
    for source in storage.sources:
        scope.add_link(name, *source)
    unit = attributes.pop("units", None)
    value: dict[str, Any] = {}
    if not storage.foreign and not is_personal(name, scope.of_a_user):
        value = _read_value(did, head, storage, _points_to_read(head, name, attributes, scope), scope.budget)
    if not value:
        value = {"chunks": storage.chunks, "filters": storage.filters}
    return Field(
        name=name,
        dtype=head.plan.name,
        shape=head.shape,
        unit=unit if isinstance(unit, str) else None,
        attributes=attributes,
        **value,
    )


def _points_to_read(head: Head, name: str, attributes: dict[str, Value], scope: Scope) -> int:
    """Return how long a field may be for its values to be read: one, few, or as many as a scan has points."""
    if scope.reading is Reading.HEADS or is_payload(name, attributes, scope.reading):
        return 1
    if scope.reading is Reading.SMALL or not head.plan.numeric or len(head.shape) > 1:
        return scope.budget.array_values
    return scope.budget.vector_points


def _read_value(did: h5d.DatasetID, head: Head, storage: Storage, points: int, budget: Budget) -> dict[str, Any]:
    """Return the value or the extremes as keywords of Field; nothing where it is too large or cannot be read."""
    if (
        not 0 < head.size <= points
        or head.plan.item_size * max(head.size, math.prod(storage.chunks)) > budget.read_bytes
    ):
        return {}
    try:
        array = read_array(did, head)
    except MEMBER_ERRORS as error:
        raise_if_out_of_reach(error)
        return {}  # a filter that is not installed, a damaged chunk: the field is there, its value is not
    if head.size > budget.array_values:
        return dict(to_extremes(array))
    value = to_value(array, budget)
    if value is None:
        return dict(to_extremes(array)) if head.plan.numeric and head.size > 1 else {}
    return {"value": value}
