"""The folder of the embedded index: made at once, opened only if it is ours and whole."""

from __future__ import annotations

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

_LAYOUT_FILE: Final = "layout-version"


def create_folder(folder: Path) -> None:
    """Leave an index in the folder: an empty one if there is nothing.

    It is built aside and renamed, so that of several processes one wins and all see it whole.
    """
    if folder.exists() and any(folder.iterdir()):
        return
    aside = folder.with_name(f".{folder.name}-{uuid4().hex}")
    aside.mkdir(parents=True)
    Index(make_schema(), str(aside))
    (aside / _LAYOUT_FILE).write_text(f"{LAYOUT_VERSION}\n")
    try:
        aside.rename(folder)
    except OSError:
        shutil.rmtree(aside)
        if not (folder / _LAYOUT_FILE).exists():
            raise


def open_folder(folder: Path) -> Index:
    """Return the index in the folder; raises IndexOutdatedError if it is of another layout, damaged or none."""
    try:
        found = (folder / _LAYOUT_FILE).read_text().strip()
    except OSError as error:
        raise IndexOutdatedError(str(folder), "is none of this program") from error
    if found != str(LAYOUT_VERSION):
        raise IndexOutdatedError(str(folder), f"has layout {found}, this release needs {LAYOUT_VERSION}")
    with broken_as_outdated(folder):
        return Index.open(str(folder))


def read_state(folder: Path) -> tuple[int, int, int]:
    """Return what changes with every commit: tantivy replaces this file by renaming another over it."""
    try:
        stat = (folder / "meta.json").stat()
    except OSError as error:
        raise IndexOutdatedError(str(folder), "is gone") from error
    return stat.st_ino, stat.st_mtime_ns, stat.st_size


@contextmanager
def broken_as_outdated(folder: Path) -> Iterator[None]:
    """Turn tantivy's word for files that it cannot read into ours."""
    try:
        yield
    except ValueError as error:
        raise IndexOutdatedError(str(folder), f"cannot be read ({error})") from error
