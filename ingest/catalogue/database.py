"""Engines and session factories. Nothing is made at import: workers fork first, the API builds in its lifespan."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingest.catalogue.model import Base

# A writer waits this long for another one; a transaction of ours holds the lock for milliseconds.
BUSY_TIMEOUT_MS = 60_000


def make_engine(url: str) -> Engine:
    """Return an engine for the address; on SQLite several processes may read and write at once."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    database = make_url(url).database
    if database:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def make_read_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that only read."""
    return sessionmaker(engine, expire_on_commit=False)


def make_write_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that write: on SQLite they take the write lock when they begin.

    A transaction that begins by reading and writes later fails at once when another one wrote in between, however
    long it would wait. Taking the lock first lets it wait instead.
    """
    return sessionmaker(engine.execution_options(nxcat_writes=True), expire_on_commit=False)


def insert_ignoring(session: Session, entity: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that leaves a row alone which is there already, in the words of the session's database."""
    return _make_insert(session, entity).on_conflict_do_nothing()


def upsert(
    session: Session, entity: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]
) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that changes the row of that key instead, if there is one."""
    statement = _make_insert(session, entity).values(**key, **values)
    return statement.on_conflict_do_update(index_elements=list(key), set_=dict(values))


def insert_plain(session: Session, entity: type[Base], columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows of values that the driver knows by itself, given in the order of the columns; no defaults are filled in.

    Past SQLAlchemy's types, 387 rows cost 1 ms instead of 3.
    """
    mark = "?" if session.get_bind().dialect.paramstyle == "qmark" else "%s"
    marks = ", ".join([mark] * len(columns))
    statement = f"INSERT INTO {entity.__tablename__} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 (our names)
    session.connection().exec_driver_sql(statement, list(rows))


def _make_insert(session: Session, entity: type[Base]) -> postgresql.Insert | sqlite.Insert:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(entity) if is_postgresql else sqlite.insert(entity)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction control is off (isolation_level None): it would begin too late, see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    _set_write_ahead(cursor)
    # With WAL this survives a killed process; a power cut may lose the last commits, and a crawl finds them again.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _set_write_ahead(cursor: sqlite3.Cursor) -> None:
    """Set the journal mode, which a new file keeps for ever; of several first users one does it and the others wait.

    SQLite itself does not wait here, whatever its timeout.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("nxcat_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
