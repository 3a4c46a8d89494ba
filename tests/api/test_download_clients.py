"""Files had by the programs that people have them with, from a service that runs as it does with them."""

from __future__ import annotations

import json
import os
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import fsspec
import h5py
import numpy as np
import pytest

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from tests.api.folders import Shelf, fetch, serving
from tests.entities import FUTURE, PAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Send
    from starlette.types import Scope as AsgiScope

    from tests.entities import Catalogue

CONTENT = np.random.default_rng(1).bytes(5_000_003)
IMAGES = 50
BLOCK = 64 << 10


class Counted:
    """The application, and what went out: bytes of bodies, and the ranges that were asked for."""

    def __init__(self, app: FastAPI) -> None:
        self.app: ASGIApp = app
        self.sent = 0
        self.asked: list[str] = []

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        async def count(message: Message) -> None:
            self.sent += len(message.get("body", b""))
            await send(message)

        if scope["type"] == "http":
            self.asked += [value.decode() for name, value in scope["headers"] if name == b"range"]
        await self.app(scope, receive, count)


@pytest.fixture(scope="module")
def counted(module_catalogue: Catalogue) -> Counted:
    return Counted(create_app(module_catalogue.settings))


@pytest.fixture(scope="module")
def address(counted: Counted) -> Iterator[str]:
    with serving(counted) as served:
        yield served


@pytest.fixture(scope="module")
def shelf(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(module_catalogue, tmp_path_factory.mktemp("root").resolve())


@pytest.fixture(scope="module")
def link(shelf: Shelf, address: str) -> str:
    """Return a signed link to a file that is closed: what somebody is sent who has no token."""
    dataset_id = shelf.add("closed", {"a b.h5": CONTENT}, release_date=FUTURE)
    with shelf.catalogue.sessions.begin() as session:
        token = create_token(session, "reader", [Scope.READ], PAST, None).text
    path = f"/api/v1/datasets/{dataset_id}/links"
    return str(json.loads(fetch(address, path, "POST", Authorization=f"Bearer {token}").body)["items"][0]["address"])


@pytest.fixture(scope="module")
def stack(shelf: Shelf, address: str) -> tuple[str, np.ndarray[Any, Any]]:
    """Return where an HDF5 file of 50 images lies, and one of them."""
    images = np.random.default_rng(1).integers(0, 60_000, (IMAGES, 512, 512), dtype="u2")
    dataset_id = shelf.add("stack", {"a.h5": b""})
    with h5py.File(shelf.root / "stack/a.h5", "w") as file:
        file.create_dataset("entry/data", data=images, chunks=(1, 512, 512))
        file["entry/title"] = "a stack"
    return f"{address}/files/{dataset_id}/a.h5", images[17]


def run(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, check=False, env={**os.environ, "no_proxy": "*"})
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()


@pytest.mark.needs("curl")
def test_curl_goes_on_with_half_a_file(counted: Counted, link: str, tmp_path: Path) -> None:
    (tmp_path / "half").write_bytes(CONTENT[:2_000_000])
    before = counted.sent
    run("curl", "-sS", "--fail", "-C", "-", "-o", "half", link, cwd=tmp_path)
    assert (tmp_path / "half").read_bytes() == CONTENT
    assert counted.asked[-1] == "bytes=2000000-"
    assert counted.sent - before == len(CONTENT) - 2_000_000


@pytest.mark.needs("curl")
def test_curl_saves_a_file_under_its_own_name(link: str, tmp_path: Path) -> None:
    run("curl", "-sS", "--fail", "-O", "-J", link, cwd=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a b.h5": CONTENT}


@pytest.mark.needs("curl")
def test_curl_fails_where_nothing_is_to_be_had(address: str, tmp_path: Path) -> None:
    done = subprocess.run(["curl", "-sS", "--fail", "-O", f"{address}/files/999/a.h5"], cwd=tmp_path, check=False)
    assert done.returncode == 22
    assert not list(tmp_path.iterdir())


@pytest.mark.needs("aria2c")
def test_aria2_has_four_parts_at_once_and_goes_on_later(counted: Counted, link: str, tmp_path: Path) -> None:
    quietly = ("--quiet", "--no-conf", "--min-split-size=1M", "--file-allocation=none", "--allow-overwrite=false")
    first = len(counted.asked)
    run("aria2c", *quietly, "-x4", "-s4", link, cwd=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a b.h5": CONTENT}
    assert len({to_start(asked) for asked in counted.asked[first:]}) >= 3
    (tmp_path / "a b.h5").write_bytes(CONTENT[:3_000_000])
    first = len(counted.asked)
    run("aria2c", *quietly, "-c", link, cwd=tmp_path)
    assert (tmp_path / "a b.h5").read_bytes() == CONTENT
    assert min(map(to_start, counted.asked[first:])) > 2_000_000


def to_start(asked: str) -> int:
    return int(asked.removeprefix("bytes=").partition("-")[0])


@pytest.mark.parametrize("cache", ["readahead", "blockcache"])
def test_h5py_reads_one_image_of_a_file_that_is_elsewhere(
    counted: Counted, stack: tuple[str, np.ndarray[Any, Any]], cache: str
) -> None:
    where, image = stack
    fsspec.filesystem("http").invalidate_cache()
    before = counted.sent
    with fsspec.open(where, block_size=BLOCK, cache_type=cache) as opened, h5py.File(opened) as file:
        assert file["entry/title"][()] == b"a stack"
        assert np.array_equal(file["entry/data"][17], image)
    assert counted.sent - before < image.nbytes + 10 * BLOCK
    # All of it is fifty such images.
    assert image.nbytes * IMAGES > 20 * (counted.sent - before)


def test_links_between_hdf5_files_lead_somewhere(shelf: Shelf, address: str, tmp_path: Path) -> None:
    """A master names its data files relative to itself, and so do the addresses."""
    folder = shelf.root / "master"
    (folder / "scan0001").mkdir(parents=True)
    with h5py.File(folder / "scan0001/data.h5", "w") as file:
        file["data"] = np.arange(5)
    with h5py.File(folder / "master.h5", "w") as file:
        file["data"] = h5py.ExternalLink("scan0001/data.h5", "/data")
    dataset_id = shelf.add_rows("master", folder, ["master.h5", "scan0001/data.h5"])
    manifest = json.loads(fetch(address, f"/api/v1/datasets/{dataset_id}/files").body)
    for file in manifest["items"]:
        place = tmp_path / file["name"]
        place.parent.mkdir(exist_ok=True)
        with fsspec.open(f"{address}{file['address']}") as opened:
            place.write_bytes(opened.read())
    with h5py.File(tmp_path / "master.h5", locking=False) as file:
        assert list(file["data"]) == [0, 1, 2, 3, 4]


def test_many_at_once_are_all_served(shelf: Shelf, address: str) -> None:
    contents = {f"{number}.h5": np.random.default_rng(number).bytes(300_000 + number) for number in range(8)}
    dataset_id = shelf.add("many", contents)
    filesystem = fsspec.filesystem("http")
    wanted = {f"{address}/files/{dataset_id}/{name}": content for name, content in contents.items()}
    assert filesystem.cat(list(wanted)) == wanted
    edges = [0, 1, 100_000, 200_000, 300_000]
    spans = list(pairwise(edges))
    (where, content), *_ = wanted.items()
    parts = filesystem.cat_ranges([where] * 4, [start for start, _ in spans], [stop for _, stop in spans])
    assert parts == [content[start:stop] for start, stop in spans]
