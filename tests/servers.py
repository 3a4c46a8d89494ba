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
from elasticsearch import Elasticsearch as Client
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

on_both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
"""Marks tests, or as `pytestmark` modules, whose catalogue is to lie on either database in turn."""


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    """Return the address of an empty catalogue on PostgreSQL; None for SQLite in the data folder, as a rule."""
    is_postgresql = getattr(request, "param", "sqlite") == "postgresql"
    return str(request.getfixturevalue("postgresql_url")) if is_postgresql else None


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


@pytest.fixture
def elastic_alias(elasticsearch_server: str) -> Iterator[str]:
    """Yield a name for an index, and for others that begin with it; what came of it is removed."""
    alias = f"test-{uuid4().hex}"
    yield alias
    with Client(elasticsearch_server) as client:
        for name in client.indices.get(index=f"{alias}*", expand_wildcards="all"):
            client.indices.delete(index=name)


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
def migrated_database(postgresql_server: str) -> Iterator[str]:
    """Yield the address of a database with the schema, which one worker's tests use one after the other."""
    with empty_database(postgresql_server) as address:
        engine = make_engine(address)
        upgrade_schema(engine)
        engine.dispose()
        yield address


@pytest.fixture
def postgresql_url(migrated_database: str) -> Iterator[str]:
    """Yield the address of an empty catalogue on PostgreSQL, as SQLAlchemy writes it."""
    yield migrated_database
    with psycopg.connect(to_libpq(migrated_database), autocommit=True) as connection:
        connection.execute(_EMPTY_ALL)


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """Yield the address of a database without a schema; it is dropped afterwards, whoever still uses it."""
    name = f"nxcat_test_{uuid4().hex}"
    with psycopg.connect(to_libpq(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    with psycopg.connect(to_libpq(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def copied_database(address: str) -> Iterator[str]:
    """Yield the address of a copy of a database that nobody uses now; it is dropped afterwards."""
    url, name = make_url(address), f"nxcat_test_{uuid4().hex}"
    with psycopg.connect(to_libpq(address), dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {url.database}")
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def to_libpq(address: str) -> str:
    """Return the address as PostgreSQL's own library writes it."""
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)


# To delete the few rows of a test takes milliseconds. A truncated table is a new file, a new database 300 of them.
_EMPTY_ALL = """
    DO $$
    DECLARE name text;
    BEGIN
        PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid();
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'datafile') LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
        PERFORM setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences WHERE schemaname = 'public';
    END $$
"""
