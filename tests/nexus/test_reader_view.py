"""What libhdf5 is shown in place of bytes that would stop it or never let it go."""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING

import h5py
import pytest

from ingest.nexus import master
from ingest.nexus.child import Limits, ReaderChild
from ingest.nexus.master import read_master
from ingest.nexus.pages import PAGE_BYTES, Pages
from ingest.nexus.unclosed import to_checksum
from ingest.nexus.view import FileView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ingest.nexus.record import MasterRecord

    Write = Callable[..., Path]


def read(view: FileView, at: int, count: int) -> bytes:
    buffer = bytearray(b"?" * count)
    view.seek(at)
    assert view.readinto(memoryview(buffer)) == count
    return bytes(buffer)


@pytest.mark.parametrize(("libver", "block"), [("v108", 0), ("latest", 0), ("latest", 512)])
def test_unclosed_file_looks_like_the_closed_one(write: Write, libver: str, block: int) -> None:
    path = write(libver=libver, userblock_size=block)
    content = path.read_bytes()
    header = content[block : block + 64]
    assert to_checksum(header[:44]).to_bytes(4, "little") == header[44:48]
    path.write_bytes(content[: block + 11] + b"\1" + content[block + 12 :])
    with path.open("rb") as file:
        view = FileView(Pages(file.fileno()))
        view.close_header(block)
        assert read(view, 0, len(content)) == content
        assert read(view, block + 8, 8) == content[block + 8 : block + 16]


def test_bytes_are_those_of_the_file_and_zeros_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "any"
    content = os.urandom(3 * PAGE_BYTES + 100)
    path.write_bytes(content)
    with path.open("rb") as file:
        view = FileView(Pages(file.fileno()))
        for at, count in ((0, 8), (PAGE_BYTES - 3, 6), (100, 2 * PAGE_BYTES), (3 * PAGE_BYTES, 100)):
            assert read(view, at, count) == content[at : at + count]
        assert read(view, len(content) - 10, 100) == content[-10:] + bytes(90)
        assert view.seek(-10, os.SEEK_END) == view.tell() == len(content) - 10
        # A damaged address; no file system has one so high.
        assert read(view, 2**63, 100) == bytes(100)


def test_failing_file_system_is_told_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "any"
    path.write_bytes(bytes(100))
    file = path.open("rb")
    view = FileView(Pages(file.fileno()))
    view.raise_if_failed()
    file.close()
    assert read(view, 0, 10) == bytes(10)
    with pytest.raises(OSError, match="descriptor") as told:
        view.raise_if_failed()
    assert told.value.errno == errno.EBADF


@pytest.fixture(scope="module")
def child() -> Iterator[ReaderChild]:
    with ReaderChild(Limits(timeout_seconds=20)) as child:
        yield child


def read_both(path: Path, child: ReaderChild, monkeypatch: pytest.MonkeyPatch) -> tuple[MasterRecord, MasterRecord]:
    """Return the record, and that by libhdf5 alone; in this order, since it may never come back."""
    record = child.read(path).record
    monkeypatch.setattr(master, "_make_parser", lambda *_: None)
    return record, read_master(path)


def add_texts(file: h5py.File) -> None:
    for number in range(40):
        file["entry/sample"].attrs[f"text{number:02}"] = f"text {number}"


@pytest.mark.parametrize(("index", "length"), [(0, 0), (0, 1 << 40), (9, 1 << 40), (9, (1 << 64) - 8)])
def test_texts_before_the_damage_are_read(
    write: Write, child: ReaderChild, monkeypatch: pytest.MonkeyPatch, index: int, length: int
) -> None:
    """Of index 0 it is free space, in which libhdf5 stays for ever if it has no length."""
    path = write(add_texts)
    content = path.read_bytes()
    at = content.index(b"text 9\0\0") - 16
    path.write_bytes(content[:at] + struct.pack("<HHIQ", index, 0, 0, length) + content[at + 16 :])
    for record in read_both(path, child, monkeypatch):
        (sample,) = [group for group in record.entries[0].walk() if group.name == "sample"]
        assert sample.attributes["text07"] == "text 7"
        assert "text20" not in sample.attributes


def test_circle_of_free_space_does_not_matter(
    write: Write, child: ReaderChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(libver="earliest")
    content = path.read_bytes()
    at = content.index(b"HEAP\0\0\0\0")
    size, _, place = struct.unpack_from("<QQQ", content, at + 8)
    circle = struct.pack("<QQ", size - 16, 16)
    damaged = bytearray(content)
    damaged[at + 16 : at + 24] = struct.pack("<Q", size - 16)
    damaged[place + size - 16 : place + size] = circle
    path.write_bytes(damaged)
    for record in read_both(path, child, monkeypatch):
        assert [entry.name for entry in record.entries] == ["entry"]


def test_text_that_claims_gigabytes_is_lost_alone(write: Write, child: ReaderChild) -> None:
    path = write(add_texts)
    content = path.read_bytes()
    at = content.index(b"text09\0\0")
    at = content.index(struct.pack("<I", len("text 9")), at + 8)
    path.write_bytes(content[:at] + struct.pack("<I", 0xF000_0000) + content[at + 4 :])
    for each in (child.read(path).record, read_master(path)):
        (sample,) = [group for group in each.entries[0].walk() if group.name == "sample"]
        assert "text09" not in sample.attributes
        assert sample.attributes["text10"] == "text 10"


@pytest.mark.parametrize("selection", [b"\x02\0\0\0\x03\0\0\0\0\x08\xff\xff\xff\xff", b"\x07\0\0\0\x01\0\0\0"])
def test_damaged_list_of_sources_is_not_given_to_the_library(
    write: Write, child: ReaderChild, selection: bytes
) -> None:
    def change(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((4, 8), "f8")
        for number in range(4):
            layout[number] = h5py.VirtualSource(f"image{number}.h5", "data", (8,))
        file["entry"].create_virtual_dataset("frames", layout)

    path = write(change, libver="v112")
    content = path.read_bytes()
    at = content.index(b"image2.h5\0data\0") + len(b"image2.h5\0data\0")
    path.write_bytes(content[:at] + selection + content[at + len(selection) :])
    record = child.read(path).record
    assert record.truncated == {"unreadable": 1}
    assert record.entries
