"""Datasets, their scans, parameters and files."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ingest.catalogue.model.base import Base, BigInt, Stamped
from ingest.catalogue.model.facility import Instrument, ParameterType, Technique
from ingest.catalogue.model.investigation import Investigation, Sample
from ingest.catalogue.model.master import MasterFile


class Layer(IntEnum):
    """Who says a value. The highest that speaks is shown and found; none erases another."""

    FILE = 1
    RULE = 2
    NOTICE = 3
    PERSON = 4


class Dataset(Stamped, Base):
    """One master file's measurement.

    `revision` rises with every change of what is said about it; `indexed_revision` is what the index knows. While
    they differ, the dataset is due to be indexed: two integers are the outbox.
    """

    __tablename__ = "dataset"
    __table_args__ = (
        UniqueConstraint("investigation_id", "name"),
        Index(
            "ix_dataset_unindexed",
            "id",
            sqlite_where=text("indexed_revision < revision"),
            postgresql_where=text("indexed_revision < revision"),
        ),
        Index("ix_dataset_start_date_id", "start_date", "id"),
        Index(
            "ix_dataset_doi",
            "doi",
            sqlite_where=text("doi IS NOT NULL"),
            postgresql_where=text("doi IS NOT NULL"),
        ),
        # ix_dataset_pid and ix_dataset_creation_date, which are on expressions, stand in migration 0012 alone.
        # What tells whether an investigation may be seen, and its dates, is read from the index alone.
        Index(
            "ix_dataset_of_investigation",
            *("investigation_id", "start_date", "end_date", "release_date", "is_secret", "is_metadata_public"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"))
    master_file_id: Mapped[int] = mapped_column(ForeignKey("master_file.id"), unique=True)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("dataset_type.id"))
    sample_id: Mapped[int | None] = mapped_column(ForeignKey("sample.id"), index=True)
    copy_of_id: Mapped[int | None] = mapped_column(ForeignKey("dataset.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = mapped_column(String(1023))
    title: Mapped[str | None] = mapped_column(Text)
    """A person's word: empty if there shall be none; None: what the first scan says holds."""
    sample_formula: Mapped[str | None] = mapped_column(String(255))
    """A person's word on the formula of this dataset's sample, as `title`."""
    description: Mapped[str | None] = mapped_column(String(4000))
    location: Mapped[str] = mapped_column(Text)
    doi: Mapped[str | None] = mapped_column(String(255))
    is_complete: Mapped[bool]
    start_date: Mapped[datetime | None]
    end_date: Mapped[datetime | None]
    file_count: Mapped[int] = mapped_column(default=0)
    file_size: Mapped[int] = mapped_column(default=0)
    next_file_ordinal: Mapped[int] = mapped_column(default=0)
    release_date: Mapped[datetime | None]
    """When it opens, carried over from its investigation; None while that is far off or unknown: closed."""
    is_secret: Mapped[bool] = mapped_column(default=False)
    is_metadata_public: Mapped[bool] = mapped_column(default=False)
    rules: Mapped[str] = mapped_column(String(255))
    rules_version: Mapped[str] = mapped_column(String(255))
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    """Disagreements found in the file, in words."""
    motors: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]", deferred=True)
    """Where all motors stood at its first scan: name, value, unit, HDF5 path. Hundreds, and seldom asked for."""
    linked_files: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """How many other files its master needs, by what became of them, and the first of those that are not at hand."""
    content_digest: Mapped[str] = mapped_column(String(64))
    listing_digest: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(default=1)
    indexed_revision: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    """The last change of its master, or when it was told that it is closed, if that was later."""
    searchable_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the index knew what the master said then; what changes later by rules or by the clock leaves it alone."""

    investigation: Mapped[Investigation] = relationship()
    master_file: Mapped[MasterFile] = relationship()
    sample: Mapped[Sample | None] = relationship()
    instruments: Mapped[list[Instrument]] = relationship(secondary="dataset_instrument", viewonly=True)
    techniques: Mapped[list[Technique]] = relationship(secondary="dataset_technique", viewonly=True)
    scans: Mapped[list[Scan]] = relationship(order_by="Scan.ordinal", viewonly=True)


class DatasetInstrument(Base):
    """An instrument that made a dataset."""

    __tablename__ = "dataset_instrument"
    __table_args__ = (Index("ix_dataset_instrument_of_instrument", "instrument_id", "dataset_id"),)

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instrument.id"), primary_key=True)


class DatasetTechnique(Base):
    """A technique of a dataset, and what in the file told it."""

    __tablename__ = "dataset_technique"
    __table_args__ = (Index("ix_dataset_technique_of_technique", "technique_id", "dataset_id"),)

    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True)
    technique_id: Mapped[int] = mapped_column(ForeignKey("technique.id"), primary_key=True)
    source_path: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))
    original_value: Mapped[str | None] = mapped_column(Text)
    """What told it: an identifier, which may be another ontology's, a definition, how far a motor went."""
    layer: Mapped[int] = mapped_column(default=Layer.FILE, server_default="1")


