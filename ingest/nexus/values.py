"""Values out of HDF5 by its low-level interface: text, numbers, attributes, one field.

Low level because it costs half of what `h5py.Dataset` costs (8 against 22 microseconds to open one field).
Nothing here raises on odd content: what has no plain value is None. Errors of libhdf5 do come through, as one of
MEMBER_ERRORS, and are guarded one by one where members are listed.
"""

from __future__ import annotations

import errno
import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5s, h5t

from ingest.nexus.redaction import is_personal, to_redacted

if TYPE_CHECKING:
    from ingest.nexus.budget import Budget
    from ingest.nexus.record import Scalar, Value

MEMBER_ERRORS = (KeyError, OSError, RuntimeError, TypeError, ValueError, OverflowError)
"""What h5py raises when one member of a group is damaged, foreign or out of reach. MemoryError is not among them."""

_OUT_OF_REACH = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENODEV, errno.ENOTCONN})


def raise_if_out_of_reach(error: Exception) -> None:
    """Raise the error again if the file system failed: what is missing is there and is to be read another time."""
    if isinstance(error, OSError) and error.errno in _OUT_OF_REACH:
        raise error


LARGEST = 1e60
"""Beyond any physical magnitude: 7e+78 and 1e+300 are what uninitialised memory looks like."""
_SMALLEST = 1e-300


def to_text(raw: bytes | str, characters: int) -> str:
    """Return stored text as UTF-8, else Latin-1, without NULs, padding and personal data, cut at `characters`.

    It is redacted before it is cut: half an e-mail address would no longer look like one.
    """
    if isinstance(raw, bytes):
        raw = raw.strip(b"\0").partition(b"\0")[0]
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    else:
        text = raw.partition("\0")[0].encode("utf-8", "replace").decode("utf-8")
    return to_redacted(text[: 4 * characters].strip())[:characters]


def to_number(raw: Any) -> bool | int | float | None:
    """Return a plain number, or None where it is not finite, absurdly large or a denormal left in memory."""
    if isinstance(raw, float):
        return raw if raw == 0 or _SMALLEST < abs(raw) < LARGEST else None
    return raw if isinstance(raw, bool | int) else None


def to_value(array: np.ndarray[Any, Any], budget: Budget) -> Value | None:
    """Return the array as a plain scalar or flat list; None if empty, blank or if one of its numbers is no number.

    Length-1 arrays of any rank are scalars: writers store titles as `[["none"]]`.
    """
    text = array.dtype.kind in "OS"
    if array.size == 1:
        item = array.item()
        return ((to_text(item, budget.string_characters) or None) if item else None) if text else to_number(item)
    items: list[Any] = array.ravel().tolist()
    if text:
        texts: list[Scalar] = [to_text(x, budget.string_characters) if x else "" for x in items]
        return texts if any(texts) else None
    numbers: list[Scalar] = [number for number in map(to_number, items) if number is not None]
    return numbers if numbers and len(numbers) == len(items) else None


def to_extremes(array: np.ndarray[Any, Any]) -> dict[str, float | int]:
    """Return minimum, maximum, mean, count, first and last of the numbers that are numbers; nothing if none is."""
    numbers = array.ravel().astype(np.float64)
    magnitude = np.abs(numbers)
    numbers = numbers[(magnitude < LARGEST) & ((magnitude > _SMALLEST) | (magnitude == 0))]
    if not numbers.size:
        return {}
    lowest, highest, mean = float(numbers.min()), float(numbers.max()), float(numbers.mean())
    ends = {"first": float(numbers[0]), "last": float(numbers[-1])}
    return {"minimum": lowest, "maximum": highest, "mean": mean, "count": int(numbers.size), **ends}


@dataclass(frozen=True, slots=True)
class Plan:
    """How values of one HDF5 type are read: numpy's dtype and libhdf5's type in memory, None if they are not plain."""

    name: str
    dtype: Any = None
    memory: Any = None
    item_size: int = 1 << 62
    """Bytes of one value; unbounded for a type without plain values, so that none fits a budget."""
    numeric: bool = False


