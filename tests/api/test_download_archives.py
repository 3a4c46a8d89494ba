"""A dataset as one archive: whole or not at all, of the length that was promised, readable by whoever reads ZIP."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from datetime import UTC, datetime
from http.client import IncompleteRead
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.app import create_app
from api.archives import plan_archive, stream_archive, to_folder_name, to_safe_name
from api.zip_format import (
    MAX_COUNT,
    MAX_SIZE,
    Member,
    to_central_header,
    to_descriptor,
    to_end,
    to_lengths,
    to_local_header,
)
from ingest.catalogue.database import insert_plain
from ingest.catalogue.delivery import list_wanted_files, stream_present_names
from ingest.catalogue.model import Datafile
from ingest.catalogue.opening import FileChangedError, FilePlace, FileVanishedError, OpenedFile, open_inside
from ingest.catalogue.paging import PageRequest
from tests.api.folders import OLD_NS, Shelf, begun, fetch, serving
from tests.api.test_download_files import AWKWARD, LARGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.entities import Catalogue

MOST_FILES = 200_002
"""The largest dataset that was seen."""
STAMP = datetime.fromtimestamp(OLD_NS // 10**9, UTC)


@pytest.fixture(scope="module")
def shelf(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(module_catalogue, tmp_path_factory.mktemp("root").resolve())


@pytest.fixture(scope="module")
def address(module_catalogue: Catalogue) -> Iterator[str]:
    with serving(create_app(module_catalogue.settings)) as served:
        yield served


@pytest.fixture(scope="module")
def awkward(shelf: Shelf, address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive of files with awkward names, as it was sent."""
    dataset_id = shelf.add("awkward", {name: f"content of {name}".encode() for name in AWKWARD})
    path = tmp_path_factory.mktemp("archive") / "awkward.zip"
    with begun(address, f"/archives/{dataset_id}.zip") as answer, path.open("wb") as file:
        shutil.copyfileobj(answer, file)
    return path


def read_zip(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


# --- what is answered -----------------------------------------------------------------------------------------------


def test_archive_holds_the_files_in_a_folder_called_as_the_dataset(address: str, shelf: Shelf) -> None:
    dataset_id = shelf.add("daisy", {"b.h5": b"second", "scan/a.h5": b"first", "empty.h5": b"", "gone.h5": b"x"})
    shelf.set(dataset_id, "gone.h5", is_vanished=True)
    status, headers, body = fetch(address, f"/archives/{dataset_id}.zip")
    assert status == 200
    assert headers["content-type"] == "application/zip"
    assert headers["content-length"] == str(len(body))
    assert headers["content-disposition"].startswith('attachment; filename="daisy_0001.zip"')
    assert headers["accept-ranges"] == "none"
    held = {"daisy_0001/b.h5": b"second", "daisy_0001/scan/a.h5": b"first", "daisy_0001/empty.h5": b""}
    assert list(read_zip(body).items()) == list(held.items())
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        entry = archive.infolist()[0]
    assert (entry.compress_type, entry.external_attr >> 16) == (zipfile.ZIP_STORED, 0o100644)
    # In UTC, of which the format keeps every other second; the exact one stands beside it.
    assert datetime(*entry.date_time, tzinfo=UTC) == STAMP
    assert entry.extra == b"UT\5\0\1" + int(STAMP.timestamp()).to_bytes(4, "little")


def test_head_tells_the_length_and_makes_nothing(address: str, shelf: Shelf) -> None:
    dataset_id = shelf.add("tulip", {"a.h5": b"content"})
    head, got = (fetch(address, f"/archives/{dataset_id}.zip", method) for method in ("HEAD", "GET"))
    assert (head.status, head.body) == (200, b"")
    for name in ("content-length", "content-type", "etag", "content-disposition"):
        assert head.headers[name] == got.headers[name]


def test_archive_has_no_ranges(address: str, shelf: Shelf) -> None:
    dataset_id = shelf.add("poppy", {"a.h5": b"content"})
    answer = fetch(address, f"/archives/{dataset_id}.zip", Range="bytes=0-3")
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(answer.body)))


