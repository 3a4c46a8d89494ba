from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ingest.nexus.encoding import encode_record
from ingest.nexus.errors import UnreadableFileError
from ingest.nexus.master import read_master
from ingest.nexus.record import Field, FileKind, Group, MasterRecord
from ingest.nexus.unclosed import to_checksum

Write = Callable[..., Path]
AddGroup = Callable[..., h5py.Group]


def find_group(record: MasterRecord, path: str) -> Group:
    groups = {group.path: group for top in (record.root, *record.entries) for group in top.walk()}
    return groups[path]


def find_field(record: MasterRecord, path: str) -> Field:
    folder, _, name = path.rpartition("/")
    return next(field for field in find_group(record, folder or "/").fields if field.name == name)


def test_ordinary_master(write: Write) -> None:
    record = read_master(write())
    assert record.kind is FileKind.NEXUS
    assert [entry.path for entry in record.entries] == ["/entry"]
    assert find_field(record, "/entry/title") == Field("title", "string", value="a scan")
    temperature = find_field(record, "/entry/sample/temperature")
    assert (temperature.value, temperature.unit, temperature.dtype) == (295.0, "K", "float64")
    assert find_group(record, "/entry/sample").nx_class == "NXsample"
    assert record.truncated == {}
    assert not record.swmr


def test_payload_is_described_and_not_read(write: Write) -> None:
    data = find_field(read_master(write()), "/entry/instrument/detector/data")
    assert (data.shape, data.dtype, data.chunks, data.filters) == ((5, 8, 8), "uint16", (1, 8, 8), ("deflate",))
    assert data.value is None
    assert data.maximum is None


