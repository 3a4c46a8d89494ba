"""Runs migrations over the connection that the caller gives, or over the catalogue that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from alembic import context

from ingest.catalogue.database import make_engine
from ingest.catalogue.model import Base
from ingest.catalogue.model.base import UtcDateTime
from ingest.catalogue.settings import CatalogueSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def render_without_model(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Return the plain type for one of ours: a migration imports nothing from the model."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def run(connection: Connection) -> None:
    """Run the migrations that were asked for, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite alters tables by copying them; harmless elsewhere.
        render_as_batch=True,
        compare_type=True,
        render_item=render_without_model,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(CatalogueSettings().effective_database_url).begin() as own:
        run(own)
