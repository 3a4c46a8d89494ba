"""What only one transaction does at a time, or none beside it: advisory locks of PostgreSQL, held to its end.

A transaction that writes is alone on SQLite, where all of these do nothing. They are taken in the order in which they
stand in `Lock`, so that nobody waits for each other.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session


class Lock(IntEnum):
    """What is locked; the number tells ours from each other in the database."""

    MIGRATIONS = 1
    CONTENT = 2
    """Masters with the same record: of two that come at once, one is the copy."""
    POLICY = 3
    """Who may see what is below the roots: shared by those who store datasets by it, alone for who changes it."""
    PARTITIONS = 4


def hold_alone(session: Session, lock: Lock, key: str = "") -> None:
    """Wait until nobody else holds this lock under this key, and hold it until the transaction ends."""
    _hold(session.connection(), "pg_advisory_xact_lock", lock, key)


def hold_together(session: Session, lock: Lock, key: str = "") -> None:
    """Wait until nobody holds this lock alone, and keep it from being held so until the transaction ends."""
    _hold(session.connection(), "pg_advisory_xact_lock_shared", lock, key)


def _hold(connection: Connection, function: str, lock: Lock, key: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT {function}(:lock, hashtext(:key))"), {"lock": int(lock), "key": key})
