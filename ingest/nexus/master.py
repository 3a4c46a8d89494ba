"""Read one master file into a record, within a budget, without a lock and without leaving the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from h5py import h5f, h5fd, h5p

from ingest.nexus.budget import DEFAULT_BUDGET, Budget
from ingest.nexus.errors import UnreadableFileError
from ingest.nexus.gate import Gate, open_regular, read_header
from ingest.nexus.library import MEMBER_ERRORS, LibraryFile, raise_if_out_of_reach
from ingest.nexus.pages import Pages
from ingest.nexus.parser import Parser
from ingest.nexus.view import FileView
from ingest.nexus.walk import read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.nexus.record import MasterRecord


_NAME = b"master"
"""libhdf5 wants a name, and opens nothing by it."""


def read_master(path: Path | str, budget: Budget = DEFAULT_BUDGET) -> MasterRecord:
    """Return what the master says about itself; the file is closed again and no lock was taken.

    libhdf5 is given bytes and no file, so that it has nothing to lock. A file that a writer left open is read as far as
    it was written, and the record says if it was a SWMR writer. Whether it is really gone was asked before.

    Raises UnreadableFileError if libhdf5 refuses the file; OSError if it is not there or may not be read, ELOOP if
    `path` is a symbolic link.
    """
    descriptor = open_regular(path)
    try:
        pages = Pages(descriptor)
        view = FileView(pages)
        try:
            return _read(view, pages, read_header(descriptor), path, budget)
        finally:
            view.raise_if_failed()
    finally:
        os.close(descriptor)


def _read(view: FileView, pages: Pages, gate: Gate, path: Path | str, budget: Budget) -> MasterRecord:
    is_unclosed = gate.open_for_write and view.close_header(gate.user_block)
    try:
        fid = _open(view)
        try:
            # Of a file that was not closed only libhdf5 can say what is whole.
            parser = None if is_unclosed else _make_parser(fid, pages)
            return read_tree(LibraryFile(fid), parser, budget, swmr=is_unclosed and gate.by_swmr)
        finally:
            fid.close()
    except MEMBER_ERRORS as error:
        raise_if_out_of_reach(error)
        raise UnreadableFileError(path, _to_reason(error)) from error


def _open(view: FileView) -> h5f.FileID:
    access = h5p.create(h5p.FILE_ACCESS)
    try:
        access.set_fileobj_driver(h5fd.fileobj_driver, view)
        access.set_fclose_degree(h5f.CLOSE_STRONG)
        return h5f.open(_NAME, h5f.ACC_RDONLY, access)
    finally:
        # An error holds on to it, and libhdf5 would let go of the view after the interpreter has ended.
        access.close()


def _make_parser(fid: h5f.FileID, pages: Pages) -> Parser | None:
    """Return our parser for this file, None where offsets or lengths are not the usual 8 bytes."""
    created = fid.get_create_plist()
    if created.get_sizes() != (8, 8):
        return None
    pages.base = created.get_userblock()
    return Parser(pages)


def _to_reason(error: Exception) -> str:
    """Return what libhdf5 had against the file: what h5py gives in parentheses."""
    text = str(error)
    return text.partition("(")[2].removesuffix(")")[:200] or text[:200]
