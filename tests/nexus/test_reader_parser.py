"""Our parser against libhdf5: the same record, whichever of them reads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ingest.nexus import master
from ingest.nexus.errors import ReaderError
from ingest.nexus.master import read_master
from ingest.nexus.pages import Pages, UnusualError
from ingest.nexus.parser import ParsedField, ParsedGroup, Parser

if TYPE_CHECKING:
    from ingest.nexus.record import MasterRecord

Write = Callable[..., Path]


def read_by_library(path: Path, monkeypatch: pytest.MonkeyPatch) -> MasterRecord:
    with monkeypatch.context() as patch:
        patch.setattr(master, "_make_parser", lambda *_: None)
        return read_master(path)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what the parser found by itself and what it left to libhdf5."""
    counts: Counter[str] = Counter()
    find = Parser.find

    def find_and_count(self: Parser, address: int, ask: Callable[[], object]) -> object:
        result = find(self, address, ask)
        counts[type(result).__name__] += 1
        return result

    monkeypatch.setattr(Parser, "find", find_and_count)
    return counts


def fill(file: h5py.File) -> None:
    """Everything of which a field or attribute can be made."""
    entry = file["entry"]
    for number, dtype in enumerate(["<f8", ">f8", "<f4", ">f4", "<f2", "i1", "<i2", ">i4", "<i8", "u1", ">u2", "<u8"]):
        entry[f"n{number}"] = np.array(7, dtype)
        entry[f"v{number}"] = np.arange(4).astype(dtype)
        entry.attrs[f"n{number}"] = np.array(7, dtype)
    entry["vlen"] = "caf\u00e9"
    entry["vlens"] = np.array(["a", "", "bb"], dtype=h5py.string_dtype())
    entry["ascii"] = np.array("a", dtype=h5py.string_dtype("ascii"))
    entry["fixed"] = np.bytes_(b"fixed")
    entry["fixeds"] = np.array([[b"a", b"bc"]])
    entry["empty"] = h5py.Empty("f8")
    entry["none"] = np.zeros((0, 3))
    entry["flag"] = True
    entry["complex"] = 1j
    entry["compound"] = np.zeros(2, dtype=[("a", "i4"), ("b", "f8")])
    entry.create_dataset("enum", data=1, dtype=h5py.enum_dtype({"OFF": 0, "ON": 1}))
    entry.create_dataset("reference", data=entry.ref, dtype=h5py.ref_dtype)
    entry.create_dataset("unwritten", shape=(3,), dtype="f8")
    entry.create_dataset("filled", shape=(3,), dtype="f8", fillvalue=3.5)
    entry.create_dataset(
        "chunked", data=np.arange(10.0), chunks=(3,), shuffle=True, compression="gzip", fletcher32=True
    )
    entry.create_dataset("growing", data=np.arange(100), chunks=(8,), maxshape=(None,))
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((3,))
    h5py.h5d.create(entry.id, b"compact", h5py.h5t.NATIVE_INT32, space, dcpl=compact).write(
        h5py.h5s.ALL, h5py.h5s.ALL, np.arange(3, dtype="i4")
    )
    file["type"] = np.dtype("f4")
    entry.create_dataset("committed", data=1.5, dtype=file["type"])
    for number in range(20):  # more than fit into a header of the newer format
        entry["sample"].attrs[f"many{number}"] = "x" * number
    entry["sample/name"].attrs["text"] = "caf\u00e9"
    entry["sample/name"].attrs["list"] = ["a", "b"]
    entry["sample/name"].attrs["empty"] = h5py.Empty("S1")
    entry["sample/name"].attrs["large"] = np.zeros(5000)
    entry["soft"] = h5py.SoftLink("sample/name")
    entry["external"] = h5py.ExternalLink("other.h5", "/x")
    entry["hard"] = entry["sample/name"]
    for number in range(300):
        entry[f"instrument/x{number}"] = number


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
@pytest.mark.parametrize("options", [{}, {"track_order": True}, {"userblock_size": 1024}])
def test_both_read_the_same(
    write: Write, monkeypatch: pytest.MonkeyPatch, found: Counter[str], libver: str, options: dict[str, object]
) -> None:
    path = write(fill, libver=libver, **options)
    record = read_master(path)
    assert found["ParsedField"] > 60
    assert found["ParsedGroup"] > 2
    assert record == read_by_library(path, monkeypatch)


def test_both_read_the_same_behind_a_prepended_block(
    write: Write, monkeypatch: pytest.MonkeyPatch, found: Counter[str]
) -> None:
    path = write()
    path.write_bytes(bytes(512) + path.read_bytes())
    record = read_master(path)
    assert found["ParsedField"]
    assert record == read_by_library(path, monkeypatch)


def test_both_read_the_same_of_the_corpus(corpus: Path, monkeypatch: pytest.MonkeyPatch, found: Counter[str]) -> None:
    for path in sorted(corpus.rglob("*.*")):
        if path.is_file() and path.suffix not in {".csv", ".md", ".json"}:
            try:
                assert read_master(path) == read_by_library(path, monkeypatch), path
            except ReaderError:
                continue
    assert found["ParsedField"] > 10 * found["NoneType"]


