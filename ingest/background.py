"""The process beside a serving API: it works off what is due, brings the index along, and leaves with its parent."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from ingest.catalogue.errors import CatalogueError
from ingest.drain import drain
from ingest.logs import configure_logs
from ingest.pipeline import refill_lost_index
from ingest.services import open_services

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
        refill_lost_index(services)
        while True:
            try:
                drain(services)
            except (CatalogueError, SQLAlchemyError, OSError):
                # A full disk, a database that is away: it may be better next time, and what was due still is.
                log.exception("could not work off what is due")
                time.sleep(REST_AFTER_TROUBLE_SECONDS)
            time.sleep(LOOK_EVERY_SECONDS)


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    # At once, from whatever the main thread is doing: a claim left behind is freed by the next one who looks.
    os._exit(0)


if __name__ == "__main__":
    main()