def test_who_has_the_archive_is_not_sent_it_again_until_a_file_changes(address: str, shelf: Shelf) -> None:
    dataset_id = shelf.add("aster", {"a.h5": b"content", "b.h5": b"content"})
    path, place = f"/archives/{dataset_id}.zip", shelf.root / "aster/a.h5"
    tags = [fetch(address, path, "HEAD").headers["etag"]]
    assert fetch(address, path, If_None_Match=tags[0])[0] == 304
    assert fetch(address, path, If_Match='"other"')[0] == 412
    os.utime(place, ns=(OLD_NS, OLD_NS + 1))
    tags.append(fetch(address, path, "HEAD").headers["etag"])
    shelf.set(dataset_id, "b.h5", is_vanished=True)
    tags.append(fetch(address, path, "HEAD").headers["etag"])
    assert len(set(tags)) == 3
    assert fetch(address, path, If_None_Match=tags[0])[0] == 200


def test_dataset_without_files_is_an_empty_archive(address: str, shelf: Shelf) -> None:
    assert read_zip(fetch(address, f"/archives/{shelf.add('bare', {})}.zip").body) == {}


@pytest.mark.parametrize(("name", "status"), [("none.h5", 410), ("out.h5", 403), ("../out.h5", 410)])
def test_one_file_that_cannot_be_had_refuses_the_archive_by_its_name(
    address: str, shelf: Shelf, name: str, status: int
) -> None:
    word = f"lacks {name.replace('/', ' ')}"
    (shelf.root / word).mkdir()
    (shelf.root / word / "a.h5").write_bytes(b"content")
    (shelf.root / word / "out.h5").symlink_to("/etc/passwd")
    dataset_id = shelf.add_rows(word, shelf.root / word, ["a.h5", name])
    answer = fetch(address, f"/archives/{dataset_id}.zip")
    assert answer.status == status
    assert name.encode() in answer.body
    assert b"passwd" not in answer.body


