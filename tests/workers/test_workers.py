"""Notices become hits by the hands of workers, whoever dies and whatever is lost on the way."""

from __future__ import annotations

import os
import random
import signal
import urllib.request
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from celery import Celery
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from facility.redis import FORGETFUL, RedisServer
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Dataset, MasterFile, MasterState
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, record_notice
from ingest.catalogue.queue import Task, Workers
from tests.robustness.processes import find_port, write_masters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.pipeline.site import Site
    from tests.workers.crew import Crew

NO_CRAWL = ("--queues", "ingest,index")
MASTERS, TELLINGS = 60, 1_200
"""benchmarks/notices.py has 10,000 of them."""


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Yield a Redis that a test may kill. Asked for first, it is no process of the catalogue's."""
    server = RedisServer(FORGETFUL, owner=os.getpid())
    yield server
    server.stop()


@contextmanager
def notifying(site: Site) -> Iterator[TestClient]:
    """Yield the API, to who may tell of closed datasets."""
    with site.services.write_sessions.begin() as session:
        token = create_token(session, "acquisition", [Scope.NOTIFY], utc_now(), None)
    with TestClient(create_app()) as client:
        client.headers["Authorization"] = f"Bearer {token.text}"
        yield client


@contextmanager
def held_back(path: Path, site: Site) -> Iterator[Callable[[int], None]]:
    """Have whoever stores a dataset wait: it has the master in hand then. Yield what kills it."""
    url = site.services.write_sessions.kw["bind"].url.set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        connection.execute("LOCK TABLE dataset IN SHARE MODE")

        def kill(process: int) -> None:
            os.kill(process, signal.SIGKILL)
            # The database would notice half a minute later, when it gives up waiting for us.
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )

        yield kill
        assert site.find_dataset(path) is None


@pytest.mark.parametrize("database", ["postgresql", "sqlite"], indirect=True)
def test_told_through_the_api_it_is_found_soon(crew: Crew, site: Site) -> None:
    path, broken = site.write("visitor/hc1/id11/20240101/RAW_DATA/a/a_1/a_1.h5"), site.folder / "broken.h5"
    broken.write_bytes(b"no HDF5")
    port = find_port()
    crew.start("worker", "--processes", "2", METRICS_PORT=port)
    with notifying(site) as client:
        answer = client.post("/api/v1/notices", json=[{"path": str(path)}, {"path": str(broken)}])
        assert answer.status_code == 202
        # Told again by anything, in any number, it stays what it is.
        with closing(Celery(broker=crew.broker, set_as_current=False)) as sender:
            for task in [*Task] * 5:
                sender.send_task(task, queue=task.queue)
        crew.wait(lambda: crew.list_searchable() == [str(path)] and site.state(broken)[0] == MasterState.QUARANTINED)
        assert client.get(answer.json()["items"][0]["links"]["self"]).json()["is_searchable"] is True
    dataset, master = site.dataset(path), site.master(path)
    assert (dataset.revision, master.instrument) == (1, "id11")
    assert dataset.closed_at is not None
    assert dataset.searchable_at is not None
    assert dataset.closed_at < dataset.searchable_at

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as shown:
        figures = dict(line.rsplit(" ", 1) for line in shown.read().decode().splitlines() if line[0] != "#")
    assert figures['nxcat_masters_total{state="ingested"}'] == "1.0"
    assert figures['nxcat_failures_total{error="NotHdf5Error"}'] == "1.0"
    assert figures["nxcat_datasets_indexed_total"] == "1.0"
    assert figures['nxcat_stage_seconds_count{stage="read"}'] == "1.0"
    assert "id11" not in str(figures)

    about = [line for line in crew.list_lines() if line.get("master") == str(path)]
    assert [line["message"] for line in about] == ["ingested"]
    assert (about[0]["dataset"], about[0]["task"], about[0]["level"]) == (dataset.id, "nxcat.ingest", "INFO")
    assert {line["notice"] for line in crew.list_lines() if "notice" in line} == {1, 2}


def test_a_killed_worker_takes_nothing_with_it(crew: Crew, site: Site) -> None:
    first, second = site.write("a.h5"), site.write("b.h5", title="another")
    crew.tell([first])
    worker = crew.start("worker", *NO_CRAWL, "--processes", "1")
    with held_back(first, site) as kill:
        crew.wait(lambda: crew.find_claimant(first))
        kill(worker.pid)
        worker.wait()
    # Nothing of it is left, and the next one does not wait for the message, which nobody has let go.
    crew.tell([second])
    crew.start("worker", *NO_CRAWL, "--processes", "1")
    crew.wait(lambda: crew.list_searchable() == [str(first), str(second)])
    assert site.master(first).claimed_by is None


