"""Runs migrations over the connection that the caller gives, or over the catalogue that the settings name."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from ingest.catalogue.database import make_engine
from ingest.catalogue.model import Base
from ingest.catalogue.settings import CatalogueSettings


def run(connection: Connection) -> None:
    """Run the migrations that were asked for, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite alters tables by copying them; harmless elsewhere.
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(CatalogueSettings().effective_database_url).begin() as own:
        run(own)
