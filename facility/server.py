"""One server of a facility: a program on a free port of this machine, its data in a temporary folder, under a guard."""

from __future__ import annotations

import os
import pwd
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

START_SECONDS = 120
_GUARD = Path(__file__).with_name("guard.py")
_LOG_LINES = 30


class ServerMissingError(Exception):
    """A program is not on this machine; `package` is what Debian calls it."""

    def __init__(self, program: str, package: str) -> None:
        self.program, self.package = program, package
        super().__init__(f"{program} is not on this machine: apt-get install {package}")


class ServerFailedError(Exception):
    """A server does not start; the end of its `log` says why."""

    def __init__(self, name: str, log: str) -> None:
        self.name, self.log = name, log
        super().__init__(f"{name} does not start:\n{log}")


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: as another user if that is named, ended in order by that signal."""

    command: Sequence[str]
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


class Server:
    """A server that answers at `address`, until `stop` or until the process `owner` ends.

    `answers` tells whether it does so by now; it is asked until it says yes, and may fail with OSError until then.
    `guard` is the process that ends the server: enough for whoever knows no more of it, see `end_guard`.
    """

    def __init__(
        self,
        address: str,
        folder: Path,
        program: Program,
        answers: Callable[[], bool],
        *,
        owner: int | None = None,
    ) -> None:
        self.address = address
        self.folder = folder
        self._answers = answers
        command = [*to_run_as(program.user, dies_by=program.stop_signal), *program.command]
        arguments = [str(owner or os.getpid()), str(folder), str(program.stop_signal.value), "--", *command]
        self.guard, self._started = _spawn([sys.executable, "-IS", str(_GUARD), *arguments], program.environment)
        self._wait_for_start()

    def is_running(self) -> bool:
        """Return whether the server's process is there."""
        return Path(f"/proc/{self._process}").exists()

    def kill(self) -> None:
        """End the server at once, as a crash would; its data stay."""
        os.kill(self._process, signal.SIGKILL)
        while self.is_running():
            time.sleep(0.005)

    def restart(self) -> None:
        """Start the server again, at the same address with the same data; one that runs is ended in order before."""
        os.kill(self.guard, signal.SIGHUP)
        self._wait_for_start()

    def stop(self) -> None:
        """End the server and remove its data."""
        end_guard(self.guard)
        os.close(self._started)

    def read_log(self) -> str:
        """Return the end of what the server wrote."""
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])

    def _wait_for_start(self) -> None:
        self._process = int(os.read(self._started, 100))
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError):
                if self._answers():
                    return
            if not self.is_running() or time.monotonic() > deadline:
                log = self.read_log()
                self.stop()
                raise ServerFailedError(type(self).__name__, log)
            time.sleep(0.05)


def end_guard(guard: int) -> None:
    """Leave nothing of the server that this process guards."""
    with suppress(ProcessLookupError):
        ended = os.pidfd_open(guard)
        os.kill(guard, signal.SIGTERM)
        select.select([ended], [], [])
        os.close(ended)
    with suppress(ChildProcessError):
        os.waitpid(guard, 0)


def find_free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def make_folder(name: str, user: str | None = None) -> Path:
    """Make a temporary folder of the user's own."""
    folder = Path(tempfile.mkdtemp(prefix=f"nxcat-{name}-"))
    if user is not None:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    return folder


def get_program(name: str, package: str, folders: Sequence[Path] = ()) -> str:
    """Return where the program is; raises ServerMissingError if it is neither in these folders nor on the path."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        raise ServerMissingError(name, package)
    return found


def to_run_as(user: str | None, *, dies_by: signal.Signals | None = None) -> list[str]:
    """Return what is put before a command to run it as another user, and to have it signalled when its parent dies."""
    words = ["setpriv"]
    if dies_by is not None:
        words += ["--pdeathsig", dies_by.name.removeprefix("SIG")]
    if user is not None:
        words += ["--reuid", user, "--regid", str(pwd.getpwnam(user).pw_gid), "--init-groups"]
    return [*words, "--"]


def _spawn(command: list[str], environment: Mapping[str, str]) -> tuple[int, int]:
    """Start a process in a session of its own, which may outlive us; return it, and where to read what it writes."""
    reading, writing = os.pipe()
    printing = [(os.POSIX_SPAWN_DUP2, writing, 1)]
    process = os.posix_spawn(command[0], command, environment, file_actions=printing, setsid=True)
    os.close(writing)
    return process, reading
