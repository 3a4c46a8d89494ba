"""The files we open, where each of them stands, and what was read from it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ingest.catalogue.model.base import Base, BigInt, Stamped
from ingest.catalogue.model.facility import Root


class MasterState(StrEnum):
    """Where a master stands on its way into the catalogue. docs/states.md has the table of what leads where."""

    SETTLING = "settling"
    READY = "ready"
    INCOMPLETE = "incomplete"
    INGESTED = "ingested"
    SIDE_FILE = "side_file"
    """Read, and no dataset of its own: a collection of links, or a detector's file."""
    OFFLINE = "offline"
    QUARANTINED = "quarantined"
    VANISHED = "vanished"


class MasterFile(Stamped, Base):
    """One file that is, or may be, a master: its normalised path, its last stat, its state.

    `attempts` counts claims since the last success, before the file is opened; `failures` those that ended with a
    reason. `next_attempt_at` is set while it waits to be looked at: together with `claimed_at` this is the queue.
    """

    __tablename__ = "master_file"
    __table_args__ = (
        Index(
            "ix_master_file_queue",
            # A crawl makes thousands due at one moment: the id is the order among them.
            *("next_attempt_at", "id"),
            sqlite_where=text("next_attempt_at IS NOT NULL"),
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index(
            "ix_master_file_claimed",
            "claimed_at",
            sqlite_where=text("claimed_at IS NOT NULL"),
            postgresql_where=text("claimed_at IS NOT NULL"),
        ),
        Index("ix_master_file_root_path", "root_id", "path"),
        Index("ix_master_file_digest", "record_digest"),
        CheckConstraint(f"state IN ({', '.join(repr(s.value) for s in MasterState)})", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("root.id"))
    path: Mapped[str] = mapped_column(Text(), unique=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    file_size: Mapped[int]
    mtime_ns: Mapped[int]
    folder_mtime_ns: Mapped[int | None]
    """The mtime of the folder, where the whole folder is the dataset's; it tells a crawl to pass by."""
    seen_at: Mapped[datetime]
    """When this stat was first seen."""
    is_closed: Mapped[bool] = mapped_column(default=False)
    """A notice or a person said that the dataset is closed."""
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(255))
    read_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(255))
    last_error: Mapped[str | None] = mapped_column(Text)
    instrument: Mapped[str | None] = mapped_column(String(255))
    """Whose it is, as far as its place or its notice tells: it is known before the file is read."""
    file_kind: Mapped[str | None] = mapped_column(String(32))
    record_digest: Mapped[str | None] = mapped_column(String(64))

    root: Mapped[Root] = relationship()


class MasterRecord(Base):
    """What the reader saw in a master: the compressed, versioned record, so that rules can be applied again."""

    __tablename__ = "master_record"
    __table_args__ = (Index("ix_master_record_rulebook", "rulebook", "master_file_id"),)

    master_file_id: Mapped[int] = mapped_column(
        BigInt, ForeignKey("master_file.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    format: Mapped[int]
    rulebook: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Digest of the rules at hand when it was mapped last; another one means that rules may say something new."""
    document: Mapped[bytes] = mapped_column(LargeBinary)
