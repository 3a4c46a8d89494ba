"""A child process that reads masters, and is killed and replaced when one of them crashes, hangs or bloats it.

libhdf5 can crash on a damaged file, or loop for ever inside its global lock, so that neither a thread nor a signal
handler helps. A reused child costs 0.1 to 0.2 ms a file. The child's own side is `serving.py`.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from errno import ECHILD
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ingest.nexus.budget import DEFAULT_BUDGET, Budget
from ingest.nexus.encoding import decode_record
from ingest.nexus.errors import (
    ChangedWhileReadingError,
    NotHdf5Error,
    ReaderKilledError,
    ReaderNotStartedError,
    UnreadableFileError,
)
from ingest.nexus.frames import (
    MEMORY_EXIT_CODE,
    Answer,
    Failed,
    Read,
    Ready,
    Refused,
    Start,
    answer_decoder,
    receive_frame,
    send_frame,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ingest.nexus.gate import Gate
    from ingest.nexus.record import MasterRecord

_CHILD_ENVIRONMENT = {
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "HDF5_PLUGIN_PRELOAD": "::",  # no filter plug-in is loaded: metadata must not depend on one
    "OPENBLAS_NUM_THREADS": "1",  # threads that nothing here uses would reserve memory
    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
}
_REAP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one child may use: seconds for one file, bytes of its own memory, seconds to start."""

    timeout_seconds: float = 30.0
    memory_bytes: int = 1 << 30
    start_seconds: float = 60.0


DEFAULT_LIMITS = Limits()


class MasterReading(NamedTuple):
    """A master read whole: how it stood before and after, its record, and the record encoded as it is stored."""

    gate: Gate
    encoded: bytes
    record: MasterRecord


class ReaderChild:
    """A context manager around one child at a time: started at the first `read`, replaced when it had to be killed.

    It belongs to one thread: the child dies with the thread that started it, as well as with the process. After a
    fork the copy starts a child of its own.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS, budget: Budget = DEFAULT_BUDGET) -> None:
        self._limits = limits
        self._budget = budget
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()
        self._unreaped: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the present child, None before the first read and after a kill."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """End the child; nothing of it is left, unless the kernel holds it in an unreachable file system."""
        self._discard()

    def read(self, path: Path | str) -> MasterReading:
        """Return the record of one master and the gate that it passed, the same before and after.

        Raises NotHdf5Error, UnreadableFileError, ChangedWhileReadingError, ReaderKilledError with its reason
        (`crashed signal n`, `hung after s s`, `memory`), ReaderNotStartedError, or the OSError that the file system
        gave.
        """
        process = self._find_process() or self._start_process()
        try:
            _send(process, os.fsencode(path))
            answer = _receive(process, path, self._limits.timeout_seconds)
        except BaseException:
            # Also on Ctrl-C: an answer that nobody waited for would be taken for that of the next file.
            self._discard()
            raise
        return _to_reading(answer, path)

    def _find_process(self) -> subprocess.Popen[bytes] | None:
        if self._owner != os.getpid():  # a fork: child and pipes are the parent's, to be neither used nor killed
            self._process, self._unreaped, self._owner = None, [], os.getpid()
        if self._process is not None and self._process.poll() is not None:
            self._discard()  # it died between two files: neither is to blame
        self._unreaped = [process for process in self._unreaped if process.poll() is None]
        return self._process

    def _start_process(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest.nexus.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**os.environ, **_CHILD_ENVIRONMENT},
            start_new_session=True,
            bufsize=0,
        )
        self._process = process
        try:
            start = Start(os.getpid(), self._limits.memory_bytes, self._budget)
            _send(process, msgspec.json.encode(start))
            _receive(process, "", self._limits.start_seconds)
        except ReaderKilledError as error:
            self._discard()
            raise ReaderNotStartedError(ECHILD, f"no reader can be started: {error.reason}") from error
        except BaseException:
            self._discard()
            raise
        return process

    def _discard(self) -> None:
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(timeout=_REAP_SECONDS)
        except subprocess.TimeoutExpired:  # in the kernel, waiting for a dead file server: it dies when that answers
            self._unreaped.append(process)


def _send(process: subprocess.Popen[bytes], content: bytes) -> None:
    if process.stdin is not None:
        send_frame(process.stdin.fileno(), content)


def _receive(process: subprocess.Popen[bytes], path: Path | str, seconds: float) -> Answer:
    """Return the child's next answer; raise ReaderKilledError when it died, took too long or spoke nonsense."""
    try:
        return answer_decoder.decode(receive_frame(process.stdout.fileno() if process.stdout else -1, seconds))
    except TimeoutError:
        raise ReaderKilledError(path, f"hung after {seconds:g} s") from None
    except EOFError:
        raise ReaderKilledError(path, _to_end(process)) from None
    except msgspec.DecodeError as error:
        raise ReaderKilledError(path, f"nonsense: {error}"[:200]) from error


def _to_end(process: subprocess.Popen[bytes]) -> str:
    """Return how a child ended that closed its pipe."""
    try:
        code = process.wait(timeout=_REAP_SECONDS)
    except subprocess.TimeoutExpired:
        return "fell silent"
    if code == MEMORY_EXIT_CODE:
        return "memory"
    return f"crashed signal {-code}" if code < 0 else f"exited {code}"


def _to_reading(answer: Answer, path: Path | str) -> MasterReading:
    match answer:
        case Read(gate, raw):
            encoded = bytes(raw)
            return MasterReading(gate, encoded, decode_record(encoded))
        case Refused(errno, reason):
            raise OSError(errno, reason, os.fspath(path))
        case Failed("NotHdf5Error", reason):
            raise NotHdf5Error(path, reason)
        case Failed("ChangedWhileReadingError", reason):
            raise ChangedWhileReadingError(path, reason)
        case Failed(_, reason):
            raise UnreadableFileError(path, reason)
        case Ready():
            raise ReaderKilledError(path, "nonsense: ready twice")


if __name__ == "__main__":
    from ingest.nexus.serving import serve

    serve()
