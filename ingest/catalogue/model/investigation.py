"""Investigations, their people, their samples, and the files that belong to no dataset."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ingest.catalogue.model.base import Base, Stamped
from ingest.catalogue.model.facility import Facility

NO_VISIT = "none"
"""The visit of an investigation that no visit is known of: ICAT wants one."""


def to_investigation_name(proposal: str, visit_id: str) -> str:
    """Return proposal and visit as they are shown: `hc6001/20261101`, or the proposal alone."""
    return proposal if visit_id == NO_VISIT else f"{proposal}/{visit_id}"


class Investigation(Stamped, Base):
    """A proposal and a visit: `name` is the proposal. `is_inferred` where neither a file nor a path named one."""

    __tablename__ = "investigation"
    __table_args__ = (UniqueConstraint("facility_id", "name", "visit_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    type_id: Mapped[int | None] = mapped_column(ForeignKey("investigation_type.id"))
    root_id: Mapped[int | None] = mapped_column(ForeignKey("root.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    visit_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(1023), default="")
    summary: Mapped[str | None] = mapped_column(String(4000))
    doi: Mapped[str | None] = mapped_column(String(255))
    start_date: Mapped[datetime | None]
    end_date: Mapped[datetime | None]
    release_date: Mapped[datetime | None] = mapped_column(index=True)
    """When its data open by the root's policy or a person's word; None while nobody can say."""
    stamped_release_date: Mapped[datetime | None]
    """The release date that its datasets carry; see `ingest.catalogue.visibility.stamp_releases`."""
    is_secret: Mapped[bool] = mapped_column(default=False)
    is_inferred: Mapped[bool] = mapped_column(default=False)

    facility: Mapped[Facility] = relationship()


class InvestigationUser(Base):
    """A person's role in an investigation."""

    __tablename__ = "investigation_user"
    __table_args__ = (UniqueConstraint("user_id", "investigation_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), index=True)
    role: Mapped[str] = mapped_column(String(255))


class InvestigationGroup(Base):
    """A group's role in an investigation."""

    __tablename__ = "investigation_group"
    __table_args__ = (UniqueConstraint("grouping_id", "investigation_id", "role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    grouping_id: Mapped[int] = mapped_column(ForeignKey("grouping.id"))
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), index=True)
    role: Mapped[str] = mapped_column(String(255))


class InvestigationInstrument(Base):
    """An instrument that an investigation used."""

    __tablename__ = "investigation_instrument"

    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"), primary_key=True, index=True)


class InvestigationFile(Base):
    """A file of an investigation that is no dataset's: a proposal or collection master, a side file.

    `path` is relative to the root.
    """

    __tablename__ = "investigation_file"
    __table_args__ = (UniqueConstraint("root_id", "path"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), index=True)
    root_id: Mapped[int] = mapped_column(ForeignKey("root.id"))
    path: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(32))
    file_size: Mapped[int]
    mtime_ns: Mapped[int]


class SampleType(Base):
    """A kind of sample, known by its formula."""

    __tablename__ = "sample_type"
    __table_args__ = (UniqueConstraint("name", "molecular_formula"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    molecular_formula: Mapped[str | None] = mapped_column(String(255))
    safety_information: Mapped[str | None] = mapped_column(String(4000))
    pid: Mapped[str | None] = mapped_column(String(255))


class Sample(Stamped, Base):
    """A sample with an identity of its own, in as many investigations as it takes part in.

    Known by its persistent identifier, or else by facility, proposal (empty for none) and name.
    """

    __tablename__ = "sample"
    __table_args__ = (
        UniqueConstraint("facility_id", "proposal", "name"),
        Index("ix_sample_pid", "pid", unique=True),
        Index("ix_sample_name_id", "name", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    proposal: Mapped[str] = mapped_column(String(255), default="")
    name: Mapped[str] = mapped_column(String(1023))
    type_id: Mapped[int | None] = mapped_column(ForeignKey("sample_type.id"), index=True)
    pid: Mapped[str | None] = mapped_column(String(255))

    type: Mapped[SampleType | None] = relationship()


class InvestigationSample(Base):
    """A sample's part in an investigation."""

    __tablename__ = "investigation_sample"

    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id"), primary_key=True, index=True)


class Keyword(Base):
    """A word that a person put on an investigation."""

    __tablename__ = "keyword"
    __table_args__ = (UniqueConstraint("name", "investigation_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), index=True)


class Publication(Base):
    """A paper that came out of an investigation."""

    __tablename__ = "publication"

    id: Mapped[int] = mapped_column(primary_key=True)
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), index=True)
    full_reference: Mapped[str] = mapped_column(String(511))
    doi: Mapped[str | None] = mapped_column(String(255))
    url: Mapped[str | None] = mapped_column(String(255))
    repository: Mapped[str | None] = mapped_column(String(255))
    repository_id: Mapped[str | None] = mapped_column(String(255))
