"""The tasks of the workers: each looks into the database for what there is to do, and does some of it.

A message carries nothing, so that none is worth keeping: doubled it finds less to do, lost the next one finds more.
"""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.indexing import has_unindexed
from ingest.catalogue.locks import Lock, hold_if_free
from ingest.catalogue.queue import Task, Workers
from ingest.catalogue.settings import CatalogueSettings
from ingest.drain import drain_slice, make_reader, turn_releases
from ingest.logs import about
from ingest.pipeline import Services, index_pending, refill_lost_index
from ingest.rounds import crawl_next
from ingest.services import open_services
from ingest.stages import telling_stages

if TYPE_CHECKING:
    from collections.abc import Callable

    from celery import Celery

    from ingest.meters import Meters
    from ingest.nexus.child import ReaderChild
    from ingest.settings import WorkSettings

log = logging.getLogger(__name__)

SLICE_SECONDS: Final = 10.0
"""A task that finds more to do than this has another message sent and ends: so the queues take turns."""
SOFT_SECONDS, HARD_SECONDS = 240, 300
"""A task is told to end, and its process is killed. The longest step is one dataset of 200,000 files."""
CRAWL_SOFT_SECONDS, CRAWL_HARD_SECONDS = 172_800, 176_400
"""Likewise for a crawl: the first one of a large root takes days, and the next goes on quickly to where it ended."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a process works with."""

    services: Services
    reader: ReaderChild
    workers: Workers
    meters: Meters
    crawl_every: timedelta


class Workplace:
    """The bench of one process: made at its first task, after the fork, and made anew after trouble."""

    def __init__(self, settings: WorkSettings, meters: Meters) -> None:
        self._settings = settings
        self._meters = meters
        self._stack = ExitStack()
        self._bench: Bench | None = None

    def run(self, task: Task, work: Callable[[Bench], None]) -> None:
        """Do the work, whatever happens: this is the task boundary. What was due and not done stays due."""
        began, end = time.monotonic(), "done"
        with about(task=task), telling_stages(self._meters.observe_stage):
            try:
                work(self._open())
            except Exception:
                # A full disk, a database that is away, the time that was up.
                log.exception("it could not be done now; what is due stays due")
                end = "failed"
                self.close()
        self._meters.observe_task(task, end, time.monotonic() - began)

    def close(self) -> None:
        """Let everything go that was opened."""
        self._bench = None
        self._stack.close()

    def _open(self) -> Bench:
        if self._bench is None:
            services = self._stack.enter_context(open_services())
            reader = self._stack.enter_context(make_reader(services))
            workers = Workers(CatalogueSettings().queue_url)
            self._stack.callback(workers.close)
            every = timedelta(seconds=self._settings.crawl_seconds)
            self._bench = Bench(services, reader, workers, self._meters, every)
        return self._bench


def register_tasks(app: Celery, workplace: Workplace) -> None:
    """Leave the application with the tasks; the process of each does it at its own workplace."""
    limits = {"soft_time_limit": SOFT_SECONDS, "time_limit": HARD_SECONDS}
    # A crawl takes longer than the broker waits for a word of it: its message is let go when it begins.
    days = {"soft_time_limit": CRAWL_SOFT_SECONDS, "time_limit": CRAWL_HARD_SECONDS, "acks_late": False}
    _register(app, workplace, Task.CRAWL, crawl, days)
    _register(app, workplace, Task.INGEST, ingest, limits)
    _register(app, workplace, Task.INDEX, index, limits)
    _register(app, workplace, Task.PUBLISH, publish, limits)


def crawl(bench: Bench) -> None:
    """Crawl the root that waited longest, if one is due, and have somebody look for the next."""
    report = crawl_next(bench.services, bench.crawl_every)
    if report is None:
        return
    bench.workers.nudge(Task.CRAWL)
    if report.new or report.changed:
        bench.workers.nudge(Task.INGEST)
    if report.vanished:
        bench.workers.nudge(Task.INDEX)


def ingest(bench: Bench) -> None:
    """Work off due notices and masters for a while."""
    changed = drain_slice(
        bench.services,
        bench.reader,
        SLICE_SECONDS,
        bench.meters.count_outcome,
        lambda: bench.workers.nudge(Task.INGEST),
    )
    if changed:
        # Old data may open at once.
        turn_releases(bench.services)
        bench.workers.nudge(Task.INDEX)


def index(bench: Bench) -> None:
    """Bring the index along for a while; one process at a time, since all would take the same datasets."""
    until = time.monotonic() + SLICE_SECONDS
    refill_lost_index(bench.services)
    count, lags = 0, _lags(bench.services)
    while lags and time.monotonic() < until:
        with hold_if_free(bench.services.write_sessions, Lock.INDEX) as is_mine:
            if not is_mine:
                # Whoever holds it looks once more after letting it go.
                return
            count += index_pending(bench.services, until)
        lags = _lags(bench.services)
    bench.meters.count_indexed(count, lags=lags)
    if lags:
        bench.workers.nudge(Task.INDEX)


def publish(bench: Bench) -> None:
    """Carry release dates over to datasets that open soon."""
    if turn_releases(bench.services):
        bench.workers.nudge(Task.INDEX)


def _register(
    app: Celery, workplace: Workplace, task: Task, work: Callable[[Bench], None], options: dict[str, Any]
) -> None:
    def run() -> None:
        workplace.run(task, work)

    app.task(run, name=task, **options)


def _lags(services: Services) -> bool:
    with services.read_sessions() as session:
        return has_unindexed(session)
