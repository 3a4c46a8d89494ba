"""The folder of the embedded index: generations of it, each whole in a sub-folder, and which one is searched.

    current             the name of the generation that is searched
    rebuilding          the name of one that is filled beside it, while there is one
    writer.lock         held by who writes to the current generation, or puts another in its place
    rebuild.lock        held by who fills the other
    generation-<hex>/   tantivy's files, and the layout that they have

The two names are files that are only ever replaced as a whole: `rebuilding` becomes `current` by one renaming. Locks
are the system's (flock), so that a killed process holds none.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from tantivy import Index

from ingest.catalogue.search.embedded_layout import LAYOUT_VERSION, make_schema
from ingest.catalogue.search.index import IndexOutdatedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CURRENT: Final = "current"
REBUILDING: Final = "rebuilding"
WRITER_LOCK: Final = "writer.lock"
REBUILD_LOCK: Final = "rebuild.lock"
LAYOUT: Final = "layout-version"
_GENERATION: Final = re.compile(r"generation-[0-9a-f]{32}")


def create_folder(folder: Path) -> None:
    """Leave an index in the folder: an empty one if there is nothing.

    It is built aside and renamed, so that of several processes one wins and all see it whole.
    """
    if folder.exists() and any(folder.iterdir()):
        return
    aside = folder.with_name(f".{folder.name}-{uuid4().hex}")
    aside.mkdir(parents=True)
    write_name(aside / CURRENT, make_generation(aside))
    try:
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside)
        if not folder.exists():
            raise


def make_generation(folder: Path) -> Path:
    """Return a new, empty generation in the folder."""
    generation = folder / f"generation-{uuid4().hex}"
    generation.mkdir()
    Index(make_schema(), str(generation))
    (generation / LAYOUT).write_text(f"{LAYOUT_VERSION}\n")
    return generation


def find_generation(folder: Path, name: str) -> Path | None:
    """Return the generation that the file of that name names; None if there is no such file, or nonsense in it."""
    try:
        found = (folder / name).read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    return folder / found if _GENERATION.fullmatch(found) else None


def get_current(folder: Path) -> Path:
    """Return the generation that is searched; raises IndexOutdatedError if the folder names none."""
    try:
        found = find_generation(folder, CURRENT)
    except OSError as error:
        raise IndexOutdatedError(str(folder), f"cannot be read ({error.strerror})") from error
    if found is None:
        raise IndexOutdatedError(str(folder), "is not one, or not built yet" if folder.exists() else "is gone")
    return found


def write_name(file: Path, generation: Path) -> None:
    """Leave the generation's name in the file, which is replaced as a whole, also when the power fails."""
    part = file.with_name(f"{file.name}.part")
    with part.open("w", encoding="ascii") as writer:
        writer.write(f"{generation.name}\n")
        writer.flush()
        os.fsync(writer.fileno())
    part.replace(file)
    _sync(file.parent)


def switch(folder: Path) -> None:
    """Leave the generation that was filled the current one, by one renaming."""
    try:
        (folder / REBUILDING).replace(folder / CURRENT)
    except FileNotFoundError as error:
        raise IndexOutdatedError(str(folder), "was removed while it was rebuilt") from error
    _sync(folder)


def remove_others(folder: Path) -> None:
    """Remove the generations that nothing names. Who searches one goes on: its files are mapped until it lets go."""
    kept = {find_generation(folder, CURRENT), find_generation(folder, REBUILDING)}
    for path in folder.iterdir():
        if _GENERATION.fullmatch(path.name) and path not in kept:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def locked(file: Path, busy: Exception | None = None) -> Iterator[None]:
    """Hold the lock of that file, between processes and between threads of one; without `busy` wait for it.

    Raises `busy` at once if another has it.
    """
    with file.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError as error:
            raise busy or error from error
        yield


def open_generation(generation: Path) -> Index:
    """Return the index in the folder; raises IndexOutdatedError if it is of another layout, damaged or none."""
    try:
        found = (generation / LAYOUT).read_text().strip()
    except OSError as error:
        raise IndexOutdatedError(str(generation.parent), f"cannot be read ({error.strerror})") from error
    if found != str(LAYOUT_VERSION):
        raise IndexOutdatedError(str(generation.parent), f"has layout {found}, this release needs {LAYOUT_VERSION}")
    with broken_as_outdated(generation):
        index = Index.open(str(generation))
        # Else a thread reads each commit within half a second, asked or not, and writes a lock into the folder for it.
        index.config_reader(reload_policy="manual")
        return index


def read_state(generation: Path) -> tuple[int, int, int]:
    """Return what changes with every commit: tantivy replaces this file by renaming another over it."""
    try:
        stat = (generation / "meta.json").stat()
    except OSError as error:
        raise IndexOutdatedError(str(generation.parent), f"cannot be read ({error.strerror})") from error
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


@contextmanager
def broken_as_outdated(generation: Path) -> Iterator[None]:
    """Turn tantivy's word for files that it cannot read into ours."""
    try:
        yield
    except ValueError as error:
        raise IndexOutdatedError(str(generation.parent), f"cannot be read ({error})") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
