"""Engines, sessions and transactions. Nothing is made at import: workers fork first, the API builds in its lifespan.

SQLite: one writer at a time, which waits for its turn when it begins; a reader sees the moment at which it began.
PostgreSQL: a writer sees what is committed statement by statement (READ COMMITTED), and holds what it must not share by
a lock of its row or one of `ingest.catalogue.locks`; a reader sees the moment at which it began (REPEATABLE READ).
"""

from __future__ import annotations

import logging
import random
import sqlite3
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, StatementError
from sqlalchemy.orm import Session, sessionmaker

from ingest.catalogue.errors import CatalogueError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ingest.catalogue.model import Base

log = logging.getLogger(__name__)
T = TypeVar("T")

# A writer waits this long for another one; a transaction of ours holds the lock for milliseconds.
BUSY_TIMEOUT_MS = 60_000
STATEMENT_SECONDS: Final = 60
"""A page of an answer takes milliseconds, a listing of 200,000 files a few seconds."""
LOCK_SECONDS: Final = 30
IDLE_SECONDS: Final = 120
"""A transaction whose process says nothing for so long is ended: it holds locks, and what vacuum may not take."""
BULK_SECONDS: Final = 3600
CONNECT_SECONDS: Final = 10
# Together as many as the web server has threads; a worker needs two.
POOL_SIZE: Final = 10
POOL_OVERFLOW: Final = 30

CONFLICTS: Final = {"40001": "serialization failure", "40P01": "deadlock", "23505": "the same row was made at once"}
"""SQLSTATEs of what fails because of another transaction, and may go well a moment later."""
TRIES: Final = 8
_AWAY: Final = ("08", "53", "57", "58", "55P03", "25P03")
"""How the SQLSTATEs begin that speak of the server and not of the statement: connection, disk and memory, an operator
or a timeout, the machine; a lock that others held for too long; a transaction that was idle for too long."""
_DRIVERS: Final = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_PLAIN_BATCH: Final = 10_000
_COPY_BATCH: Final = 1000


class DatabaseAddressError(CatalogueError):
    """The address is none of a database that can hold the catalogue. It is not told again: it may hold a password."""

    def __init__(self) -> None:
        super().__init__(
            "NXCAT_DATABASE_URL must be of the form postgresql+psycopg://user:password@host:5432/database "
            "or sqlite:////folder/catalogue.sqlite"
        )


def make_engine(address: str) -> Engine:
    """Return an engine for the address, through which several processes may read and write at once.

    What is done with it raises UnavailableError where the database cannot be used now. Raises DatabaseAddressError.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise DatabaseAddressError from error
    if url.drivername not in _DRIVERS or not url.database:
        raise DatabaseAddressError
    url = url.set(drivername=_DRIVERS[url.drivername])
    engine = _make_sqlite_engine(url) if url.drivername == "sqlite" else _make_postgresql_engine(url)
    event.listen(engine, "handle_error", _tell_unavailable, retval=True)
    return engine


def make_read_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that only read, all of it as it was when they began."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return sessionmaker(engine, expire_on_commit=False)


def make_write_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that write: on SQLite they take the write lock when they begin.

    A transaction that begins by reading and writes later fails at once when another one wrote in between, however
    long it would wait. Taking the lock first lets it wait instead.
    """
    return sessionmaker(engine.execution_options(nxcat_writes=True), expire_on_commit=False)


def run_transaction(sessions: sessionmaker[Session], work: Callable[[Session], T]) -> T:
    """Do the work in a transaction of its own, and return what it returns.

    Where another transaction is in the way, it is all undone and begun anew: `work` must bear that. Raises
    UnavailableError if the database does not answer, or if others are in the way again and again.
    """
    for tried in range(1, TRIES + 1):
        try:
            with sessions.begin() as session:
                return work(session)
        except DBAPIError as error:
            conflict = CONFLICTS.get(_to_sqlstate(error.orig))
            if conflict is None:
                raise
            if tried == TRIES:
                raise UnavailableError(f"the database is too busy: {conflict} in {TRIES} tries") from error
            log.info("begun anew after try %d: %s", tried, conflict)
        time.sleep(random.uniform(0, 0.01 * 2**tried))  # noqa: S311 (so that two do not meet again)
    raise AssertionError