@pytest.mark.parametrize(
    "change",
    ["grows", "shrinks", "is written to", "is written to while it is sent", "is gone", "is exchanged for a link"],
)
def test_archive_of_which_a_file_changes_meanwhile_does_not_come_to_its_end(
    address: str, shelf: Shelf, change: str
) -> None:
    dataset_id = shelf.add(f"changing {change}", {"a.h5": b"", "b.h5": b"content"})
    first, second = (shelf.root / f"changing {change}" / name for name in ("a.h5", "b.h5"))
    os.truncate(first, LARGE)
    with begun(address, f"/archives/{dataset_id}.zip") as answer:
        assert answer.read(4) == b"PK\3\4"
        if change == "grows":
            os.truncate(second, 100)
        elif change == "shrinks":
            os.truncate(first, LARGE // 2)
        elif change == "is written to":
            second.write_bytes(b"CONTENT")
        elif change == "is written to while it is sent":
            with first.open("r+b") as file:
                file.write(b"x")
        else:
            second.unlink()
            if change != "is gone":
                second.symlink_to("/etc/hostname")
        with pytest.raises(IncompleteRead):
            answer.read()
    first.unlink()


# --- names ----------------------------------------------------------------------------------------------------------


def test_any_name_stays_what_it_is_or_is_written_so_that_it_does_no_harm(awkward: Path) -> None:
    changed = {"line\nfeed.h5": "line%0Afeed.h5", "tab\there.h5": "tab%09here.h5", "back\\slash.h5": "back%5Cslash.h5"}
    changed |= {"%41.h5": "%2541.h5", "a%2Fb.h5": "a%252Fb.h5"}
    held = read_zip(awkward.read_bytes())
    assert held == {f"awkward_0001/{changed.get(n, n)}": f"content of {n}".encode() for n in AWKWARD}


@pytest.mark.needs("unzip")
def test_unzip_takes_it_for_whole_and_writes_every_file(awkward: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    tested = subprocess.run(["unzip", "-t", awkward], env=environment, capture_output=True, check=False)
    assert tested.returncode == 0, tested.stdout
    subprocess.run(["unzip", "-q", awkward, "-d", tmp_path], env=environment, check=True)
    assert_written(tmp_path)
    assert int((tmp_path / "awkward_0001/.hidden").stat().st_mtime) == OLD_NS // 10**9


@pytest.mark.needs("7z")
def test_7z_takes_it_for_whole_and_writes_every_file(awkward: Path, tmp_path: Path) -> None:
    for arguments in (["t"], ["x", f"-o{tmp_path}"]):
        done = subprocess.run(["7z", *arguments, awkward], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout
        assert b"Everything is Ok" in done.stdout
        assert b"Warning" not in done.stdout
    assert_written(tmp_path)


def assert_written(folder: Path) -> None:
    """Fail unless below the folder lies each of the awkward files, and nothing else."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == len(AWKWARD)
    assert {path.read_bytes() for path in files} == {f"content of {name}".encode() for name in AWKWARD}


@given(st.lists(st.text(max_size=30), unique=True))
def test_two_names_never_become_one_nor_lead_elsewhere(names: list[str]) -> None:
    safe = [to_safe_name(name) for name in names]
    assert len(set(safe)) == len(names)
    for name, written in zip(names, safe, strict=True):
        assert "\\" not in written
        assert not any(ord(sign) < 32 for sign in written)
        assert written.count("/") == name.count("/")


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("LaB6_0001", "LaB6_0001"),
        ("a/b", "a_b"),
        ("../../etc", ".._.._etc"),
        ("a\\b\n", "a%5Cb%0A"),
        ("", "dataset-7"),
        (".", "dataset-7"),
        ("..", "dataset-7"),
    ],
)
def test_folder_is_called_as_the_dataset_if_a_folder_can_be(name: str, folder: str) -> None:
    assert to_folder_name(name, 7) == folder


# --- the format -----------------------------------------------------------------------------------------------------


members = st.builds(
    Member,
    st.text(min_size=1, max_size=20).map(lambda text: text.encode("utf-8", "replace")),
    st.one_of(st.integers(0, 2**40), st.sampled_from([0, MAX_SIZE - 1, MAX_SIZE, MAX_SIZE + 1])),
    st.one_of(st.integers(-(2**40), 2**40), st.sampled_from([-(2**31), 2**31 - 1, 2**31, 0])),
)


@given(members, st.one_of(st.integers(0, 2**42), st.sampled_from([MAX_SIZE - 1, MAX_SIZE])))
def test_lengths_are_told_before_a_byte_is_written(member: Member, offset: int) -> None:
    length, entry = to_lengths(member, offset)
    assert length == len(to_local_header(member)) + member.size + len(to_descriptor(member, 5))
    assert entry == len(to_central_header(member, 5, offset))


@given(st.integers(-(2**62), 2**62))
def test_any_time_can_be_told(mtime: int) -> None:
    header = to_central_header(Member(b"a", 0, mtime), 0, 0)
    body = to_local_header(Member(b"a", 0, mtime)) + to_descriptor(Member(b"a", 0, mtime), 0)
    with zipfile.ZipFile(io.BytesIO(body + header + to_end(1, len(body), len(header)))) as archive:
        told = datetime(*archive.infolist()[0].date_time, tzinfo=UTC)
    assert 1980 <= told.year <= 2107
    if 315532800 <= mtime < 4354819198:
        assert told == datetime.fromtimestamp(mtime // 2 * 2, UTC)


@pytest.fixture(scope="module")
def beyond(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an archive of three files, one of 5 GiB and one behind it; on disk it takes a few kB."""
    path = tmp_path_factory.mktemp("beyond") / "beyond.zip"
    content = b"what lies behind 4 GiB"
    sizes = {b"small": 0, b"large": 5 << 30, b"behind": len(content)}
    directory, offset = b"", 0
    with path.open("wb") as file:
        for name, size in sizes.items():
            member, checksum = Member(name, size, 10**9), zlib.crc32(content) if name == b"behind" else 0
            assert file.tell() == offset
            directory += to_central_header(member, checksum, offset)
            file.write(to_local_header(member))
            if name == b"behind":
                file.write(content)
            else:
                file.seek(size, os.SEEK_CUR)
            file.write(to_descriptor(member, checksum))
            offset += to_lengths(member, offset)[0]
        file.write(directory + to_end(len(sizes), offset, len(directory)))
    return path


def test_file_of_more_than_4_gib_and_what_is_behind_it_are_found(beyond: Path) -> None:
    with zipfile.ZipFile(beyond) as archive:
        assert [entry.file_size for entry in archive.infolist()] == [0, 5 << 30, 22]
        assert archive.read("behind") == b"what lies behind 4 GiB"
        assert archive.read("small") == b""
        with archive.open("large") as file:
            assert file.read(100) == bytes(100)


@pytest.mark.needs("unzip")
def test_unzip_reads_what_is_behind_4_gib(beyond: Path) -> None:
    read = subprocess.run(["unzip", "-p", beyond, "behind"], capture_output=True, check=True)
    assert read.stdout == b"what lies behind 4 GiB"
    assert b"5368709120" in subprocess.run(["unzip", "-l", beyond], capture_output=True, check=True).stdout


@pytest.mark.needs("7z")
def test_7z_reads_what_is_behind_4_gib(beyond: Path) -> None:
    tested = subprocess.run(["7z", "t", beyond, "behind", "small"], capture_output=True, check=True)
    assert b"Everything is Ok" in tested.stdout
    assert b"5368709120" in subprocess.run(["7z", "l", "-slt", beyond], capture_output=True, check=True).stdout


def test_more_files_than_a_plain_archive_can_count_are_counted() -> None:
    member = Member(b"%06d", 0, 10**9)
    numbered = [member._replace(name=b"%06d" % number) for number in range(MAX_COUNT + 1)]
    offsets = accumulate((to_lengths(each, 0)[0] for each in numbered), initial=0)
    body = b"".join(to_local_header(each) + to_descriptor(each, 0) for each in numbered)
    directory = b"".join(to_central_header(each, 0, offset) for each, offset in zip(numbered, offsets, strict=False))
    written = io.BytesIO(body + directory + to_end(len(numbered), len(body), len(directory)))
    with zipfile.ZipFile(written) as archive:
        assert archive.namelist() == [each.name.decode() for each in numbered]
        assert archive.read(f"{MAX_COUNT:06}") == b""


# --- the largest ----------------------------------------------------------------------------------------------------


def to_opener(root: Path, name: str) -> Callable[[str], OpenedFile]:
    """Return what opens the same file, whatever it is asked for."""
    return lambda _: open_inside(FilePlace(str(root), str(root), name), ())


@pytest.fixture(scope="module")
def largest(shelf: Shelf) -> int:
    """Add the rows of a dataset of as many files as were ever seen, all of them one; return its id."""
    dataset_id = shelf.add("largest", {"a.h5": b""})
    rows = ((dataset_id, n, f"scan0001/eiger_{n:06}.h5", 0, OLD_NS, False) for n in range(1, MOST_FILES))
    columns = ("dataset_id", "ordinal", "name", "file_size", "mtime_ns", "is_vanished")
    with shelf.catalogue.sessions.begin() as session:
        insert_plain(session, Datafile, columns, rows)
    return dataset_id


def test_archive_of_the_largest_dataset_begins_without_holding_its_listing(shelf: Shelf, largest: int) -> None:
    open_it = to_opener(shelf.root / "largest", "a.h5")
    seen = {"named": 0, "opened": 0}

    def name_files() -> Iterator[str]:
        for name in stream_present_names(shelf.catalogue.sessions, largest):
            seen["named"] += 1
            yield name

    def open_file(name: str) -> OpenedFile:
        seen["opened"] += 1
        # Names come one by one: none is asked for before the one before it was looked at.
        assert seen["named"] == seen["opened"]
        return open_it(name)

    archive = plan_archive("largest", name_files(), open_file)
    listing = archive.listing
    held = sum(map(sys.getsizeof, [*listing.names, listing.sizes, listing.mtimes]))
    assert len(listing.sizes) == MOST_FILES
    assert held < 50 * MOST_FILES
    pieces = stream_archive(archive, open_it)
    assert next(pieces).startswith(b"PK\3\4")
    pieces.close()


def test_manifest_of_the_largest_dataset_is_paged_to_its_end(address: str, shelf: Shelf, largest: int) -> None:
    path = f"/api/v1/datasets/{largest}/files?limit=1000"
    page = json.loads(fetch(address, path).body)
    assert page["links"]["next"].startswith(path)
    seen = 0
    with shelf.catalogue.sessions() as session:
        request = PageRequest(limit=1000)
        while request.cursor or not seen:
            files = list_wanted_files(session, largest, request, None)
            assert [file.ordinal for file in files.items] == list(range(seen, seen + len(files.items)))
            seen += len(files.items)
            request = PageRequest(limit=1000, cursor=files.next_cursor)
    assert seen == MOST_FILES


# --- files that change between two looks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda path: path.write_bytes(b"longer than before"), FileChangedError),
        (lambda path: os.utime(path, ns=(1, 1)), FileChangedError),
        (lambda path: path.unlink(), FileVanishedError),
    ],
)
def test_file_is_looked_at_again_when_its_turn_comes(
    tmp_path: Path, change: Callable[[Path], Any], error: type[Exception]
) -> None:
    (tmp_path / "a.h5").write_bytes(b"content")
    (tmp_path / "other").write_bytes(b"")
    open_file = to_opener(tmp_path, "a.h5")
    archive = plan_archive("x", ["a.h5"], open_file)
    assert sum(map(len, stream_archive(archive, open_file))) == archive.length
    change(tmp_path / "a.h5")
    with pytest.raises(error):
        list(stream_archive(archive, open_file))
