"""What a worker counts, as Prometheus reads it. The processes of one worker count into one folder; one port shows it.

Nothing is named here: states, stages and kinds of errors, no beamline, no file.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from ingest.catalogue.errors import CatalogueError

if TYPE_CHECKING:
    from ingest.pipeline import Outcome

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that tells the library where processes count together: it looks when it is loaded."""
SECONDS: Final = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


class MetersAddressError(CatalogueError):
    """The figures cannot be shown there."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        self.host, self.port = host, port
        super().__init__(f"cannot listen on {host}:{port}: {problem}; change NXCAT_METRICS_HOST or NXCAT_METRICS_PORT")


class Meters:
    """The figures of one worker; made once in the process whose forks count."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._masters = Counter(
            "nxcat_masters", "Masters worked off, by the state they went to.", ["state"], registry=registry
        )
        self._failures = Counter("nxcat_failures", "Masters not read, by kind of error.", ["error"], registry=registry)
        self._datasets = Counter(
            "nxcat_datasets_stored", "Datasets of which something new was stored.", registry=registry
        )
        self._lost = Counter("nxcat_claims_lost", "Claims that another worker took over.", registry=registry)
        self._stages = Histogram(
            "nxcat_stage_seconds",
            "Seconds of a stage of a master's way.",
            ["stage"],
            buckets=SECONDS,
            registry=registry,
        )
        self._tasks = Histogram(
            "nxcat_task_seconds", "Seconds of a task.", ["task", "end"], buckets=SECONDS, registry=registry
        )
        self._indexed = Counter("nxcat_datasets_indexed", "Documents written into the index.", registry=registry)
        self._lag = Gauge(
            "nxcat_index_lags",
            "Whether the index lagged when it was left.",
            multiprocess_mode="mostrecent",
            registry=registry,
        )

    def count_outcome(self, outcome: Outcome | None) -> None:
        """Count a master that was claimed; None: another worker took it over."""
        if outcome is None:
            self._lost.inc()
            return
        self._masters.labels(str(outcome.state)).inc()
        if outcome.error is not None:
            self._failures.labels(outcome.error).inc()
        if outcome.has_changed:
            self._datasets.inc()

    def count_indexed(self, count: int, *, lags: bool) -> None:
        """Count documents that the index knows now, and note whether there are more that it does not."""
        self._indexed.inc(count)
        self._lag.set(lags)

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Count a stage with its time."""
        self._stages.labels(stage).observe(seconds)

    def observe_task(self, task: str, end: str, seconds: float) -> None:
        """Count a task with its time, and how it ended: done or failed."""
        self._tasks.labels(task, end).observe(seconds)


def show_meters(host: str, port: int) -> None:
    """Show at http://host:port/metrics what all forks of this process count, until it ends.

    Raises MetersAddressError if nobody can listen there.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry, os.environ[FOLDER])  # type: ignore[no-untyped-call]
    try:
        start_http_server(port, host, registry)
    except OSError as error:
        raise MetersAddressError(host, port, error.strerror or str(error)) from error
