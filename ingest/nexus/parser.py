"""Our own parser of object headers: what libhdf5 needs 100 microseconds for, a small field, takes 15 here.

It knows what metadata are made of: groups of both generations with their links in the header or a B-tree, small
fields stored in one piece, attributes in the header. Everything else (dense storage, committed and compound types,
virtual and external storage, damage) is left to libhdf5 by UnusualError. A test reads every file of the corpus both
ways.

All steps are bounded, so that damage cannot make it loop. It never looks at another file: it knows no other
descriptor. Checksums (of the newer format) are not verified: libhdf5 verified that of the superblock, and files whose
writer may be alive are not given to the parser. File format specification, III.A (B-trees), III.B (symbol tables),
IV.A (headers and their messages).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from ingest.nexus.datatypes import to_head, to_items, to_type
from ingest.nexus.opened import CONTIGUOUS, FILTERS, Members, Storage
from ingest.nexus.pages import Pages, UnusualError
from ingest.nexus.values import to_name
from ingest.nexus.virtual import is_virtual, to_virtual_storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.nexus.opened import Head, OpenField

_UNDEFINED = (1 << 64) - 1
_MOST_CHUNKS = 64
_MOST_HEADER_BYTES = 1 << 18
"""Attributes larger than 64 kB lie outside the header; this bounds the steps through a damaged one."""
_MOST_NODES = 4_096
_SHARED = 0b10
_COMPACT, _CONTIGUOUS, _CHUNKED = 0, 1, 2

_SPACE, _LINK_INFO, _TYPE, _LINK, _EXTERNAL_FILES, _LAYOUT, _FILTER = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08, 0x0B
_ATTRIBUTE, _CONTINUATION, _SYMBOL_TABLE, _ATTRIBUTE_INFO = 0x0C, 0x10, 0x11, 0x15

_DAMAGE = (UnusualError, struct.error, KeyError, IndexError)
"""What bytes that are not as expected raise here."""
_MOST_ITEMS = 64

Messages = list[tuple[int, int, bytes]]
"""Type, flags and content of the messages of one object header."""


class ParsedAttribute:
    """An attribute out of its message."""

    __slots__ = ("_items", "head", "name", "raw_name")

    def __init__(self, raw_name: bytes, head: Head, items: list[Any]) -> None:
        self.raw_name = raw_name
        self.name = to_name(raw_name)
        self.head = head
        self._items = items

    def read_items(self) -> list[Any]:
        """Return all values, flat. Raises UnusualError for more than a record ever keeps."""
        if len(self._items) < self.head.size:
            raise UnusualError
        return self._items


class _ParsedObject:
    """What groups and fields have in common: attributes in order of names."""

    __slots__ = ("_attributes", "attribute_count")

    def __init__(self, pages: Pages, messages: Messages) -> None:
        found = [_to_attribute(pages, body) for number, _, body in messages if number == _ATTRIBUTE]
        if len(found) > 1:
            found.sort(key=lambda attribute: attribute.raw_name)
        self._attributes = found
        self.attribute_count = len(found)

    def open_attribute(self, index: int) -> ParsedAttribute:
        """Return one attribute, by name order."""
        return self._attributes[index]


class ParsedField(_ParsedObject):
    """A field out of its header; values of chunked ones are read by libhdf5."""

    __slots__ = ("_ask_library", "_pages", "_place", "_type", "head", "storage")

    def __init__(self, pages: Pages, messages: Messages, ask_library: Callable[[], OpenField]) -> None:
        super().__init__(pages, messages)
        bodies = {number: body for number, _, body in messages}
        self._pages = pages
        self._ask_library = ask_library
        self._type = to_type(bodies[_TYPE])
        self.head = to_head(self._type, bodies[_SPACE])
        layout = bodies[_LAYOUT]
        if is_virtual(layout):
            self._place, self.storage = None, to_virtual_storage(layout, pages)
            return
        self._place, chunks = _to_place(layout, len(self.head.shape))
        filters = _to_filters(bodies[_FILTER]) if _FILTER in bodies else ()
        self.storage = Storage(chunks, filters) if chunks else CONTIGUOUS

    def read_items(self) -> list[Any]:
        """Return all values, flat."""
        try:
            return to_items(self._type, self.head.size, self._read_content(), self._pages)
        except _DAMAGE:
            return self._ask_library().read_items()

    def _read_content(self) -> bytes:
        place = self._place
        if place is None:
            raise UnusualError
        return place if isinstance(place, bytes) else self._pages.read(place, self.head.size * self._type.stored)


class ParsedGroup(_ParsedObject):
    """A group out of its header."""

    __slots__ = ("_messages", "_pages")

    def __init__(self, pages: Pages, messages: Messages) -> None:
        super().__init__(pages, messages)
        self._pages = pages
        self._messages = [(number, body) for number, _, body in messages if number in {_LINK, _SYMBOL_TABLE}]

    def list_members(self, most: int) -> Members:
        """Return the links in order of names. Raises UnusualError if there are as many as `most`."""
        members = Members()
        try:
            for number, body in self._messages:
                if number == _LINK:
                    _add_link(members, body)
                else:
                    _add_symbols(members, self._pages, body, most)
        except _DAMAGE as error:
            raise UnusualError from error
        if len(members.hard) + len(members.soft) >= most:
            raise UnusualError
        members.hard.sort()
        members.soft.sort()
        return members


class Parser:
    """Finds groups and fields of one open file by their address."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def find(self, address: int, ask_library: Callable[[], OpenField]) -> ParsedGroup | ParsedField | None:
        """Return the object at an address, None if libhdf5 has to be asked.

        Raises OSError if the file system fails.
        """
        try:
            messages = _read_messages(self._pages, address)
            numbers = {number for number, _, _ in messages}
            if any(flags & _SHARED for _, flags, _ in messages) or _EXTERNAL_FILES in numbers:
                return None
            if numbers & {_SYMBOL_TABLE, _LINK_INFO, _LINK}:
                return ParsedGroup(self._pages, messages)
            return ParsedField(self._pages, messages, ask_library)
        except _DAMAGE:
            return None


