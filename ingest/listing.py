"""Which files belong to a dataset: names and stats, nothing opened."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, pairwise
from pathlib import Path
from stat import S_ISREG

from ingest.catalogue.datafiles import ListedFile
from ingest.catalogue.masters import clamp_ns

NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""How the file system says clearly that nothing is there."""


class Files(Collection[ListedFile]):
    """The files of a dataset, each name once, in the order of the names.

    Kept as one line of text each: 200,002 of them take 24 MB, as tuples of their parts they would take 60 MB.
    """

    __slots__ = ("_lines",)

    def __init__(self, found: Iterable[ListedFile]) -> None:
        # No name holds a NUL, and nothing sorts before it: so the lines are in the order of the names.
        lines = sorted(f"{name}\0{size}\0{mtime_ns}" for name, size, mtime_ns in found)
        # Two names that are not UTF-8 may read the same.
        beside = pairwise(chain(("",), lines))
        self._lines = [line for before, line in beside if _to_name(before) != _to_name(line)]

    def __iter__(self) -> Iterator[ListedFile]:
        for line in self._lines:
            name, size, mtime_ns = line.split("\0")
            yield name, int(size), int(mtime_ns)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, file: object) -> bool:
        return any(file == other for other in self)

    def to_digest(self, own: str) -> str:
        """Return a short text that differs when a file comes, goes or changes.

        Of the master itself, `own`, only the name counts: what changed in it, its record tells; a touch is no change.
        """
        digest = blake2b(digest_size=20)
        for number, line in enumerate(self._lines):
            told = own if _to_name(line) == own else line
            digest.update(f"\n{told}".encode() if number else told.encode())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a master's dataset. `digest` differs when a file comes, goes or changes."""

    location: Path
    files: Collection[ListedFile]
    digest: str


def list_folder(master: Path) -> Listing:
    """List every regular file below the master's folder. Symbolic links are not followed: they may leave it."""
    return to_listing(master, _walk(str(master.parent)))


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
    return to_listing(master, ((to_printable(name), *_to_facts(stat)) for name, stat in found if stat is not None))


def to_listing(master: Path, found: Iterable[ListedFile]) -> Listing:
    """Return the listing of a master whose dataset has these files."""
    files = Files(found)
    return Listing(master.parent, files, files.to_digest(to_printable(master.name)))


def is_mounted(folder: str) -> bool:
    """Return whether the folder is there with something in it: one that is empty is most likely not mounted."""
    try:
        return bool(os.listdir(folder))
    except OSError as error:
        return error.errno not in NOT_THERE


def is_there(path: str) -> bool:
    """Return whether a file lies at that real path, or may: only a clear answer of the file system means gone.

    What a link on the way leads to lies elsewhere.
    """
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno not in NOT_THERE
    return os.path.realpath(path) == path


def to_printable(name: str) -> str:
    """Return the name as text: one that is not UTF-8 is kept with its bytes written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def is_utf8(name: str) -> bool:
    """Return whether the name is text that a database can hold."""
    return name.isascii() or name.encode("utf-8", "ignore") == os.fsencode(name)


def _to_name(line: str) -> str:
    return line.partition("\0")[0]


def _walk(folder: str) -> Iterator[ListedFile]:
    # A list of our own: folders may be nested deeper than Python calls may be.
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            listed = os.scandir(f"{folder}/{prefix}")
        except OSError as error:
            if prefix and error.errno in NOT_THERE:
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
        if error.errno in NOT_THERE:
            return None
        raise
    return stat if S_ISREG(stat.st_mode) else None


def _to_facts(stat: os.stat_result) -> tuple[int, int]:
    return stat.st_size, clamp_ns(stat.st_mtime_ns)
