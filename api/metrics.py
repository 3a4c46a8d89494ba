"""What the service counts, as Prometheus reads it: requests by the route that answered, never by what was asked.

No address, no name and no beamline is a label. Each process counts for itself.
"""

import time
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingest.catalogue.views import BacklogView

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SECONDS: Final = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
OTHER: Final = "other"
"""A method that nobody knows, or a path that leads nowhere: there are too many of them for a label each."""


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._requests = Counter("nxcat_http_requests", "Requests answered.", labels, registry=self._registry)
        self._seconds = Histogram(
            "nxcat_http_request_seconds",
            "Seconds from the request to the last byte of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self.in_flight = Gauge("nxcat_http_requests_in_flight", "Requests being answered.", registry=self._registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request with its time."""
        known = method if method in METHODS else OTHER
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    def to_text(self, backlog: BacklogView) -> str:
        """Return all figures, with those of the backlog at this moment."""
        return (generate_latest(self._registry) + generate_latest(_to_registry(backlog))).decode()


class MeasuredRequests:
    """Counts every answer, whoever gives it: this stands outermost."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count how it was answered: 500 where nothing was said."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        # Copies of the scope, as for HEAD, have the same state.
        state = scope.setdefault("state", {})

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self.metrics.in_flight.track_inprogress():
            try:
                await self.app(scope, receive, send_and_note)
            finally:
                seconds = time.perf_counter() - began
                self.metrics.count(scope["method"], state.get("route", OTHER), status, seconds)


class NotedRoute:
    """Leaves the template of the route that answered in the state of the request: this stands innermost."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self.app = app
        self.prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note which route it was."""
        try:
            await self.app(scope, receive, send)
        finally:
            if (template := self._find_template(scope)) is not None:
                scope["state"]["route"] = template

    def _find_template(self, scope: Scope) -> str | None:
        own_root = scope.get("app_root_path", scope.get("root_path", ""))
        if (route := scope.get("route")) is not None:
            # A route that was included knows nothing of the prefix.
            is_below = scope["path"].removeprefix(own_root).startswith(f"{self.prefix}/")
            path: str = route.path
            return self.prefix + path if is_below and not path.startswith(f"{self.prefix}/") else path
        if "endpoint" in scope:  # a mounted application
            return str(scope["root_path"]).removeprefix(own_root)
        return None


def _to_registry(backlog: BacklogView) -> CollectorRegistry:
    registry = CollectorRegistry()
    masters = Gauge("nxcat_masters_waiting", "Masters to be looked at.", ["state", "when"], registry=registry)
    for each in backlog.waiting:
        for when, count in (("due", each.due), ("in_hand", each.in_hand), ("later", each.later)):
            masters.labels(each.master_state, when).inc(count)
    notices = Gauge("nxcat_notices_waiting", "Notices to be looked at.", ["state"], registry=registry)
    for state, count in backlog.notices.items():
        notices.labels(state).set(count)
    figures = {
        "nxcat_oldest_due_timestamp_seconds": (
            "When the oldest that is due became so, in seconds since 1970.",
            backlog.oldest_due_at,
        ),
        "nxcat_masters_quarantined": ("Masters that could not be read.", backlog.quarantined_count),
        "nxcat_datasets_unindexed": ("Datasets that the index does not know as they are.", backlog.unindexed_count),
        "nxcat_index_revisions_behind": ("Revisions that the index does not know.", backlog.revisions_behind),
        "nxcat_index_behind_timestamp_seconds": ("When the oldest of them was made.", backlog.oldest_unindexed_at),
        "nxcat_searchable_count": ("Datasets closed and found in the last hour.", backlog.searchable.count),
        "nxcat_searchable_median_seconds": ("From closed to found, half of them.", backlog.searchable.median_seconds),
        "nxcat_searchable_p95_seconds": ("From closed to found, 95 % of them.", backlog.searchable.p95_seconds),
    }
    for name, (words, value) in figures.items():
        # What is not there is no zero.
        if value is not None:
            number = value if isinstance(value, int | float) else value.timestamp()
            Gauge(name, words, registry=registry).set(number)
    return registry
