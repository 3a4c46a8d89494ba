"""What is published under a DOI."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import Answer, PageSchema
from ingest.catalogue.publication_views import PublicationKind


class PublicationLinks(Answer):
    """Where a publication is."""

    doi: str = Field(description="Where the DOI is resolved.", examples=["https://doi.org/10.5072/gv4yt-6xy39"])
    landing: str = Field(examples=["/doi/10.5072/gv4yt-6xy39"])
    datacite: str = Field(description="All that is said of it.", examples=["/doi/10.5072/gv4yt-6xy39?format=datacite"])


class PublicationSchema(Answer):
    """A publication."""

    doi: str = Field(examples=["10.5072/gv4yt-6xy39"])
    kind: PublicationKind = Field(description="One dataset, or several together.")
    title: str = Field(examples=["LaB6 standard at ID22"])
    publisher: str = Field(examples=["European Synchrotron Radiation Facility"])
    publication_date: datetime = Field(examples=["2026-11-21T10:00:00Z"])
    licence: str = Field(description="SPDX identifier.", examples=["CC-BY-4.0"])
    links: PublicationLinks


class PublicationPageSchema(PageSchema):
    """A page of publications."""

    items: list[PublicationSchema]
