"""Making what the stories need from the settings: engines, index and rules. Called by whoever starts a process."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from ingest.catalogue.comparing import find_indexed
from ingest.catalogue.database import make_engine, make_read_sessions, make_write_sessions
from ingest.catalogue.queue import Workers
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search import IndexOutdatedError
from ingest.catalogue.search.engines import begin_rebuild, open_index
from ingest.catalogue.settings import CatalogueSettings
from ingest.pipeline import Services
from ingest.rulebook import Rulebook
from ingest.settings import IngestSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session, sessionmaker

    from ingest.catalogue.search import IndexRebuild


@contextmanager
def open_services() -> Iterator[Services]:
    """Yield the services of the catalogue that the environment names, its schema made or brought up on the way.

    Raises UnavailableError if the database does not answer, SchemaTooNewError if a newer release has been at it,
    IndexOutdatedError if the index cannot be used.
    """
    with _open_database() as engine, closing(open_index(CatalogueSettings())) as index:
        yield Services(
            read_sessions=make_read_sessions(engine),
            write_sessions=make_write_sessions(engine),
            index=index,
            rulebook=Rulebook(),
            settings=IngestSettings(),
        )


@contextmanager
def open_workers() -> Iterator[Workers]:
    """Yield whoever works on the catalogue, as far as the environment names a broker that reaches them."""
    with closing(Workers(CatalogueSettings().queue_url)) as workers:
        yield workers


@contextmanager
def open_rebuild() -> Iterator[tuple[sessionmaker[Session], IndexRebuild]]:
    """Yield what reads the catalogue's database, and a new index that is filled; the present one need not be whole.

    Raises as `open_services`, and IndexRebuildingError if another process rebuilds the index.
    """
    settings = CatalogueSettings()
    with _open_database() as engine:
        sessions = make_read_sessions(engine)
        with sessions() as session:
            if find_indexed(session) is None:
                # The first use: an empty index says the truth. One that was lost is no answer until it is whole.
                with suppress(IndexOutdatedError), closing(open_index(settings)) as index:
                    index.refresh()
        with closing(begin_rebuild(settings)) as rebuild:
            yield sessions, rebuild


@contextmanager
def _open_database() -> Iterator[Engine]:
    engine = make_engine(CatalogueSettings().effective_database_url)
    try:
        upgrade_schema(engine)
        yield engine
    finally:
        engine.dispose()
