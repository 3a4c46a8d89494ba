"""The nudge to the workers: a message that says no more than "look". What there is to do stands in the database.

So a message may be lost, doubled or late. Nobody waits for the broker of the messages, and nothing fails without it:
the workers look by themselves, too. Without a broker, as in the embedded set-up, nobody is told.
"""

from __future__ import annotations

import logging
import threading
import time
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sqlalchemy import event

from ingest.catalogue.errors import CatalogueError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 1.0
"""A broker that takes longer is away."""
REST_SECONDS: Final = 5.0
"""One that was away is left alone for so long: a request waits for it no more than once in that time."""
PREFIX: Final = "nxcat."
SCHEMES: Final = ("redis", "rediss", "redis+socket")


class Task(StrEnum):
    """What workers look at, by the names of their tasks."""

    CRAWL = f"{PREFIX}crawl"
    INGEST = f"{PREFIX}ingest"
    INDEX = f"{PREFIX}index"
    PUBLISH = f"{PREFIX}publish"

    @property
    def queue(self) -> str:
        """The queue that its messages stand in: one for each, so that workers can be set apart for some."""
        return self.removeprefix(PREFIX)


class QueueAddressError(CatalogueError):
    """The address of the broker cannot be used."""

    def __init__(self) -> None:
        super().__init__("NXCAT_QUEUE_URL must be of the form redis://:password@host:6379/0")


class Workers:
    """Whoever works on this catalogue, as far as messages reach them; without an address nobody is told.

    Raises QueueAddressError for an address of another kind of broker.
    """

    def __init__(self, url: str | None) -> None:
        if url and urlsplit(url).scheme not in SCHEMES:
            raise QueueAddressError
        self._url = url or None
        self._rests_until = 0.0
        self._one_at_a_time = threading.Lock()

    def nudge(self, task: Task) -> None:
        """Have a worker look soon, unless one is about to: a message that nobody has taken yet is enough."""
        if self._url is None:
            return
        with self._one_at_a_time:
            if time.monotonic() < self._rests_until:
                return
            try:
                self._send(task)
            except self._sender.errors as error:
                self._rests_until = time.monotonic() + REST_SECONDS
                log.warning("no worker was told to look, they will by themselves: %r", error)

    def nudge_after(self, session: Session, task: Task) -> None:
        """Have a worker look when the session's transaction is committed, and not before."""
        if self._url is not None:
            event.listen(session, "after_commit", lambda _session: self.nudge(task), once=True)

    def prepare(self) -> None:
        """Load what sends messages, so that the first who tells something need not wait for that."""
        if self._url is not None:
            _ = self._sender

    def close(self) -> None:
        """Let the connections to the broker go."""
        if "_sender" in self.__dict__:
            self._sender.app.close()

    @cached_property
    def _sender(self) -> _Sender:
        return _Sender(self._url or "")

    def _send(self, task: Task) -> None:
        app = self._sender.app
        with app.producer_or_acquire() as producer:
            # Whoever takes a message looks after it was sent; the one that waits here will see our work, too.
            waiting = producer.channel.queue_declare(queue=task.queue, durable=True, auto_delete=False).message_count
            if not waiting:
                app.send_task(task, queue=task.queue, producer=producer, ignore_result=True, retry=False)


class _Sender:
    """A Celery application that only sends, and what is raised when its broker is away."""

    def __init__(self, url: str) -> None:
        # A fifth of a second, which the embedded set-up and the commands that tell nobody do without.
        from celery import Celery
        from kombu.exceptions import KombuError

        self.app: Any = Celery("nxcat", broker=url, set_as_current=False)
        self.app.conf.update(
            task_serializer="json",
            accept_content=["json"],
            broker_connection_timeout=ANSWER_SECONDS,
            broker_transport_options={
                "socket_connect_timeout": ANSWER_SECONDS,
                "socket_timeout": ANSWER_SECONDS,
                "max_retries": 0,
            },
        )
        connection = self.app.connection_for_write()
        self.errors = (KombuError, *connection.connection_errors, *connection.channel_errors)
