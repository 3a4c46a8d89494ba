from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.nexus.gate import HDF5_SIGNATURE, open_regular, read_gate, read_superblock
from ingest.nexus.record import FileKind

Write = Callable[..., Path]


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
def test_closed_master_passes(write: Write, libver: str) -> None:
    path = write(libver=libver)
    gate = read_gate(path)
    assert gate.is_hdf5
    assert gate.kind is None
    assert not gate.open_for_write
    assert gate.stored_end == gate.size == path.stat().st_size
    assert gate.mtime_ns == path.stat().st_mtime_ns


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
def test_file_in_a_writers_hands_is_open_for_write(tmp_path: Path, libver: str) -> None:
    path = tmp_path / "writing.h5"
    with h5py.File(path, "w", libver=libver) as file:
        file["x"] = 1
        file.flush()
        assert read_gate(path).open_for_write
    assert not read_gate(path).open_for_write
    with h5py.File(path, "a"):
        assert read_gate(path).open_for_write


@pytest.mark.parametrize(("libver", "swmr"), [("earliest", False), ("latest", False), ("latest", True)])
def test_flag_stays_after_the_writer_died(write_unclosed: Write, libver: str, swmr: bool) -> None:
    assert read_gate(write_unclosed(libver=libver, swmr=swmr)).open_for_write


def test_hdf5_1_6_left_both_flags_in_every_finished_file(write: Write) -> None:
    path = write(libver="earliest")
    with path.open("r+b") as file:
        file.seek(20)
        file.write(b"\x03")
    assert not read_gate(path).open_for_write


def test_cut_copy_is_truncated(write: Write) -> None:
    path = write()
    assert not read_gate(path).truncated
    os.truncate(path, path.stat().st_size - 100)
    assert read_gate(path).truncated


@pytest.mark.parametrize("size", [512, 1024, 4096])
def test_user_block_is_legal(write: Write, size: int) -> None:
    path = write(userblock_size=size)
    gate = read_gate(path)
    assert (gate.is_hdf5, gate.user_block) == (True, size)
    assert gate.header.startswith(HDF5_SIGNATURE)
    assert gate.stored_end == gate.size
    os.truncate(path, gate.size - 1)
    assert read_gate(path).truncated


def test_user_block_prepended_later_moves_the_stored_end(write: Write) -> None:
    path = write()
    path.write_bytes(b" " * 512 + path.read_bytes())
    assert read_gate(path).stored_end == path.stat().st_size


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", FileKind.EMPTY),
        (b"\x0e\x03\x13\x01" + bytes(100), FileKind.HDF4),
        (b"<?xml version='1.0'?><NXroot/>", FileKind.XML),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", FileKind.XML),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", FileKind.LFS_POINTER),
        (b"# a text", FileKind.UNKNOWN),
        (b"x" * 5000, FileKind.UNKNOWN),
    ],
)
def test_other_kinds_are_named(tmp_path: Path, content: bytes, kind: FileKind) -> None:
    path = tmp_path / "named.h5"
    path.write_bytes(content)
    gate = read_gate(path)
    assert (gate.is_hdf5, gate.kind) == (False, kind)


def test_tape_stub_is_offline_and_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stub.h5"
    path.touch()
    os.truncate(path, 10_000_000)
    monkeypatch.setattr(os, "open", None)
    assert read_gate(path).kind is FileKind.OFFLINE


def test_fifo_named_like_a_master_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "fifo.h5"
    os.mkfifo(path)
    assert read_gate(path).kind is FileKind.UNKNOWN
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/"])
def test_device_and_folder_are_unknown(path: str) -> None:
    assert read_gate(path).kind is FileKind.UNKNOWN


def test_symbolic_link_is_refused(write: Write, tmp_path: Path) -> None:
    link = tmp_path / "link.h5"
    link.symlink_to(write())
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        read_gate(link)


def test_missing_file_is_the_file_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_gate(tmp_path / "gone.h5")


@pytest.mark.needs("user")
def test_forbidden_file_is_the_file_systems_error(write: Write) -> None:
    path = write()
    path.chmod(0)
    with pytest.raises(PermissionError):
        read_gate(path)


def test_gate_is_equal_until_the_file_is_written_to(write: Write) -> None:
    path = write()
    before = read_gate(path)
    assert read_gate(path) == before
    with h5py.File(path, "a") as file:
        file["more"] = 1
    assert read_gate(path) != before


def test_rewritten_in_place_with_its_old_time_is_not_equal(write: Write) -> None:
    path = write()
    before = read_gate(path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.mtime_ns, before.mtime_ns))
    after = read_gate(path)
    assert (after.mtime_ns, after.size) == (before.mtime_ns, before.size)
    assert after != before


def test_four_byte_offsets_are_understood() -> None:
    header = HDF5_SIGNATURE + bytes([2, 4, 4, 1]) + struct.pack("<IIII", 0, 0xFFFFFFFF, 4000, 48) + bytes(36)
    assert read_superblock(header[:64]) == (1, 4000)


@given(st.binary(max_size=70))
def test_no_header_raises(content: bytes) -> None:
    read_superblock(content)
    read_superblock((HDF5_SIGNATURE + content + bytes(64))[:64])
