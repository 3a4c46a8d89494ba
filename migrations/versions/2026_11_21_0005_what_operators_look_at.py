"""What operators look at: when datasets could be found, when roots were crawled, whose masters wait.

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

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS: dict[str, dict[str, Any]] = {
    "root": {"crawled_at": sa.DateTime(timezone=True)},
    "master_file": {"instrument": sa.String(length=255)},
    "dataset": {"closed_at": sa.DateTime(timezone=True), "searchable_at": sa.DateTime(timezone=True)},
}
INDEX = "ix_dataset_searchable_at"


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            # One that was interrupted before its index stood begins anew.
            op.add_column(table, sa.Column(name, kind, nullable=True), if_not_exists=is_postgresql or None)
    if not is_postgresql:
        op.create_index(INDEX, "dataset", ["searchable_at"])
        return
    with op.get_context().autocommit_block():
        op.drop_index(INDEX, "dataset", if_exists=True, postgresql_concurrently=True)
        op.create_index(INDEX, "dataset", ["searchable_at"], postgresql_concurrently=True)


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    op.drop_index(INDEX, "dataset")
    for table, columns in COLUMNS.items():
        for name in columns:
            op.drop_column(table, name)