@cache
def _plan_number(kind: int, size: int, signed: bool) -> Plan:
    if kind == h5t.FLOAT:
        return Plan(f"float{8 * size}", np.dtype(np.float64), h5t.NATIVE_DOUBLE, 8, numeric=True)
    if signed:
        return Plan(f"int{8 * size}", np.dtype(np.int64), h5t.NATIVE_INT64, 8, numeric=True)
    return Plan(f"uint{8 * size}", np.dtype(np.uint64), h5t.NATIVE_UINT64, 8, numeric=True)


@cache
def _plan_text(cset: int) -> Plan:
    memory = h5t.py_create(h5py.string_dtype("utf-8" if cset == h5t.CSET_UTF8 else "ascii"))
    return Plan("string", np.dtype(object), memory, 16)


def _plan(type_id: h5t.TypeID) -> Plan:
    kind = type_id.get_class()
    if kind in _NUMBERS:
        return _plan_number(kind, type_id.get_size(), kind == h5t.INTEGER and type_id.get_sign() == h5t.SGN_2)
    if kind == h5t.STRING:
        if type_id.is_variable_str():
            return _plan_text(type_id.get_cset())
        size = type_id.get_size()
        return Plan("string", np.dtype(f"S{size}"), type_id, size)
    if kind == h5t.ENUM:
        dtype = type_id.dtype
        name = "bool" if dtype.kind == "b" else "enum"
        return Plan(name, dtype, h5t.py_create(dtype, logical=True), dtype.itemsize)
    return Plan(_KINDS.get(kind, "other"))


_NUMBERS = frozenset({h5t.FLOAT, h5t.INTEGER})
_KINDS = {
    h5t.COMPOUND: "compound",
    h5t.OPAQUE: "opaque",
    h5t.REFERENCE: "reference",
    h5t.VLEN: "vlen",
    h5t.ARRAY: "array",
    h5t.BITFIELD: "bitfield",
}


class Head:
    """What one open field or attribute is, before any of its values is read."""

    __slots__ = ("plan", "shape", "size")

    def __init__(self, oid: h5d.DatasetID | h5a.AttrID) -> None:
        space = oid.get_space()
        self.plan = _plan(oid.get_type())
        self.shape: tuple[int, ...] = space.get_simple_extent_dims()
        if self.shape:
            self.size = math.prod(self.shape)
        else:
            self.size = 0 if space.get_simple_extent_type() == h5s.NULL else 1

    def make_buffer(self) -> np.ndarray[Any, Any]:
        """Return an array into which all values fit."""
        return np.empty(self.shape, self.plan.dtype)


def read_attribute(aid: h5a.AttrID, budget: Budget) -> Value | None:
    """Return an attribute's value, None if it is empty, too long or not plain."""
    head = Head(aid)
    if not 0 < head.size <= budget.array_values or head.plan.item_size * head.size > budget.read_bytes:
        return None
    buffer = head.make_buffer()
    aid.read(buffer, head.plan.memory)
    return to_value(buffer, budget)


def read_attributes(oid: h5d.ObjectID, budget: Budget, of_a_user: bool = False) -> tuple[dict[str, Value], int]:
    """Return an object's attributes by name, personal ones left out, and how many were unreadable or too many."""
    count = h5a.get_num_attrs(oid)
    attributes: dict[str, Value] = {}
    lost = max(0, count - budget.attributes)
    for index in range(count - lost):
        try:
            aid = h5a.open(oid, index=index)
            name = to_name(aid.name)
            value = None if is_personal(name, of_a_user) else read_attribute(aid, budget)
        except MEMBER_ERRORS as error:
            raise_if_out_of_reach(error)
            lost += 1
            continue
        if value is not None:
            attributes[name] = value
    return attributes, lost


def to_name(raw: bytes | str) -> str:
    """Return a member's name as text whatever its bytes; only UTF-8 names can be opened again by it."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw


def read_array(did: h5d.DatasetID, head: Head) -> np.ndarray[Any, Any]:
    """Return all values of a field that `fits`, in memory of at most a few kilobytes."""
    buffer = head.make_buffer()
    did.read(h5s.ALL, h5s.ALL, buffer, head.plan.memory)
    return buffer
