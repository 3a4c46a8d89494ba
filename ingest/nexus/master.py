"""Read one master file into a record, within a budget, without a lock and without leaving the file."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from h5py import h5f, h5fd, h5p

from ingest.nexus.budget import DEFAULT_BUDGET, Budget
from ingest.nexus.errors import UnreadableFileError
from ingest.nexus.gate import Gate, open_regular, read_gate
from ingest.nexus.library import MEMBER_ERRORS, LibraryFile, raise_if_out_of_reach
from ingest.nexus.pages import Pages
from ingest.nexus.parser import Parser
from ingest.nexus.unclosed import UnclosedFile
from ingest.nexus.walk import read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.nexus.record import MasterRecord


def read_master(path: Path | str, budget: Budget = DEFAULT_BUDGET) -> MasterRecord:
    """Return what the master says about itself; the file is closed again and no lock was taken.

    Set HDF5_USE_FILE_LOCKING=FALSE before h5py is imported: the environment overrules what is asked here
    (HDF5 2.0.0). A file that a writer left open is read as far as it was written, and the record says if it was a SWMR
    writer. Whether it is really gone was asked before.

    Raises UnreadableFileError if libhdf5 refuses the file; OSError if it is not there or may not be read, ELOOP if
    `path` is a symbolic link.
    """
    descriptor = open_regular(path)
    try:
        fid, unclosed = _open(descriptor, path)
        try:
            # Of a file that was not closed only libhdf5 can say what is whole.
            parser = None if unclosed else _make_parser(fid, descriptor)
            return read_tree(LibraryFile(fid), parser, budget, swmr=unclosed is not None and unclosed.by_swmr)
        except MEMBER_ERRORS as error:
            raise_if_out_of_reach(error)
            raise UnreadableFileError(path, _to_reason(error)) from error
        finally:
            fid.close()
    finally:
        os.close(descriptor)


# As h5py tells them, by the kind of libhdf5's complaint: RuntimeError is a superblock that cannot be decoded.
_REFUSALS = (OSError, RuntimeError)


def _open(descriptor: int, path: Path | str) -> tuple[h5f.FileID, Gate | None]:
    """Return the open file, and its gate if its writer did not close it."""
    # libhdf5 opens by name; this name is that of the very file that was found to be a regular one.
    name = f"/dev/fd/{descriptor}".encode()
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_sec2()
    access.set_file_locking(False, False)  # noqa: FBT003 - h5py names them use_file_locking, ignore_when_disabled
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    try:
        return h5f.open(name, h5f.ACC_RDONLY, access), None
    except _REFUSALS as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from None
        refusal = error
    gate = read_gate(path)
    if gate.open_for_write:
        access.set_fileobj_driver(h5fd.fileobj_driver, UnclosedFile(descriptor, gate.user_block))
        with suppress(*_REFUSALS):
            return h5f.open(name, h5f.ACC_RDONLY, access), gate
    raise UnreadableFileError(path, _to_reason(refusal)) from None


def _make_parser(fid: h5f.FileID, descriptor: int) -> Parser | None:
    """Return our parser for this file, None where offsets or lengths are not the usual 8 bytes."""
    created = fid.get_create_plist()
    if created.get_sizes() != (8, 8):
        return None
    return Parser(Pages(descriptor, created.get_userblock()))


def _to_reason(error: Exception) -> str:
    """Return what libhdf5 had against the file: what h5py gives in parentheses."""
    text = str(error)
    return text.partition("(")[2].removesuffix(")")[:200] or text[:200]
