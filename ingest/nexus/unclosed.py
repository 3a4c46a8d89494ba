"""The header of a file whose writer died, as if it had closed the file where it ends.

libhdf5 refuses such a file (superblock version 2 and 3) until h5clear has written into it. That of a SWMR writer it
would open as a SWMR reader, which at damage waits ever longer for a writer that is not there.
"""

from __future__ import annotations

from ingest.nexus.gate import HDF5_SIGNATURE

_FLAGS_AT = 11
_BASE_AT, _END_AT, _ROOT_AT = 12, 28, 36
_SUPERBLOCK_BYTES = 44
"""Length of a superblock of version 2 or 3 with offsets of 8 bytes, before its checksum."""
_WORD = 0xFFFFFFFF


def to_closed_header(header: bytes, size: int) -> bytes:
    """Return a superblock of version 2 or 3 without flags, with this size of the file; others as they are.

    A writer that died had often not written all that it had told the length of, or more.
    """
    if header[8:10] not in {b"\2\x08", b"\3\x08"} or not header.startswith(HDF5_SIGNATURE):
        return header
    base = int.from_bytes(header[_BASE_AT : _BASE_AT + 8], "little")
    end = ((base + size) & (1 << 64) - 1).to_bytes(8, "little")
    changed = header[:_FLAGS_AT] + b"\0" + header[_BASE_AT:_END_AT] + end + header[_ROOT_AT:_SUPERBLOCK_BYTES]
    return changed + to_checksum(changed).to_bytes(4, "little") + header[_SUPERBLOCK_BYTES + 4 :]


def to_checksum(content: bytes) -> int:
    """Return Bob Jenkins' lookup3 hash, HDF5's checksum of metadata (http://burtleburtle.net/bob/c/lookup3.c)."""
    words = [int.from_bytes(content[at : at + 4], "little") for at in range(0, len(content), 4)]
    a = b = c = (0xDEADBEEF + len(content)) & _WORD
    while len(words) > 3:  # noqa: PLR2004 - it works on three words at a time
        a, b, c = _mix(a + words[0], b + words[1], c + words[2])
        del words[:3]
    words += [0] * (3 - len(words))
    return _finish(a + words[0], b + words[1], c + words[2])


def _rotate(word: int, count: int) -> int:
    return (word << count | (word & _WORD) >> (32 - count)) & _WORD


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a, b, c = a & _WORD, b & _WORD, c & _WORD
    for first, second, third in ((4, 6, 8), (16, 19, 4)):
        a = (a - c) & _WORD ^ _rotate(c, first)
        c = (c + b) & _WORD
        b = (b - a) & _WORD ^ _rotate(a, second)
        a = (a + c) & _WORD
        c = (c - b) & _WORD ^ _rotate(b, third)
        b = (b + a) & _WORD
    return a, b, c


def _finish(a: int, b: int, c: int) -> int:
    a, b, c = a & _WORD, b & _WORD, c & _WORD
    c = ((c ^ b) - _rotate(b, 14)) & _WORD
    a = ((a ^ c) - _rotate(c, 11)) & _WORD
    b = ((b ^ a) - _rotate(a, 25)) & _WORD
    c = ((c ^ b) - _rotate(b, 16)) & _WORD
    a = ((a ^ c) - _rotate(c, 4)) & _WORD
    b = ((b ^ a) - _rotate(a, 14)) & _WORD
    return ((c ^ b) - _rotate(b, 24)) & _WORD
