"""The sources of a virtual dataset: its layout message names an object of the global heap, which lists them.

HDF5 file format specification, IV.A.2.i (layout message version 4, class 3), and VII (selections). Where a selection
ends is all that matters here: which part of which source goes where is payload's business.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ingest.nexus.opened import MOST_SOURCES, Storage
from ingest.nexus.pages import DamagedError, UnusualError
from ingest.nexus.record import LinkKind

if TYPE_CHECKING:
    from ingest.nexus.pages import Pages

_NONE, _POINTS, _HYPERSLAB, _ALL = range(4)
_SAME_FILE = b"."


def is_virtual(layout: bytes) -> bool:
    """Return whether the layout message is that of a virtual dataset."""
    return layout[:2] == b"\x04\x03"


def to_virtual_storage(layout: bytes, pages: Pages) -> Storage:
    """Return the storage with the first MOST_SOURCES sources in other files, each with the path in it.

    Raises UnusualError or struct.error for what libhdf5 has to be asked about; DamagedError for a list that it would
    follow out of its memory (2.0.0: `H5S__hyper_deserialize`).
    """
    address, index = struct.unpack_from("<QI", layout, 2)
    block = pages.find_heap_object(address, index)
    version, count = struct.unpack_from("<BQ", block)
    if version != 0:
        raise UnusualError
    sources = []
    at = 9
    for _ in range(min(count, MOST_SOURCES)):
        try:
            file, at = _take_string(block, at)
            target, at = _take_string(block, at)
            at = _find_end(block, _find_end(block, at))
        except (struct.error, IndexError) as error:
            raise DamagedError("sources of a virtual dataset") from error
        if file != _SAME_FILE:
            sources.append((LinkKind.VIRTUAL, file.decode("utf-8", "replace"), target.decode("utf-8", "replace")))
    return Storage(foreign=True, sources=tuple(sources))


def _take_string(block: bytes, at: int) -> tuple[bytes, int]:
    end = block.find(b"\0", at)
    if end < 0:
        raise DamagedError("name of a source")
    return block[at:end], end + 1


def _find_end(block: bytes, at: int) -> int:
    """Return where a serialized selection ends."""
    kind, version = struct.unpack_from("<II", block, at)
    if kind in {_NONE, _ALL}:
        return at + 16
    if kind == _HYPERSLAB and version == 1:
        return at + 16 + _unpack("<I", block, at + 12)
    if kind == _HYPERSLAB and version == 2:  # noqa: PLR2004 - the version that HDF5 1.10 writes
        return at + 13 + _unpack("<I", block, at + 9)
    if kind == _HYPERSLAB and version == 3:  # noqa: PLR2004 - the version that HDF5 1.12 and later write
        flags, width = block[at + 8 : at + 10]
        rank = _unpack("<I", block, at + 10)
        if flags & 1:
            return at + 14 + 4 * rank * width
        blocks = int.from_bytes(block[at + 14 : at + 14 + width], "little")
        return at + 14 + width + 2 * rank * blocks * width
    if kind == _POINTS and version in {1, 2}:
        raise UnusualError
    raise DamagedError("selection of a source")


def _unpack(form: str, block: bytes, at: int) -> int:
    (number,) = struct.unpack_from(form, block, at)
    return int(number)
