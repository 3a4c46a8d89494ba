from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingest.nexus.child import ReaderChild
from ingest.nexus.errors import NotHdf5Error, UnreadableFileError
from ingest.nexus.master import read_master
from ingest.nexus.record import FileKind, MasterRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

BLISS = "esrf-bliss/visitor/hc6001/id00/20261101/RAW_DATA"
REFUSED = {
    "NXtest_hdf4.hdf": "hdf4",
    "TestExtensions_xml.nxs": "xml",
    "amor2025n005952.hdf": "lfs-pointer",
    "basler1_0006.h5": "bad object header version number",  # its writer died before it wrote the root group
    "icat_dataset_message.xml": "xml",
    "icat_investigation_message.xml": "xml",
}


@pytest.fixture(scope="module")
def reader() -> Iterator[ReaderChild]:
    with ReaderChild() as child:
        yield child


def test_every_file_is_read_or_refused_with_its_true_reason(corpus: Path, reader: ReaderChild) -> None:
    refused = {}
    for path in sorted(corpus.rglob("*.*")):
        if path.is_file() and path.suffix not in {".csv", ".md", ".json"}:
            try:
                reader.read(path)
            except NotHdf5Error as error:
                refused[path.name] = error.kind
            except UnreadableFileError as error:
                refused[path.name] = error.reason
    assert refused == REFUSED


def expected_files() -> dict[str, Any]:
    path = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "expected.json"
    files: dict[str, Any] = json.loads(path.read_text())["files"] if path.exists() else {}
    return {name: wanted for name, wanted in files.items() if wanted["file_kind"].startswith("hdf5")}


def find_paths(wanted: object) -> Iterator[str]:
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            if key.endswith("path") and isinstance(value, str):
                yield value
            else:
                yield from find_paths(value)
    elif isinstance(wanted, list):
        for item in wanted:
            yield from find_paths(item)


def collect(record: MasterRecord) -> dict[str, object]:
    """Everything that the record holds, by path: values of fields and attributes, True for a group."""
    found: dict[str, object] = {}
    for group in (below for top in (record.root, *record.entries) for below in top.walk()):
        found[group.path] = True
        found.update({f"{group.path}@{name}": value for name, value in group.attributes.items()})
        for field in group.fields:
            path = group.path_of(field.name)
            found[path] = field.minimum if field.value is None else field.value
            found.update({f"{path}@{name}": value for name, value in field.attributes.items()})
    return found


@pytest.mark.parametrize(("name", "wanted"), expected_files().items(), ids=list(expected_files()))
def test_record_holds_every_expected_value_at_its_path(corpus: Path, name: str, wanted: dict[str, Any]) -> None:
    record = read_master(corpus / name)
    found = collect(record)
    missing = [path for entry in wanted["entries"] for path in find_paths(entry) if found.get(path) is None]
    assert missing == []
    assert [entry.path for entry in record.entries] == [
        entry["path"] for entry in wanted["entries"] if not entry.get("optional_entry")
    ]
    assert (record.kind is FileKind.NEXUS) == bool(record.entries)


def test_unclosed_file_is_read_as_such(corpus: Path) -> None:
    assert read_master(corpus / "odd/simpleTestFile_unclosed.nxs").swmr


def test_bliss_masters(corpus: Path) -> None:
    record = read_master(corpus / BLISS / "LaB6_cap/LaB6_cap_0002_cam/LaB6_cap_0002_cam.h5")
    assert [entry.name for entry in record.entries] == ["1.1", "2.1"]
    assert {link.file for link in record.linked_files} == {
        f"scan000{scan}/basler1_000{part}.h5" for scan in (1, 2) for part in range(scan + 1)
    }
    assert record.truncated == {}
    for name in ("hc6001_id00.h5", "LaB6_cap/hc6001_LaB6_cap.h5"):
        collection = read_master(corpus / BLISS / name)
        assert (collection.kind, collection.entries) == (FileKind.COLLECTION, ())


def test_no_address_of_a_person_is_in_any_record(corpus: Path, reader: ReaderChild) -> None:
    address = re.compile(rb"[\w.-]+@[\w-]+\.[a-z]{2,}")
    for path in sorted(corpus.rglob("*.*")):
        if path.is_file() and path.suffix not in {".csv", ".md", ".json"}:
            try:
                assert not address.search(reader.read(path).encoded), path
            except (NotHdf5Error, UnreadableFileError):
                continue
