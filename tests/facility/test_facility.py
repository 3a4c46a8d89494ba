"""The services of docker-compose.yml with real engines: a dataset is closed, and found; nothing of it stays."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2
import psycopg
import pytest

from facility.__main__ import ingest_samples
from facility.server import ServerFailedError
from facility.setup import CommandFailedError, running
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.samples.bulk import write_dataset_folder

if TYPE_CHECKING:
    from facility.setup import Facility

PAGE: Final = Path(__file__).parents[2] / "docs/facility.md"
DATASETS: Final = 200
KILLED: Final = ("worker", "redis", "postgresql", "elasticsearch")
BATCH: Final = 40


def count_found(facility: Facility, query: str) -> int:
    return int(httpx2.get(f"{facility.address}/api/v1/datasets", params={"q": query}).json()["total"])


def wait_until_found(facility: Facility, query: str) -> None:
    deadline = time.monotonic() + 60
    while not count_found(facility, query):
        assert time.monotonic() < deadline, facility.run("status")
        time.sleep(0.05)


def test_dataset_closed_at_the_door_of_the_api_is_found(facility: Facility, root: Path) -> None:
    token = json.loads(facility.run("token", "create", "beamline", "--scope", "notify", "--json"))["token"]
    master = write_dataset_folder(root, "door_0001", files=3)
    answer = httpx2.post(
        f"{facility.address}/api/v1/notices",
        json={"path": str(master)},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 202
    wait_until_found(facility, "door_0001")
    assert count_found(facility, "energy:34..36 keV") > 0
    (hit,) = httpx2.get(f"{facility.address}/api/v1/datasets", params={"q": "door_0001"}).json()["items"]
    files = httpx2.get(f"{facility.address}{hit['links']['files']}").json()["items"]
    assert httpx2.get(f"{facility.address}{files[0]['address']}").content


def test_acquisition_tells_and_asks_with_its_own_client(facility: Facility, root: Path) -> None:
    """BLISS's: pyicat-plus tells the broker of a dataset, and asks ICAT+ until it has arrived."""
    from pyicat_plus.client.main import IcatClient  # noqa: PLC0415 (takes 3 s)

    key = json.loads(facility.run("token", "create", "bliss", "--scope", "notify", "--json"))["token"]
    master = write_dataset_folder(root / "hc7001/id22/20230509/RAW_DATA/LaB6", "LaB6_0001", files=3)
    visit = {"beamline": "id22", "proposal": "hc7001"}
    client = IcatClient(
        metadata_urls=[facility.servers["activemq"].address.removeprefix("stomp://")],
        elogbook_url=f"{facility.address}/icatplus",
        elogbook_token=key,
    )
    try:
        client.store_dataset(
            **visit,
            dataset="LaB6_0001",
            path=str(master.parent),
            metadata={"Sample_name": "LaB6", "InstrumentSource_mode": "7/8"},
        )
        deadline = time.monotonic() + 60
        while not client.registered_dataset_ids(**visit):
            assert time.monotonic() < deadline, facility.run("status")
            time.sleep(0.1)
        (arrived,) = client.registered_datasets(**visit)
    finally:
        client.disconnect()
    assert arrived.dataset_id.path == str(master.parent)
    assert arrived.dataset_metadata.file_count == 3
    wait_until_found(facility, "proposal:hc7001")
    asked = {"q": "InstrumentSource_mode"}
    told = httpx2.get(f"{facility.address}/api/v1/datasets/{arrived.icat_dataset_id}/parameters", params=asked).json()
    assert [each["string_value"] for each in told.get("items", told)] == ["7/8"]


def test_status_tells_what_there_is(facility: Facility, root: Path) -> None:
    facility.run("notify", str(write_dataset_folder(root, "told_0001", files=2)))
    wait_until_found(facility, "told_0001")
    status = json.loads(facility.run("status", "--json"))
    assert status["unindexed_count"] == 0
    # What its writer left unfinished is a dataset too: the samples have such ones.
    assert sum(status["masters"].get(state, 0) for state in ("ingested", "incomplete")) == status["dataset_count"]
    assert facility.run("verify")


