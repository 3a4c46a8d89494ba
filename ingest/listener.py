"""`nxcat listen`: what the acquisition's broker holds for us, one message after the other, becomes notices.

STOMP 1.2 (https://stomp.github.io). A message is acknowledged when its notice is committed: whoever dies before leaves
it to the broker, who delivers it again, and told twice a notice is one.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import stomp
from sqlalchemy.exc import SQLAlchemyError
from stomp.exception import StompException

from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import record_notice, record_unreadable
from ingest.catalogue.queue import Task
from ingest.logs import about
from ingest.messages import MessageError, to_told_dataset

if TYPE_CHECKING:
    from sqlalchemy.orm import Session
    from stomp.utils import Frame

    from ingest.catalogue.queue import Workers
    from ingest.pipeline import Services
    from ingest.settings import ListenerSettings

log = logging.getLogger(__name__)

HEARTBEATS_MS: Final = (10_000, 10_000)
PREFETCH: Final = "100"
"""Messages that the broker sends ahead of our acknowledgements."""


class BrokerAddressError(CatalogueError):
    """The address of the broker cannot be used."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__("NXCAT_BROKER_URL must be of the form stomp://user:password@host:61613")


def listen(services: Services, workers: Workers, settings: ListenerSettings, stopped: threading.Event) -> None:
    """Take in what the queues hold until stopped; a broker that is away is asked for again and again.

    Raises BrokerAddressError if the address is none.
    """
    address = urlsplit(settings.url)
    if address.scheme != "stomp" or not address.hostname:
        raise BrokerAddressError(settings.url)
    while not stopped.is_set():
        ended = threading.Event()
        connection = stomp.Connection12([(address.hostname, address.port or 61613)], heartbeats=HEARTBEATS_MS)
        connection.set_listener("notices", _Notices(services, workers, connection, ended))
        try:
            connection.connect(unquote(address.username or ""), unquote(address.password or ""), wait=True)
            for number, queue in enumerate(settings.names):
                connection.subscribe(
                    f"/queue/{queue}", str(number), ack="client-individual", headers={"activemq.prefetchSize": PREFETCH}
                )
            log.info("listening to %s at %s", ", ".join(settings.names), address.hostname)
            _wait(stopped, ended)
        except StompException as error:
            log.warning("the broker at %s cannot be reached: %r", address.hostname, error)
        finally:
            connection.remove_listener("notices")
            if connection.is_connected():
                connection.disconnect()
        stopped.wait(settings.reconnect_seconds)


def _wait(stopped: threading.Event, ended: threading.Event) -> None:
    while not stopped.is_set() and not ended.wait(0.2):
        pass


class _Notices(stomp.ConnectionListener):  # type: ignore[misc]  # the package has no types
    """Commits one notice for each message, and acknowledges it then."""

    def __init__(self, services: Services, workers: Workers, connection: Any, ended: threading.Event) -> None:
        self._services = services
        self._workers = workers
        self._connection = connection
        self._ended = ended

    def on_message(self, frame: Frame) -> None:
        """Take the message in. If it cannot be kept now, the connection ends: the broker delivers it again later."""
        if self._ended.is_set():
            return
        try:
            self._record(frame.body.encode())
        except (CatalogueError, SQLAlchemyError, OSError):
            log.exception("a notice could not be kept; the broker has it still")
            self._ended.set()
            return
        self._connection.ack(frame.headers["ack"])

    def on_disconnected(self) -> None:
        """Have the connection made again."""
        self._ended.set()

    def on_error(self, frame: Frame) -> None:
        """Tell what the broker refuses."""
        log.error("the broker refuses: %s", frame.headers.get("message", frame.body)[:1000])
        self._ended.set()

    def _record(self, body: bytes) -> None:
        try:
            told, problem = to_told_dataset(body), ""
        except MessageError as error:
            told, problem = None, str(error)
            log.warning("a message is kept as refused: %s", error)
        now = utc_now()

        def record(session: Session) -> int:
            if told is None:
                return record_unreadable(session, body, problem, now)
            self._workers.nudge_after(session, Task.INGEST)
            return record_notice(session, told, "message", now)

        notice_id = run_transaction(self._services.write_sessions, record)
        if told is not None:
            with about(notice=notice_id):
                log.info("told by a message")
