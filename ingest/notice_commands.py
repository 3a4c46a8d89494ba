"""What `nxcat notify` and `nxcat listen` do: two doors for notices, beside the API's."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import click

from ingest import console
from ingest.catalogue.database import run_transaction
from ingest.catalogue.model import NoticeState
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, get_notice, record_notice
from ingest.catalogue.queue import Task
from ingest.listener import listen as listen_to_broker
from ingest.logs import configure_logs
from ingest.services import open_services, open_workers
from ingest.settings import ListenerSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from ingest.catalogue.views import NoticeView


def notify(places: tuple[Path, ...], *, is_json: bool) -> int:
    """Take notice of closed datasets; return the exit status: 1 if a place was refused."""
    now = utc_now()
    with open_services() as services, open_workers() as workers:

        def record(session: Session) -> list[int]:
            workers.nudge_after(session, Task.INGEST)
            return [record_notice(session, ToldDataset(path=str(p.absolute())), "command", now) for p in places]

        ids = run_transaction(services.write_sessions, record)
        with services.read_sessions() as session:
            views = [get_notice(session, each) for each in ids]
    if is_json:
        console.print_json(views)
    else:
        for view in views:
            click.echo(_to_line(view), err=view.state == NoticeState.REFUSED)
    return int(any(view.state == NoticeState.REFUSED for view in views))


def listen() -> None:
    """Take in what the acquisition's broker holds for us, until Ctrl-C or a signal to end."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    configure_logs()
    with open_services() as services, open_workers() as workers:
        listen_to_broker(services, workers, ListenerSettings(), stopped)


def _to_line(view: NoticeView) -> str:
    if view.state == NoticeState.REFUSED:
        return f"refused: {console.to_plain_text(view.path)}: {view.reason}"
    return f"notice {view.id}: {console.to_plain_text(view.path)}"
