"""Masters and folders by the hundred, and damage that a real killed writer leaves too."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import h5py
import pytest

from ingest.samples.bulk import write_bliss_master, write_dataset_folder
from ingest.samples.damage import flag_byte, mark_open
from tests.builders import mutate, write_master

if TYPE_CHECKING:
    from pathlib import Path

KILLED_WRITER = """
import os, signal, sys, h5py
file = h5py.File(sys.argv[1], "w", libver=sys.argv[2])
file.create_group("entry")
file.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_scans_are_copied_with_their_own_times_and_links(tmp_path: Path) -> None:
    with h5py.File(write_bliss_master(tmp_path / "many.h5", scans=12, motors=5)) as file:
        assert len(file) == 12
        starts = {entry["start_time"][()] for entry in file.values()}
        assert len(starts) == 12
        last = file["12.1"]
        assert all(len(last["instrument"][name]) == 5 for name in ("positioners", "positioners_dial_end"))
        links = [last["measurement"].get(name, getlink=True).path for name in last["measurement"]]
        links.append(last["instrument/positioners"].get("samx", getlink=True).path)
        assert all(link.startswith("/12.1/instrument/") for link in links)
        assert all(file[link].shape == (21,) for link in links)


def test_dataset_folders_differ_and_have_the_files_that_they_name(tmp_path: Path) -> None:
    masters = [write_dataset_folder(tmp_path, f"sample_{number:04d}", files=7, motors=3) for number in (1, 2)]
    assert masters[0].read_bytes() != masters[1].read_bytes()
    for master in masters:
        assert len([path for path in master.parent.rglob("*") if path.is_file()]) == 7
        with h5py.File(master) as file:
            assert file["1.1/sample/name"][()].decode() == master.stem
            sources = {source.file_name for source in file["1.1/instrument/eiger/image"].virtual_sources()}
        assert sources == {path.relative_to(master.parent).as_posix() for path in master.parent.glob("scan0001/*")}


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_marked_file_looks_as_a_killed_writer_leaves_it(tmp_path: Path, libver: str) -> None:
    killed = tmp_path / "killed.h5"
    ended = subprocess.run([sys.executable, "-c", KILLED_WRITER, killed, libver], check=False)
    assert ended.returncode == -signal.SIGKILL
    closed = tmp_path / "closed.h5"
    with h5py.File(closed, "w", libver=libver) as file:
        file.create_group("entry")
    before, left = closed.read_bytes(), killed.read_bytes()
    place = flag_byte(left)
    assert before[place] & 1 == 0
    assert left[place] & 1 == 1
    assert mark_open(closed).read_bytes()[place] & 1 == 1


def test_flag_is_only_looked_for_in_hdf5(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("no such thing")
    with pytest.raises(ValueError, match="signature"):
        mark_open(tmp_path / "text.h5")


def test_builder_leaves_out_replaces_and_adds(tmp_path: Path) -> None:
    path = write_master(
        tmp_path / "one.h5",
        without=("sample", "instrument/source/name"),
        title="mine",
        sample2__mass=(3.0, "mg"),
        scans=2,
    )
    with h5py.File(path) as file:
        assert list(file) == ["1.1", "2.1"]
        entry = file["2.1"]
        assert "sample" not in entry
        assert set(entry["instrument/source"]) == {"type", "probe"}
        assert entry["title"][()] == b"mine"
        assert entry["sample2/mass"].attrs["units"] == "mg"


def test_damage_is_damage_and_repeatable(tmp_path: Path) -> None:
    whole = write_master(tmp_path / "one.h5").read_bytes()
    damaged = [mutate(whole, seed) for seed in range(60)]
    assert whole not in damaged
    assert damaged == [mutate(whole, seed) for seed in range(60)]
    assert {len(data) == len(whole) for data in damaged} == {True, False}