def test_short_measured_arrays_are_payload_too(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        group(file["entry"], "counter", "NXdetector", data=np.arange(5.0), count_time=0.1)
        group(file["entry"], "plot", "NXdata", intensity=np.arange(5.0), label="I")
        file["entry/marked"] = np.arange(5.0)
        file["entry/marked"].attrs["signal"] = 1

    record = read_master(write(change))
    assert find_field(record, "/entry/counter/data").value is None
    assert find_field(record, "/entry/counter/count_time").value == 0.1
    assert find_field(record, "/entry/plot/intensity").value is None
    assert find_field(record, "/entry/plot/label").value == "I"
    assert find_field(record, "/entry/marked").value is None


def test_vector_is_a_list_or_its_extremes(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        group(file["entry"], "samx", "NXpositioner", value=np.linspace(0, 1, 5))
        log = group(file["entry"], "temperature", "NXlog")
        log.create_dataset("value", data=[np.nan, *range(99)], chunks=(10,), maxshape=(None,))
        group(file["entry"], "long", "NXlog", value=np.zeros(20_000))

    record = read_master(write(change))
    assert find_field(record, "/entry/samx/value").value == [0, 0.25, 0.5, 0.75, 1]
    log = find_field(record, "/entry/temperature/value")
    assert (log.value, log.minimum, log.maximum, log.mean, log.count) == (None, 0, 98, 49, 99)
    assert (log.first, log.last) == (0, 98)
    long = find_field(record, "/entry/long/value")
    assert (long.shape, long.minimum) == ((20_000,), None)


def test_strings_of_every_kind(write: Write) -> None:
    def change(file: h5py.File) -> None:
        entry = file["entry"]
        entry["fixed"] = np.bytes_(b"fixed \xb0C\0\0")
        entry["nested"] = np.array([["none"]], dtype="S5")
        entry["vector"] = np.array(["a", "b\u00e9"], dtype=h5py.string_dtype())
        entry["blank"] = "  "
        entry["empty"] = h5py.Empty("S1")
        entry["utf8"] = np.array("\u00c5".encode(), dtype=h5py.string_dtype("utf-8", 10))
        entry.create_dataset("nothing", shape=(0,), dtype=h5py.string_dtype())
        entry.attrs["array"] = np.array(["only one"], dtype=h5py.string_dtype())

    record = read_master(write(change))
    values = {field.name: field.value for field in record.entries[0].fields}
    assert values["fixed"] == "fixed \u00b0C"
    assert values["nested"] == "none"
    assert values["vector"] == ["a", "b\u00e9"]
    assert (values["blank"], values["empty"], values["nothing"]) == (None, None, None)
    assert values["utf8"] == "\u00c5"
    assert record.entries[0].attributes["array"] == "only one"


def test_numbers_of_every_kind(write: Write) -> None:
    def change(file: h5py.File) -> None:
        entry = file["entry"]
        for name, value in {
            "u8": np.uint64(2**64 - 1),
            "i1": np.int8(-3),
            "f2": np.float16(0.5),
            "big": np.array(7, ">i4"),
            "flag": np.bool_(1),
            "nan": np.nan,
            "wild": 7e78,
        }.items():
            entry[name] = value
        entry.create_dataset("enum", data=1, dtype=h5py.enum_dtype({"OFF": 0, "ON": 1}))
        entry["complex"] = 1 + 2j
        entry["compound"] = np.zeros((), dtype=[("a", "i4")])
        entry["reference"] = entry.ref
        entry.create_dataset("ragged", shape=(2,), dtype=h5py.vlen_dtype("f8"))

    record = read_master(write(change))
    fields = {field.name: field for field in record.entries[0].fields}
    values = {name: field.value for name, field in fields.items()}
    assert (values["u8"], values["i1"], values["f2"], values["big"]) == (2**64 - 1, -3, 0.5, 7)
    assert values["flag"] is True
    assert values["enum"] == 1
    assert [values[name] for name in ("nan", "wild", "complex", "compound", "reference", "ragged")] == [None] * 6
    assert (fields["compound"].dtype, fields["ragged"].dtype, fields["f2"].dtype) == ("compound", "vlen", "float16")
    assert record.truncated == {}


def test_personal_data_are_nowhere_in_the_record(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        user = group(
            file["entry"],
            "user_1",
            "NXuser",
            name="Jane Doe",
            role="main proposer",
            email="jane@doe.org",
            telephone_number="0476882000",
            address="1 rue X",
            mobile="0600",
        )
        user.attrs["contact_email"] = "jane@doe.org"
        file["entry/notes"] = "ask jane@doe.org or +33 4 76 88 20 00"
        file["entry/notes"].attrs["author"] = "jane@doe.org"
        file.attrs["creator_mail"] = "jane@doe.org"
        file["entry/sample/contact"] = user["email"]
        file["entry/sample/email"] = file["entry/title"]

    record = read_master(write(change))
    encoded = encode_record(record).decode()
    for secret in ("doe.org", "0476882000", "76 88", "rue X", "0600"):
        assert secret not in encoded
    assert find_field(record, "/entry/user_1/name").value == "Jane Doe"
    assert find_field(record, "/entry/user_1/role").value == "main proposer"
    assert find_field(record, "/entry/user_1/email").value is None
    assert find_field(record, "/entry/notes").value == "ask [redacted] or [redacted]"
    assert find_field(record, "/entry/sample/email").value is None


def test_class_is_stripped_and_case_blind_and_its_spelling_kept(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file.create_group("odd").attrs["NX_class"] = np.array([b"nxEntry "])
        file["odd/title"] = "found"
        file.create_group("plain")["value"] = 1

    record = read_master(write(change))
    assert [(entry.path, entry.nx_class) for entry in record.entries] == [("/entry", "NXentry"), ("/odd", "nxEntry")]
    assert find_field(record, "/plain/value").value == 1


def test_names_of_any_kind(write: Write) -> None:
    name = "1.1 s\u00f8ren #2 'x'.y:z"

    def change(file: h5py.File) -> None:
        file.move("entry", name)

    record = read_master(write(change))
    assert find_field(record, f"/{name}/sample/name").value == "LaB6"


def test_name_that_is_no_utf8(write: Write) -> None:
    def change(file: h5py.File) -> None:
        h5py.h5d.create(file["entry"].id, b"\xb5m", h5py.h5t.NATIVE_INT32, h5py.h5s.create(h5py.h5s.SCALAR))

    assert len(read_master(write(change)).entries[0].fields) == 3


def test_file_without_entry_keeps_what_its_root_holds(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file.attrs["Sample"] = "TiSe2"
        beamline = file.create_group("Beamline")
        beamline.attrs["energy"] = 111.0
        beamline["gap"] = 12.5

    record = read_master(write(change, entries=()))
    assert (record.kind, record.entries) == (FileKind.OTHER, ())
    assert record.root.attributes == {"Sample": "TiSe2"}
    assert find_group(record, "/Beamline").attributes == {"energy": 111.0}
    assert find_field(record, "/Beamline/gap").value == 12.5


@pytest.mark.parametrize("track_order", [True, False])
def test_motors_once_and_afterwards_only_what_moved(write: Write, group: AddGroup, track_order: bool) -> None:
    def change(file: h5py.File) -> None:
        for entry in file.values():
            motors = {f"m{number}": float(number) for number in range(40)}
            instrument = entry["instrument"]
            group(instrument, "samx", "NXpositioner", value=np.linspace(0, 1, 12))
            group(instrument, "positioners", "NXcollection", **motors)
            group(instrument, "positioners_start", "NXcollection", **motors)
            instrument["positioners/samx"] = h5py.SoftLink(f"{entry.name}/instrument/samx/value")

    record = read_master(write(change, entries=("1.1", "2.1"), track_order=track_order))
    first = find_group(record, "/1.1/instrument/positioners")
    assert len(first.fields) == 41
    second = find_group(record, "/2.1/instrument/positioners")
    assert [field.name for field in second.fields] == ["samx"]
    assert len(second.fields[0].value or ()) == 12
    assert not [group for entry in record.entries for group in entry.walk() if "start" in group.path]


def test_moved_motors_of_a_further_entry_are_read_before_its_many_counters(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        second = group(file, "second", "NXentry", title="ascan")
        instrument = group(second, "instrument", "NXinstrument", name="I1")
        for number in range(50):
            group(instrument, f"counter{number:02}", "NXdetector", data=np.arange(5.0), mode="MEAN")
        group(instrument, "samx", "NXpositioner", value=np.arange(5.0))

    record = read_master(write(change))
    assert find_field(record, "/second/instrument/samx/value").value == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert record.truncated["fields"] + record.truncated["groups"] > 0


def test_keys_of_frames_are_counted_out_where_they_are_many(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        keys = np.repeat([2, 1, 0], [10, 20, 20_000])
        group(file["entry"], "cam", "NXdetector", image_key=keys, counts_per_frame=keys)
        group(file["entry"], "few", "NXdetector", image_key=keys[:12])

    record = read_master(write(change))
    assert find_field(record, "/entry/cam/image_key").tally == {"0": 20_000, "1": 20, "2": 10}
    assert find_field(record, "/entry/cam/counts_per_frame").maximum is None
    few = find_field(record, "/entry/few/image_key")
    assert (few.value, few.tally) == ([2] * 10 + [1] * 2, {})


def test_measured_channels_by_name_shape_and_unit(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        detector = group(file["entry/instrument"], "diode", "NXdetector", signal=np.arange(4.0))
        detector["signal"].attrs["units"] = "A"
        detector["signal"].attrs["interpretation"] = "scalar"
        group(file["entry"], "measurement", "NXcollection")
        file["entry/measurement/diode"] = h5py.SoftLink("/entry/instrument/diode/signal")
        file["entry/measurement/gone"] = h5py.SoftLink("/entry/nowhere")

    record = read_master(write(change))
    (channel,) = find_group(record, "/entry/measurement").fields
    assert channel == Field("diode", "float64", (4,), unit="A", attributes={"interpretation": "scalar"})
    assert record.truncated == {}


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_user_block(write: Write, libver: str) -> None:
    assert read_master(write(libver=libver, userblock_size=512)).entries


def test_file_that_a_swmr_writer_left_open(write_unclosed: Write) -> None:
    record = read_master(write_unclosed(swmr=True))
    assert record.swmr
    assert find_field(record, "/entry/title").value == "never closed"


@pytest.mark.parametrize("swmr", [False, True])
def test_what_a_dead_writer_wrote_is_read_where_the_rest_is_missing(write_unclosed: Write, swmr: bool) -> None:
    path = write_unclosed(swmr=swmr)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"never closed")])
    record = read_master(path)
    assert [each.name for each in record.root.groups] == ["entry"]
    assert record.truncated["unreadable"]


def test_more_than_a_dead_writer_told_the_length_of_is_read(write_unclosed: Write) -> None:
    path = write_unclosed(swmr=True)
    content = path.read_bytes()
    told = content.index(b"never closed").to_bytes(8, "little")
    path.write_bytes(
        content[:28]
        + told
        + content[36:44]
        + to_checksum(content[:28] + told + content[36:44]).to_bytes(4, "little")
        + content[48:]
    )
    assert find_field(read_master(path), "/entry/title").value == "never closed"


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
def test_file_that_a_dead_writer_left_open_is_read_and_not_touched(write_unclosed: Write, libver: str) -> None:
    path = write_unclosed(libver=libver)
    before = path.read_bytes()
    record = read_master(path)
    assert find_field(record, "/entry/title").value == "never closed"
    assert not record.swmr
    assert path.read_bytes() == before


def test_missing_filter_does_not_matter(write: Write) -> None:
    def change(file: h5py.File) -> None:
        data = file["entry"].create_dataset("filtered", data=[1, 2, 3], chunks=(3,), compression="gzip")
        assert data.id.get_storage_size()

    path = write(change)
    content = path.read_bytes()
    assert content.count(b"deflate") in {1, 2}
    # The filter's number (1) stands two bytes before the length of its name: a filter that nobody has.
    for at in [at for at in range(len(content)) if content.startswith(b"deflate", at)]:
        content = content[: at - 8] + (40_000).to_bytes(2, "little") + content[at - 6 :]
    path.write_bytes(content)
    record = read_master(path)
    filtered = find_field(record, "/entry/filtered")
    assert (filtered.value, filtered.filters) == (None, ("40000",))
    assert find_field(record, "/entry/title").value == "a scan"


def test_not_hdf5_is_unreadable_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "text.h5"
    path.write_text("nothing of the kind")
    with pytest.raises(UnreadableFileError, match="file signature not found") as caught:
        read_master(path)
    assert caught.value.path == path


def test_cut_master_is_unreadable_with_the_reason(write: Write) -> None:
    path = write()
    os.truncate(path, path.stat().st_size - 10)
    with pytest.raises(UnreadableFileError, match="truncated"):
        read_master(path)


def test_fifo_and_link_and_missing_are_the_file_systems_errors(write: Write, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.h5")
    (tmp_path / "link.h5").symlink_to(write())
    for name in ("fifo.h5", "link.h5", "gone.h5"):
        with pytest.raises(OSError, match=r"regular file|symbolic links|No such file"):
            read_master(tmp_path / name)


def test_file_is_closed_and_no_descriptor_left(write: Write) -> None:
    path = write()
    before = len(list(Path("/dev/fd").iterdir()))
    read_master(path)
    with pytest.raises(UnreadableFileError):
        read_master(Path(__file__))
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.mark.needs("strace")
@pytest.mark.parametrize("when", [1, 2, 3])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_failing_file_system_is_no_damage(write: Write, when: int, libver: str) -> None:
    """Half a record of a file that is whole would be believed: it must be an error that is tried again."""

    def change(file: h5py.File) -> None:
        for number in range(40):
            file[f"entry/far/{number}"] = range(1_000)

    path = write(change, libver=libver)
    program = (
        "import sys, errno\n"
        "from ingest.nexus import master\n"
        "master._make_parser = lambda *_: None\n"
        "try:\n"
        "    print(master.read_master(sys.argv[1]).truncated)\n"
        "except OSError as error:\n"
        "    print(error.errno == errno.EIO)\n"
    )
    inject = ["-e", "trace=pread64", "-e", f"inject=pread64:error=EIO:when={when}+"]
    run = subprocess.run(
        ["strace", "-f", "-o", os.devnull, "-P", path, *inject, sys.executable, "-c", program, path],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout == "True\n"
