"""Corrections by persons, and parameters that are not public.

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

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def list_columns() -> list[tuple[str, sa.Column[Any]]]:
    """Return the new columns by table; a constant default rewrites no table."""
    return [
        ("dataset", sa.Column("title", sa.Text(), nullable=True)),
        ("dataset", sa.Column("sample_formula", sa.String(length=255), nullable=True)),
        ("scan", sa.Column("is_sample_corrected", sa.Boolean(), server_default=sa.false(), nullable=False)),
        ("scan", sa.Column("file_sample_id", BIG, nullable=True)),
        ("dataset_parameter", sa.Column("is_public", sa.Boolean(), server_default=sa.true(), nullable=False)),
    ]


def upgrade() -> None:
    """Bring the schema from the previous revision to this one."""
    for table, column in list_columns():
        op.add_column(table, column)
    op.create_table(
        "correction",
        sa.Column("id", BIG, nullable=False),
        sa.Column("dataset_id", BIG, nullable=False),
        sa.Column("field", sa.String(length=255), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("former", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=511), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("action IN ('set', 'remove', 'undo')", name=op.f("ck_correction_action")),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["dataset.id"], name=op.f("fk_correction_dataset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index("ix_correction_dataset_id_field_id", "correction", ["dataset_id", "field", "id"])


def downgrade() -> None:
    """Bring the schema back to the previous revision."""
    op.drop_table("correction")
    for table, column in reversed(list_columns()):
        op.drop_column(table, column.name)
