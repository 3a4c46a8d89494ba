"""Files over a real socket: whole or in parts, of any name, never from outside, never a mixture."""

from __future__ import annotations

import os
import threading
from http.client import IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from api.app import create_app
from api.delivery import to_disposition, to_media_type
from tests.api.folders import OLD_DATE, OLD_NS, PATIENCE_SECONDS, Shelf, begun, fetch, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

CONTENT = bytes(range(256)) * 8
SECRET = b"root:x:0:0"
LARGE = 64 << 20
"""Much more than the sockets between us hold."""
AWKWARD = (
    "a b/c d.h5",
    "50%.h5",
    "%41.h5",
    "a%2Fb.h5",
    "line\nfeed.h5",
    "tab\there.h5",
    "que?ry#frag&ment=1;2.h5",
    "quo'te\".h5",
    "back\\slash.h5",
    "plus+and=at@,.h5",
    "Größe µ 水 \U0001f980.h5",
    "e\u0301 and \u00e9.h5",
    "-rf",
    "~.h5",
    ".hidden",
    "..almost",
    "...",
    "con.h5",
    "x" * 255,
    "/".join(["d" * 100] * 9),
)


@pytest.fixture(scope="module")
def shelf(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(module_catalogue, tmp_path_factory.mktemp("root").resolve())


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder beside the root, in which a file lies that nobody may see."""
    folder = tmp_path_factory.mktemp("outside").resolve()
    (folder / "passwd").write_bytes(SECRET)
    return folder


@pytest.fixture(scope="module")
def address(module_catalogue: Catalogue) -> Iterator[str]:
    with serving(create_app(module_catalogue.settings)) as served:
        yield served


@pytest.fixture(scope="module")
def plain(shelf: Shelf) -> str:
    """Return the path of a file of which nothing is special."""
    return f"/files/{shelf.add('plain', {'a.h5': CONTENT})}/a.h5"


def ask(address: str, path: str) -> tuple[int, bytes]:
    answer = fetch(address, path)
    return answer.status, answer.body


# --- what is answered -----------------------------------------------------------------------------------------------


def test_file_is_sent_whole_with_what_it_is(address: str, plain: str) -> None:
    status, headers, body = fetch(address, plain)
    assert (status, body) == (200, CONTENT)
    assert headers["content-length"] == str(len(CONTENT))
    assert headers["content-type"] == "application/x-hdf5"
    assert headers["content-disposition"] == "attachment; filename=\"a.h5\"; filename*=UTF-8''a.h5"
    assert headers["accept-ranges"] == "bytes"
    assert headers["last-modified"] == OLD_DATE
    assert headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in headers


def test_head_is_the_same_without_content(address: str, plain: str) -> None:
    told = {}
    for method in ("GET", "HEAD"):
        status, headers, body = (
            fetch(address, plain, method, Range="bytes=0-1") if method == "HEAD" else fetch(address, plain)
        )
        assert (status, len(body)) == (200, len(CONTENT) if method == "GET" else 0)
        told[method] = {name: value for name, value in headers.items() if name not in ("date", "x-request-id")}
    assert told["HEAD"] == told["GET"]


@pytest.mark.parametrize(
    ("asked", "told", "part"),
    [
        ("bytes=0-0", "bytes 0-0/2048", slice(0, 1)),
        ("bytes=100-", "bytes 100-2047/2048", slice(100, None)),
        ("bytes=-5", "bytes 2043-2047/2048", slice(2043, None)),
        ("bytes=2000-9999", "bytes 2000-2047/2048", slice(2000, None)),
    ],
)
def test_range_is_that_part(address: str, plain: str, asked: str, told: str, part: slice) -> None:
    status, headers, body = fetch(address, plain, Range=asked)
    assert (status, headers["content-range"], body) == (206, told, CONTENT[part])
    assert headers["content-length"] == str(len(body))


def test_several_ranges_are_parts_of_one_answer(address: str, plain: str) -> None:
    status, headers, body = fetch(address, plain, Range="bytes=0-1,1000-1002,-1")
    assert status == 206
    boundary = headers["content-type"].removeprefix("multipart/byteranges; boundary=")
    parts = body.split(f"--{boundary}".encode())
    assert [part.partition(b"\r\n\r\n")[2][:-2] for part in parts[1:-1]] == [
        CONTENT[:2],
        CONTENT[1000:1003],
        CONTENT[-1:],
    ]
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize("asked", ["lines=0-1", "bytes=5-1", "bytes=a-b", "bytes=", "bytes=0-1,x"])
def test_range_that_is_none_is_ignored(address: str, plain: str, asked: str) -> None:
    status, _, body = fetch(address, plain, Range=asked)
    assert (status, body) == (200, CONTENT)


def test_range_behind_the_end_is_refused_with_the_length(address: str, plain: str) -> None:
    status, headers, _ = fetch(address, plain, Range="bytes=2048-")
    assert (status, headers["content-range"]) == (416, "bytes */2048")


def test_who_has_the_file_is_not_sent_it_again(address: str, plain: str) -> None:
    _, headers, _ = fetch(address, plain)
    for condition in ({"If_None_Match": headers["etag"]}, {"If_Modified_Since": OLD_DATE}):
        for method in ("GET", "HEAD"):
            status, again, body = fetch(address, plain, method, **condition)
            assert (status, again["etag"], body) == (304, headers["etag"], b"")
    assert fetch(address, plain, If_Match='"other"')[0] == 412
    assert fetch(address, plain, If_Range='"other"', Range="bytes=0-1")[0] == 200
    assert fetch(address, plain, If_Range=headers["etag"], Range="bytes=0-1")[0] == 206


def test_empty_file_is_sent(address: str, shelf: Shelf) -> None:
    path = f"/files/{shelf.add('empty', {'a.h5': b''})}/a.h5"
    status, headers, body = fetch(address, path)
    assert (status, headers["content-length"], body) == (200, "0", b"")
    assert fetch(address, path, Range="bytes=0-")[0] == 416
    assert fetch(address, path, Range="bytes=-1")[0] == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_files_are_for_reading(address: str, plain: str, method: str) -> None:
    status, headers, _ = fetch(address, plain, method)
    assert (status, headers["allow"]) == (405, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.h5", "application/x-hdf5"), ("A.NXS", "application/x-hdf5"), ("a.cxi", "application/x-hdf5")]
    + [(name, "application/octet-stream") for name in ("a.html", "a.svg", "a.h5.txt", "h5", "a.js", "a")],
)
def test_browser_is_given_nothing_that_it_would_show_or_run(name: str, media_type: str) -> None:
    assert to_media_type(name) == media_type


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ('a"b\\c.h5', "attachment; filename=\"a_b_c.h5\"; filename*=UTF-8''a%22b%5Cc.h5"),
        ("a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"),
        ("50%41", "attachment; filename=\"50_41\"; filename*=UTF-8''50%2541"),
        ("µ", "attachment; filename=\"_\"; filename*=UTF-8''%C2%B5"),
    ],
)
def test_name_to_save_under_is_no_more_than_a_name(name: str, disposition: str) -> None:
    assert to_disposition(name) == disposition


# --- names ----------------------------------------------------------------------------------------------------------


def test_file_of_any_name_is_had_under_the_address_that_its_manifest_gives(address: str, shelf: Shelf) -> None:
    files = {name: f"content of {number}".encode() for number, name in enumerate(AWKWARD)}
    dataset_id = shelf.add("awkward", files)
    for name, content in files.items():
        assert ask(address, f"/files/{dataset_id}/{quote(name)}") == (200, content)
        assert ask(address, f"/files/{dataset_id}/{quote(name, safe='')}") == (200, content)


@pytest.mark.parametrize("name", ["caf%5Cxe9.h5", "caf%E9.h5"])
def test_file_whose_name_is_no_text_is_had_by_what_the_manifest_calls_it(address: str, shelf: Shelf, name: str) -> None:
    folder = shelf.root / "latin"
    folder.mkdir(exist_ok=True)
    with open(os.fsencode(folder) + b"/caf\xe9.h5", "wb") as file:  # noqa: PTH123 (no Path has such a name)
        file.write(CONTENT)
    dataset_id = shelf.add_rows(f"latin {len(name)}", folder, ["caf\\xe9.h5"])
    assert ask(address, f"/files/{dataset_id}/{name}")[0] == (200 if "xe9" in name else 404)


@pytest.mark.parametrize(
    "name",
    [
        "../outside.h5",
        "..%2foutside.h5",
        "%2e%2e/outside.h5",
        "sub/../../outside.h5",
        "./a.h5",
        "sub/../a.h5",
        "//etc/passwd",
        "/a.h5",
        "%2fetc%2fpasswd",
        "a.h5/",
        "a.h5%0a",
        "a.h5%20",
        "A.h5",
        "%ff",
        "%ed%a0%80",
        "..%c0%af..%c0%afetc%c0%afpasswd",
        "",
        "%",
        "%zz",
        "x" * 4000,
    ],
)
def test_name_that_is_not_in_the_manifest_is_not_there(address: str, shelf: Shelf, plain: str, name: str) -> None:
    (shelf.root / "outside.h5").write_bytes(SECRET)
    status, body = ask(address, f"{plain.removesuffix('a.h5')}{name}")
    assert status == 404
    assert SECRET not in body


@pytest.mark.parametrize("name", ["a.h5%00", "a.h5%00.txt", "%00"])
def test_name_that_no_file_can_have_is_refused(address: str, plain: str, name: str) -> None:
    assert ask(address, f"{plain.removesuffix('a.h5')}{name}")[0] == 422


@pytest.mark.parametrize("number", ["0", "-1", "9223372036854775808", "1e3", "x", "%31%00"])
def test_dataset_that_cannot_be_is_not_there(address: str, plain: str, number: str) -> None:
    assert ask(address, f"/files/{number}/{plain.rpartition('/')[2]}")[0] in (404, 422)


# --- what lies there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../passwd", "../../../../../../etc/passwd", "/etc/passwd", "a/../../passwd", ".", ".."]
)
def test_row_that_leads_out_of_the_folder_opens_nothing(address: str, shelf: Shelf, name: str) -> None:
    (shelf.root / "passwd").write_bytes(SECRET)
    folder = shelf.root / "rows"
    folder.mkdir(exist_ok=True)
    dataset_id = shelf.add_rows(f"row {name}", folder, [name])
    status, body = ask(address, f"/files/{dataset_id}/{quote(name)}")
    assert status == 410
    assert SECRET not in body


def test_link_out_of_the_root_is_refused_and_nobody_is_told_where_it_leads(
    address: str, shelf: Shelf, outside: Path
) -> None:
    folder = shelf.root / "linked"
    folder.mkdir()
    (folder / "file.h5").symlink_to(outside / "passwd")
    (folder / "relative.h5").symlink_to(os.path.relpath(outside / "passwd", folder))
    (folder / "folder").symlink_to(outside)
    (folder / "through.h5").symlink_to(folder / "folder/passwd")
    (folder / "own.h5").symlink_to("/proc/self/environ")
    (folder / "database.h5").symlink_to(shelf.catalogue.settings.data.resolve() / "catalogue.sqlite")
    names = ["file.h5", "relative.h5", "folder/passwd", "through.h5", "own.h5", "database.h5"]
    dataset_id = shelf.add_rows("linked", folder, names)
    for path in [*(f"/files/{dataset_id}/{name}" for name in names), f"/archives/{dataset_id}.zip"]:
        status, body = ask(address, path)
        assert status == 403
        assert b"file_elsewhere" in body
        assert not [word for word in (SECRET, os.fsencode(outside), b"sqlite", b"proc") if word in body]


def test_folder_of_a_dataset_that_became_a_link_opens_nothing(address: str, shelf: Shelf, outside: Path) -> None:
    dataset_id = shelf.add("moved", {"passwd": CONTENT})
    (shelf.root / "moved").rename(shelf.root / "kept")
    (shelf.root / "moved").symlink_to(outside)
    status, body = ask(address, f"/files/{dataset_id}/passwd")
    assert (status, SECRET in body) == (403, False)


def test_catalogue_serves_nothing_of_its_own_also_below_a_root(address: str, shelf: Shelf) -> None:
    """A root above the data folder lets nobody have the database: it holds the keys of links."""
    data = shelf.catalogue.settings.data.resolve()
    wide = Shelf(shelf.catalogue, data.parent)
    dataset_id = wide.add_rows("wide", data, ["catalogue.sqlite"])
    assert ask(address, f"/files/{dataset_id}/catalogue.sqlite")[0] == 403


def test_link_that_is_exchanged_while_it_is_asked_for_wins_nothing(address: str, shelf: Shelf, outside: Path) -> None:
    folder = shelf.root / "race"
    folder.mkdir()
    (folder / "inside.h5").write_bytes(CONTENT)
    path, other = folder / "a.h5", folder / "other"
    path.symlink_to(folder / "inside.h5")
    dataset_id = shelf.add_rows("race", folder, ["a.h5"])
    ended = threading.Event()

    def exchange() -> None:
        while not ended.is_set():
            for target in (outside / "passwd", folder / "inside.h5"):
                other.symlink_to(target)
                other.rename(path)
                ended.wait(0.001)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        found = {ask(address, f"/files/{dataset_id}/a.h5") for _ in range(100)}
    finally:
        ended.set()
        thread.join()
    assert {status for status, _ in found} == {200, 403}
    assert {body for status, body in found if status == 200} == {CONTENT}
    assert not any(SECRET in body for _, body in found)


def test_what_is_no_file_is_gone_and_holds_nobody(address: str, shelf: Shelf) -> None:
    folder = shelf.root / "odd"
    folder.mkdir()
    os.mkfifo(folder / "fifo.h5")
    (folder / "folder.h5").mkdir()
    (folder / "dangling.h5").symlink_to(folder / "none")
    (folder / "loop.h5").symlink_to(folder / "loop.h5")
    names = ["fifo.h5", "folder.h5", "dangling.h5", "loop.h5", "none.h5", "fifo.h5/x", "vanished.h5"]
    dataset_id = shelf.add_rows("odd", folder, names)
    shelf.set(dataset_id, "vanished.h5", is_vanished=True)
    try:
        for name in names:
            status, body = ask(address, f"/files/{dataset_id}/{name}")
            assert (status, b"file_vanished" in body) == (410, True)
    finally:
        # Whoever waits for a writer all the same has one now: the failure is told, and nothing hangs.
        os.close(os.open(folder / "fifo.h5", os.O_RDWR | os.O_NONBLOCK))


def test_root_that_is_not_mounted_is_not_taken_for_files_that_are_gone(
    address: str, shelf: Shelf, tmp_path: Path
) -> None:
    elsewhere = Shelf(shelf.catalogue, tmp_path / "mount")
    dataset_id = elsewhere.add("away", {"a.h5": CONTENT})
    path = f"/files/{dataset_id}/a.h5"
    assert ask(address, path) == (200, CONTENT)
    elsewhere.root.rename(tmp_path / "unmounted")
    for root_is_there in (False, True):
        if root_is_there:
            elsewhere.root.mkdir()
        status, headers, body = fetch(address, path)
        assert (status, headers["retry-after"]) == (503, "5")
        assert os.fsencode(tmp_path) not in body


@pytest.mark.needs("user")
def test_file_that_may_not_be_read_is_not_to_be_had_now(address: str, shelf: Shelf) -> None:
    dataset_id = shelf.add("forbidden", {"a.h5": CONTENT})
    (shelf.root / "forbidden/a.h5").chmod(0)
    assert ask(address, f"/files/{dataset_id}/a.h5")[0] == 503


# --- files that change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [CONTENT * 2, CONTENT[:100], b"", b"x" * len(CONTENT)])
def test_file_that_changed_since_it_was_listed_is_sent_as_it_is_now(address: str, shelf: Shelf, content: bytes) -> None:
    word = f"changed {len(content)} {content[:1]!r}"
    dataset_id = shelf.add(word, {"a.h5": CONTENT})
    path, place = f"/files/{dataset_id}/a.h5", shelf.root / word / "a.h5"
    before = fetch(address, path)[1]["etag"]
    place.write_bytes(content)
    status, headers, body = fetch(address, path)
    assert (status, headers["content-length"], body) == (200, str(len(content)), content)
    assert headers["etag"] != before
    # What was begun with the former state does not go on with this one.
    assert fetch(address, path, If_Range=before, Range="bytes=50-")[0] == 200
    assert fetch(address, path, If_Match=before)[0] == 412


def test_file_that_was_replaced_by_one_of_the_same_size_and_time_is_another(address: str, shelf: Shelf) -> None:
    dataset_id = shelf.add("replaced", {"a.h5": CONTENT})
    path, place = f"/files/{dataset_id}/a.h5", shelf.root / "replaced/a.h5"
    before = fetch(address, path)[1]["etag"]
    other = place.with_name("other")
    other.write_bytes(CONTENT[::-1])
    os.utime(other, ns=(OLD_NS, OLD_NS))
    other.rename(place)
    status, headers, body = fetch(address, path)
    assert (status, body) == (200, CONTENT[::-1])
    assert headers["etag"] != before


def test_checksum_is_the_entity_tag_as_long_as_the_file_is_as_it_was(address: str, shelf: Shelf) -> None:
    tags = []
    for word in ("here", "there"):
        dataset_id = shelf.add(f"copy {word}", {"a.h5": CONTENT})
        shelf.set(dataset_id, "a.h5", checksum="sha256:abc")
        tags.append(fetch(address, f"/files/{dataset_id}/a.h5")[1]["etag"])
    assert tags[0] == tags[1]
    os.utime(shelf.root / "copy there/a.h5", ns=(OLD_NS, OLD_NS + 1))
    assert fetch(address, f"/files/{dataset_id}/a.h5")[1]["etag"] != tags[0]


@pytest.fixture
def large(shelf: Shelf, request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """Yield the path of a large file in the service and on disk."""
    word = f"large {request.node.name}"
    dataset_id = shelf.add(word, {"a.h5": b""})
    place = shelf.root / word / "a.h5"
    os.truncate(place, LARGE)
    os.utime(place, ns=(OLD_NS, OLD_NS))
    yield f"/files/{dataset_id}/a.h5", place
    place.unlink()


@pytest.mark.parametrize("asked", [{}, {"Range": f"bytes=1-{LARGE - 2}"}, {"Range": f"bytes=0-9,1000-{LARGE - 1}"}])
@pytest.mark.parametrize("change", ["grows", "shrinks", "is written to"])
def test_file_that_changes_while_it_is_sent_does_not_come_to_its_end(
    address: str, large: tuple[str, Path], asked: dict[str, str], change: str
) -> None:
    path, place = large
    with begun(address, path, **asked) as answer:
        assert answer.read(10)
        if change == "is written to":
            with place.open("r+b") as file:
                file.write(b"x")
        else:
            os.truncate(place, LARGE + 1 if change == "grows" else LARGE - 1)
        with pytest.raises(IncompleteRead):
            answer.read()


def test_file_that_is_replaced_or_deleted_while_it_is_sent_is_sent_as_it_was(
    address: str, large: tuple[str, Path]
) -> None:
    path, place = large
    with begun(address, path) as answer:
        start = answer.read(10)
        place.unlink()
        place.write_bytes(b"another")
        assert start + answer.read() == bytes(LARGE)


def test_client_that_goes_leaves_no_file_open(address: str, large: tuple[str, Path]) -> None:
    path, place = large
    for _ in range(3):
        with begun(address, path) as answer:
            answer.read(10)
    held = threading.Event()
    for _ in range(PATIENCE_SECONDS * 10):
        if not is_open(place):
            break
        held.wait(0.1)
    assert not is_open(place)


def is_open(place: Path) -> bool:
    """Return whether this process, in which the service runs, holds the file open."""
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            if descriptor.readlink() == place:
                return True
        except FileNotFoundError:
            continue
    return False
