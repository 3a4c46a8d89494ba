"""HDF5's datatype and dataspace messages, decoded: the plain types that metadata have.

Part of our own parser (`parser.py`); file format specification, IV.A.2.b (dataspace) and IV.A.2.d (datatype).
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ingest.nexus.opened import Head, Kind
from ingest.nexus.pages import UnusualError

if TYPE_CHECKING:
    from ingest.nexus.pages import Pages

_INTEGER, _FLOAT, _STRING, _VLEN = 0, 1, 3, 9
_BIG_ENDIAN, _SIGNED = 0b1, 0b1000
_MOST_RANK = 32
_NUMBER_CODES = {(1, True): "b", (2, True): "h", (4, True): "i", (8, True): "q"}
_FLOATS = {
    # size: code, sign's bit, then offset, precision, exponent's place and size, mantissa's place and size, bias
    2: ("e", 15, (0, 16, 10, 5, 0, 10, 15)),
    4: ("f", 31, (0, 32, 23, 8, 0, 23, 127)),
    8: ("d", 63, (0, 64, 52, 11, 0, 52, 1023)),
}
_IEEE = 0b0010_0000
"""An implied leading bit, no padding bits set; the lowest bit is the byte order."""


class PlainType(NamedTuple):
    """A type whose values we decode: `code` is struct's for numbers, empty for strings; `stored` bytes for each."""

    kind: Kind
    code: str
    stored: int
    pointed: bool = False
    """Whether strings lie in the global heap and each value is length, address and index there."""


@lru_cache(maxsize=1024)
def to_type(message: bytes) -> PlainType:
    """Return the type of a datatype message; raise UnusualError for all but integers, IEEE floats and strings."""
    first, bits, more_bits, size = struct.unpack_from("<BBHI", message)
    type_class, version = first & 15, first >> 4
    if version not in {1, 2, 3}:
        raise UnusualError
    if type_class == _INTEGER:
        return _to_integer(bits, size, struct.unpack_from("<HH", message, 8))
    if type_class == _FLOAT:
        return _to_float(bits, more_bits, size, struct.unpack_from("<HHBBBBI", message, 8))
    if type_class == _STRING and size:
        return PlainType(Kind("string", size, text=True), "", size)
    if type_class == _VLEN and bits & 15 == 1 and size == _POINTER.size:
        return PlainType(Kind("string", size, text=True), "", size, pointed=True)
    raise UnusualError


def _to_integer(bits: int, size: int, place: tuple[int, ...]) -> PlainType:
    code = _NUMBER_CODES.get((size, True))
    if code is None or bits & ~(_BIG_ENDIAN | _SIGNED) or place != (0, 8 * size):
        raise UnusualError
    signed = bool(bits & _SIGNED)
    kind = Kind(f"{'int' if signed else 'uint'}{8 * size}", 8, numeric=True)
    return PlainType(kind, (">" if bits & _BIG_ENDIAN else "<") + (code if signed else code.upper()), size)


def _to_float(bits: int, more_bits: int, size: int, place: tuple[int, ...]) -> PlainType:
    code, sign, expected = _FLOATS.get(size, ("", 0, ()))
    if place != expected or bits & ~_BIG_ENDIAN != _IEEE or more_bits != sign:
        raise UnusualError
    return PlainType(Kind(f"float{8 * size}", 8, numeric=True), (">" if bits & _BIG_ENDIAN else "<") + code, size)


@lru_cache(maxsize=1024)
def to_shape(message: bytes) -> tuple[tuple[int, ...], bool]:
    """Return the shape of a dataspace message and whether it is the null space."""
    version, rank, _, space = struct.unpack_from("<BBBB", message)
    if version not in {1, 2} or rank > _MOST_RANK:
        raise UnusualError
    null = version == 2 and space == 2  # noqa: PLR2004 - the specification's numbers
    return struct.unpack_from(f"<{rank}Q", message, 8 if version == 1 else 4), null


def to_head(plain: PlainType, message: bytes) -> Head:
    """Return the head of a field or attribute of that type and dataspace message."""
    shape, null = to_shape(message)
    return Head(plain.kind, shape, null=null)


_POINTER = struct.Struct("<IQI")


def to_items(plain: PlainType, count: int, content: bytes, pages: Pages) -> list[object]:
    """Return `count` values out of their bytes."""
    if len(content) < count * plain.stored:
        raise UnusualError
    if plain.code:
        return list(struct.unpack_from(f"{plain.code[0]}{count}{plain.code[1]}", content))
    if not plain.pointed:
        return [content[at : at + plain.stored] for at in range(0, count * plain.stored, plain.stored)]
    items: list[object] = []
    for number in range(count):
        length, address, index = _POINTER.unpack_from(content, number * _POINTER.size)
        items.append(pages.read_heap_object(address, index, length))
    return items
