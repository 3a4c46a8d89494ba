"""What is published under a DOI: ICAT's DataPublication and its family."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ingest.catalogue.model.base import Base, Stamped


class DataCollection(Base):
    """A set of datasets that are published together."""

    __tablename__ = "data_collection"

    id: Mapped[int] = mapped_column(primary_key=True)
    doi: Mapped[str | None] = mapped_column(String(255))


class DataCollectionDataset(Base):
    """A dataset's place in a collection."""

    __tablename__ = "data_collection_dataset"

    data_collection_id: Mapped[int] = mapped_column(ForeignKey("data_collection.id"), primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset.id"), primary_key=True, index=True)


class DataCollectionInvestigation(Base):
    """An investigation's place in a collection."""

    __tablename__ = "data_collection_investigation"

    data_collection_id: Mapped[int] = mapped_column(ForeignKey("data_collection.id"), primary_key=True)
    investigation_id: Mapped[int] = mapped_column(ForeignKey("investigation.id"), primary_key=True, index=True)


class DataPublicationType(Base):
    """A kind of publication."""

    __tablename__ = "data_publication_type"
    __table_args__ = (UniqueConstraint("facility_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str | None] = mapped_column(String(255))


class DataPublication(Stamped, Base):
    """A collection under a persistent identifier: `pid` is a DOI in lower case, `licence` an SPDX identifier."""

    __tablename__ = "data_publication"

    id: Mapped[int] = mapped_column(primary_key=True)
    facility_id: Mapped[int] = mapped_column(ForeignKey("facility.id"))
    content_id: Mapped[int] = mapped_column(ForeignKey("data_collection.id"), index=True)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("data_publication_type.id"))
    pid: Mapped[str] = mapped_column(String(255), unique=True)
    title: Mapped[str] = mapped_column(String(1023))
    licence: Mapped[str] = mapped_column(String(255), server_default="")
    description: Mapped[str | None] = mapped_column(Text)
    publication_date: Mapped[datetime | None]


class DataPublicationDate(Base):
    """A date of a publication, by DataCite's dateType."""

    __tablename__ = "data_publication_date"
    __table_args__ = (UniqueConstraint("publication_id", "date_type"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("data_publication.id", ondelete="CASCADE"))
    date_type: Mapped[str] = mapped_column(String(255))
    date: Mapped[str] = mapped_column(String(255))


class DataPublicationUser(Base):
    """A creator of or a contributor to a publication, in their order."""

    __tablename__ = "data_publication_user"
    __table_args__ = (UniqueConstraint("publication_id", "user_id", "contributor_type"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("data_publication.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    contributor_type: Mapped[str] = mapped_column(String(255))
    order_key: Mapped[str | None] = mapped_column(String(255))
    full_name: Mapped[str | None] = mapped_column(String(255))
    given_name: Mapped[str | None] = mapped_column(String(255))
    family_name: Mapped[str | None] = mapped_column(String(255))


class Affiliation(Base):
    """Where a creator or contributor worked."""

    __tablename__ = "affiliation"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("data_publication_user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    full_reference: Mapped[str | None] = mapped_column(String(1023))
    pid: Mapped[str | None] = mapped_column(String(255))


class Subject(Base):
    """What a publication is about, as a word or as a term of a scheme."""

    __tablename__ = "subject"
    __table_args__ = (UniqueConstraint("publication_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("data_publication.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    pid: Mapped[str | None] = mapped_column(String(255))
    subject_scheme: Mapped[str | None] = mapped_column(String(255))
    scheme_uri: Mapped[str | None] = mapped_column(String(255))
    value_uri: Mapped[str | None] = mapped_column(String(255))
    classification_code: Mapped[str | None] = mapped_column(String(255))


class RelatedItem(Base):
    """Something else that a publication refers to."""

    __tablename__ = "related_item"
    __table_args__ = (UniqueConstraint("publication_id", "identifier"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    publication_id: Mapped[int] = mapped_column(ForeignKey("data_publication.id", ondelete="CASCADE"))
    identifier: Mapped[str] = mapped_column(String(255))
    relation_type: Mapped[str] = mapped_column(String(255))
    full_reference: Mapped[str | None] = mapped_column(String(1023))
    related_item_type: Mapped[str | None] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(String(1023))


class FundingReference(Base):
    """A grant."""

    __tablename__ = "funding_reference"
    __table_args__ = (UniqueConstraint("funder_name", "award_number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    funder_name: Mapped[str] = mapped_column(String(255))
    funder_identifier: Mapped[str | None] = mapped_column(String(255))
    award_number: Mapped[str] = mapped_column(String(255))
    award_title: Mapped[str | None] = mapped_column(String(255))
    acknowledgement: Mapped[str | None] = mapped_column(String(1023))


class DataPublicationFunding(Base):
    """A grant that a publication owes to."""

    __tablename__ = "data_publication_funding"

    publication_id: Mapped[int] = mapped_column(ForeignKey("data_publication.id", ondelete="CASCADE"), primary_key=True)
    funding_id: Mapped[int] = mapped_column(ForeignKey("funding_reference.id"), primary_key=True, index=True)
