from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.nexus.child import ReaderChild

Write = Callable[..., Path]
CHECKOUT = Path(__file__).parents[2]
LOCK = re.compile(r"flock\(|F_SETLK|F_OFD_SETLK|F_SETLKW")


def test_file_that_another_has_locked_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HDF5_USE_FILE_LOCKING", "TRUE")
    path = write()
    with path.open("rb") as writer, ReaderChild() as reader:
        fcntl.flock(writer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert reader.read(path).record.entries


def trace(program: str, path: Path, log: Path) -> str:
    strace = ["strace", "-f", "-e", "trace=flock,fcntl", "-o", log]
    environment = {**os.environ, "HDF5_USE_FILE_LOCKING": "TRUE"}
    subprocess.run([*strace, sys.executable, "-c", program, path], check=True, cwd=CHECKOUT, env=environment)
    return log.read_text()


@pytest.mark.needs("strace")
def test_no_lock_is_asked_for_whatever_the_environment_says(write: Write, tmp_path: Path) -> None:
    path = write()
    reader = (
        "import sys\n"
        "from ingest.nexus.child import ReaderChild\n"
        "with ReaderChild() as reader:\n"
        "    reader.read(sys.argv[1])\n"
    )
    assert not LOCK.search(trace(reader, path, tmp_path / "reader.log"))
    plain = "import sys, h5py; h5py.File(sys.argv[1]).close()"
    assert LOCK.search(trace(plain, path, tmp_path / "plain.log"))  # what the first line would have seen
