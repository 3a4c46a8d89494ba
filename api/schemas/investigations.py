"""Investigations: proposals and their visits."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import Answer, PageSchema
from api.schemas.references import InvestigationReference
from ingest.catalogue.views import Visibility


class InvestigationLinks(Answer):
    """Where more about an investigation is."""

    self: str = Field(examples=["/api/v1/investigations/7"])
    datasets: str = Field(examples=["/api/v1/datasets?investigation=hc6001%2F20261101&facility=local"])
    samples: str = Field(examples=["/api/v1/samples?investigation_id=7"])


class InvestigationSummarySchema(InvestigationReference):
    """An investigation, as far as its datasets are known to you."""

    facility: str = Field(examples=["local"])
    instruments: list[str] = Field(examples=[["id11"]])
    start_date: datetime | None = Field(description="When its first dataset began.", examples=["2026-11-01T10:00:00Z"])
    end_date: datetime | None = Field(description="When its last dataset ended.", examples=["2026-11-03T08:00:00Z"])
    visibility: Visibility = Field(description="open: the files of all these datasets are open.")
    release_date: datetime | None = Field(
        description="When the files of all of them are open; null: not known yet.", examples=["2029-11-03T08:00:00Z"]
    )
    dataset_count: int = Field(examples=[120])
    links: InvestigationLinks


class PersonReference(Answer):
    """Who took part, as its files name them."""

    name: str = Field(examples=["Ada Example"])
    role: str | None = Field(examples=["principal_investigator"])


class InvestigationSchema(InvestigationSummarySchema):
    """An investigation with its users and its extent."""

    summary: str | None = Field(examples=[None])
    doi: str | None = Field(examples=[None])
    users: list[PersonReference] = Field(description="Who took part.")
    sample_count: int = Field(examples=[3])
    file_count: int = Field(examples=[46440])
    file_size: int = Field(description="Of all files, in bytes.", examples=[8808038400])


class InvestigationPageSchema(PageSchema):
    """A page of investigations."""

    items: list[InvestigationSummarySchema]
