"""What the facility told us: that a dataset is closed, and what it says about it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ingest.catalogue.model.base import Base


class NoticeState(StrEnum):
    """Where a notice stands. Once it is accepted, its master's state tells the rest."""

    ANNOUNCED = "announced"
    """Told; nobody has looked at the disk yet."""
    WAITING = "waiting"
    """No master was found there so far, or several."""
    ACCEPTED = "accepted"
    """Its master is due, or was read."""
    REFUSED = "refused"
    """It names a place outside of every root."""


class Notice(Base):
    """A dataset that was declared closed, by its place: told again, it is the same notice.

    `path` is a folder or a master, normalised. It waits while `next_attempt_at` is set.
    """

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "ix_notice_due",
            "next_attempt_at",
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in NoticeState)})", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(Text, unique=True)
    root_id: Mapped[int | None] = mapped_column(ForeignKey("root.id"), index=True)
    master_file_id: Mapped[int | None] = mapped_column(ForeignKey("master_file.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(16))
    """Which door it came through: http, message or command."""
    told_at: Mapped[datetime]
    """When it was told first."""
    repeated_at: Mapped[datetime]
    """When it was told last."""
    times_told: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    proposal: Mapped[str | None] = mapped_column(String(255))
    instrument: Mapped[str | None] = mapped_column(String(255))
    dataset_name: Mapped[str | None] = mapped_column(String(1023))
    sample_name: Mapped[str | None] = mapped_column(String(1023))
    start_date: Mapped[datetime | None]
    end_date: Mapped[datetime | None]
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Names and values as they were told, all texts."""
    content_digest: Mapped[str] = mapped_column(String(64))
    """Of what it says about the dataset."""
    accepted_digest: Mapped[str | None] = mapped_column(String(64))
    """What it said when its master was made due: told again with the same words, nothing is new."""
