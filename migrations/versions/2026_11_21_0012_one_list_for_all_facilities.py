"""Indexes for PaNOSC's search API, whose lists go by identifier and whose conditions are on values.

Rules for every migration:
* It runs while the previous release is still at work: add, fill, switch over in a later release, only then drop.
* Short locks: no rewrite of a large table in one statement, indexes on PostgreSQL with CONCURRENTLY.
* Data are moved in batches that can be resumed; the downgrade gives back what the upgrade took.
* It imports nothing from the model: the model moves on, the migration does not.
* Set SCHEMA_VERSION in ingest/catalogue/schema.py to its revision.
"""

from __future__ import annotations

from contextlib import nullcontext

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SEEN = "is_secret, release_date, is_metadata_public"
NEW = {
    "ix_dataset_pid": ("dataset", f"(coalesce(doi, CAST(id AS VARCHAR))){{collation}}, {SEEN}"),
    "ix_dataset_creation_date": ("dataset", f"(coalesce(start_date, created_at)){{nulls}}, {SEEN}"),
    "ix_dataset_instrument_of_instrument": ("dataset_instrument", "instrument_id, dataset_id"),
    "ix_dataset_parameter_value": (
        "dataset_parameter",
        "type_id, range_bottom, numeric_value, range_top, dataset_id, scan_id, is_shown, is_public",
    ),
    "ix_dataset_parameter_of_scan": ("dataset_parameter", "scan_id) WHERE (scan_id IS NOT NULL"),
    "ix_dataset_technique_of_technique": ("dataset_technique", "technique_id, dataset_id"),
    "ix_scan_first": ("scan", "dataset_id) WHERE (ordinal = 0"),
}
OLD = {
    "ix_dataset_instrument_instrument_id": ("dataset_instrument", "instrument_id"),
    "ix_dataset_parameter_type_id": ("dataset_parameter", "type_id"),
    "ix_dataset_parameter_scan_id": ("dataset_parameter", "scan_id"),
    "ix_dataset_technique_technique_id": ("dataset_technique", "technique_id"),
}


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    _replace(OLD, NEW)


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    _replace(NEW, OLD)


def _replace(old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]) -> None:
    """Leave the new indexes instead of the old ones; on PostgreSQL anew where it was interrupted."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    words = {"collation": ' COLLATE "C"', "nulls": " NULLS FIRST"} if is_postgresql else {"collation": "", "nulls": ""}
    concurrently = "CONCURRENTLY" if is_postgresql else ""
    with op.get_context().autocommit_block() if is_postgresql else nullcontext():
        for name, (table, columns) in new.items():
            if is_postgresql:
                op.execute(sa.text(f"DROP INDEX {concurrently} IF EXISTS {name}"))
            op.execute(sa.text(f"CREATE INDEX {concurrently} {name} ON {table} ({columns.format(**words)})"))
        for name in old:
            op.execute(sa.text(f"DROP INDEX {concurrently} IF EXISTS {name}"))
