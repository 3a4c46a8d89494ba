"""The servers that tests run on: one of each for all workers of a run, there from the first test that asks for it.

The environment may name servers that run already, NXCAT_TEST_POSTGRESQL_URL and so on: what tests make there they take
away again. Else a program of this machine is started. A test whose server cannot be had fails.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from facility.activemq import ActiveMq
from facility.elasticsearch import Elasticsearch
from facility.postgresql import FAST, PostgreSql
from facility.redis import FORGETFUL, RedisServer
from facility.server import end_guard
from ingest.catalogue.database import make_engine
from ingest.catalogue.schema import upgrade_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from facility.server import Server


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a PostgreSQL where databases may be made."""
    with _shared(tmp_path_factory, "postgresql", lambda owner: PostgreSql(FAST, owner=owner)) as address:
        yield address


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a Redis, without the number of a database."""
    with _shared(tmp_path_factory, "redis", lambda owner: RedisServer(FORGETFUL, owner=owner)) as address:
        yield address


@pytest.fixture(scope="session")
def elasticsearch_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an Elasticsearch; indices are to be named with a word of one's own."""
    with _shared(tmp_path_factory, "elasticsearch", lambda owner: Elasticsearch({}, owner=owner)) as address:
        yield address


@pytest.fixture(scope="session")
def stomp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a message broker; queues are to be named with a word of one's own."""
    with _shared(tmp_path_factory, "stomp", lambda owner: ActiveMq(owner=owner)) as address:
        yield address


@contextmanager
def _shared(factory: pytest.TempPathFactory, name: str, start: Callable[[int], Server]) -> Iterator[str]:
    """Yield the address of the one server of all workers; the last to leave ends it.

    Who uses it holds a shared lock on a file, so that a worker that dies counts no more. All of them gone by a kill,
    the server ends with the process that started the workers.
    """
    given = os.environ.get(f"NXCAT_TEST_{name.upper()}_URL")
    if given:
        yield given
        return
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    folder = factory.getbasetemp().parent if is_worker else factory.getbasetemp()
    note = folder / f"{name}.json"
    with (folder / f"{name}.users").open("w") as users:
        with _locked(folder / f"{name}.lock"):
            if not note.exists():
                server = start(os.getppid() if is_worker else os.getpid())
                note.write_text(json.dumps({"address": server.address, "guard": server.guard}))
            noted = json.loads(note.read_text())
            fcntl.flock(users, fcntl.LOCK_SH)
        yield noted["address"]
        with _locked(folder / f"{name}.lock"), suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            note.unlink()
            end_guard(noted["guard"])


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[str]:
    """Yield the address of a database with the schema and no rows, to be copied: a copy takes a tenth of the time."""
    with _made(postgresql_server, "template") as address:
        engine = make_engine(address)
        upgrade_schema(engine)
        engine.dispose()
        yield address


@pytest.fixture
def postgresql_url(postgresql_template: str) -> Iterator[str]:
    """Yield the address of an empty catalogue on PostgreSQL, as SQLAlchemy writes it."""
    with copied_database(postgresql_template) as address:
        yield address


@contextmanager
def copied_database(template: str) -> Iterator[str]:
    """Yield the address of a copy of the database; it is dropped afterwards, whoever still uses it."""
    with _made(template, "test", f"TEMPLATE {make_url(template).database}") as address:
        yield address


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """Yield the address of a database without a schema."""
    with _made(server, "empty") as address:
        yield address


@contextmanager
def _made(server: str, word: str, how: str = "") -> Iterator[str]:
    name = f"nxcat_{word}_{uuid4().hex}"
    url = make_url(server)
    own = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} {how}")
    yield url.set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
