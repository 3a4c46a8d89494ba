from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ingest.nexus.budget import Budget
from ingest.nexus.encoding import encode_record
from ingest.nexus.master import read_master
from ingest.nexus.record import FileKind, Group, LinkedFile, LinkKind, MasterRecord

Write = Callable[..., Path]
AddGroup = Callable[..., h5py.Group]


def find_group(record: MasterRecord, path: str) -> Group:
    return {group.path: group for top in (record.root, *record.entries) for group in top.walk()}[path]


@pytest.fixture
def escaping(write: Write, tmp_path: Path) -> Path:
    """A master that refers to a secret file in every way that HDF5 knows."""
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["word"] = "TOP SECRET"
        file["number"] = np.array([4711.0])
    (tmp_path / "secret.txt").write_bytes(b"TOP SECRET")

    def change(file: h5py.File) -> None:
        entry = file["entry"]
        entry["external"] = h5py.ExternalLink(str(secret), "/word")
        entry["outside"] = h5py.ExternalLink(str(secret), "/")
        entry["through"] = h5py.SoftLink("/entry/outside/word")
        entry["twice"] = h5py.SoftLink("through")
        layout = h5py.VirtualLayout((1,), "f8")
        layout[:] = h5py.VirtualSource(str(secret), "number", shape=(1,))
        entry.create_virtual_dataset("virtual", layout)
        entry.create_dataset("storage", (10,), "S1", external=[(str(tmp_path / "secret.txt"), 0, 10)])
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_external(str(tmp_path / "secret.txt").encode(), 0, 10)
        string = h5py.h5t.C_S1.copy()
        string.set_size(10)
        scalar = h5py.h5s.create(h5py.h5s.SCALAR)
        h5py.h5d.create(entry.id, b"scalar_storage", string, scalar, dcpl=plist)
        passwd = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        passwd.set_external(b"/etc/passwd", 0, 10)
        h5py.h5d.create(entry["sample"].id, b"passwd", string, scalar, dcpl=passwd)

    return write(change)


def test_nothing_of_another_file_is_read(escaping: Path) -> None:
    with h5py.File(escaping) as file:  # h5py itself does read them: the files are there and may be read
        assert file["entry/scalar_storage"][()] == b"TOP SECRET"
        assert file["entry/virtual"][0] == 4711
        assert file["entry/twice"][()] == b"TOP SECRET"
        assert b"root" in file["entry/sample/passwd"][()]
    encoded = encode_record(read_master(escaping))
    for secret in (b"TOP SECRET", b"root:", b"4711"):
        assert secret not in encoded


def test_every_other_file_is_listed(escaping: Path, tmp_path: Path) -> None:
    linked = read_master(escaping).linked_files
    assert {(link.kind, link.file) for link in linked} == {
        (LinkKind.EXTERNAL, str(tmp_path / "secret.h5")),
        (LinkKind.VIRTUAL, str(tmp_path / "secret.h5")),
        (LinkKind.STORAGE, str(tmp_path / "secret.txt")),
        (LinkKind.STORAGE, "/etc/passwd"),
    }
    external = next(link for link in linked if link.kind is LinkKind.EXTERNAL)
    assert external == LinkedFile("/entry/external", LinkKind.EXTERNAL, str(tmp_path / "secret.h5"), "/word")


@pytest.mark.needs("strace")
def test_no_other_file_is_opened(escaping: Path, tmp_path: Path) -> None:
    log = tmp_path / "strace.log"
    program = "import sys; from ingest.nexus.master import read_master; read_master(sys.argv[1])"
    strace = ["strace", "-f", "-e", "trace=open,openat,stat,newfstatat,access", "-o", log]
    subprocess.run([*strace, sys.executable, "-c", program, escaping], check=True, cwd=Path(__file__).parents[2])
    calls = log.read_text()
    assert "master.h5" in calls
    assert "secret" not in calls
    assert "/etc/passwd" not in calls.partition("master.h5")[2]


