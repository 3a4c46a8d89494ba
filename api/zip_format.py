"""The bytes of a ZIP archive that is written in one go: APPNOTE.TXT 6.3.10, stored members, ZIP64 where it is needed.

What a checksum is, is known only behind the data: so each member has a data descriptor, as in every streamed archive.
zipstream-ng writes the same, but opens files by their paths, gives no time to what is handed to it open, and holds half
a kilobyte for each member. Sizes are in bytes, times in seconds since 1970.
"""

import struct
from datetime import UTC, datetime
from time import gmtime
from typing import Final, NamedTuple

MAX_SIZE: Final = 0xFFFFFFFF
"""From here on sizes and offsets stand in a ZIP64 field (4.3.9.2, 4.5.3)."""
MAX_COUNT: Final = 0xFFFF
_PLAIN_VERSION: Final = 20
_ZIP64_VERSION: Final = 45
_MADE_ON_UNIX: Final = 3 << 8
_FLAGS: Final = 0x0808  # a data descriptor follows; the name is UTF-8
_STORED: Final = 0
_MODE: Final = 0o100644 << 16
_FIRST_DOS_TIME: Final = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
_LAST_DOS_TIME: Final = int(datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC).timestamp())
_LAST_STAMP: Final = 2**31 - 1

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_DESCRIPTOR: Final = struct.Struct("<4s3L")
_DESCRIPTOR_64: Final = struct.Struct("<4sL2Q")
_END: Final = struct.Struct("<4s4H2LH")
_END_64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = struct.Struct("<4sLQL")
_STAMP: Final = struct.Struct("<2HBl")
_SIZES_64: Final = struct.Struct("<2H2Q")


class Member(NamedTuple):
    """A file in an archive; the name as the archive has it."""

    name: bytes
    size: int
    mtime: int


def to_lengths(member: Member, offset: int) -> tuple[int, int]:
    """Return how many bytes a member takes that stands at the offset: with its data, and in the directory."""
    is_large = member.size >= MAX_SIZE
    stamp = _STAMP.size if abs(member.mtime) <= _LAST_STAMP else 0
    frame = _LOCAL.size + (_SIZES_64.size + _DESCRIPTOR_64.size if is_large else _DESCRIPTOR.size)
    large = 8 * (2 * is_large + (offset >= MAX_SIZE))
    entry = _CENTRAL.size + (4 + large if large else 0)
    return frame + len(member.name) + stamp + member.size, entry + len(member.name) + stamp


def to_local_header(member: Member) -> bytes:
    """Return what stands before the data of a member."""
    is_large = member.size >= MAX_SIZE
    extra = _to_stamp(member.mtime)
    if is_large:
        # The sizes themselves stand behind the data, too; that there are 64 bits for them is told by these fields.
        extra += _SIZES_64.pack(1, 16, 0, 0)
    version = _ZIP64_VERSION if is_large else _PLAIN_VERSION
    size = MAX_SIZE if is_large else 0
    lengths = len(member.name), len(extra)
    header = _LOCAL.pack(b"PK\3\4", version, _FLAGS, _STORED, *_to_dos_time(member.mtime), 0, size, size, *lengths)
    return header + member.name + extra


def to_descriptor(member: Member, crc: int) -> bytes:
    """Return what stands behind the data of a member."""
    form = _DESCRIPTOR_64 if member.size >= MAX_SIZE else _DESCRIPTOR
    return form.pack(b"PK\7\x08", crc, member.size, member.size)


def to_central_header(member: Member, crc: int, offset: int) -> bytes:
    """Return what the directory at the end says of a member whose local header stands at the offset."""
    large = [member.size] * 2 if member.size >= MAX_SIZE else []
    if offset >= MAX_SIZE:
        large.append(offset)
    zip64 = struct.pack(f"<2H{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    extra = zip64 + _to_stamp(member.mtime)
    version = _ZIP64_VERSION if large else _PLAIN_VERSION
    size = min(member.size, MAX_SIZE)
    header = _CENTRAL.pack(
        b"PK\1\2",
        _MADE_ON_UNIX | version,
        version,
        _FLAGS,
        _STORED,
        *_to_dos_time(member.mtime),
        crc,
        size,
        size,
        len(member.name),
        len(extra),
        0,
        0,
        0,
        _MODE,
        min(offset, MAX_SIZE),
    )
    return header + member.name + extra


def to_end(count: int, offset: int, length: int) -> bytes:
    """Return the end of an archive with that many members, whose directory of that length stands at the offset."""
    end_64 = b""
    if count >= MAX_COUNT or offset >= MAX_SIZE or length >= MAX_SIZE:
        versions = _MADE_ON_UNIX | _ZIP64_VERSION, _ZIP64_VERSION
        end_64 = _END_64.pack(b"PK\6\6", _END_64.size - 12, *versions, 0, 0, count, count, length, offset)
        end_64 += _LOCATOR_64.pack(b"PK\6\7", 0, offset + length, 1)
    shown = min(count, MAX_COUNT)
    return end_64 + _END.pack(b"PK\5\6", 0, 0, shown, shown, min(length, MAX_SIZE), min(offset, MAX_SIZE), 0)


def _to_stamp(mtime: int) -> bytes:
    """Return the extended time stamp, which is in UTC; nothing for a time that it cannot hold."""
    return _STAMP.pack(0x5455, 5, 1, mtime) if abs(mtime) <= _LAST_STAMP else b""


def _to_dos_time(mtime: int) -> tuple[int, int]:
    """Return time and date in steps of two seconds, in UTC, the next one that there is."""
    year, month, day, hour, minute, second, *_ = gmtime(min(max(mtime, _FIRST_DOS_TIME), _LAST_DOS_TIME))
    return hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
