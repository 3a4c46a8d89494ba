"""Indexes for lists of investigations and samples.

Rules for every migration:
* It runs while the previous release is still at work: add, fill, switch over in a later release, only then drop.
* Short locks: no rewrite of a large table in one statement, indexes on PostgreSQL with CONCURRENTLY.
* Data are moved in batches that can be resumed; the downgrade gives back what the upgrade took.
* It imports nothing from the model: the model moves on, the migration does not.
* Set SCHEMA_VERSION in ingest/catalogue/schema.py to its revision.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    op.create_index(
        "ix_dataset_of_investigation",
        "dataset",
        ["investigation_id", "start_date", "end_date", "release_date", "is_secret", "is_metadata_public"],
    )
    op.create_index("ix_sample_name_id", "sample", ["name", "id"])
    op.create_index("ix_sample_type_id", "sample", ["type_id"])
    op.create_index("ix_scan_sample_id_dataset_id", "scan", ["sample_id", "dataset_id"])
    op.drop_index("ix_scan_sample_id", "scan")


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    op.create_index("ix_scan_sample_id", "scan", ["sample_id"])
    op.drop_index("ix_scan_sample_id_dataset_id", "scan")
    op.drop_index("ix_sample_type_id", "sample")
    op.drop_index("ix_sample_name_id", "sample")
    op.drop_index("ix_dataset_of_investigation", "dataset")
