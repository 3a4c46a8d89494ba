from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pytest

from ingest.nexus import encoding
from ingest.nexus.encoding import RecordFormatError, decode_record, encode_record
from ingest.nexus.master import read_master
from ingest.nexus.record import RECORD_FORMAT, Field, FileKind, Group, LinkedFile, LinkKind, MasterRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FULL = MasterRecord(
    kind=FileKind.NEXUS,
    root=Group("/", "NXroot", {"creator": "us", "numbers": [1, 2.5, "x", True]}),
    entries=(
        Group(
            "/entry",
            "NXentry",
            fields=(
                Field("title", "string", value="a title"),
                Field("energy", "float64", (3,), [1.0, 2.0, 3.0], "keV"),
                Field("log", "float64", (99,), None, "K", 1.0, 3.0, 2.0, 99, 1.5, 2.5, (10,), ("deflate",), {"a": 1}),
            ),
            groups=(Group("/entry/sample", "NXsample"),),
        ),
    ),
    linked_files=(LinkedFile("/entry/data", LinkKind.VIRTUAL, "a.h5", "/x", ("/more",)),),
    truncated={"fields": 3},
    swmr=True,
)


def test_record_survives_the_way_there_and_back() -> None:
    assert decode_record(encode_record(FULL)) == FULL


def test_whole_numbers_stay_floats_and_booleans_booleans() -> None:
    record = dataclasses.replace(FULL, root=Group("/", attributes={"a": 1.0, "b": 1, "c": True}))
    attributes = decode_record(encode_record(record)).root.attributes
    assert [type(value) for value in attributes.values()] == [float, int, bool]


def test_defaults_are_left_out() -> None:
    encoded = encode_record(MasterRecord(FileKind.OTHER, Group("/")))
    assert msgspec.json.decode(encoded) == {"format": RECORD_FORMAT, "kind": "hdf5-other", "root": {"path": "/"}}


@pytest.mark.parametrize("plain", [Field, Group, LinkedFile, MasterRecord])
def test_stored_form_has_every_member_of_the_record(plain: type) -> None:
    stored = getattr(encoding, f"_{plain.__name__}")
    assert set(stored.__struct_fields__) == {field.name for field in dataclasses.fields(plain)}


def test_equal_masters_give_equal_bytes(write: Callable[..., Path], tmp_path: Path) -> None:
    path = write()
    copy = tmp_path / "copy.h5"
    copy.write_bytes(path.read_bytes())
    assert encode_record(read_master(path)) == encode_record(read_master(copy))


def test_newer_format_is_refused_with_its_number() -> None:
    newer = encode_record(dataclasses.replace(FULL, format=RECORD_FORMAT + 1))
    with pytest.raises(RecordFormatError, match="newer") as caught:
        decode_record(newer)
    assert caught.value.found == RECORD_FORMAT + 1


@pytest.mark.parametrize(
    "encoded",
    [b"", b"{}", b"[1]", b'{"format":1}', b"\xff\xfe", b'{"format":1,"kind":"nonsense","root":{"path":"/"}}'],
)
def test_what_is_no_record_is_refused(encoded: bytes) -> None:
    with pytest.raises(RecordFormatError):
        decode_record(encoded)
