"""The service answers while crawls write: nobody sees a lock, and what is stored is found."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2

from ingest.catalogue.model.base import utc_now
from ingest.samples.hdf5 import set_age
from tests.builders import write_master
from tests.pipeline.site import OLD
from tests.robustness.processes import PATIENCE_SECONDS, finish, serving, write_masters

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.robustness.processes import Catalogue

MASTERS = 60
CLIENTS = 3
PATHS = (
    "/api/v1/datasets?limit=50",
    "/api/v1/datasets?q=LaB6&facets=instrument",
    "/api/v1/datasets?q=energy:12..13 keV",
    "/api/v1/datasets/1",
    "/api/v1/datasets/1/scans",
    "/api/v1/datasets/1/parameters",
    "/api/v1/datasets/1/files",
    "/health/ready",
)


@contextmanager
def asking(address: str) -> Iterator[Counter[tuple[str, int]]]:
    """Ask all paths again and again from several threads; yield the counts of (path, status)."""
    answers: Counter[tuple[str, int]] = Counter()
    is_over, lock = threading.Event(), threading.Lock()

    def ask() -> None:
        with httpx2.Client(base_url=address, timeout=PATIENCE_SECONDS) as client:
            while not is_over.is_set():
                for path in PATHS:
                    status = client.get(path).status_code
                    with lock:
                        answers[path, status] += 1

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_every_question_is_answered_while_crawls_write(catalogue: Catalogue, root: Path) -> None:
    paths = write_masters(root, MASTERS)
    catalogue.run("crawl", root, "--release", "immediately")
    with serving(catalogue) as (address, _), asking(address) as answers:
        for change in range(2):
            for path in paths[:: change + 1]:
                write_master(path, title=f"{path.stem}, change {change}")
                set_age(path, OLD.replace(day=2 + change))
            for crawl in [catalogue.start("crawl", root) for _ in range(2)]:
                finish(crawl)
        page = httpx2.get(f"{address}/api/v1/datasets?limit=100").json()
    assert {path for path, _ in answers} == set(PATHS)
    assert {status for _, status in answers} == {200}
    assert page["total"] == MASTERS
    catalogue.assert_whole(MASTERS)


def test_the_service_works_off_what_comes_due(catalogue: Catalogue, root: Path) -> None:
    """What a crawl found too fresh to be read is read by the service, once it stood still."""
    # By its own time it changes tomorrow: so it settles from when it is seen, however slow this machine is.
    set_age(write_master(root / "late.h5", title="late"), utc_now() + timedelta(days=1))
    catalogue.run("crawl", root, "--release", "immediately", SETTLE_SECONDS=4)
    assert catalogue.states() == {"late.h5": "settling"}
    with serving(catalogue, SETTLE_SECONDS=4) as (address, server):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while catalogue.states()["late.h5"] == "settling":
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.1)
        while httpx2.get(f"{address}/api/v1/datasets?q=late").json()["total"] != 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_nothing_is_left_of_a_service_that_was_killed(catalogue: Catalogue, root: Path) -> None:
    write_masters(root, 1)
    catalogue.run("crawl", root)
    with serving(catalogue, ends=signal.SIGKILL):
        assert len(catalogue.processes()) == 2
    catalogue.assert_no_process_is_left()
