"""Opening a file of a dataset, and nothing else: what was opened is looked at, not the path that led there.

A path may mean another file at the next moment. So the file is opened first, and then its descriptor is asked what it
is and where it lies: whoever exchanges a file for a link meanwhile wins nothing.
"""

from __future__ import annotations

import errno
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final, Self

from ingest.catalogue.errors import CatalogueError, PathOutsideRootsError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.catalogue.settings import CatalogueSettings

logger = logging.getLogger(__name__)

# Not blocking: a FIFO without a writer would hold the reader for ever.
_FLAGS: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_DESCRIPTORS: Final = "/proc/self/fd"
_GONE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO, errno.EISDIR}
_WRITTEN_OUT: Final = re.compile(rb"\\x([89a-f][0-9a-f])")


class FileVanishedError(CatalogueError):
    """The catalogue knows the file, but no file of that name lies there any more."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is no longer there")


class FileElsewhereError(PathOutsideRootsError):
    """The file's name leads to a place from which nothing is served. Where that is, is told to nobody."""

    def __init__(self, name: str) -> None:
        self.path = name
        CatalogueError.__init__(self, f"{name} leads out of what is served here: tell the facility")


class FileChangedError(CatalogueError):
    """The file changed while it was sent, so that what was sent is neither its former nor its present state."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} changed while it was sent")


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where a file lies: a name relative to the folder `location`, and the root that it must not leave."""

    root: str
    location: str
    name: str


class OpenedFile:
    """A regular file that lies within its root, open for reading; sizes in bytes."""

    def __init__(self, place: FilePlace, descriptor: int) -> None:
        """Take over the descriptor. Raises FileVanishedError if it is no regular file."""
        self.name = place.name
        self._descriptor = descriptor
        stat = os.fstat(descriptor)
        if not S_ISREG(stat.st_mode) or stat.st_nlink == 0:
            raise FileVanishedError(place.name)
        self.size, self.mtime_ns, self.inode = stat.st_size, stat.st_mtime_ns, stat.st_ino
        self.path = _find_path(descriptor)
        """Where it lies, all links resolved; in bytes, since a folder may be called by any."""

    def read(self, start: int, count: int) -> bytes:
        """Return that many bytes from there, fewer only at its end."""
        return os.pread(self._descriptor, count, start)

    def check_unchanged(self) -> None:
        """Raise FileChangedError if it was written to since it was opened."""
        stat = os.fstat(self._descriptor)
        if (stat.st_size, stat.st_mtime_ns) != (self.size, self.mtime_ns):
            raise FileChangedError(self.name)

    def close(self) -> None:
        """Leave it closed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_inside(place: FilePlace, withheld: tuple[bytes, ...]) -> OpenedFile:
    """Open the file. What begins with one of `withheld` is never opened for anybody, wherever a link leads.

    Raises FileVanishedError if no regular file is there, FileElsewhereError if it leads out of the root, and
    UnavailableError if it cannot be told or read now.
    """
    descriptor = _open(place)
    try:
        opened = OpenedFile(place, descriptor)
        _check_inside(opened.path, place, withheld)
    except BaseException:
        os.close(descriptor)
        raise
    return opened


def to_withheld(settings: CatalogueSettings) -> tuple[bytes, ...]:
    """Return how the paths begin of all that is the catalogue's own: its data folder and its database."""
    own = [f"{os.path.realpath(settings.data)}/"]
    kind, _, database = settings.effective_database_url.partition(":///")
    if kind.startswith("sqlite") and database:
        own.append(os.path.realpath(database))
    return tuple(map(os.fsencode, own))


def _open(place: FilePlace) -> int:
    if place.name.startswith("/") or not {".", "..", ""}.isdisjoint(place.name.split("/")):
        raise FileVanishedError(place.name)
    for spelling in _to_spellings(place.name):
        try:
            return os.open(b"%s/%s" % (place.location.encode(), spelling), _FLAGS)
        except OSError as error:
            if error.errno not in _GONE:
                raise UnavailableError(f"{place.name} in {place.location} cannot be read: {error.strerror}") from error
    if not _is_mounted(place.root):
        raise UnavailableError(f"the root {place.root} is not there, or empty: is it mounted?")
    raise FileVanishedError(place.name)


def _check_inside(path: bytes, place: FilePlace, withheld: tuple[bytes, ...]) -> None:
    root = place.root.rstrip("/").encode() + b"/"
    if not path.startswith(root) or path.startswith(withheld):
        logger.warning("%r in %r leads to %r: not served", place.name, place.location, path)
        raise FileElsewhereError(place.name)


def _to_spellings(name: str) -> Iterator[bytes]:
    """Yield the names on disk that the catalogue may mean: of one that is not UTF-8 it has the bytes written out."""
    yield name.encode()
    spelling = _WRITTEN_OUT.sub(lambda found: bytes.fromhex(found[1].decode()), name.encode())
    if spelling != name.encode() and spelling.decode("utf-8", "backslashreplace") == name:
        yield spelling


def _find_path(descriptor: int) -> bytes:
    """Return where an open file lies, as the kernel knows it."""
    try:
        return os.readlink(f"{_DESCRIPTORS}/{descriptor}".encode())
    except OSError as error:
        raise UnavailableError(f"where an open file lies cannot be told without {_DESCRIPTORS}") from error


def _is_mounted(root: str) -> bool:
    try:
        return next(Path(root).iterdir(), None) is not None
    except OSError:
        return False
