"""${message}

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
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    ${downgrades if downgrades else "pass"}
