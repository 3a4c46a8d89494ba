"""What only one transaction does at a time, or none beside it: advisory locks of PostgreSQL, held to its end.

A transaction that writes is alone on SQLite, where all of these do nothing. They are taken in the order in which they
stand in `Lock`, so that nobody waits for each other.
"""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine
    from sqlalchemy.orm import Session, sessionmaker


class Lock(IntEnum):
    """What is locked; the number tells ours from each other in the database."""

    MIGRATIONS = 1
    CONTENT = 2
    """Masters with the same record: of two that come at once, one is the copy."""
    POLICY = 3
    """Who may see what is below the roots: shared by those who store datasets by it, alone for who changes it."""
    PARTITIONS = 4
    CRAWL = 5
    """A root that is crawled by the workers: one of them is enough."""
    INDEX = 6
    """What lags behind in the index, likewise."""
    ROOTS = 7
    """Which roots there are: of two that come at once and lie in each other, one is there first."""


def hold_alone(session: Session, lock: Lock, key: str = "") -> None:
    """Wait until nobody else holds this lock under this key, and hold it until the transaction ends."""
    _hold(session.connection(), "pg_advisory_xact_lock", lock, key)


def hold_together(session: Session, lock: Lock, key: str = "") -> None:
    """Wait until nobody holds this lock alone, and keep it from being held so until the transaction ends."""
    _hold(session.connection(), "pg_advisory_xact_lock_shared", lock, key)


@contextmanager
def hold_if_free(sessions: sessionmaker[Session], lock: Lock, key: str = "") -> Iterator[bool]:
    """Hold the lock meanwhile, whatever is committed, if nobody else does; yield whether it is held.

    It goes with the process that holds it. On SQLite it is a file beside the database.
    """
    engine: Engine = sessions.kw["bind"]
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            said = {"lock": int(lock), "key": key}
            is_held = connection.execute(text("SELECT pg_try_advisory_lock(:lock, hashtext(:key))"), said).scalar_one()
            try:
                yield is_held
            finally:
                # The lock is the connection's own: it ends with it.
                connection.invalidate()
        return
    with Path(f"{engine.url.database}.{lock.name.lower()}{key}-lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _hold(connection: Connection, function: str, lock: Lock, key: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT {function}(:lock, hashtext(:key))"), {"lock": int(lock), "key": key})
