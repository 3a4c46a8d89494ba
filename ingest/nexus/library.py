"""Groups, fields and attributes as libhdf5 opens them, by its low-level interface.

Low level because it costs half of what `h5py.Dataset` costs. What libhdf5 has against a member comes through as one of
MEMBER_ERRORS, to be guarded where members are listed one by one.
"""

from __future__ import annotations

import errno
import re
from functools import cache
from typing import Any, NamedTuple

import h5py
import numpy as np
from h5py import h5, h5a, h5d, h5f, h5g, h5l, h5o, h5p, h5s, h5t

from ingest.nexus.opened import CONTIGUOUS, FILTERS, MOST_SOURCES, Head, Kind, Members, Storage
from ingest.nexus.record import LinkKind
from ingest.nexus.values import to_name

MEMBER_ERRORS = (KeyError, OSError, RuntimeError, TypeError, ValueError, OverflowError)
"""What h5py raises when one member of a group is damaged, foreign or out of reach. MemoryError is not among them."""

_OUT_OF_REACH = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV, errno.ENOTCONN})
_STARVED = re.compile(r"memory allocation failed|no space available for allocation|can't allocate")
SORTED_ATTRIBUTES = 1_000
"""More than these of one object are no description of anything."""
_TELLING_ATTRIBUTES = (b"NX_class", b"units")
SORTED_MANIFOLD = 5
"""Links so many times as many as are listed are not sorted first."""
_SOFT_STEPS = 8
"""Soft links that lead to soft links before it is taken for a loop."""


def raise_if_out_of_reach(error: Exception) -> None:
    """Raise the error if it is the file system's: what is missing is there and is to be read another time."""
    if isinstance(error, OSError) and error.errno in _OUT_OF_REACH:
        raise error


def raise_if_starved(error: Exception) -> None:
    """Raise MemoryError if libhdf5 could have no more memory; it says so in its text alone."""
    if _STARVED.search(str(error)):
        raise MemoryError from error


class _Type(NamedTuple):
    """How values of one HDF5 type are read: numpy's type and libhdf5's type in memory; None if they are not plain."""

    kind: Kind
    dtype: Any = None
    memory: Any = None


@cache
def _make_number_type(type_class: int, size: int, signed: bool) -> _Type:
    if type_class == h5t.FLOAT:
        return _Type(Kind(f"float{8 * size}", 8, numeric=True), np.dtype(np.float64), h5t.NATIVE_DOUBLE)
    if signed:
        return _Type(Kind(f"int{8 * size}", 8, numeric=True), np.dtype(np.int64), h5t.NATIVE_INT64)
    return _Type(Kind(f"uint{8 * size}", 8, numeric=True), np.dtype(np.uint64), h5t.NATIVE_UINT64)


@cache
def _make_text_type(cset: int) -> _Type:
    memory = h5t.py_create(h5py.string_dtype("utf-8" if cset == h5t.CSET_UTF8 else "ascii"))
    return _Type(Kind("string", 16, text=True), np.dtype(object), memory)


def _to_type(type_id: h5t.TypeID) -> _Type:
    type_class = type_id.get_class()
    if type_class in _NUMBERS:
        signed = type_class == h5t.INTEGER and type_id.get_sign() == h5t.SGN_2
        return _make_number_type(type_class, type_id.get_size(), signed)
    if type_class == h5t.STRING:
        if type_id.is_variable_str():
            return _make_text_type(type_id.get_cset())
        size = type_id.get_size()
        return _Type(Kind("string", size, text=True), np.dtype(f"S{size}"), type_id)
    if type_class == h5t.ENUM:
        dtype = type_id.dtype
        kind = Kind("bool" if dtype.kind == "b" else "enum", dtype.itemsize)
        return _Type(kind, dtype, h5t.py_create(dtype, logical=True))
    return _Type(Kind(_NAMES.get(type_class, "other")))