def _read_messages(pages: Pages, address: int) -> Messages:
    head = pages.read(address, 16)
    if head.startswith(b"OHDR"):
        return _read_new_messages(pages, address, head)
    version, size = struct.unpack_from("<B7xI", head)
    if version != 1:
        raise UnusualError
    messages: Messages = []
    chunks = [(address + 16, size)]
    for start, length in chunks:
        block, at = pages.read(start, length), 0
        while at + 8 <= length:
            number, size, flags = struct.unpack_from("<HHB", block, at)
            body = block[at + 8 : at + 8 + size]
            at += 8 + size
            _add_message(messages, chunks, number, flags, body)
    return messages


def _read_new_messages(pages: Pages, address: int, head: bytes) -> Messages:
    flags = head[5]
    at = 6 + (16 if flags & 0b10_0000 else 0) + (4 if flags & 0b1_0000 else 0)
    width = 1 << (flags & 0b11)
    start = address + at + width
    chunks = [(start, int.from_bytes(pages.read(address + at, width), "little"))]
    messages: Messages = []
    skip = 6 if flags & 0b100 else 4
    for number_of_chunk, (begin, length) in enumerate(chunks):
        block = pages.read(begin, length)
        at, end = 0, length
        if number_of_chunk:
            if not block.startswith(b"OCHK"):
                raise UnusualError
            at, end = 4, length - 4
        while at + skip <= end:
            number, size, message_flags = struct.unpack_from("<BHB", block, at)
            body = block[at + skip : at + skip + size]
            at += skip + size
            _add_message(messages, chunks, number, message_flags, body)
    return messages


def _add_message(messages: Messages, chunks: list[tuple[int, int]], number: int, flags: int, body: bytes) -> None:
    if number == _CONTINUATION:
        start, length = struct.unpack_from("<QQ", body)
        chunks.append((start, length))
        if len(chunks) > _MOST_CHUNKS or sum(size for _, size in chunks) > _MOST_HEADER_BYTES:
            raise UnusualError
    elif number in {_LINK_INFO, _ATTRIBUTE_INFO}:
        if _is_dense(body, 8 if number == _LINK_INFO else 2):
            raise UnusualError
        messages.append((number, flags, body))
    elif number:
        messages.append((number, flags, body))


def _is_dense(body: bytes, indexed: int) -> bool:
    """Whether a link or attribute info message names a heap: then links or attributes lie outside the header."""
    at = 2 + (indexed if body[1] & 1 else 0)
    return int.from_bytes(body[at : at + 8], "little") != _UNDEFINED


def _to_attribute(pages: Pages, body: bytes) -> ParsedAttribute:
    version, flags, name_size, type_size, space_size = struct.unpack_from("<BBHHH", body)
    if version not in {1, 2, 3} or (version > 1 and flags):
        raise UnusualError
    at = 9 if version == 3 else 8  # noqa: PLR2004 - the version that tells the name's character set
    pieces = []
    for size in (name_size, type_size, space_size):
        pieces.append(body[at : at + size])
        at += size + (-size % 8 if version == 1 else 0)
    name, type_message, space_message = pieces
    plain = to_type(type_message)
    head = to_head(plain, space_message)
    items = to_items(plain, head.size, body[at:], pages) if head.size <= _MOST_ITEMS else []
    return ParsedAttribute(name.partition(b"\0")[0], head, items)


