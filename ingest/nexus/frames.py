"""What parent and child say to each other: four bytes of length, little endian, then JSON or a path.

Never pickle: what comes from the child comes from a possibly hostile file.
"""

from __future__ import annotations

import contextlib
import os
import select
import time

import msgspec

from ingest.nexus.budget import Budget  # noqa: TC001 - msgspec reads annotations at run time
from ingest.nexus.gate import Gate  # noqa: TC001 - as above

_LENGTH_BYTES = 4
_LARGEST = 64 << 20

MEMORY_EXIT_CODE = 77
"""The child's exit code when it met its memory limit and could say nothing any more."""


class Start(msgspec.Struct):
    """The first frame to a child."""

    parent: int
    memory_bytes: int
    budget: Budget


class Ready(msgspec.Struct, tag="ready"):
    """The child's first frame: h5py is loaded, the limits are set."""


class Read(msgspec.Struct, tag="read"):
    """A master was read; `record` is encoded as it will be stored."""

    gate: Gate
    record: msgspec.Raw


class Failed(msgspec.Struct, tag="failed"):
    """A ReaderError by the name of its class."""

    error: str
    reason: str


class Refused(msgspec.Struct, tag="refused"):
    """An error of the file system, or of libhdf5 beneath it."""

    errno: int
    reason: str


Answer = Ready | Read | Failed | Refused

answer_decoder: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def send_frame(descriptor: int, content: bytes) -> None:
    """Write one frame; that the other side is gone shows when its next frame is awaited, so here it is no error."""
    left = memoryview(len(content).to_bytes(_LENGTH_BYTES, "little") + content)
    with contextlib.suppress(BrokenPipeError):
        while left:
            left = left[os.write(descriptor, left) :]


def receive_frame(descriptor: int, seconds: float | None = None) -> bytes:
    """Return the next frame; raise TimeoutError after `seconds` (None: never), EOFError when the writer is gone."""
    deadline = None if seconds is None else time.monotonic() + seconds
    count = int.from_bytes(_receive(descriptor, _LENGTH_BYTES, deadline), "little")
    if count > _LARGEST:
        raise msgspec.DecodeError(f"a frame of {count} bytes")
    return _receive(descriptor, count, deadline)


def _receive(descriptor: int, count: int, deadline: float | None) -> bytes:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    received = bytearray()
    while len(received) < count:
        left = None if deadline is None else 1000 * (deadline - time.monotonic())
        if (left is not None and left <= 0) or not poll.poll(left):
            raise TimeoutError
        part = os.read(descriptor, count - len(received))
        if not part:
            raise EOFError
        received += part
    return bytes(received)
