"""What libhdf5 sees of a file: its bytes, but for a few that would make it refuse the file or never come back.

Nobody's file is written into; the bytes are changed on their way. They are those of which a reader needs nothing: the
mark that a writer left (`unclosed.py`), and the free space of heaps, through which libhdf5 (2.0.0) goes without looking
where it was before. Pages are shared with our own parser. A call of Python for each read costs 5 to 20 % more than
libhdf5's own driver.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

from ingest.nexus.gate import HEADER_BYTES
from ingest.nexus.unclosed import to_closed_header

if TYPE_CHECKING:
    from ingest.nexus.pages import Pages

_LOCAL_HEAP = b"HEAP\0\0\0\0"
_FREE_LIST_AT = 16
_NO_FREE_LIST = (1).to_bytes(8, "little")
_COLLECTION = b"GCOL\1\0\0\0"
_HEAD_BYTES = 16
"""Of a collection and of each object in it."""
_MOST_OBJECTS = 1 << 16
"""A collection numbers its objects with 16 bits."""


class FileView:
    """A file object over pages, as h5py's file-object driver wants it; nothing is closed with it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._position = 0
        self._changes: dict[int, bytes] = {}
        self._failure: OSError | None = None

    def close_header(self, at: int) -> bool:
        """Show the superblock at a position as that of a file that was closed where it ends, and return whether.

        It is not where a writer's mark means nothing: in superblocks of version 0 and 1 libhdf5 does not look at it.
        """
        header = self._pages.read_up_to(at, HEADER_BYTES)
        closed = to_closed_header(header, self._pages.size - at)
        if closed is not header:
            self._changes[at] = closed
        return closed is not header

    def raise_if_failed(self) -> None:
        """Raise the OSError that the file system gave: what was read since is zeros."""
        if self._failure is not None:
            raise self._failure

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset from the start, from here or from the end."""
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._pages.size}[whence]
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer from the position on, with zeros where the file ends: damage asks far beyond that.

        An error of the file system is kept and not raised: libhdf5 passes over some of its errors.
        """
        count, piece = len(buffer), b""
        if self._failure is None:
            try:
                piece = self._pages.read_up_to(self._position, count)
            except OSError as error:
                self._failure = error
        if _LOCAL_HEAP in piece:
            piece = _without_free_lists(piece)
        if _COLLECTION in piece:
            self._find_ends(piece)
        if self._changes:
            piece = self._change(piece)
        buffer[:] = piece if len(piece) == count else piece + bytes(count - len(piece))
        self._position += count
        return count

    def flush(self) -> None:
        """Nothing is ever written."""

    def _change(self, piece: bytes) -> bytes:
        first, last = self._position, self._position + len(piece)
        changed = None
        for at, content in self._changes.items():
            if at < last and at + len(content) > first:
                changed = changed or bytearray(piece)
                start, end = max(at, first), min(at + len(content), last)
                changed[start - first : end - first] = content[start - at : end - at]
        return piece if changed is None else bytes(changed)

    def _find_ends(self, piece: bytes) -> None:
        place = piece.find(_COLLECTION)
        while place >= 0:
            self._changes.update(self._find_end(self._position + place))
            place = piece.find(_COLLECTION, place + 1)

    def _find_end(self, start: int) -> dict[int, bytes]:
        """Return what makes free space of all that follows the last sound object of a collection; nothing if all are.

        Free space of no length is where libhdf5 stays for ever.
        """
        read = self._pages.read_up_to
        (size,) = struct.unpack_from("<8xQ", read(start, _HEAD_BYTES).ljust(_HEAD_BYTES, b"\0"))
        at = _HEAD_BYTES
        for _ in range(_MOST_OBJECTS):
            head = read(start + at, _HEAD_BYTES)
            if at + _HEAD_BYTES > size or len(head) < _HEAD_BYTES:
                return {}
            index, length = struct.unpack("<H6xQ", head)
            step = _HEAD_BYTES + length + -length % 8 if index else length
            if not _HEAD_BYTES <= step <= size - at:
                break
            at += step
        return {start + at: struct.pack("<QQ", 0, size - at)}


def _without_free_lists(piece: bytes) -> bytes:
    """Return bytes with local heaps that have no free space: their lists of it may lead in circles."""
    changed = bytearray(piece)
    place = piece.find(_LOCAL_HEAP)
    while place >= 0:
        at = place + _FREE_LIST_AT
        changed[at : at + 8] = _NO_FREE_LIST[: max(0, len(piece) - at)]
        place = piece.find(_LOCAL_HEAP, place + 1)
    return bytes(changed)
