"""Run one server and see to it that nothing of it outlives its owner: no process, no file, no shared memory.

    python guard.py OWNER FOLDER SIGNAL -- COMMAND...

SIGNAL ends the server in order. When the process OWNER ends, however that may be, or on SIGTERM: the server is ended,
FOLDER removed. SIGHUP: the server, killed before, is started again. Each start writes the server's process id to the
standard output. Nothing but the standard library is imported: this process is there for as long as its server.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

STOP_SECONDS = 10
PR_SET_CHILD_SUBREAPER = 36


def main() -> None:
    """Guard the server that the arguments name."""
    owner, folder, stop_signal, _, *command = sys.argv[1:]
    events = _Events(int(owner))
    # What the server leaves behind when it is killed becomes a child of ours, and is found by that.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    with Path(folder, "log").open("ab") as log:
        while True:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
            with suppress(BrokenPipeError):
                sys.stdout.write(f"{server.pid}\n")
                sys.stdout.flush()
            starts_again = events.wait(server)
            _end(server, int(stop_signal))
            if not starts_again:
                break
    shutil.rmtree(folder, ignore_errors=True)


class _Events:
    """What a guard waits for: the end of its owner, and signals."""

    def __init__(self, owner: int) -> None:
        self._pipe, writing = socket.socketpair()
        writing.settimeout(0)
        signal.set_wakeup_fd(writing.fileno())
        self._writing = writing
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)
        with suppress(ProcessLookupError):
            self._owner = os.pidfd_open(owner)
            self._poll.register(self._owner, select.POLLIN)
            return
        os.kill(os.getpid(), signal.SIGTERM)  # it ended before we began

    def wait(self, server: subprocess.Popen[bytes]) -> bool:
        """Return when the server is to be ended: whether it is to be started again then."""
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            received = self._pipe.recv(100) if self._pipe.fileno() in ready else b""
            if ready - {self._pipe.fileno()} or signal.SIGTERM in received:
                return False
            if signal.SIGHUP in received:
                return True
            server.poll()  # so that one that ended is seen to be gone


def _end(server: subprocess.Popen[bytes], stop_signal: int) -> None:
    """Leave no process of the server, and none of the memory that it shared with its children."""
    if server.poll() is None:
        server.send_signal(stop_signal)
        with suppress(subprocess.TimeoutExpired):
            server.wait(STOP_SECONDS)
    while children := _list_children():
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        time.sleep(0.01)
    _remove_shared_memory(server.pid)


def _list_children() -> list[int]:
    children = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((process / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                children.append(int(process.name))
    return children


def _remove_shared_memory(process: int) -> None:
    """Remove the System V segments that the process made: one that was killed cannot do so itself."""
    with suppress(OSError):
        for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[4]) == process:
                subprocess.run(["ipcrm", "-m", fields[1]], check=False)  # noqa: S603, S607


if __name__ == "__main__":
    main()
