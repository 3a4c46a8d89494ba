"""What can be wrong with a master, each error with its path and a short reason."""

from __future__ import annotations

from pathlib import Path


class ReaderError(Exception):
    """A master could not be read; `path` says which, `reason` why, in a few words that many files may share."""

    def __init__(self, path: Path | str, reason: str, detail: str = "") -> None:
        self.path = Path(path)
        self.reason = reason
        self.detail = detail
        super().__init__(f"{path}: {reason}{f', {detail}' if detail else ''}")


class NotFinishedError(ReaderError):
    """A writer has the file open, or its metadata ends beyond the file's end; it is worth looking again later."""


class ChangedWhileReadingError(ReaderError):
    """Size, times or header differ after reading: what was read is discarded; read it again once it stands still."""


class UnreadableFileError(ReaderError):
    """It carries the HDF5 signature, and libhdf5 refuses it."""


class NotHdf5Error(ReaderError):
    """It carries no HDF5 signature; `kind` is the value of the FileKind that it is instead."""

    def __init__(self, path: Path | str, kind: str) -> None:
        self.kind = kind
        super().__init__(path, "not HDF5" if kind == "not-hdf5" else f"not HDF5: {kind}")


class ReaderKilledError(ReaderError):
    """Reading it took the child process down: `crashed signal n`, `hung after s s`, `memory` or `exited n`."""


class ReaderNotStartedError(OSError):
    """No reader process could be started on this machine: no file is to blame, and all can be read later."""


class OfflineError(ReaderError):
    """The file lies on tape: its blocks on disk are far fewer than its size. Opening it would fetch it back."""


class NexusStructureError(ReaderError):
    """It is sound HDF5, and holds nothing that NeXus asks of a master."""
