"""The first moments of a catalogue, when several make it at once."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import text

from ingest.catalogue.database import make_engine

if TYPE_CHECKING:
    from pathlib import Path

USERS = 6
FILES = 200


def use(url: str) -> None:
    """Use a database as everybody does who comes first: look, make a table if there is none."""
    engine = make_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM sqlite_master")).scalar_one()
    with engine.execution_options(nxcat_writes=True).begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS thing (id INTEGER)"))
    engine.dispose()


def test_first_users_of_a_database_wait_for_each_other(tmp_path: Path) -> None:
    """Who sets the journal mode of a new file needs the file alone, and SQLite itself does not wait for that."""
    urls = [f"sqlite:///{tmp_path}/{number}" for number in range(FILES) for _ in range(USERS)]
    with ProcessPoolExecutor(USERS, mp_context=multiprocessing.get_context("spawn")) as users:
        list(users.map(use, urls))
