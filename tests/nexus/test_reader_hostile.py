"""Files made to hurt: each is read, as far as it makes sense, in the time and the memory that one file is given."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ingest.nexus.budget import DEFAULT_BUDGET
from ingest.nexus.child import Limits, ReaderChild
from ingest.nexus.errors import ReaderKilledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ingest.nexus.record import EntryRecord
    from tests.nexus.conftest import Write

MEGABYTE = 1_000_000
LIMITS = Limits(timeout_seconds=60, memory_bytes=400 << 20)


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderChild]:
    with ReaderChild(LIMITS) as child:
        yield child


def add_groups(file: h5py.File) -> None:
    for number in range(50_000):
        h5py.h5g.create(file["entry"].id, f"z{number:06}".encode())


def add_levels(file: h5py.File) -> None:
    group = file["entry"].id
    for _ in range(10_000):
        group = h5py.h5g.create(group, b"deeper")


def add_attributes(file: h5py.File) -> None:
    space = h5py.h5s.create(h5py.h5s.SCALAR)
    for number in range(20_000):
        h5py.h5a.create(file["entry/sample"].id, f"a{number}".encode(), h5py.h5t.NATIVE_INT32, space)


def add_long_names(file: h5py.File) -> None:
    for parent in (file, file["entry"]):
        parent.create_group("n" * MEGABYTE)
    file["entry/sample/" + "v" * MEGABYTE] = 1.0
    file["entry/sample"].attrs["a" * 60_000] = 1.0


def add_long_texts(file: h5py.File) -> None:
    file["entry/sample/description"] = "x" * 100 * MEGABYTE
    file["entry/sample/names"] = ["y" * 100] * 100_000
    file["entry/sample"].create_dataset("fixed", data=np.bytes_(b"z" * 50 * MEGABYTE))


def add_endless_shapes(file: h5py.File) -> None:
    file["entry/sample"].create_dataset("line", (2**62,), "f8", chunks=(1024,))
    file["entry/sample"].create_dataset("plane", (2**30, 2**30), "f8", chunks=(1, 1024), compression="gzip")
    file["entry/sample"].create_dataset("all", (2**50,), "f8", chunks=(2**20,), fillvalue=1.0)


def add_nested_types(file: h5py.File) -> None:
    nested = np.dtype("f8")
    for _ in range(200):
        nested = np.dtype([("inner", nested)])
    file["entry/sample"].create_dataset("nested", (1,), nested)
    file["entry/sample"].create_dataset("wide", (1,), [(f"f{number}", "f8") for number in range(2_000)])


def add_odd_types(file: h5py.File) -> None:
    sample = file["entry/sample"]
    names = h5py.enum_dtype({f"n{number}": number for number in range(5_000)}, basetype="i4")
    sample.create_dataset("choice", data=3, dtype=names)
    sample.create_dataset("references", (100,), h5py.ref_dtype)[...] = file["entry"].ref
    sample.create_dataset("regions", (1,), h5py.regionref_dtype)[0] = file["entry/instrument/detector/data"].regionref[
        1
    ]
    sample.create_dataset("ragged", (2,), h5py.vlen_dtype("f8"))[0] = np.zeros(MEGABYTE)
    file["entry/type"] = np.dtype("f8")
    file["entry/type"].attrs.create("of_itself", 1.0, dtype=file["entry/type"])


def add_control_names(file: h5py.File) -> None:
    for name in ("\x1b[2J", "a\nb\rc", "\u202egpj.exe", "\x07", " "):
        file["entry/sample"][name] = "\x1b]0;title\x07"
        file["entry/sample"].attrs[name] = name


def add_loops(file: h5py.File) -> None:
    file["entry/a"], file["entry/b"] = h5py.SoftLink("/entry/b"), h5py.SoftLink("/entry/a")
    file["entry/sample/up"] = file["entry"]
    file["entry/around"] = h5py.ExternalLink(file.filename, "/entry")


def add_foreign_files(file: h5py.File) -> None:
    file["entry/secret"] = h5py.ExternalLink("/etc/passwd", "/")
    file["entry"].create_dataset("stolen", (100,), "u1", external=[("/etc/passwd", 0, 100)])
    layout = h5py.VirtualLayout((3_000,), "f8")
    for number in range(3_000):
        layout[number] = h5py.VirtualSource(f"/etc/passwd{number}", "data", (1,))[0]
    file["entry"].create_virtual_dataset("everything", layout)


@pytest.mark.parametrize(
    ("change", "truncated"),
    [
        (add_groups, {"groups", "members"}),
        (add_levels, {"levels"}),
        (add_attributes, {"attributes"}),
        (add_long_names, {"names", "attributes"}),
        (add_long_texts, set()),
        (add_endless_shapes, set()),
        (add_nested_types, set()),
        (add_odd_types, set()),
        (add_control_names, set()),
        (add_loops, set()),
        (add_foreign_files, {"linked_files"}),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_the_rest_of_the_file_is_read(
    write: Write, reader: ReaderChild, change: Callable[[h5py.File], None], truncated: set[str]
) -> None:
    reading = reader.read(write(change, libver="latest"))
    record = reading.record
    assert set(record.truncated) == truncated
    assert len(reading.encoded) < 200_000
    assert get_sample(record.entries[0]) == "LaB6"
    assert "root:" not in str(record)


def get_sample(entry: EntryRecord) -> object:
    """Return the name of the sample."""
    (sample,) = [group for group in entry.walk() if group.nx_class == "NXsample"]
    return next(field.value for field in sample.fields if field.name == "name")


def test_object_whose_attributes_need_more_memory_than_there_is_is_a_reason(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry"].attrs["big"] = np.zeros(300 * MEGABYTE, "u1")

    with ReaderChild(Limits(memory_bytes=200 << 20)) as reader, pytest.raises(ReaderKilledError, match="memory"):
        reader.read(write(change, libver="latest"))


def find_header(file: h5py.File, path: str) -> int:
    address: int = h5py.h5o.get_info(file[path].id).addr
    return address


@pytest.mark.parametrize("count", [20_000, 500_000])
def test_header_of_countless_messages_holds_nobody_up(write: Write, reader: ReaderChild, count: int) -> None:
    path = write(libver="earliest")
    with h5py.File(path) as file:
        place = find_header(file, "entry/sample")
    content = bytearray(path.read_bytes())
    messages, links, size = struct.unpack_from("<HII", content, place + 2)
    head = struct.pack("<BxHII4x", 1, min(0xFFFF, messages + count), links, size + 8 * count)
    longer = content + head + content[place + 16 : place + 16 + size] + bytes(8 * count)
    longer = longer.replace(struct.pack("<Q", place), struct.pack("<Q", len(content)))
    longer[40:48] = struct.pack("<Q", len(longer))
    path.write_bytes(longer)
    (entry,) = reader.read(path).record.entries
    assert [group.name for group in entry.groups if group.nx_class == "NXinstrument"] == ["instrument"]


def test_type_that_is_made_of_itself_is_a_reason(write: Write, reader: ReaderChild) -> None:
    def change(file: h5py.File) -> None:
        file["entry/type"] = np.dtype([("a", "f8"), ("b", "f8")])
        file["entry/sample"].attrs.create("typed", np.zeros(1, file["entry/type"].dtype), dtype=file["entry/type"])

    path = write(change, libver="earliest")
    with h5py.File(path) as file:
        place = find_header(file, "entry/type")
    content = bytearray(path.read_bytes())
    number, size = struct.unpack_from("<HH", content, place + 16)
    assert number == 3
    content[place + 20] |= 0b10  # shared: where it is stands in place of what it is
    content[place + 24 : place + 24 + size] = struct.pack("<BBQ", 3, 2, place).ljust(size, b"\0")
    path.write_bytes(content)
    # libhdf5 goes round until its memory ends, or its stack.
    assert find_end(reader, path) in {"read in part", "crashed signal 11"}


def find_end(reader: ReaderChild, path: Path) -> str:
    try:
        return "read in part" if reader.read(path).record.truncated else "read"
    except ReaderKilledError as error:
        return error.reason


def test_name_is_as_long_as_the_cap_allows(write: Write, reader: ReaderChild) -> None:
    def change(file: h5py.File) -> None:
        file["entry/sample/" + "v" * DEFAULT_BUDGET.name_bytes] = 1.0

    record = reader.read(write(change, libver="latest")).record
    assert record.truncated == {}
    assert any("vvv" in field.name for group in record.entries[0].walk() for field in group.fields)
