"""The process beside a serving API: it works off what is due, brings the index along, and leaves with its parent."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from ingest.catalogue.errors import CatalogueError
from ingest.drain import drain
from ingest.logs import configure_logs
from ingest.services import open_services

if TYPE_CHECKING:
    from ingest.pipeline import Services

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2.0
REST_AFTER_TROUBLE_SECONDS = 30.0


def main() -> None:
    """Work until the parent closes our standard input, which it does when it ends, however it ends."""
    # Ctrl-C reaches us together with the parent; we leave when it has.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logs(*sys.argv[1:])
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with open_services() as services:
        while True:
            time.sleep(work_off(services))


def work_off(services: Services) -> float:
    """Leave nothing due, and the index current, or what is in the way logged; return how long to rest, in seconds."""
    try:
        drain(services)
    except (CatalogueError, SQLAlchemyError, OSError):
        # A full disk, a database or an engine that is away: it may be better next time, and what was due still is.
        log.exception("could not work off what is due")
        return REST_AFTER_TROUBLE_SECONDS
    return LOOK_EVERY_SECONDS


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    # At once, from whatever the main thread is doing: a claim left behind is freed by the next one who looks.
    os._exit(0)


if __name__ == "__main__":
    main()