def test_links_are_listed_once_for_each_file_and_capped(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for number in range(20):
            file[f"entry/a{number:02}"] = h5py.ExternalLink(f"data{number // 2}.h5", "/entry/data")

    record = read_master(write(change), Budget(linked_files=5))
    assert [link.file for link in record.linked_files] == [f"data{number}.h5" for number in range(5)]
    assert record.truncated == {"linked_files": 10}


def test_file_that_several_entries_refer_to_tells_each_of_them(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for entry in ("c", "b", "a"):
            for name in ("mask", "flat"):
                file[f"{entry}/{name}"] = h5py.ExternalLink(f"{name}.h5", "/entry/data")
                file[f"{entry}/{name}_again"] = h5py.ExternalLink(f"{name}.h5", "/entry/data")

    path = write(change, entries=("a", "b", "c"))
    links = read_master(path).linked_files
    assert [(link.path, link.other_entries) for link in links] == [("/a/flat", ("/b", "/c")), ("/a/mask", ("/b", "/c"))]
    record = read_master(path, Budget(shared_links=1))
    assert [link.other_entries for link in record.linked_files] == [("/b",), ()]
    assert record.truncated == {"shared_links": 6}


def test_master_of_external_links_alone_is_a_collection(write: Write) -> None:
    def change(file: h5py.File) -> None:
        for number in range(3):
            file[f"{number}.1"] = h5py.ExternalLink(f"scan{number}.h5", f"/{number}.1")

    record = read_master(write(change, entries=()))
    assert (record.kind, record.entries, len(record.linked_files)) == (FileKind.COLLECTION, (), 3)
    assert record.linked_files[0].path == "/0.1"


def test_dangling_links_are_normal(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/soft"] = h5py.SoftLink("/nowhere/at/all")
        file["entry/self"] = h5py.SoftLink("/entry/self")
        file["entry/outside"] = h5py.ExternalLink("/gone/file.h5", "/x")

    record = read_master(write(change))
    assert [link.file for link in record.linked_files] == ["/gone/file.h5"]
    assert record.truncated == {}


def test_loops_of_hard_links_end(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/sample/up"] = file["entry"]
        file["entry/sample/self"] = file["entry/sample"]
        file["entry/sample/root"] = file["/"]
        file["entry/instrument/source/back"] = file["entry/instrument"]

    record = read_master(write(change))
    assert [entry.path for entry in record.entries] == ["/entry"]
    assert find_group(record, "/entry/sample/up") == Group("/entry/sample/up", "NXentry", {"target": "/entry"})
    assert find_group(record, "/entry/sample/self").fields == ()
    assert find_group(record, "/entry/sample/root").attributes == {"target": "/"}


def test_group_under_two_paths_is_in_both_and_read_once(write: Write, group: AddGroup) -> None:
    def change(file: h5py.File) -> None:
        beam = group(file["entry/instrument"], "beam", "NXbeam", incident_energy=12.4)
        group(beam, "log", "NXlog", average_value=1.0)
        file["entry/sample/beam"] = beam
        file["other/sample/shared"] = file["entry/sample"]
        file["entry/linked"] = h5py.SoftLink("/entry/sample")

    record = read_master(write(change, entries=("entry", "other")))
    for path in ("/entry/instrument/beam", "/entry/sample/beam", "/other/sample/shared/beam", "/entry/linked/beam"):
        beam = find_group(record, path)
        assert (beam.nx_class, beam.fields[0].value) == ("NXbeam", 12.4)
        assert beam.groups[0].path == f"{path}/log"
    targets = {path: find_group(record, path).attributes.get("target") for path in ("/entry/linked",)}
    assert targets == {"/entry/linked": "/entry/sample"}


def test_entry_under_two_names_is_one_entry(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["latest"] = file["entry"]

    record = read_master(write(change))
    assert [entry.path for entry in record.entries] == ["/entry"]
    assert record.root.groups == (Group("/latest", "NXentry", {"target": "/entry"}),)


def test_doubling_links_do_not_explode(write: Write) -> None:
    def change(file: h5py.File) -> None:
        group = file["entry"]
        for _ in range(40):
            deeper = group.create_group("a")
            group["b"] = deeper
            group = deeper

    record = read_master(write(change))
    assert sum(1 for _ in record.entries[0].walk()) < 5_000


def test_soft_links_inside_a_group_are_relative_to_it(write: Write) -> None:
    def change(file: h5py.File) -> None:
        file["entry/instrument/alias"] = h5py.SoftLink("source/name")
        file["entry/instrument/dotted"] = h5py.SoftLink("./source/name")

    fields = {field.name: field.value for field in find_group(read_master(write(change)), "/entry/instrument").fields}
    assert (fields["alias"], fields["dotted"]) == ("ESRF", "ESRF")


def test_linked_files_need_not_exist(write: Write, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((2, 3), "i4")
        layout[0] = h5py.VirtualSource("scan0001/cam_0000.h5", "/entry/data", shape=(3,))
        layout[1] = h5py.VirtualSource(".", "/entry/title", shape=(3,))
        file["entry/instrument/detector"].create_virtual_dataset("image", layout)

    record = read_master(write(change))
    assert record.linked_files == (
        LinkedFile("/entry/instrument/detector/image", LinkKind.VIRTUAL, "scan0001/cam_0000.h5", "/entry/data"),
    )
    assert [path.name for path in tmp_path.iterdir()] == ["master.h5"]
