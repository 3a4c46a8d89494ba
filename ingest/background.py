"""The process beside a serving API: it works off what is due, brings the index along, and leaves with its parent."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from ingest.drain import drain
from ingest.pipeline import refill_lost_index
from ingest.services import open_services

LOOK_EVERY_SECONDS = 2.0


def main() -> None:
    """Work until the parent closes our standard input, which it does when it ends, however it ends."""
    # Ctrl-C reaches us together with the parent; we leave when it has.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with open_services() as services:
        refill_lost_index(services)
        while True:
            drain(services)
            time.sleep(LOOK_EVERY_SECONDS)


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    # At once, from whatever the main thread is doing: a claim left behind is freed by the next one who looks.
    os._exit(0)


if __name__ == "__main__":
    main()
