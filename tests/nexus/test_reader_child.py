from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ingest.nexus import serving
from ingest.nexus.budget import DEFAULT_BUDGET, Budget
from ingest.nexus.child import Limits, ReaderChild, _to_reading
from ingest.nexus.encoding import decode_record, encode_record
from ingest.nexus.errors import ChangedWhileReadingError, NotHdf5Error, ReaderKilledError, UnreadableFileError
from ingest.nexus.frames import answer_decoder
from ingest.nexus.gate import read_gate
from ingest.nexus.master import read_master

Write = Callable[..., Path]
CHECKOUT = Path(__file__).parents[2]


def exists(pid: int) -> bool:
    """Whether a process lives; one that ended and waits to be reaped by init does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int) -> bool:
    for _ in range(200):
        if not exists(pid):
            return True
        time.sleep(0.05)
    return False


def get_pid(reader: ReaderChild) -> int:
    assert reader.pid is not None
    return reader.pid


def test_child_reads_what_read_master_reads(write: Write, child: ReaderChild) -> None:
    path = write()
    reading = child.read(path)
    assert reading.record == read_master(path)
    assert reading.encoded == encode_record(reading.record)
    assert decode_record(reading.encoded) == reading.record
    assert reading.gate == read_gate(path)


def test_child_is_reused(write: Write, child: ReaderChild) -> None:
    path = write()
    child.read(path)
    pid = child.pid
    child.read(str(path))
    assert child.pid == pid


def test_budget_reaches_the_child(write: Write) -> None:
    with ReaderChild(budget=Budget(first_entry_fields=2)) as reader:
        assert reader.read(write()).record.truncated["groups"] > 0


def test_path_of_any_bytes(write: Write, child: ReaderChild, tmp_path: Path) -> None:
    name = os.fsdecode(b"m\xe4ster\n .h5")
    write().rename(tmp_path / name)
    assert child.read(tmp_path / name).record.entries


def test_errors_keep_their_names_and_reasons_and_the_child_lives(
    child: ReaderChild, write: Write, tmp_path: Path
) -> None:
    child.read(write())
    pid = child.pid
    text = tmp_path / "text.h5"
    text.write_text("<?xml version='1.0'?>")
    with pytest.raises(NotHdf5Error) as not_hdf5:
        child.read(text)
    assert (not_hdf5.value.kind, not_hdf5.value.path) == ("xml", text)
    cut = write(name="cut.h5")
    os.truncate(cut, cut.stat().st_size - 10)
    with pytest.raises(UnreadableFileError) as unreadable:
        child.read(cut)
    assert "truncated" in unreadable.value.reason
    with pytest.raises(FileNotFoundError) as missing:
        child.read(tmp_path / "gone.h5")
    assert missing.value.filename == str(tmp_path / "gone.h5")
    os.mkfifo(tmp_path / "fifo.h5")
    with pytest.raises(NotHdf5Error):
        child.read(tmp_path / "fifo.h5")
    assert child.pid == pid


def test_file_that_changes_while_it_is_read_is_discarded(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write()

    def read_and_disturb(path: str, budget: Budget) -> object:
        record = read_master(path, budget)
        with h5py.File(path, "a") as file:
            file["more"] = 1
        return record

    monkeypatch.setattr(serving, "read_master", read_and_disturb)
    answer = answer_decoder.decode(serving._to_answer(str(path), DEFAULT_BUDGET))
    with pytest.raises(ChangedWhileReadingError):
        _to_reading(answer, path)


def test_hanging_child_is_killed_and_replaced(write: Write) -> None:
    path = write()
    with ReaderChild(Limits(timeout_seconds=0.3)) as reader:
        reader.read(path)
        pid = get_pid(reader)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ReaderKilledError, match=r"hung after 0\.3 s") as caught:
            reader.read(path)
        assert caught.value.path == path
        assert not Path(f"/proc/{pid}").exists()
        assert reader.pid is None
        assert reader.read(path).record.entries
        assert reader.pid != pid


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL])
def test_crash_is_told_by_its_signal_and_replaced(write: Write, child: ReaderChild, number: signal.Signals) -> None:
    path = write()
    child.read(path)
    pid = get_pid(child)
    os.kill(pid, signal.SIGSTOP)

    def crash() -> None:
        os.kill(pid, number)
        os.kill(pid, signal.SIGCONT)

    timer = threading.Timer(0.1, crash)
    timer.start()
    with pytest.raises(ReaderKilledError, match=f"crashed signal {int(number)}"):
        child.read(path)
    timer.join()
    assert child.read(path).record.entries


def test_child_that_died_between_two_files_blames_neither(write: Write, child: ReaderChild) -> None:
    path = write()
    child.read(path)
    pid = get_pid(child)
    os.kill(pid, signal.SIGKILL)
    assert wait_until_gone(pid)
    assert child.read(path).record.entries


def test_memory_is_limited(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/huge"] = np.bytes_(b"x" * 50_000_000)

    path = write(change)
    small = write(name="small.h5")
    greedy = Budget(read_bytes=1 << 30)
    with ReaderChild(Limits(memory_bytes=100_000_000), greedy) as reader:
        with pytest.raises(ReaderKilledError, match="memory"):
            reader.read(path)
        assert reader.pid is None
        assert reader.read(small).record.entries


def test_child_is_alone_unlocked_and_harmless(write: Write, child: ReaderChild) -> None:
    child.read(write())
    pid = get_pid(child)
    assert os.getsid(pid) == pid  # Ctrl-C at the terminal goes to the parent alone
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert b"HDF5_USE_FILE_LOCKING=FALSE" in environment
    limits = Path(f"/proc/{pid}/limits").read_text()
    for name in ("Max core file size", "Max file size"):
        assert next(line for line in limits.splitlines() if line.startswith(name)).split()[-3:-1] == ["0", "0"]
    files = {str(link.readlink()).partition(":")[0] for link in Path(f"/proc/{pid}/fd").iterdir()}
    assert files == {"pipe", os.devnull}


def test_nothing_is_left_after_close(write: Write) -> None:
    reader = ReaderChild()
    with reader:
        reader.read(write())
        pid = get_pid(reader)
    assert not Path(f"/proc/{pid}").exists()  # not even a zombie
    reader.close()


def test_nothing_is_left_after_an_exception(write: Write) -> None:
    pids = []
    with contextlib.suppress(ZeroDivisionError), ReaderChild() as reader:
        reader.read(write())
        pids.append(get_pid(reader))
        _ = 1 / 0
    assert not Path(f"/proc/{pids[0]}").exists()


def test_interrupt_while_reading_leaves_no_stale_answer(write: Write, child: ReaderChild) -> None:
    path = write()
    other = write(name="other.h5", entries=("other",))
    child.read(path)
    pid = get_pid(child)

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        os.kill(pid, signal.SIGSTOP)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            child.read(path)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert not Path(f"/proc/{pid}").exists()
    assert child.read(other).record.entries[0].path == "/other"


def test_child_dies_with_a_parent_that_was_killed(write: Write) -> None:
    program = (
        "import sys, time\n"
        "from ingest.nexus.child import ReaderChild\n"
        "with ReaderChild() as reader:\n"
        "    reader.read(sys.argv[1])\n"
        "    print(reader.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, write()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert exists(pid)
        # Stopped, it could not notice that its pipe closed: only the kernel can end it.
        os.kill(pid, signal.SIGSTOP)
        parent.kill()
    assert wait_until_gone(pid)


def test_fork_neither_uses_nor_kills_the_parents_child(write: Write, child: ReaderChild) -> None:
    path = write()
    child.read(path)
    pid = get_pid(child)
    copy = os.fork()
    if copy == 0:
        try:
            own = child.read(path).record.entries and child.pid != pid
            child.close()
        finally:
            os._exit(0 if own else 1)
    assert os.waitpid(copy, 0)[1] == 0
    assert child.read(path).record.entries
    assert child.pid == pid


def test_threads_each_with_a_child_do_not_disturb_each_other(write: Write) -> None:
    paths = [write(name=f"{name}.h5", entries=(name,)) for name in ("left", "right")]
    wrong: list[str] = []

    def read(path: Path) -> None:
        with ReaderChild() as reader:
            names = {reader.read(path).record.entries[0].name for _ in range(30)}
        wrong.extend(names - {path.stem})

    threads = [threading.Thread(target=read, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_parent_never_loads_h5py() -> None:
    program = "import sys, ingest.nexus.child, ingest.nexus.gate; sys.exit('h5py' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=CHECKOUT)


def test_damaged_copies_are_read_or_refused_with_a_reason(write: Write, tmp_path: Path) -> None:
    content = write(libver="earliest").read_bytes()
    random = np.random.default_rng(1)
    damaged = tmp_path / "damaged.h5"
    reasons = []
    with ReaderChild(Limits(timeout_seconds=1)) as reader:
        for _ in range(40):
            copy = bytearray(content)
            for at in random.integers(8, len(copy), 40):
                copy[at] = random.integers(0, 256)
            damaged.write_bytes(copy)
            try:
                reasons.append(reader.read(damaged).record.kind)
            except (UnreadableFileError, ReaderKilledError) as error:
                reasons.append(error.reason)
    assert all(reasons)
    assert len(set(reasons)) > 2
