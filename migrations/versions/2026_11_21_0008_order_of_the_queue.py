"""The queue of masters is read in its order, however much is due at once.

Rules for every migration:
* It runs while the previous release is still at work: add, fill, switch over in a later release, only then drop.
* Short locks: no rewrite of a large table in one statement, indexes on PostgreSQL with CONCURRENTLY.
* Data are moved in batches that can be resumed; the downgrade gives back what the upgrade took.
* It imports nothing from the model: the model moves on, the migration does not.
* Set SCHEMA_VERSION in ingest/catalogue/schema.py to its revision.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    make_index("ix_master_file_queue", ["next_attempt_at", "id"], "next_attempt_at IS NOT NULL")
    make_index("ix_master_file_claimed", ["claimed_at"], "claimed_at IS NOT NULL")
    op.drop_index("ix_master_file_due", "master_file")


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    make_index("ix_master_file_due", ["next_attempt_at"], "next_attempt_at IS NOT NULL")
    op.drop_index("ix_master_file_claimed", "master_file")
    op.drop_index("ix_master_file_queue", "master_file")


def make_index(name: str, columns: list[str], where: str) -> None:
    """Leave the table of masters with an index of the rows that a condition is true of."""
    op.create_index(name, "master_file", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
