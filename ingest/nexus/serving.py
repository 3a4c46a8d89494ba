"""The child's side: answers paths with records until its parent is gone. h5py is loaded here and nowhere else."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

import msgspec

from ingest.nexus.encoding import encode_record
from ingest.nexus.errors import ChangedWhileReadingError, NotHdf5Error, ReaderError
from ingest.nexus.frames import MEMORY_EXIT_CODE, Failed, Read, Ready, Refused, Start, receive_frame, send_frame
from ingest.nexus.gate import read_gate
from ingest.nexus.master import read_master

if TYPE_CHECKING:
    from ingest.nexus.budget import Budget

_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Answer one path after the other until the parent closes the pipe or is gone."""
    answers = _take_standard_output()
    requests = sys.stdin.fileno()
    start = msgspec.json.decode(receive_frame(requests), type=Start)
    _bind_to_parent(start.parent)
    _set_limits(start.memory_bytes)
    send_frame(answers, msgspec.json.encode(Ready()))
    with contextlib.suppress(EOFError):
        while True:
            path = os.fsdecode(receive_frame(requests))
            send_frame(answers, _to_answer(path, start.budget))


def _take_standard_output() -> int:
    """Return a descriptor of our own for answers; what a library prints goes nowhere and spoils no frame."""
    answers = os.dup(sys.stdout.fileno())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return answers


def _bind_to_parent(parent: int) -> None:
    """Make the kernel kill this process when the parent dies, however it dies; leave if it is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


def _set_limits(memory_bytes: int) -> None:
    """Bound the memory; no core dump of a user's file; write to no file, whatever a library may think of."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _to_answer(path: str, budget: Budget) -> bytes:
    try:
        return msgspec.json.encode(_read(path, budget))
    except ReaderError as error:
        reason = error.kind if isinstance(error, NotHdf5Error) else error.reason
        return msgspec.json.encode(Failed(type(error).__name__, reason))
    except MemoryError:
        os._exit(MEMORY_EXIT_CODE)  # nothing may be allocated any more
    except OSError as error:
        return msgspec.json.encode(Refused(error.errno or 0, error.strerror or str(error)))


def _read(path: str, budget: Budget) -> Read:
    """Read between two looks at stat and header: only what stood still is a record (a seqlock without the lock)."""
    before = read_gate(path)
    if before.kind is not None:
        raise NotHdf5Error(path, before.kind)
    record = read_master(path, budget)
    if read_gate(path) != before:
        raise ChangedWhileReadingError(path, "changed while it was read")
    return Read(before, msgspec.Raw(encode_record(record)))
