"""Real processes of the installed command, and what is left of them. `from tests.robustness.processes import ...`."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx2
import psycopg

from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.samples.hdf5 import set_age
from tests.builders import write_master
from tests.pipeline.site import OLD
from tests.servers import to_libpq

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 120
NXCAT = [str(Path(sys.executable).with_name("nxcat"))]


@dataclass(frozen=True)
class Catalogue:
    """A data folder, and the processes that use it: they are known by it, whatever group they are in."""

    folder: Path
    database: str | None = None
    """The address of its database, if that is not the one in the folder."""

    def environment(self, **settings: Any) -> dict[str, str]:
        """Return the environment of a process that uses this catalogue."""
        said = {f"NXCAT_{name}": str(value) for name, value in settings.items()}
        if self.database is not None:
            said["NXCAT_DATABASE_URL"] = self.database
        return {**os.environ, "NXCAT_DATA": str(self.folder), **said}

    def start(
        self, *arguments: str | Path, log: IO[str] | int = subprocess.PIPE, **settings: Any
    ) -> subprocess.Popen[str]:
        """Start the command; what it prints is kept for whoever reads it."""
        command = [*NXCAT, *map(str, arguments)]
        environment = self.environment(**settings)
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.folder.parent
        )

    def run(self, *arguments: str | Path, **settings: Any) -> str:
        """Run the command to its end, which must be a good one without a complaint; return what it printed."""
        return finish(self.start(*arguments, **settings))

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that the database answers; none while it has no tables."""
        if self.database is not None:
            with psycopg.connect(to_libpq(self.database)) as server:
                return server.execute(statement.encode()).fetchall()
        database = self.folder / "catalogue.sqlite"
        if not database.exists():
            return []
        with closing(sqlite3.connect(database, timeout=PATIENCE_SECONDS)) as connection:
            try:
                return connection.execute(statement).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def states(self) -> dict[str, str]:
        """Return the state of each master by its file name."""
        return {Path(path).name: state for path, state in self.ask("SELECT path, state FROM master_file")}

    def processes(self) -> list[int]:
        """Return the processes, but for this one, that were started with this catalogue in their environment."""
        mark = f"NXCAT_DATA={self.folder}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and int(entry.name) != os.getpid():
                try:
                    is_ours = mark in (entry / "environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                if is_ours:
                    found.append(int(entry.name))
        return found

    def assert_no_process_is_left(self) -> None:
        """Fail if a process stays; the kernel may take a moment to end those whose parent was killed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, f"processes {left} are left"
            time.sleep(0.02)

    def assert_whole(self, masters: int) -> None:
        """Fail unless that many masters are one dataset each, and the index holds exactly those."""
        if self.database is None:
            assert self.ask("PRAGMA integrity_check") == [("ok",)]
            assert self.ask("PRAGMA foreign_key_check") == []
        assert self.ask("SELECT state, count(*) FROM master_file GROUP BY state") == [("ingested", masters)]
        assert self.ask("SELECT count(*) FROM dataset WHERE copy_of_id IS NULL") == [(masters,)]
        assert self.ask("SELECT count(*) FROM master_record") == [(masters,)]
        for table in ("scan", "datafile", "dataset_instrument"):
            rows = self.ask(f"SELECT count(DISTINCT dataset_id), count(*) FROM {table}")  # noqa: S608 (our own words)
            assert rows == [(masters, masters)], table
        assert self.ask("SELECT count(*) FROM dataset WHERE indexed_revision <> revision") == [(0,)]
        index = EmbeddedIndex(self.folder / "index")
        try:
            assert index.revisions(limit=100_000) == self.ask("SELECT id, revision FROM dataset ORDER BY id")
        finally:
            index.close()


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for the end, which must be a good one without a complaint; return what was printed."""
    try:
        printed, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    assert (process.returncode, complaint) == (0, ""), complaint
    return printed


@contextmanager
def serving(
    catalogue: Catalogue, ends: signal.Signals = signal.SIGINT, **settings: Any
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve on a free port; yield the address once it answers. At the end the log must have no complaint."""
    port = find_port()
    address, path = f"http://127.0.0.1:{port}", catalogue.folder.parent / f"{port}.log"
    # A pipe that nobody reads from holds 64 kB, and then it holds up the server.
    with path.open("w") as log:
        server = catalogue.start("serve", "--port", str(port), log=log, **settings)
    try:
        wait_until_ready(address, server)
        yield address, server
    finally:
        server.send_signal(ends)
        server.communicate(timeout=PATIENCE_SECONDS)
    assert server.returncode == (0 if ends == signal.SIGINT else -ends)
    logged = path.read_text()
    for word in ("Traceback", "locked", "LockBusy", "ERROR", '" 500', '" 503'):
        assert word not in logged, logged[-10_000:]


def find_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_until_ready(address: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(f"{address}/health/ready").status_code == httpx2.codes.OK:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError("it does not answer")


def write_masters(folder: Path, count: int) -> list[Path]:
    """Write that many small masters, each of its own content, in folders of ten; all closed long ago."""
    paths = [folder / f"{number // 10}" / f"{number:03}.h5" for number in range(count)]
    for path in paths:
        write_master(path, title=f"scan of {path.stem}")
        set_age(path, OLD)
    return paths