_NUMBERS = frozenset({h5t.FLOAT, h5t.INTEGER})
_NAMES = {
    h5t.COMPOUND: "compound",
    h5t.OPAQUE: "opaque",
    h5t.REFERENCE: "reference",
    h5t.VLEN: "vlen",
    h5t.ARRAY: "array",
    h5t.BITFIELD: "bitfield",
}


def _read_head(oid: h5d.DatasetID | h5a.AttrID) -> tuple[Head, _Type]:
    space = oid.get_space()
    found = _to_type(oid.get_type())
    shape: tuple[int, ...] = space.get_simple_extent_dims() or ()
    null = not shape and space.get_simple_extent_type() == h5s.NULL
    return Head(found.kind, shape, null=null), found


class LibraryAttribute:
    """One attribute, open."""

    __slots__ = ("_aid", "_type", "head", "name")

    def __init__(self, aid: h5a.AttrID) -> None:
        self._aid = aid
        self.name = to_name(aid.name)
        self.head, self._type = _read_head(aid)

    def read_items(self) -> list[Any]:
        """Return all values, flat."""
        buffer = np.empty(self.head.shape, self._type.dtype)
        self._aid.read(buffer, self._type.memory)
        return [buffer.item()] if buffer.size == 1 else buffer.ravel().tolist()


class _LibraryObject:
    """What groups and fields have in common: attributes in order of names."""

    __slots__ = ("_first", "attribute_count", "id")

    def __init__(self, oid: h5g.GroupID | h5d.DatasetID) -> None:
        self.id = oid
        self.attribute_count: int = h5a.get_num_attrs(oid)
        self._first: list[bytes] = []

    def open_attribute(self, index: int) -> LibraryAttribute:
        """Return one attribute, by name order; of more than SORTED_ATTRIBUTES some, and those that tell most."""
        if self.attribute_count <= SORTED_ATTRIBUTES:
            return LibraryAttribute(h5a.open(self.id, index=index))
        self._first = self._first or self._list_first()
        if index >= len(self._first):
            raise KeyError(index)
        return LibraryAttribute(h5a.open(self.id, self._first[index]))

    def _list_first(self) -> list[bytes]:
        """Return as many names as an index may ask for, in the order in which the file has them by hash.

        libhdf5 sorts all attributes anew for each that is asked for by number: 200,000 of them take a second each time.
        """
        names = [name for name in _TELLING_ATTRIBUTES if h5a.exists(self.id, name)]
        known = set(names)

        def add(name: bytes) -> bool | None:
            if name not in known:
                names.append(name)
            return True if len(names) >= SORTED_ATTRIBUTES else None  # None goes on

        h5a.iterate(self.id, add, index_type=h5.INDEX_NAME, order=h5.ITER_NATIVE)
        return names


class LibraryField(_LibraryObject):
    """One field, open."""

    __slots__ = ("_type", "head", "storage")

    def __init__(self, did: h5d.DatasetID) -> None:
        super().__init__(did)
        self.head, self._type = _read_head(did)
        self.storage = _read_storage(did)

    def read_items(self) -> list[Any]:
        """Return all values, flat."""
        buffer = np.empty(self.head.shape, self._type.dtype)
        self.id.read(h5s.ALL, h5s.ALL, buffer, self._type.memory)
        return [buffer.item()] if buffer.size == 1 else buffer.ravel().tolist()


def _read_storage(did: h5d.DatasetID) -> Storage:
    # An address means contiguous inside this file: neither chunked nor virtual nor external. It costs a tenth of the
    # property list, and is what nearly all metadata fields have.
    if did.get_offset() is not None:
        return CONTIGUOUS
    plist = did.get_create_plist()
    layout = plist.get_layout()
    if layout == h5d.CHUNKED:
        numbers = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
        return Storage(plist.get_chunk(), tuple(FILTERS.get(number, str(number)) for number in numbers))
    if layout == h5d.VIRTUAL:
        return Storage(foreign=True, sources=_list_virtual(plist))
    if layout == h5d.CONTIGUOUS and (count := plist.get_external_count()):
        names = [to_name(plist.get_external(index)[0]) for index in range(min(count, MOST_SOURCES))]
        return Storage(foreign=True, sources=tuple((LinkKind.STORAGE, name, "") for name in names))
    return CONTIGUOUS


