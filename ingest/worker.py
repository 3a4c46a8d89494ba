"""The Celery application of the workers, and the clock that wakes them. Nothing is made at import.

Redis carries messages and nothing else: no result, no state, nothing that may not be lost.
"""

from __future__ import annotations

import ctypes
import os
import signal
import warnings
from typing import TYPE_CHECKING, Any, Final

from billiard.util import get_logger as get_pool_logger  # type: ignore[import-untyped]
from celery import Celery, signals
from celery.beat import Scheduler
from celery.exceptions import CPendingDeprecationWarning

from ingest.catalogue.queue import Task, Workers
from ingest.logs import configure_logs
from ingest.tasks import HARD_SECONDS, Workplace, register_tasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest.meters import Meters
    from ingest.settings import WorkSettings

VISIBILITY_SECONDS: Final = 2 * HARD_SECONDS
"""A message whose worker was lost is given to another one after this time: no task that keeps its message is longer."""
CRAWL_LOOK_SECONDS: Final = 60.0
"""Which root is due is asked this often at least."""
_PR_SET_PDEATHSIG: Final = 1


def make_worker_app(url: str) -> Celery:
    """Return the application, without tasks."""
    app = Celery("nxcat", broker=url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_lost_wait=1,
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS, "socket_keepalive": True},
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        # What runs goes on when the broker is away: it needs it for nothing.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Its connection is always read from. Without it nobody notices that the broker went while all processes were at
        # work: their messages cannot be let go of then, and the worker waits for them for ever (celery 5.7, kombu 5.7).
        worker_enable_remote_control=True,
        worker_send_task_events=False,
        task_routes={task.value: {"queue": task.queue} for task in Task},
    )
    return app


def run_worker(url: str, tasks: Sequence[Task], processes: int, settings: WorkSettings, meters: Meters) -> int:
    """Work until told to end (SIGTERM or Ctrl-C: what is in hand is finished first); return the exit status."""
    app = make_worker_app(url)
    workplace, parent = Workplace(settings, meters), os.getpid()
    register_tasks(app, workplace)

    def begin(**_said: Any) -> None:
        _leave_with(parent)

    def end(**_said: Any) -> None:
        workplace.close()

    def look(**_said: Any) -> None:
        # It advises to cancel what runs when the broker goes: then a file would count as one that takes workers down.
        warnings.simplefilter("ignore", CPendingDeprecationWarning)
        # What came while nobody worked.
        workers = Workers(url)
        for task in tasks:
            workers.nudge(task)
        workers.close()

    signals.setup_logging.connect(_keep_logs, weak=False)
    signals.worker_process_init.connect(begin, weak=False)
    signals.worker_process_shutdown.connect(end, weak=False)
    signals.worker_ready.connect(look, weak=False)
    worker = app.Worker(
        queues=[task.queue for task in tasks],
        concurrency=processes,
        pool_cls="prefork",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    # It says when a process was lost.
    get_pool_logger().propagate = True
    worker.start()
    return int(worker.exitcode or 0)


def run_beat(url: str, settings: WorkSettings) -> None:
    """Wake the workers from time to time, until told to end. Two of these do no harm."""
    app = make_worker_app(url)
    app.conf.beat_schedule = to_schedule(settings)
    signals.setup_logging.connect(_keep_logs, weak=False)
    app.Beat(scheduler_cls=_make_scheduler(Workers(url)), quiet=True).run()


def to_schedule(settings: WorkSettings) -> dict[str, dict[str, Any]]:
    """Return how often each task is asked for, message or not."""
    seconds = {
        Task.CRAWL: min(CRAWL_LOOK_SECONDS, settings.crawl_seconds),
        Task.INGEST: settings.sweep_seconds,
        Task.INDEX: settings.sweep_seconds,
        Task.PUBLISH: settings.release_seconds,
    }
    return {task.queue: {"task": task.value, "schedule": every} for task, every in seconds.items()}


def _make_scheduler(workers: Workers) -> type[Scheduler]:
    class Nudges(Scheduler):  # type: ignore[misc]  # the package has no types
        """Sends no message where one is waiting: none gather while nobody works. What is due when needs no file."""

        producer = None

        def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_said: Any) -> None:
            """Nudge the workers."""
            del producer
            workers.nudge(Task((self.reserve(entry) if advance else entry).task))

    return Nudges


def _keep_logs(**_said: Any) -> None:
    """Log as everything else does: with a receiver of this signal, Celery leaves the logs alone."""
    configure_logs()


def _leave_with(parent: int) -> None:
    """Have the kernel end this process with its parent, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)
