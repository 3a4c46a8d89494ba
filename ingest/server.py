"""`nxcat serve`: the API, with one process beside it that works off what waits, unless workers do."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import uvicorn

from api.settings import ApiSettings
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.queue import Workers
from ingest.catalogue.settings import CatalogueSettings
from ingest.logs import to_log_config
from ingest.services import open_services
from ingest.settings import LogSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class AddressTakenError(CatalogueError):
    """Another program listens there, or the address is not this machine's."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        self.host, self.port = host, port
        super().__init__(f"cannot listen on {host}:{port}: {problem}; give another with --host and --port")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and then say so."""
        await super().startup(sockets)
        if self.started and self._on_ready is not None:
            self._on_ready()


def serve(host: str | None, port: int | None, on_ready: Callable[[], None] | None = None) -> None:
    """Serve until stopped. With `on_ready` the caller says what there is to see, and requests are not logged."""
    settings = ApiSettings()
    listening = listen(host or settings.host, port or settings.port)
    with open_services():
        pass  # the schema is there before the two processes ask for it
    queue_url = CatalogueSettings().queue_url
    Workers(queue_url)  # that it is one
    log_level = "warning" if on_ready else "info"
    config = to_config(settings, log_level)
    # Where workers are woken through Redis, what waits is theirs.
    beside = contextlib.nullcontext() if queue_url else _working(log_level)
    # Ctrl-C is how one ends it: no failure.
    with listening, beside, contextlib.suppress(KeyboardInterrupt):
        _Server(config, on_ready).run(sockets=[listening])


@contextlib.contextmanager
def _working(log_level: str) -> Iterator[None]:
    """Have what waits worked off meanwhile, by a process of its own."""
    worker = subprocess.Popen([sys.executable, "-m", "ingest.background", log_level], stdin=subprocess.PIPE)  # noqa: S603 (our own)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait()


def to_config(settings: ApiSettings, log_level: str) -> uvicorn.Config:
    """Return how the application is served: below which path, and which proxies are believed who asks and how."""
    # By name, so that the application is made after the server is, and nothing of it is imported here.
    return uvicorn.Config(
        "api.app:create_app",
        factory=True,
        root_path=settings.root_path,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        log_level=log_level,
        log_config=to_log_config(LogSettings().log_format, log_level),
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; raises AddressTakenError if it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise AddressTakenError(host, port, error.strerror or str(error)) from error
    # What is accepted here inherits it. Else an answer in two parts waits 40 ms until the client says it has the first:
    # asyncio asks for it only where a socket names its protocol, and this one does not.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