class Scan(Base):
    """One NXentry of a master."""

    __tablename__ = "scan"
    __table_args__ = (
        UniqueConstraint("dataset_id", "entry_name"),
        Index("ix_scan_sample_id_dataset_id", "sample_id", "dataset_id"),
        # The scan whose title is its dataset's, of thousands.
        Index("ix_scan_first", "dataset_id", sqlite_where=text("ordinal = 0"), postgresql_where=text("ordinal = 0")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    entry_name: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    definition: Mapped[str | None] = mapped_column(Text)
    command: Mapped[str | None] = mapped_column(Text)
    start_date: Mapped[datetime | None]
    end_date: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(255))
    is_ended: Mapped[bool]
    point_count: Mapped[int | None]
    instrument_name: Mapped[str | None] = mapped_column(Text)
    source_name: Mapped[str | None] = mapped_column(Text)
    source_type: Mapped[str | None] = mapped_column(Text)
    probe: Mapped[str | None] = mapped_column(String(255))
    sample_id: Mapped[int | None] = mapped_column(ForeignKey("sample.id"))
    is_sample_corrected: Mapped[bool] = mapped_column(default=False, server_default=false())
    """A person said which sample it is; `file_sample_id` is the one that the file says."""
    file_sample_id: Mapped[int | None]
    detectors: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    motors: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    """Those that it moved, each with its name, unit, first and last position, and how far it went."""
    counters: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    """What it measured: name, shape, unit."""
    kind: Mapped[str | None] = mapped_column(String(32))
    """What it was taken for, where that is anything special: projection, flat, dark, empty_beam, calibration, ..."""
    frames: Mapped[dict[str, int] | None] = mapped_column(JSON(none_as_null=True))
    """Where its frames are of several kinds, how many there are of each."""
    served_by: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list, server_default="[]")
    """The scans of the same dataset that were taken for the sake of this one: kind and entry name."""
    linked_files: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """How many other files it needs, by what became of them."""
    users: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    sources: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """For each attribute: its HDF5 path, the text in the file, how it came about, and whether a zone was known."""
    is_withdrawn: Mapped[bool] = mapped_column(default=False)

    sample: Mapped[Sample | None] = relationship()


class DatasetParameter(Base):
    """What one layer says of one parameter, of the dataset or of one of its scans.

    A number (`numeric_value`), a range (`range_bottom`, `range_top`), a list (`values`, with its extremes in the
    range), a text or an instant; numbers in the unit of the type. The original value, its unit and its HDF5 path
    stand beside it.
    """

    __tablename__ = "dataset_parameter"
    __table_args__ = (
        Index("ix_dataset_parameter_dataset_id_type_id", "dataset_id", "type_id"),
        # Who has such a value: equal to it, or a range that reaches over it. Read from the index alone.
        Index(
            "ix_dataset_parameter_value",
            *("type_id", "range_bottom", "numeric_value", "range_top", "dataset_id"),
            *("scan_id", "is_shown", "is_public"),
        ),
        # Those of no scan are most of all, and looked for by their dataset.
        Index(
            "ix_dataset_parameter_of_scan",
            "scan_id",
            sqlite_where=text("scan_id IS NOT NULL"),
            postgresql_where=text("scan_id IS NOT NULL"),
        ),
        CheckConstraint("layer BETWEEN 1 AND 4", name="layer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    scan_id: Mapped[int | None] = mapped_column(ForeignKey("scan.id", ondelete="CASCADE"))
    type_id: Mapped[int] = mapped_column(ForeignKey("parameter_type.id"))
    layer: Mapped[int] = mapped_column(default=Layer.FILE)
    is_shown: Mapped[bool] = mapped_column(default=True)
    is_public: Mapped[bool] = mapped_column(default=True, server_default=true())
    """Else it is shown to those who see all, and not indexed: data of a patient, for example."""
    numeric_value: Mapped[float | None]
    range_bottom: Mapped[float | None]
    range_top: Mapped[float | None]
    values: Mapped[list[float] | None] = mapped_column(JSON(none_as_null=True))
    value_count: Mapped[int | None]
    """How many values a range was made of, where that is known."""
    string_value: Mapped[str | None] = mapped_column(Text)
    date_time_value: Mapped[datetime | None]
    error: Mapped[float | None]
    origin: Mapped[str] = mapped_column(String(16))
    source_path: Mapped[str | None] = mapped_column(Text)
    original_value: Mapped[str | None] = mapped_column(Text)
    original_unit: Mapped[str | None] = mapped_column(Text)

    type: Mapped[ParameterType] = relationship()


class Datafile(Base):
    """A file of a dataset, named relative to the dataset's location.

    Narrow, because there are hundreds of millions: no key of its own, no text but the name. The ordinal is given once
    and never used again, so that links stay true; a vanished file keeps row and ordinal. On PostgreSQL the table is in
    parts (`ingest.catalogue.partitions`), and neither the reference nor the names are checked there, which would cost
    half the speed of writing and half as many bytes again: rows come with their dataset, from a listing by name.
    """

    __tablename__ = "datafile"
    __table_args__ = (
        ForeignKeyConstraint(["dataset_id"], ["dataset.id"], ondelete="CASCADE", info={"only": "sqlite"}),
        UniqueConstraint("dataset_id", "name", info={"only": "sqlite"}),
        {"postgresql_partition_by": "RANGE (dataset_id)"},
    )

    dataset_id: Mapped[int] = mapped_column(BigInt, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    file_size: Mapped[int]
    mtime_ns: Mapped[int]
    checksum: Mapped[str | None] = mapped_column(String(255))
    is_vanished: Mapped[bool] = mapped_column(default=False)
