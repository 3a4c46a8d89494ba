"""Whoever brings work has the workers told, and `nxcat serve` leaves it to them."""

from __future__ import annotations

import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import httpx2
import pytest
import redis
import stomp
from click.testing import CliRunner
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import MasterState
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.queue import Workers
from ingest.cli import main
from ingest.listener import listen
from ingest.settings import ListenerSettings
from tests.robustness.processes import PATIENCE_SECONDS, find_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.site import Site
    from tests.workers.crew import Crew

MESSAGE = """<dataset xmlns="http://www.esrf.fr/icat" complete="true"><investigation>hc1</investigation>
<instrument>id00</instrument><name>a</name><location>{}</location><sample><name>LaB6</name></sample></dataset>"""


@pytest.fixture
def ingest_queue(crew: Crew) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(crew.broker) as client:
        yield client


@pytest.mark.parametrize("command", ["notify", "crawl", "quarantine retry"])
def test_a_command_that_brings_work_tells_of_it(ingest_queue: redis.Redis, site: Site, command: str) -> None:
    place = site.folder if command == "crawl" else site.write()
    result = CliRunner().invoke(main, [*command.split(), str(place)], catch_exceptions=False)
    assert (result.exit_code, ingest_queue.llen("ingest")) == (0, 1)


@pytest.mark.parametrize(("scope", "route"), [(Scope.NOTIFY, "notices"), (Scope.OPERATE, "quarantine/retry")])
def test_a_request_that_brings_work_tells_of_it(
    ingest_queue: redis.Redis, site: Site, scope: Scope, route: str
) -> None:
    with site.services.write_sessions.begin() as session:
        token = create_token(session, "somebody", [scope], utc_now(), None)
    order = {"path": str(site.write())} if scope is Scope.NOTIFY else {"all": True}
    with TestClient(create_app()) as client:
        client.post(f"/api/v1/{route}", json=order, headers={"Authorization": f"Bearer {token.text}"})
    assert ingest_queue.llen("ingest") == 1


def test_a_message_of_the_acquisition_is_told_on(
    stomp_server: str, ingest_queue: redis.Redis, crew: Crew, site: Site
) -> None:
    queue, stopped, address = f"test-{uuid4().hex}", threading.Event(), urlsplit(stomp_server)
    with closing(Workers(crew.broker)) as workers:
        settings = ListenerSettings(url=stomp_server, queues=queue)
        listener = threading.Thread(target=listen, args=(site.services, workers, settings, stopped))
        listener.start()
        connection = stomp.Connection12([(address.hostname, address.port)])
        connection.connect(unquote(address.username or ""), unquote(address.password or ""), wait=True)
        connection.send(f"/queue/{queue}", MESSAGE.format(site.write()))
        try:
            crew.wait(lambda: ingest_queue.llen("ingest") == 1)
        finally:
            stopped.set()
            listener.join()
            connection.disconnect()
    assert crew.list_notices() == [("announced", 1)]


def test_the_service_leaves_the_work_to_the_workers(crew: Crew, site: Site) -> None:
    path, port = site.write(), find_port()
    site.walk()
    server = crew.start("serve", "--port", str(port))

    def is_ready() -> bool:
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False

    crew.wait(is_ready)
    assert Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text() == ""
    assert site.state(path) == (MasterState.READY, None)
    server.send_signal(signal.SIGINT)
    assert server.wait(PATIENCE_SECONDS) == 0
