"""An acquisition writes while crawls read: it never notices."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.builders import write_master
from tests.pipeline.site import set_age
from tests.robustness.processes import finish

if TYPE_CHECKING:
    from pathlib import Path

    from tests.robustness.processes import Catalogue

SCANS = 60
IMPATIENT = {"SETTLE_SECONDS": 0, "QUIET_SECONDS": 0, "CRASH_SECONDS": 0, "GROWING_SECONDS": 0}
"""Every look reads, also at a file that is open for writing: as rude as a crawl can be."""

# As BLISS does: the master is opened for each scan, with a lock, without which the writer gives up.
# Once it pauses until the loop has read what there is: on a busy machine each look may find the file changed meanwhile.
WRITER = """
import pathlib, sys, time
import h5py
path, scans, read = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
for number in range(1, scans + 1):
    patience = time.monotonic() + 60
    while number == scans // 2 and not read.exists() and time.monotonic() < patience:
        time.sleep(0.01)
    with h5py.File(path, "a", locking=True) as file:
        file.attrs["NX_class"] = "NXroot"
        entry = file.create_group(f"{number}.1")
        entry.attrs["NX_class"] = "NXentry"
        entry["title"] = f"scan {number}"
        entry["start_time"] = "2023-05-09T09:30:00Z"
        file.flush()
        time.sleep(0.005)
        entry["end_time"] = "2023-05-09T09:31:00Z"
        entry["sample/name"] = "LaB6"
    time.sleep(0.01)
"""
LOOP = """
import json, pathlib, sys
from collections import Counter
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import crawl_root
from ingest.drain import drain
from ingest.services import open_services
folder, stop = map(pathlib.Path, sys.argv[1:])
outcomes = []
with open_services() as services:
    with services.write_sessions.begin() as session:
        root, _ = upsert_root(session, folder, RootSettings())
    (stop.parent / "looping").touch()
    while not stop.exists():
        crawl_root(services, root, utc_now())
        drain(services, outcomes.append)
        if any(outcome.state in ("ingested", "incomplete") for outcome in outcomes):
            (stop.parent / "read").touch()
print(json.dumps(Counter(outcome.state for outcome in outcomes)))
"""


Process: TypeAlias = "subprocess.Popen[str]"


def start(program: str, *arguments: str | Path, environment: dict[str, str], trace: Path | None = None) -> Process:
    strace = ["strace", "-f", "-y", "-e", "trace=flock,fcntl,openat", "-o", str(trace)] if trace else []
    command = [*strace, sys.executable, "-W", "error", "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, process: Process) -> None:
    while not path.exists():
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        finish(process)


@pytest.mark.parametrize("locking", [None, "TRUE"])
def test_a_writer_never_fails_beside_a_loop_of_crawls(
    catalogue: Catalogue, root: Path, tmp_path: Path, locking: str | None
) -> None:
    environment = catalogue.environment(**IMPATIENT)
    if locking is not None:
        environment["HDF5_USE_FILE_LOCKING"] = locking
    trace = tmp_path / "trace" if shutil.which("strace") else None
    master, stop = root / "growing.h5", tmp_path / "stop"
    loop = start(LOOP, root, stop, environment=environment, trace=trace)
    wait_for(tmp_path / "looping", loop)
    writer = start(WRITER, master, str(SCANS), tmp_path / "read", environment=environment)
    try:
        finish(writer)
    finally:
        stop.touch()
    printed = finish(loop)
    assert "ingested" in printed or "incomplete" in printed, "the loop has read nothing while it was written"
    if trace is not None:
        check_trace(trace.read_text(), master)
    catalogue.run("crawl", root, **IMPATIENT)
    assert catalogue.states() == {"growing.h5": "ingested"}
    assert catalogue.ask("SELECT count(*) FROM scan") == [(SCANS,)]


def check_trace(trace: str, master: Path) -> None:
    """Fail unless the master was opened for reading only, and no lock was ever asked for on it."""
    of_master = [line for line in trace.splitlines() if str(master) in line]
    opened = [line for line in of_master if "openat(" in line]
    assert opened
    assert [line for line in opened if "O_RDONLY" not in line] == []
    locks = re.compile(r"flock\(|F_(OFD_)?SETLKW?|F_SETLEASE")
    assert [line for line in of_master if locks.search(line)] == []
    assert [line for line in trace.splitlines() if locks.search(line) and "catalogue.sqlite" in line], "nothing seen"


def test_a_master_that_its_writer_has_locked_is_read(
    catalogue: Catalogue, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock that HDF5 itself takes for reading would be refused."""
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "TRUE")
    master = write_master(root / "a.h5")
    set_age(master)
    with master.open("r+b") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        catalogue.run("crawl", root)
    assert catalogue.states() == {"a.h5": "ingested"}


def test_a_master_stays_free_for_its_writer_while_it_is_read(catalogue: Catalogue, root: Path) -> None:
    """Whenever one looks, the lock that a writer takes can be had."""
    master = write_master(root / "a.h5", scans=300)
    set_age(master)
    crawl = catalogue.start("crawl", root)
    try:
        looks = 0
        while crawl.poll() is None:
            with master.open("r+b") as writer:
                fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
                looks += 1
        assert looks
    finally:
        finish(crawl)
