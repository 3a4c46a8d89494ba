"""Runs migrations over the connection that the caller gives, or over the catalogue that the settings name."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

from alembic import context
from sqlalchemy import text
from sqlalchemy.exc import SAWarning

from ingest.catalogue.database import make_engine
from ingest.catalogue.model import Base
from ingest.catalogue.model.base import UtcDateTime
from ingest.catalogue.partitions import to_comparable
from ingest.catalogue.settings import CatalogueSettings

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Connection


TEXTS_BY_LOCALE = """
    SELECT quote_ident(relname), quote_ident(attname), format_type(atttypid, atttypmod)
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND attnum > 0 AND NOT attisdropped AND collname <> 'C'
    ORDER BY 1, attnum
"""


def render_without_model(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Return the plain type for one of ours: a migration imports nothing from the model."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def order_by_bytes(ctx: MigrationContext, *_: Any, **_more: Any) -> None:
    """Leave every text on PostgreSQL ordered by its bytes, as on SQLite and in Python.

    What walks in the order of a key relies on it. Nor can a new version of the system's locales, which orders some
    words otherwise, make an index wrong. Called in the transaction of each migration.
    """
    connection = ctx.connection
    if connection is None or connection.dialect.name != "postgresql":
        return
    changes: dict[str, list[str]] = {}
    for table, column, kind in connection.execute(text(TEXTS_BY_LOCALE)):
        changes.setdefault(table, []).append(f'ALTER COLUMN {column} TYPE {kind} COLLATE "C"')
    for table, altered in changes.items():
        connection.execute(text(f"ALTER TABLE {table} {', '.join(altered)}"))


def run(connection: Connection) -> None:
    """Run the migrations that were asked for: on PostgreSQL each in a transaction of its own, else all in one."""
    # Neither is compared: databases write an expression down each in its own way, or not at all.
    warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index", SAWarning)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite alters tables by copying them; harmless elsewhere.
        render_as_batch=True,
        compare_type=True,
        render_item=render_without_model,
        include_object=to_comparable(connection.dialect.name),
        transaction_per_migration=connection.dialect.name == "postgresql",
        on_version_apply=order_by_bytes,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(CatalogueSettings().effective_database_url).connect() as own:
        run(own)
        own.commit()