def _list_virtual(plist: h5p.PropDCID) -> tuple[tuple[LinkKind, str, str], ...]:
    indices = range(min(plist.get_virtual_count(), MOST_SOURCES))
    sources = [(plist.get_virtual_filename(index), plist.get_virtual_dsetname(index)) for index in indices]
    return tuple((LinkKind.VIRTUAL, file, target) for file, target in sources if file != ".")


class LibraryGroup(_LibraryObject):
    """One group, open."""

    __slots__ = ()

    def list_members(self, most: int) -> Members:
        """Return up to `most` links in order of names; nothing of them is followed.

        Of several times as many those that the file has first: to sort a million takes half a minute.
        """
        members = Members()
        soft, external = [], []
        count = self.id.get_num_objs()
        order = h5.ITER_INC if count <= SORTED_MANIFOLD * most else h5.ITER_NATIVE

        def add(name: bytes, info: h5l.LinkInfo) -> bool | None:
            if info.type == h5l.TYPE_HARD:
                members.hard.append((name, info.u))
            elif info.type == h5l.TYPE_SOFT:
                soft.append(name)
            elif info.type == h5l.TYPE_EXTERNAL:
                external.append(name)
            return True if len(members.hard) + len(soft) + len(external) >= most else None  # None goes on

        links = self.id.links
        links.iterate(add, info=True, order=order)
        members.soft = [(name, links.get_val(name)) for name in soft]
        members.external = [(name, *links.get_val(name)) for name in external]
        if len(members.hard) + len(soft) + len(external) >= most:
            members.lost = count - most
        return members

    def open_member(self, name: bytes) -> LibraryGroup | LibraryField | None:
        """Return the group or field that a hard link of this name is; None for a committed type."""
        return _to_object(h5o.open(self.id, name))


def _to_object(oid: h5g.GroupID | h5d.DatasetID | h5t.TypeID) -> LibraryGroup | LibraryField | None:
    if isinstance(oid, h5g.GroupID):
        return LibraryGroup(oid)
    return LibraryField(oid) if isinstance(oid, h5d.DatasetID) else None


class LibraryFile:
    """An open file: its root, and its objects by path."""

    def __init__(self, fid: h5f.FileID) -> None:
        gid = h5g.open(fid, b"/")
        self.root = LibraryGroup(gid)
        self.root_address: int = h5o.get_info(gid).addr
        self._hard: set[bytes] = set()
        """Paths that were found to be hard links all the way."""

    def open_path(self, path: bytes) -> LibraryGroup | LibraryField | None:
        """Return the object at a path of hard links; None for a committed type."""
        return self.root.open_member(path)

    def find_target(self, path: bytes, steps: int = _SOFT_STEPS) -> tuple[bytes, int] | None:
        """Return the plain path and the address where `path` ends; None if it dangles or leaves this file.

        libhdf5 opens the other file whenever a path passes through an external link, also in the middle. So every
        part is looked at before it is used.
        """
        links = self.root.id.links
        parts = [part for part in path.split(b"/") if part not in {b"", b"."}]
        plain = b""
        for number, part in enumerate(parts, start=1):
            here = plain + b"/" + part
            if here not in self._hard or number == len(parts):
                if not links.exists(here):
                    return None
                info = links.get_info(here)
                if info.type == h5l.TYPE_SOFT and steps:
                    step = to_absolute(links.get_val(here), plain)
                    return self.find_target(b"/".join([step, *parts[number:]]), steps - 1)
                if info.type != h5l.TYPE_HARD:
                    return None
                if number == len(parts):
                    return here, info.u
                self._hard.add(here)
            plain = here
        return None


def to_absolute(target: bytes, group: bytes) -> bytes:
    """Return the path that a soft link in `group` leads to, from the root."""
    return target if target.startswith(b"/") else group + b"/" + target
