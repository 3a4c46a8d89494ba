"""The bytes of an open file in pages, and the heaps in which HDF5 keeps names and strings.

Part of our own parser (`parser.py`). Offsets and layouts are those of the HDF5 file format specification, version 3:
III.D local heaps, III.E global heaps. What does not look as expected raises UnusualError, and libhdf5 is asked.
"""

from __future__ import annotations

import os
import struct

PAGE_BYTES = 1 << 14
_MOST_PAGES = 256
_MOST_BYTES = 1 << 20
"""Longest piece read at once: nothing of metadata is longer, a damaged length is."""
_COLLECTION_HEAD = 16
_UNDEFINED = (1 << 64) - 1


class UnusualError(ValueError):
    """The parser leaves this to libhdf5: rare, of a newer format, or damaged."""


class DamagedError(ValueError):
    """Nobody can make sense of it, and libhdf5 may not survive it: it is not asked."""


class Pages:
    """Reads pieces of a file at HDF5 addresses, page by page, each page once while it is remembered."""

    def __init__(self, descriptor: int, base: int = 0) -> None:
        self.base = base
        """Where addresses begin: behind a user block."""
        self.size = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        self._pages: dict[int, bytes] = {}
        self._collections: dict[int, dict[int, bytes]] = {}

    def read(self, address: int, count: int) -> bytes:
        """Return exactly `count` bytes. Raises UnusualError beyond the end, OSError if the file system fails."""
        at = address + self.base
        number, offset = divmod(at, PAGE_BYTES)
        page = self._pages.get(number)
        if page is None:
            page = self._read_page(number, count)
        piece = page[offset : offset + count]
        if len(piece) < count:
            piece = self._read_across(at, count)
        return piece

    def read_up_to(self, at: int, count: int) -> bytes:
        """Return `count` bytes at a position of the file, fewer where it ends. Raises OSError."""
        number, offset = divmod(at, PAGE_BYTES)
        page = self._pages.get(number)
        if page is None:
            if not 0 <= at < self.size:
                return b""
            if count > PAGE_BYTES:
                return os.pread(self._descriptor, min(count, self.size - at), at)
            page = self._read_page(number, count)
        if offset + count <= len(page) or len(page) < PAGE_BYTES:
            return page[offset : offset + count]
        return os.pread(self._descriptor, min(count, self.size - at), at)

    def _read_page(self, number: int, count: int) -> bytes:
        if not 0 <= number < 1 << 47 or count > _MOST_BYTES:
            raise UnusualError
        if len(self._pages) >= _MOST_PAGES:
            self._pages.clear()
        page = self._pages[number] = os.pread(self._descriptor, PAGE_BYTES, number * PAGE_BYTES)
        return page

    def _read_across(self, at: int, count: int) -> bytes:
        if count > _MOST_BYTES:
            raise UnusualError
        pieces = os.pread(self._descriptor, count, at)
        if len(pieces) < count:
            raise UnusualError
        return pieces

    def read_heap_object(self, address: int, index: int, length: int) -> bytes:
        """Return the first `length` bytes of an object of the global heap collection at an address."""
        if not length:
            return b""
        content = self.find_heap_object(address, index)
        if len(content) < length:
            raise UnusualError
        return content[:length]

    def find_heap_object(self, address: int, index: int) -> bytes:
        """Return an object of the global heap collection at an address; empty if there is none of that number."""
        collection = self._collections.get(address)
        if collection is None:
            if len(self._collections) >= _MOST_PAGES:
                self._collections.clear()
            collection = self._collections[address] = self._read_collection(address)
        return collection.get(index, b"")

    def _read_collection(self, address: int) -> dict[int, bytes]:
        signature, version, size = struct.unpack("<4sB3xQ", self.read(address, _COLLECTION_HEAD))
        if signature != b"GCOL" or version != 1 or address == _UNDEFINED:
            raise UnusualError
        content = self.read(address, size)
        objects: dict[int, bytes] = {}
        at = _COLLECTION_HEAD
        while at + _COLLECTION_HEAD <= size:
            index, length = struct.unpack_from("<H6xQ", content, at)
            at += _COLLECTION_HEAD
            if not index:  # what is left is free
                break
            objects[index] = content[at : at + length]
            at += length + -length % 8
        return objects