def test_proofs_and_repairs_work_beside_it(facility: Facility, root: Path) -> None:
    facility.run("notify", str(write_dataset_folder(root, "mended_0001", files=2)))
    wait_until_found(facility, "mended_0001")
    facility.run("reindex")
    assert count_found(facility, "mended_0001") == 1
    facility.run("remap")
    facility.run("verify")


def test_command_that_fails_says_why(facility: Facility) -> None:
    with pytest.raises(CommandFailedError, match=r"no root|outside"):
        facility.run("notify", "/nowhere/a.h5")


def test_samples_are_ingested_by_the_workers(
    facility: Facility, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `make facility` does."""
    ingest_samples(facility, tmp_path)
    assert "not HDF5: lfs-pointer" in capsys.readouterr().out
    assert count_found(facility, "LaB6") > 0
    facility.run("verify")


def test_service_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facility.setup.COMPOSE", tmp_path / "compose.yml")
    (tmp_path / "compose.yml").write_text(
        "services: {api: {command: [nxcat, serve], environment: {NXCAT_DATABASE_URL: 'nonsense://x'},"
        " healthcheck: {test: [CMD, 'false']}}}"
    )
    with pytest.raises(ServerFailedError, match="NXCAT_DATABASE_URL must be"), running(tmp_path):
        pass


def test_backup_and_way_back_are_as_the_page_says(facility: Facility, root: Path, tmp_path: Path) -> None:
    backup, way_back, _embedded = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    facility.run("notify", str(write_dataset_folder(root, "kept_0001", files=2)))
    wait_until_found(facility, "kept_0001")
    run_script(backup, facility, tmp_path)
    facility.run("notify", str(write_dataset_folder(root, "newer_0001", files=2)))
    wait_until_found(facility, "newer_0001")
    writing = [facility.servers[name] for name in ("api", "worker", "beat", "listener")]
    for service in writing:
        service.kill()
    printed = run_script(way_back, facility, tmp_path)
    assert "the index differs from the database" in printed
    for service in writing:
        service.restart()
    assert count_found(facility, "kept_0001") == 1
    assert count_found(facility, "newer_0001") == 0
    facility.run("crawl", str(root))
    wait_until_found(facility, "newer_0001")
    facility.run("verify")


def run_script(script: str, facility: Facility, folder: Path) -> str:
    """Run the lines of a page as they stand there; each must go well."""
    address = facility.environment["NXCAT_DATABASE_URL"].replace("+psycopg", "")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = facility.environment | {"DATABASE": address, "PATH": path}
    words = ["bash", "-euxo", "pipefail", "-c", script]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_dataset_is_there_once_whatever_is_killed(facility: Facility, root: Path) -> None:
    chance = random.Random(DATASETS)  # noqa: S311 (the same moments each time)
    before = sum(json.loads(facility.run("status", "--json"))["masters"].values())
    masters = [str(write_dataset_folder(root, f"set_{number:04}", files=2, motors=5)) for number in range(DATASETS)]
    chance.shuffle(masters)
    told = [masters[start : start + BATCH] for start in range(0, DATASETS, BATCH)]
    for name in KILLED:
        facility.run("notify", *told.pop())
        time.sleep(chance.uniform(0, 1))
        facility.servers[name].kill()
        time.sleep(chance.uniform(0, 1))
        facility.servers[name].restart()
    for batch in told:
        facility.run("notify", *batch)
    facility.restart_ended()
    facility.wait_until_ingested(before + DATASETS)
    facility.run("verify")
    with psycopg.connect(facility.environment["NXCAT_DATABASE_URL"].replace("+psycopg", "")) as connection:
        sets = "FROM dataset WHERE name LIKE 'set\\_%%'"
        found = connection.execute(f"SELECT count(*), count(DISTINCT name), count(copy_of_id) {sets}")
        assert found.fetchone() == (DATASETS, DATASETS, 0)
        for table, count in (("datafile", 2), ("scan", 1)):
            parts = connection.execute(f"SELECT count(*) FROM {table} WHERE dataset_id IN (SELECT id {sets})")  # noqa: S608 (our words)
            assert parts.fetchone() == (count * DATASETS,)
        ids = [row[0] for row in connection.execute("SELECT id FROM dataset ORDER BY id").fetchall()]
    with closing(ElasticIndex(facility.environment["NXCAT_ELASTICSEARCH_URL"], "nxcat-datasets")) as index:
        assert [number for number, _ in index.revisions()] == ids
