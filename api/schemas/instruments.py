"""Instruments."""

from pydantic import Field

from api.schemas.base import Answer, FacetValueSchema, PageSchema


class InstrumentLinks(Answer):
    """Where more about an instrument is."""

    self: str = Field(examples=["/api/v1/instruments/2"])
    datasets: str = Field(examples=["/api/v1/datasets?instrument=id11&facility=local"])
    investigations: str = Field(examples=["/api/v1/investigations?instrument=id11&facility=local"])


class InstrumentSummarySchema(Answer):
    """A beamline or an instrument, with the number of its datasets that are known to you."""

    id: int = Field(examples=[2])
    name: str = Field(examples=["id11"])
    full_name: str | None = Field(examples=["ESRF-ID11"])
    facility: str = Field(examples=["local"])
    type: str | None = Field(examples=["beamline"])
    description: str | None = Field(examples=["Materials science beamline"])
    url: str | None = Field(examples=["https://www.example.org/id11"])
    pid: str | None = Field(description="Its persistent identifier.", examples=[None])
    dataset_count: int = Field(examples=[31000])
    links: InstrumentLinks


class InstrumentSchema(InstrumentSummarySchema):
    """An instrument with what is done there."""

    technique_counts: list[FacetValueSchema] = Field(description="How many of its datasets have each technique.")


class InstrumentPageSchema(PageSchema):
    """A page of instruments."""

    items: list[InstrumentSummarySchema]
