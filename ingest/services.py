"""Making what the stories need from the settings: engines, index and rules. Called by whoever starts a process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from ingest.catalogue.database import make_engine, make_read_sessions, make_write_sessions
from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.settings import CatalogueSettings
from ingest.pipeline import Services
from ingest.rulebook import Rulebook
from ingest.settings import IngestSettings

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def open_services() -> Iterator[Services]:
    """Yield the services of the catalogue that the environment names, its schema made or brought up on the way.

    Raises UnavailableError if the database does not answer, SchemaTooNewError if a newer release has been at it.
    """
    catalogue = CatalogueSettings()
    engine = make_engine(catalogue.effective_database_url)
    try:
        upgrade_schema(engine)
    except OperationalError as error:
        raise UnavailableError(f"the database cannot be opened: {error.orig}") from error
    index = EmbeddedIndex(catalogue.index_folder)
    try:
        yield Services(
            read_sessions=make_read_sessions(engine),
            write_sessions=make_write_sessions(engine),
            index=index,
            rulebook=Rulebook(),
            settings=IngestSettings(),
        )
    finally:
        index.close()
        engine.dispose()