def test_ordinary_metadata_never_ask_the_library(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(libver="earliest")
    monkeypatch.setattr(master.LibraryFile, "open_path", None)
    monkeypatch.setattr(master.LibraryFile, "find_target", None)
    monkeypatch.setattr("ingest.nexus.library.LibraryGroup.open_member", None)
    assert read_master(path).truncated == {}


def test_file_whose_writer_may_live_is_left_to_the_library(write_unclosed: Write, found: Counter[str]) -> None:
    for swmr in (True, False):
        read_master(write_unclosed(swmr=swmr))
    assert not found


def find_all(path: Path, addresses: list[int]) -> list[object]:
    """What the parser finds at addresses, with everything read that can be read."""
    results: list[object] = []
    with path.open("rb") as file:
        parser = Parser(Pages(file.fileno(), 0))
        for address in addresses:
            opened = parser.find(address, lambda: None)  # type: ignore[arg-type, return-value]
            results.append(type(opened))
            try:
                if isinstance(opened, ParsedGroup):
                    results.append(opened.list_members(1000))
                elif isinstance(opened, ParsedField) and 0 < opened.head.size < 1000 and not opened.storage.chunks:
                    results.append(opened._read_content())
            except UnusualError:
                results.append(None)
    return results


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_damage_never_makes_it_loop_or_raise(write: Write, libver: str) -> None:
    path = write(libver=libver)
    with h5py.File(path) as file:
        names = ["/", "entry", "entry/title", "entry/sample", "entry/sample/temperature", "entry/instrument/detector"]
        addresses = [h5py.h5o.get_info(file[name].id).addr for name in names]
    content = path.read_bytes()
    random = np.random.default_rng(3)
    found: Counter[object] = Counter()
    for _ in range(300):
        copy = bytearray(content)
        for at in random.integers(0, len(copy), 30):
            copy[at] = random.integers(0, 256)
        path.write_bytes(copy)
        found.update(kind for kind in find_all(path, addresses) if isinstance(kind, type))
    assert found[type(None)] > 50
    assert found[ParsedGroup] > 300


def test_nothing_lies_beyond_the_end(tmp_path: Path) -> None:
    path = tmp_path / "short"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        pages = Pages(file.fileno(), 2)
        assert pages.read(0, 8) == b"23456789"
        for address, count in ((0, 9), (100, 1), (1 << 63, 1), (-10, 1), (0, 1 << 30)):
            with pytest.raises(UnusualError):
                pages.read(address, count)


def test_pieces_across_pages_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "long"
    content = os.urandom(60_000)
    path.write_bytes(content)
    with path.open("rb") as file:
        pages = Pages(file.fileno(), 0)
        for at, count in ((16_380, 8), (0, 60_000), (59_990, 10), (16_384, 16_384)):
            assert pages.read(at, count) == content[at : at + count]


def write_virtual(path: Path, libver: str, *, endless: bool = False) -> Path:
    """Write a virtual dataset over whole sources, parts of them, an irregular one, itself, and maybe a growing one."""
    layout = h5py.VirtualLayout(shape=(6, 10), dtype="u2", maxshape=(None, 10))
    layout[0] = h5py.VirtualSource("one.h5", "/entry/data", shape=(10,))
    layout[1, ::2] = h5py.VirtualSource("sub/two.h5", "data", shape=(20,))[2:7]
    layout[2, [0, 3, 4, 9]] = h5py.VirtualSource("drei \u00c5.h5", "data", shape=(4,))
    layout[3] = h5py.VirtualSource(".", "/own", shape=(10,))
    if endless:
        growing = h5py.VirtualSource("late.h5", "data", shape=(2, 10), maxshape=(None, 10))
        layout[4 : h5py.h5s.UNLIMITED] = growing[0 : h5py.h5s.UNLIMITED]
    with h5py.File(path, "w", libver=libver) as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        detector = entry.create_group("detector")
        detector.attrs["NX_class"] = "NXdetector"
        file["own"] = np.zeros(10, "u2")
        detector.create_virtual_dataset("data", layout)
    return path


@pytest.mark.parametrize("libver", ["earliest", "v110", "v112", "latest"])
def test_sources_of_virtual_datasets_are_those_that_the_library_tells(
    tmp_path: Path, libver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_virtual(tmp_path / "virtual.h5", libver)
    record = read_master(path)
    assert record == read_by_library(path, monkeypatch)
    assert {link.file for link in record.linked_files} == {"one.h5", "sub/two.h5", "drei \u00c5.h5"}


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_growing_virtual_dataset_has_the_shape_that_was_stored(
    tmp_path: Path, libver: str, found: Counter[str]
) -> None:
    """The library would open the sources to see how far they have grown."""
    record = read_master(write_virtual(tmp_path / "virtual.h5", libver, endless=True))
    (data,) = record.entries[0].groups[0].fields
    assert data.shape == (6, 10)
    assert "late.h5" in {link.file for link in record.linked_files}
    assert found["ParsedField"] >= 1
