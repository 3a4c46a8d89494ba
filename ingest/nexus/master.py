"""Read one master file into a record, within a budget, without a lock and without leaving the file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from h5py import h5f, h5p

from ingest.nexus.budget import DEFAULT_BUDGET, Budget
from ingest.nexus.errors import UnreadableFileError
from ingest.nexus.walk import read_tree

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.nexus.record import MasterRecord


def read_master(path: Path | str, budget: Budget = DEFAULT_BUDGET) -> MasterRecord:
    """Return what the master says about itself; the file is closed again and no lock was taken.

    Set HDF5_USE_FILE_LOCKING=FALSE before h5py is imported: the environment overrules what is asked here
    (HDF5 2.0.0). A file that a SWMR writer left open is read as such a reader, and the record says so.

    Raises UnreadableFileError if libhdf5 refuses the file, OSError if it is not there or may not be read.
    """
    fid, swmr = _open(path)
    try:
        return read_tree(fid, budget, swmr)
    finally:
        fid.close()


def _open(path: Path | str) -> tuple[h5f.FileID, bool]:
    name = os.fsencode(path)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_sec2()
    access.set_file_locking(False, False)  # noqa: FBT003 - h5py names them use_file_locking, ignore_when_disabled
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    try:
        return h5f.open(name, h5f.ACC_RDONLY, access), False
    except OSError as refusal:
        if refusal.errno is not None:
            raise
        try:
            return h5f.open(name, h5f.ACC_RDONLY | h5f.ACC_SWMR_READ, access), True
        except OSError:
            raise UnreadableFileError(path, str(refusal)[:200]) from None
