"""Which files belong to a dataset: names and stats, nothing opened."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from ingest.catalogue.masters import clamp_ns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a master's dataset: (name relative to the location, bytes, mtime in ns), sorted by name.

    `digest` is a short text that differs when a file comes, goes or changes.
    """

    location: Path
    files: tuple[tuple[str, int, int], ...]
    digest: str


def to_listing(master: Path, files: tuple[tuple[str, int, int], ...]) -> Listing:
    """Return the listing of these files.

    Of the master itself only the name counts: what changed in it, its record tells, and a touch is no change.
    """
    own = to_printable(master.name)
    lines = (name if name == own else f"{name}\0{size}\0{mtime_ns}" for name, size, mtime_ns in files)
    return Listing(master.parent, files, blake2b("\n".join(lines).encode(), digest_size=20).hexdigest())


def list_folder(master: Path) -> Listing:
    """List every regular file below the master's folder. Symbolic links are not followed: they may leave it."""
    # By name: two that are not UTF-8 may read the same.
    found = {name: (name, size, mtime_ns) for name, size, mtime_ns in _walk(str(master.parent))}
    return to_listing(master, tuple(found[name] for name in sorted(found)))


def list_linked(master: Path, linked: Iterable[str]) -> Listing:
    """List the master and those of the files it names that are there, below the master's own folder."""
    folder = master.parent
    names = {master.name}
    for file in linked:
        # By its words first: what a hostile name leads to elsewhere is not even looked at.
        if Path(os.path.normpath(folder / file)).is_relative_to(folder):
            target = Path(os.path.realpath(folder / file))
            if target.is_relative_to(folder):
                names.add(str(target.relative_to(folder)))
    found = ((name, _stat(folder / name)) for name in sorted(names))
    return to_listing(master, tuple((to_printable(name), *_to_facts(stat)) for name, stat in found if stat is not None))


def is_mounted(folder: str) -> bool:
    """Return whether the folder is there with something in it: one that is empty is most likely not mounted."""
    try:
        return bool(os.listdir(folder))
    except OSError as error:
        return error.errno not in _NOT_THERE


def is_there(path: str) -> bool:
    """Return whether a file lies at that real path, or may: only a clear answer of the file system means gone.

    What a link on the way leads to lies elsewhere.
    """
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno not in _NOT_THERE
    return os.path.realpath(path) == path


def to_printable(name: str) -> str:
    """Return the name as text: one that is not UTF-8 is kept with its bytes written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Return whether the name is text that a database can hold."""
    return name.isascii() or name.encode("utf-8", "ignore") == os.fsencode(name)


def count_missing(master: Path, root: str, linked: Iterable[str], listing: Listing) -> int:
    """Return how many of the files that the master names are not there, of those that could be below the root.

    Absolute paths of another machine are no news: they are dangling in every copy. What the listing has is not looked
    for again: that is all of them, as a rule.
    """
    folder = f"{listing.location}/"
    listed = {name for name, _, _ in listing.files}
    unlisted = {os.path.normpath(os.path.join(master.parent, file)) for file in linked if file not in listed}
    unlisted = {target for target in unlisted if target.removeprefix(folder) not in listed}
    return sum(1 for target in unlisted if target.startswith(f"{root}/") and not os.path.lexists(target))


def _walk(folder: str) -> Iterator[tuple[str, int, int]]:
    # A list of our own: folders may be nested deeper than Python calls may be.
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            listed = os.scandir(f"{folder}/{prefix}")
        except OSError as error:
            if prefix and error.errno in _NOT_THERE:
                continue  # it went away in this moment, or no path is long enough for it
            raise
        with listed as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{prefix}{entry.name}/")
                elif entry.is_file(follow_symlinks=False) and (stat := _stat(entry)) is not None:
                    yield to_printable(prefix + entry.name), *_to_facts(stat)


def _stat(file: os.DirEntry[str] | Path) -> os.stat_result | None:
    """Return the stat of a regular file; None if it is none, or went away in this moment."""
    try:
        stat = file.stat(follow_symlinks=False)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise
    return stat if S_ISREG(stat.st_mode) else None


def _to_facts(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_size, clamp_ns(stat.st_mtime_ns)
