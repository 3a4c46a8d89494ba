"""Which files belong to a dataset: names and stats, nothing opened."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a dataset: (name relative to the location, bytes, mtime in ns), sorted by name."""

    location: Path
    files: tuple[tuple[str, int, int], ...]

    @property
    def digest(self) -> str:
        """A short text that differs when anything in the listing does."""
        digest = blake2b(digest_size=20)
        for name, size, mtime_ns in self.files:
            digest.update(f"{name}\0{size}\0{mtime_ns}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def list_folder(folder: Path) -> Listing:
    """List every regular file below the folder. Symbolic links are not followed: they may leave it."""
    return Listing(folder, tuple(sorted(_walk(str(folder), ""))))


def list_linked(master: Path, linked: Iterable[str]) -> Listing:
    """List the master and those of the files it names that are there, below the master's own folder."""
    folder = master.parent
    names = {master.name}
    for file in linked:
        target = Path(os.path.realpath(folder / file))
        if target.is_relative_to(folder):
            names.add(str(target.relative_to(folder)))
    found = ((name, _stat(folder / name)) for name in sorted(names))
    return Listing(folder, tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found if stat is not None))


def count_missing(master: Path, root: str, linked: Iterable[str], listing: Listing) -> int:
    """Return how many of the files that the master names are not there, of those that could be below the root.

    Absolute paths of another machine are no news: they are dangling in every copy. What the listing has is not looked
    for again: that is all of them, as a rule.
    """
    folder = f"{listing.location}/"
    listed = {name for name, _, _ in listing.files}
    targets = {os.path.normpath(os.path.join(master.parent, file)) for file in linked}
    unlisted = [target for target in targets if target.removeprefix(folder) not in listed]
    return sum(1 for target in unlisted if target.startswith(f"{root}/") and not os.path.lexists(target))


def _walk(folder: str, prefix: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        below = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                below.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                yield prefix + _printable(entry.name), stat.st_size, stat.st_mtime_ns
    for name in below:
        yield from _walk(f"{folder}/{name}", f"{prefix}{_printable(name)}/")


def _printable(name: str) -> str:
    """Return the name as text: one that is not UTF-8 is kept with its bytes written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
