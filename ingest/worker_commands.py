"""What `nxcat worker` and `nxcat beat` do: they work on a catalogue, or wake those who do, until told to end."""

from __future__ import annotations

import os
import tempfile

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.queue import Task, Workers
from ingest.catalogue.settings import CatalogueSettings
from ingest.logs import configure_logs
from ingest.settings import WorkSettings


class NoQueueError(CatalogueError):
    """There is no broker by which workers are woken."""

    def __init__(self) -> None:
        super().__init__("NXCAT_QUEUE_URL names no Redis; without one `nxcat serve` works by itself")


class UnknownQueueError(CatalogueError):
    """No task has a queue of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no queue {name!r}: there are {', '.join(task.queue for task in Task)}")


def work(queues: str, processes: int | None) -> int:
    """Work off what stands in these queues, all without a name, with as many processes; return the exit status."""
    url, tasks = _get_url(), to_tasks(queues)
    settings = WorkSettings()
    configure_logs()
    with tempfile.TemporaryDirectory(prefix="nxcat-meters-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        from ingest.meters import Meters, show_meters
        from ingest.worker import run_worker

        if settings.metrics_port:
            show_meters(settings.metrics_host, settings.metrics_port)
        return run_worker(url, tasks, processes or os.cpu_count() or 1, settings, Meters())


def beat() -> None:
    """Wake the workers from time to time."""
    url = _get_url()
    configure_logs()
    from ingest.worker import run_beat

    run_beat(url, WorkSettings())


def to_tasks(queues: str) -> list[Task]:
    """Return the tasks whose queues are named, by commas; all of them for an empty text."""
    by_queue = {task.queue: task for task in Task}
    names = [name for name in (part.strip() for part in queues.split(",")) if name]
    for name in names:
        if name not in by_queue:
            raise UnknownQueueError(name)
    return [by_queue[name] for name in dict.fromkeys(names)] or list(Task)


def _get_url() -> str:
    url = CatalogueSettings().queue_url
    if not url:
        raise NoQueueError
    Workers(url)  # that it is one
    return url