def lift_timeout(session: Session) -> None:
    """Let statements of this transaction run for long: those that change a whole catalogue."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SET LOCAL statement_timeout = '{BULK_SECONDS}s'"))


def insert_ignoring(session: Session, entity: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that leaves a row alone which is there already, in the words of the session's database."""
    return _make_insert(session, entity).on_conflict_do_nothing()


def upsert(
    session: Session, entity: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]
) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that changes the row of that key instead, if there is one."""
    statement = _make_insert(session, entity).values(**key, **values)
    return statement.on_conflict_do_update(index_elements=list(key), set_=dict(values))


def insert_plain(session: Session, entity: type[Base], columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Add rows of values that the driver knows by itself, given in the order of the columns; no defaults are filled in.

    They are numbers and texts, taken as they come and never held all: by COPY, or past SQLAlchemy's types.
    """
    names = ", ".join(columns)
    if session.get_bind().dialect.name == "postgresql":
        _copy(session.connection(), f"COPY {entity.__tablename__} ({names}) FROM STDIN", rows)
        return
    marks = ", ".join("?" for _ in columns)
    statement = f"INSERT INTO {entity.__tablename__} ({names}) VALUES ({marks})"  # noqa: S608 (our names)
    for batch in to_batches(rows, _PLAIN_BATCH):
        session.connection().exec_driver_sql(statement, batch)


def to_batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the rows in lists of this size; the last one may be shorter."""
    waiting = iter(rows)
    while batch := list(islice(waiting, size)):
        yield batch


def _make_insert(session: Session, entity: type[Base]) -> postgresql.Insert | sqlite.Insert:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(entity) if is_postgresql else sqlite.insert(entity)


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    from psycopg import Error  # noqa: PLC0415 (who uses SQLite is spared 0.1 s)

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for batch in to_batches(rows, _COPY_BATCH):
                block = _to_copy_block(batch)
                if block is not None:
                    copy.write(block)
                    continue
                for row in batch:
                    copy.write_row(row)
    except Error as error:
        # As if it had gone by way of SQLAlchemy, which has no words for COPY.
        told = DBAPIError.instance(statement, None, error, Error, dialect=connection.dialect)
        raise _find_unavailable(told) or told from error


def _to_copy_block(rows: Sequence[tuple[Any, ...]]) -> str | None:
    """Return the rows as COPY reads them, in a third of the driver's time.

    None if it takes more: there is a value missing, or a text holds a sign that means something to COPY.
    """
    form = "\t".join(["%s"] * len(rows[0])) + "\n"
    block = "".join([form % row for row in rows])
    is_plain = block.count("\n") == len(rows) and block.count("\t") == len(rows) * (len(rows[0]) - 1)
    return block if is_plain and not any(sign in block for sign in ("\\", "\r", "None")) else None


def _tell_unavailable(context: ExceptionContext) -> UnavailableError | None:
    return None if context.is_pre_ping else _find_unavailable(context.sqlalchemy_exception)


def _find_unavailable(error: StatementError | None) -> UnavailableError | None:
    """Return what to raise instead where the database, and not what was asked of it, is the trouble."""
    if not isinstance(error, DBAPIError):
        return None
    state = _to_sqlstate(error.orig)
    advice = "" if state else "; see that it runs, and that NXCAT_DATABASE_URL names it"
    is_away = state.startswith(_AWAY) or (isinstance(error, OperationalError) and not state)
    if isinstance(error.orig, sqlite3.OperationalError):
        # The code of what is wrong with a statement is that of whatever has no other.
        is_away, advice = error.orig.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR, ""
    told = " ".join(str(error.orig).split())
    return UnavailableError(f"the database cannot be used now{advice}: {told}") if is_away else None


def _to_sqlstate(error: BaseException | None) -> str:
    return getattr(error, "sqlstate", None) or ""


def _make_sqlite_engine(url: URL) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_postgresql_engine(url: URL) -> Engine:
    said = {
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s",
        "timezone": "UTC",
    }
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        isolation_level="READ COMMITTED",
        connect_args={
            "application_name": "nxcat",
            "connect_timeout": CONNECT_SECONDS,
            "options": " ".join(f"-c {name}={value}" for name, value in said.items()),
        },
    )


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
