"""A dataset as one ZIP archive, made while it is sent: its length is known before, and no more is held than its names.

Every file is opened twice: before the answer begins, since it must be known whether all can be read, and how long they
are; and when its turn comes. One that changed in between, or is gone, ends the connection: the length that was promised
is not reached, so nobody takes what there is for a whole archive.
"""

import re
import zlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, TypeAlias

from api.zip_format import Member, to_central_header, to_descriptor, to_end, to_lengths, to_local_header
from ingest.catalogue.opening import FileChangedError, OpenedFile

PIECE_BYTES: Final = 1 << 20
"""So much is read and sent at once."""
_NAMES_AT_ONCE: Final = 1000
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]|%(?=[0-9A-F]{2})")

Open: TypeAlias = Callable[[str], OpenedFile]
"""Opens the file of a name."""


@dataclass(slots=True)
class Listing:
    """The files of an archive, in few bytes each: names, sizes in bytes, and times in ns, in packs of a thousand."""

    names: list[str] = field(default_factory=list)
    """Those of one pack, with NUL between them: no name holds one."""
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    mtimes: "array[int]" = field(default_factory=lambda: array("q"))

    def __iter__(self) -> Iterator[tuple[str, int, int]]:
        names = (name for pack in self.names for name in pack.split("\0"))
        return zip(names, self.sizes, self.mtimes, strict=True)

    def add(self, pack: list[tuple[str, int, int]]) -> None:
        """Add some files."""
        self.names.append("\0".join(name for name, _, _ in pack))
        self.sizes.extend(size for _, size, _ in pack)
        self.mtimes.extend(mtime for _, _, mtime in pack)


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive before it is written: the folder that all is below, the files, the length, and a strong entity tag."""

    folder: str
    listing: Listing
    length: int
    etag: str


def plan_archive(folder: str, names: Iterable[str], open_file: Open) -> Archive:
    """Return the archive of the files of these names. Each is opened; raises as `open_file` for one that cannot be."""
    listing, digest = Listing(), blake2b(folder.encode(), digest_size=16)
    offset = directory = count = 0
    pack: list[tuple[str, int, int]] = []
    for name in names:
        with open_file(name) as opened:
            pack.append((name, opened.size, opened.mtime_ns))
            digest.update(f"\0{name}\0{opened.size}\0{opened.mtime_ns}\0{opened.inode}".encode())
        member = to_member(folder, *pack[-1])
        length, entry = to_lengths(member, offset)
        offset += length
        directory += entry
        count += 1
        if len(pack) == _NAMES_AT_ONCE:
            listing.add(pack)
            pack = []
    if pack:
        listing.add(pack)
    total = offset + directory + len(to_end(count, offset, directory))
    return Archive(folder, listing, total, f'"{digest.hexdigest()}"')


def stream_archive(archive: Archive, open_file: Open) -> Generator[bytes]:
    """Yield the archive, at most a little more than PIECE_BYTES at once.

    Raises FileChangedError if a file is not as it was planned, and as `open_file` if it cannot be opened any more.
    """
    return _join(_write_archive(archive, open_file))


def to_member(folder: str, name: str, size: int, mtime_ns: int) -> Member:
    """Return the member of an archive that a file becomes, below the folder."""
    return Member(f"{folder}/{to_safe_name(name)}".encode(), size, mtime_ns // 10**9)


def to_safe_name(name: str) -> str:
    """Return a relative name for an archive that leads nowhere else on any system; two names never become one.

    A backslash, which some take for a slash, and control characters are percent-encoded; so is a percent sign that
    would seem to begin such a code.
    """
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", name)


def to_folder_name(dataset_name: str, dataset_id: int) -> str:
    """Return what the folder in the archive is called: as the dataset, if a folder can be."""
    name = to_safe_name(dataset_name.replace("/", "_"))
    return f"dataset-{dataset_id}" if name in ("", ".", "..") else name


def _write_archive(archive: Archive, open_file: Open) -> Generator[bytes]:
    checksums = array("I")
    offset = 0
    for name, size, mtime_ns in archive.listing:
        member = to_member(archive.folder, name, size, mtime_ns)
        yield to_local_header(member)
        checksum = 0
        for piece in _read(name, size, mtime_ns, open_file):
            checksum = zlib.crc32(piece, checksum)
            yield piece
        yield to_descriptor(member, checksum)
        checksums.append(checksum)
        offset += to_lengths(member, offset)[0]
    yield from _write_directory(archive, checksums, offset)


def _write_directory(archive: Archive, checksums: "array[int]", end: int) -> Iterator[bytes]:
    offset = length = 0
    for file, checksum in zip(archive.listing, checksums, strict=True):
        member = to_member(archive.folder, *file)
        header = to_central_header(member, checksum, offset)
        yield header
        length += len(header)
        offset += to_lengths(member, offset)[0]
    yield to_end(len(checksums), end, length)


def _read(name: str, size: int, mtime_ns: int, open_file: Open) -> Iterator[bytes]:
    with open_file(name) as opened:
        if (opened.size, opened.mtime_ns) != (size, mtime_ns):
            raise FileChangedError(name)
        yield from read_pieces(opened, 0, size)
        opened.check_unchanged()


def read_pieces(opened: OpenedFile, start: int, stop: int) -> Iterator[bytes]:
    """Yield the bytes of a file from `start` up to `stop`; raises FileChangedError if it ends before."""
    while start < stop:
        piece = opened.read(start, min(PIECE_BYTES, stop - start))
        if not piece:
            raise FileChangedError(opened.name)
        start += len(piece)
        yield piece


def _join(parts: Generator[bytes]) -> Generator[bytes]:
    """Yield the same bytes in fewer pieces: each one costs a change of threads."""
    waiting: list[bytes] = []
    length = 0
    with closing(parts):
        for part in parts:
            waiting.append(part)
            length += len(part)
            if length >= PIECE_BYTES:
                yield b"".join(waiting)
                waiting, length = [], 0
    yield b"".join(waiting)
