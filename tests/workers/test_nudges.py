"""Messages that say "look": one is enough, none is waited for, and none is sent too early."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import redis
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from ingest.catalogue.queue import QueueAddressError, Task, Workers
from ingest.catalogue.settings import CatalogueSettings
from ingest.settings import WorkSettings
from ingest.worker import to_schedule
from ingest.worker_commands import NoQueueError, UnknownQueueError, beat, to_tasks, work
from tests.robustness.processes import NXCAT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def workers(broker: str) -> Iterator[Workers]:
    with closing(Workers(broker)) as opened:
        yield opened


@pytest.fixture
def queues(broker: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(broker) as client:
        yield client


def list_lengths(queues: redis.Redis) -> list[int]:
    return [queues.llen(task.queue) for task in Task]


def test_a_message_that_nobody_took_is_enough(workers: Workers, queues: redis.Redis) -> None:
    for task in [Task.INGEST, Task.INGEST, Task.INDEX]:
        workers.nudge(task)
    assert list_lengths(queues) == [0, 1, 1, 0]
    message = json.loads(queues.lpop("ingest"))
    assert (message["headers"]["task"], message["content-type"]) == ("nxcat.ingest", "application/json")
    workers.nudge(Task.INGEST)
    assert list_lengths(queues) == [0, 1, 1, 0]


def test_nobody_is_told_of_what_is_not_committed(workers: Workers, queues: redis.Redis) -> None:
    engine = create_engine("sqlite://")
    with Session(engine) as session:
        session.connection()
        workers.nudge_after(session, Task.INGEST)
        assert list_lengths(queues) == [0, 0, 0, 0]
        session.rollback()
        assert list_lengths(queues) == [0, 0, 0, 0]
    with Session(engine) as session:
        session.connection()
        workers.nudge_after(session, Task.INGEST)
        session.commit()
        assert list_lengths(queues) == [0, 1, 0, 0]
    engine.dispose()


def test_a_broker_that_is_deaf_is_asked_once_and_then_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as deaf,
        closing(Workers(f"redis://127.0.0.1:{deaf.getsockname()[1]}")) as workers,
    ):
        for _ in range(50):
            workers.nudge(Task.INGEST)
        deaf.settimeout(0.2)
        deaf.accept()[0].close()
        with pytest.raises(TimeoutError):
            deaf.accept()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_broker_that_went_and_came_is_told_again(
    broker: str, queues: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Workers(broker)) as workers:
        workers.nudge(Task.INGEST)
        queues.flushdb()
        queues.client_kill_filter(_type="normal", skipme=True)
        workers.nudge(Task.INGEST)
        assert list_lengths(queues) == [0, 1, 0, 0]
    assert caplog.records == []


def test_without_a_broker_nothing_is_loaded_and_nobody_told() -> None:
    code = """
import sys
from ingest.catalogue.queue import Task, Workers
workers = Workers(None)
workers.prepare()
workers.nudge(Task.INGEST)
workers.close()
print("celery" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("address", ["http://host", "host:6379", "amqp://host"])
def test_another_broker_is_refused(address: str) -> None:
    with pytest.raises(QueueAddressError, match="redis://"):
        Workers(address)


def test_queues_are_named_by_their_tasks() -> None:
    assert to_tasks("index, ingest,index") == [Task.INDEX, Task.INGEST]
    assert to_tasks("") == list(Task)
    with pytest.raises(UnknownQueueError, match="crawl, ingest, index, publish"):
        to_tasks("ingest,celery")


@pytest.mark.parametrize("command", [beat, lambda: work("", 1)])
def test_without_an_address_there_are_no_workers(command: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_QUEUE_URL", "")
    assert CatalogueSettings().queue_url == ""
    with pytest.raises(NoQueueError, match="nxcat serve"):
        command()  # type: ignore[operator]


def test_each_task_has_its_time() -> None:
    schedule = to_schedule(WorkSettings(sweep_seconds=7, crawl_seconds=30, release_seconds=500))
    assert {entry["task"]: entry["schedule"] for entry in schedule.values()} == {
        "nxcat.crawl": 30,
        "nxcat.ingest": 7,
        "nxcat.index": 7,
        "nxcat.publish": 500,
    }
    assert to_schedule(WorkSettings(crawl_seconds=86_400))["crawl"]["schedule"] == 60


def test_the_clock_leaves_one_message_where_nobody_works(broker: str, queues: redis.Redis) -> None:
    process = subprocess.Popen(
        [*NXCAT, "beat"], env={**os.environ, "NXCAT_QUEUE_URL": broker, "NXCAT_SWEEP_SECONDS": "0.1"}
    )
    deadline = time.monotonic() + 60
    while list_lengths(queues) != [0, 1, 1, 0]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    assert list_lengths(queues) == [0, 1, 1, 0]
    process.terminate()
    assert process.wait(30) == 0
