"""Bringing the database to the schema that this release knows, and refusing one that is newer."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from ingest.catalogue.errors import SchemaTooNewError
from ingest.catalogue.locks import Lock

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK_SECONDS = 10
_ASK_EVERY_SECONDS = 0.1
SCHEMA_VERSION = "0012"
"""The newest revision in migrations/versions: compared at each start, which would cost 0.2 s through alembic."""


def upgrade_schema(engine: Engine) -> None:
    """Leave the database at this release's schema, whether it was empty, older or already there.

    Raises SchemaTooNewError if a newer release has upgraded it.
    """
    if find_schema_version(engine) == SCHEMA_VERSION:
        return
    with _one_at_a_time(engine):
        version = find_schema_version(engine)
        if version == SCHEMA_VERSION:
            return
        if version is not None and version > SCHEMA_VERSION:
            raise SchemaTooNewError(found=version, known=SCHEMA_VERSION)
        _run_migrations(engine)


def find_schema_version(engine: Engine) -> str | None:
    """Return the revision that the database is at; None for an empty one."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run_migrations(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    with engine.execution_options(nxcat_writes=True).connect() as connection:
        if engine.dialect.name == "postgresql":
            # A migration may take long, but whoever waits for a lock makes all others wait who come after.
            connection.execute(text(f"SET statement_timeout = 0; SET lock_timeout = '{LOCK_SECONDS}s'"))
            connection.commit()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.invalidate()  # with its settings


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """Hold a lock, so that of several first users one makes the schema and the others wait, however long it takes."""
    database = engine.url.database
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # Asked again and again: an index that is made CONCURRENTLY waits for every statement, also for one that
            # waits for this lock.
            asked = text("SELECT pg_try_advisory_lock(:lock, 0)")
            while not connection.execute(asked, {"lock": int(Lock.MIGRATIONS)}).scalar():
                time.sleep(_ASK_EVERY_SECONDS)
            try:
                yield
            finally:
                # The lock is the connection's own, and ends with it.
                connection.invalidate()
    elif database:
        with Path(f"{database}.migration-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    else:
        yield
