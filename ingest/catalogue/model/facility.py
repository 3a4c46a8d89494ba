"""What belongs to a facility: its roots, instruments, people, and the types of things."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ingest.catalogue.model.base import Base, Stamped


class ReleasePolicy(StrEnum):
    """When the data below a root open, if no person says otherwise."""

    IMMEDIATELY = "immediately"
    NEVER = "never"
    AFTER_YEARS = "years"


class Facility(Stamped, Base):
    """An institution that makes measurements."""

    __tablename__ = "facility"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    full_name: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(1023))
    url: Mapped[str | None] = mapped_column(String(255))


class Root(Stamped, Base):
    """A folder whose masters are catalogued, with what holds for all of them.

    Nothing outside a root is ever opened or served.
    """

    __tablename__ = "root"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"), index=True)
    path: Mapped[str] = mapped_column(Text, unique=True)
    rules: Mapped[str | None] = mapped_column(String(255))
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    release_policy: Mapped[str] = mapped_column(String(16), default=ReleasePolicy.AFTER_YEARS)
    release_years: Mapped[int] = mapped_column(default=3)
    is_embargoed_metadata_public: Mapped[bool] = mapped_column(default=False)
    is_secret: Mapped[bool] = mapped_column(default=False)
    include: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What the names of masters look like, with * and ?; empty: as HDF5 files are called."""
    exclude: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Names, or paths below the root, of folders and files that are passed over, with * and ?."""
    crawled_at: Mapped[datetime | None]
    """When a crawl last came to its end."""


class Instrument(Base):
    """A beamline or an instrument."""

    __tablename__ = "instrument"
    __table_args__ = (UniqueConstraint("facility_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    name: Mapped[str] = mapped_column(String(255))
    full_name: Mapped[str | None] = mapped_column(String(255))
    type: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(4000))
    url: Mapped[str | None] = mapped_column(String(255))
    pid: Mapped[str | None] = mapped_column(String(255))
    is_inferred: Mapped[bool] = mapped_column(default=True)


class User(Base):
    """A person who takes part in an investigation. No e-mail address, ever: files carry them, we do not."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    full_name: Mapped[str | None] = mapped_column(String(255))
    given_name: Mapped[str | None] = mapped_column(String(255))
    family_name: Mapped[str | None] = mapped_column(String(255))
    affiliation: Mapped[str | None] = mapped_column(String(255))
    orcid_id: Mapped[str | None] = mapped_column(String(255))


class InstrumentScientist(Base):
    """A person who looks after an instrument."""

    __tablename__ = "instrument_scientist"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"), primary_key=True, index=True)


class Grouping(Base):
    """A named group of people, to whom access is given together."""

    __tablename__ = "grouping"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class UserGroup(Base):
    """A person's place in a group."""

    __tablename__ = "user_group"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    grouping_id: Mapped[int] = mapped_column(ForeignKey("grouping.id"), primary_key=True, index=True)


class Technique(Base):
    """An experimental technique; `pid` is its term in PaNET or in ESRF's ontology."""

    __tablename__ = "technique"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    pid: Mapped[str | None] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(1023))


class DatasetType(Base):
    """Raw, processed, ..."""

    __tablename__ = "dataset_type"
    __table_args__ = (UniqueConstraint("facility_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(255))


class InvestigationType(Base):
    """Proposal, in-house research, ..."""

    __tablename__ = "investigation_type"
    __table_args__ = (UniqueConstraint("facility_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(255))


class ParameterType(Base):
    """The meaning of a parameter. Its identity is facility and name; the one unit is an attribute."""

    __tablename__ = "parameter_type"
    __table_args__ = (UniqueConstraint("facility_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    name: Mapped[str] = mapped_column(String(255))
    units: Mapped[str] = mapped_column(String(255), default="")
    value_type: Mapped[str] = mapped_column(String(16))
    description: Mapped[str | None] = mapped_column(String(1023))
    pid: Mapped[str | None] = mapped_column(String(255))
    minimum_numeric_value: Mapped[float | None]
    maximum_numeric_value: Mapped[float | None]
    is_enforced: Mapped[bool] = mapped_column(default=False)
    is_verified: Mapped[bool] = mapped_column(default=False)