def _to_place(body: bytes, rank: int) -> tuple[int | bytes | None, tuple[int, ...]]:
    """Return where values lie (address, or the bytes themselves; None if libhdf5 must say) and the chunk's shape.

    The last size of a chunk is that of one value, so it has one more than the field's rank.
    """
    version = body[0]
    layout = body[2] if version in {1, 2} else body[1]
    if version in {1, 2} and layout == _CONTIGUOUS:  # HDF5 1.6
        return _to_address(body, 8), ()
    if version in {3, 4} and layout == _CONTIGUOUS:
        return _to_address(body, 2), ()
    if version in {3, 4} and layout == _COMPACT:
        (size,) = struct.unpack_from("<H", body, 2)
        return body[4 : 4 + size], ()
    if (version, layout, body[2]) == (3, _CHUNKED, rank + 1):
        return None, struct.unpack_from(f"<{rank}I", body, 11)
    if (version, layout, body[3]) == (4, _CHUNKED, rank + 1):
        width = body[4]
        return None, tuple(int.from_bytes(body[at : at + width], "little") for at in range(5, 5 + rank * width, width))
    raise UnusualError


def _to_address(body: bytes, at: int) -> int | None:
    (address,) = struct.unpack_from("<Q", body, at)
    return None if address == _UNDEFINED else int(address)


def _to_filters(body: bytes) -> tuple[str, ...]:
    version, count = body[0], body[1]
    if version not in {1, 2}:
        raise UnusualError
    at = 8 if version == 1 else 2
    names = []
    for _ in range(count):
        (number,) = struct.unpack_from("<H", body, at)
        named = version == 1 or number >= 256  # noqa: PLR2004 - registered filters carry their name
        name_size = struct.unpack_from("<H", body, at + 2)[0] if named else 0
        at += 4 if named else 2
        (values,) = struct.unpack_from("<H", body, at + 2)
        at += (
            4
            + name_size
            + (-name_size % 8 if version == 1 else 0)
            + 4 * values
            + (4 * (values % 2) if version == 1 else 0)
        )
        names.append(FILTERS.get(number, str(number)))
    return tuple(names)


def _add_link(members: Members, body: bytes) -> None:
    version, flags = body[0], body[1]
    if version != 1:
        raise UnusualError
    at = 2
    link_type = 0
    if flags & 0b1000:
        link_type, at = body[at], at + 1
    at += (8 if flags & 0b100 else 0) + (1 if flags & 0b1_0000 else 0)
    width = 1 << (flags & 0b11)
    length = int.from_bytes(body[at : at + width], "little")
    at += width
    name, rest = body[at : at + length], body[at + length :]
    if link_type == 0:
        members.hard.append((name, struct.unpack_from("<Q", rest)[0]))
    elif link_type == 1:
        members.soft.append((name, rest[2 : 2 + struct.unpack_from("<H", rest)[0]]))
    else:
        raise UnusualError


def _add_symbols(members: Members, pages: Pages, body: bytes, most: int) -> None:
    tree, heap = struct.unpack_from("<QQ", body)
    signature, size, segment = struct.unpack("<4s4xQ8xQ", pages.read(heap, 32))
    if signature != b"HEAP":
        raise UnusualError
    names = pages.read(segment, size)
    nodes = [tree]
    for node in nodes:
        if len(nodes) > _MOST_NODES or len(members.hard) + len(members.soft) > most:
            raise UnusualError
        head = pages.read(node, 24)
        if head.startswith(b"TREE"):
            (used,) = struct.unpack_from("<H", head, 6)
            nodes.extend(struct.unpack("<" + "8xQ" * used, pages.read(node + 24, 16 * used)))
        elif head.startswith(b"SNOD"):
            (count,) = struct.unpack_from("<H", head, 6)
            _add_node(members, pages.read(node + 8, 40 * count), names)
        else:
            raise UnusualError


def _add_node(members: Members, block: bytes, names: bytes) -> None:
    for offset, address, cached, value in struct.iter_unpack("<QQI4xI12x", block):
        name = _to_string(names, offset)
        if cached == 2:  # noqa: PLR2004 - a soft link, its path in the heap too
            members.soft.append((name, _to_string(names, value)))
        else:
            members.hard.append((name, address))


def _to_string(heap: bytes, offset: int) -> bytes:
    """Return the NUL-terminated string at an offset of a local heap."""
    end = heap.find(b"\0", offset)
    if end < 0:
        raise UnusualError
    return heap[offset:end]
