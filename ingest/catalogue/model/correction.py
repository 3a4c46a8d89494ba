"""What persons have corrected: who, when, why, and what was said before."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from ingest.catalogue.model.base import Base, utc_now


class CorrectionAction(StrEnum):
    """What a person did to a field."""

    SET = "set"
    REMOVE = "remove"
    """Nothing is to be said there."""
    UNDO = "undo"
    """What the file or a notice says holds again."""


class Correction(Base):
    """One correction of one field of a dataset. Rows are added and never changed: of a field the last one holds."""

    __tablename__ = "correction"
    __table_args__ = (
        Index("ix_correction_dataset_id_field_id", "dataset_id", "field", "id"),
        CheckConstraint(f"action IN ({', '.join(repr(a.value) for a in CorrectionAction)})", name="action"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    field: Mapped[str] = mapped_column(String(255))
    action: Mapped[str] = mapped_column(String(16))
    value: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Text, number, range, list or instant, with its unit, and what the person wrote."""
    former: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What was shown before, and which layer said it."""
    reason: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(511))
    """For operators only."""
    made_at: Mapped[datetime] = mapped_column(default=utc_now)
