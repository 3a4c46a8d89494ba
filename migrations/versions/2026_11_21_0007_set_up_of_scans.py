"""Motors, counters, kinds and linked files of scans.

Rules for every migration:
* It runs while the previous release is still at work: add, fill, switch over in a later release, only then drop.
* Short locks: no rewrite of a large table in one statement, indexes on PostgreSQL with CONCURRENTLY.
* Data are moved in batches that can be resumed; the downgrade gives back what the upgrade took.
* It imports nothing from the model: the model moves on, the migration does not.
* Set SCHEMA_VERSION in ingest/catalogue/schema.py to its revision.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def list_columns() -> list[tuple[str, sa.Column[Any]]]:
    """Return the new columns by table; a constant default rewrites no table. `nxcat remap` fills them."""
    return [
        ("dataset", sa.Column("motors", sa.JSON(), server_default="[]", nullable=False)),
        ("dataset", sa.Column("linked_files", sa.JSON(none_as_null=True), nullable=True)),
        ("scan", sa.Column("motors", sa.JSON(), server_default="[]", nullable=False)),
        ("scan", sa.Column("counters", sa.JSON(), server_default="[]", nullable=False)),
        ("scan", sa.Column("kind", sa.String(length=32), nullable=True)),
        ("scan", sa.Column("frames", sa.JSON(none_as_null=True), nullable=True)),
        ("scan", sa.Column("served_by", sa.JSON(), server_default="[]", nullable=False)),
        ("scan", sa.Column("linked_files", sa.JSON(none_as_null=True), nullable=True)),
    ]


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    for table, column in list_columns():
        op.add_column(table, column)


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    for table, column in reversed(list_columns()):
        op.drop_column(table, column.name)