def test_a_file_that_workers_die_over_is_quarantined_and_the_others_are_read(crew: Crew, site: Site) -> None:
    poison, others = site.write("a.h5"), [site.write(f"b{number}.h5", title=f"b{number}") for number in range(3)]
    crew.tell([poison])
    crew.start("worker", *NO_CRAWL, "--processes", "1", MAX_ATTEMPTS=2)
    with held_back(poison, site) as kill:
        killed = set[int]()
        crew.wait(lambda: crew.find_claimant(poison))
        while site.state(poison)[0] != MasterState.QUARANTINED:
            claimant = crew.find_claimant(poison)
            if claimant and claimant not in killed:
                kill(claimant)
                killed.add(claimant)
            crew.wait(lambda: crew.find_claimant(poison) not in killed)
    assert len(killed) == 2
    assert site.state(poison) == ("quarantined", "workers were lost over it, 2 attempts")
    crew.tell(others)
    with closing(Workers(crew.broker)) as workers:
        workers.nudge(Task.INGEST)
    crew.wait(lambda: crew.list_searchable() == sorted(map(str, others)))


def test_without_the_broker_notices_are_taken_and_when_it_is_back_everything_is_found(
    own_redis: RedisServer, crew: Crew, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NXCAT_QUEUE_URL", own_redis.address)
    crew.start("worker", *NO_CRAWL, "--processes", "1")
    crew.start("beat", SWEEP_SECONDS=0.5)
    told, late = site.write("a.h5"), [site.write(f"late{number}.h5", title=f"late {number}") for number in range(3)]
    with notifying(site) as client:
        with held_back(told, site):
            assert client.post("/api/v1/notices", json={"path": str(told)}).status_code == 202
            crew.wait(lambda: crew.find_claimant(told))
            # While it is at work, so that it cannot let go of its message.
            own_redis.kill()
            for path in late:
                assert client.post("/api/v1/notices", json={"path": str(path)}).status_code == 202
        crew.wait(lambda: site.find_dataset(told))
    own_redis.restart()  # empty
    crew.wait(lambda: crew.list_searchable() == sorted(map(str, [told, *late])))


def test_the_clock_has_roots_crawled_what_lags_indexed_and_releases_turned(crew: Crew, site: Site) -> None:
    known = site.write("known.h5")
    site.crawl()
    with site.services.write_sessions.begin() as session:
        session.scalars(select(Dataset)).one().revision += 1
    new = site.write("new.h5", title="nobody told of it")
    crew.start("worker", "--processes", "1", CRAWL_SECONDS=0.5)
    crew.start("beat", SWEEP_SECONDS=0.5, CRAWL_SECONDS=0.5)
    crew.wait(lambda: crew.list_searchable() == [str(known), str(new)])
    crew.wait(lambda: site.dataset(known).indexed_revision == 2)
    assert site.open_root().crawled_at is not None


def test_a_burst_of_notices_in_any_order_loses_and_doubles_nothing(crew: Crew, site: Site) -> None:
    paths = write_masters(site.folder, MASTERS)
    told = [path for path in paths for _ in range(TELLINGS // MASTERS)]
    random.Random(7).shuffle(told)  # noqa: S311 (no secret)
    crew.start("worker", *NO_CRAWL, "--processes", "2")
    with closing(Workers(crew.broker)) as workers:
        for begin in range(0, TELLINGS, 100):
            with site.services.write_sessions.begin() as session:
                workers.nudge_after(session, Task.INGEST)
                for path in told[begin : begin + 100]:
                    record_notice(session, ToldDataset(path=str(path)), "http", utc_now())
    crew.wait(lambda: len(crew.list_searchable()) >= MASTERS)
    crew.wait(lambda: {state for state, _ in crew.list_notices()} == {"accepted"})
    assert crew.list_searchable() == sorted(map(str, paths))
    assert sum(times for _, times in crew.list_notices()) == TELLINGS
    with site.reads() as session:
        assert set(session.execute(select(Dataset.revision, Dataset.indexed_revision))) == {(1, 1)}
        assert set(session.scalars(select(MasterFile.state))) == {"ingested"}
