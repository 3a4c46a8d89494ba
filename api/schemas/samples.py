"""Samples."""

from pydantic import Field

from api.schemas.base import Answer, PageSchema
from api.schemas.references import InvestigationReference, SampleReference


class SampleLinks(Answer):
    """Where more about a sample is."""

    self: str = Field(examples=["/api/v1/samples/11"])
    datasets: str = Field(
        description="The datasets of samples of this name.",
        examples=["/api/v1/datasets?sample=LaB6&facility=local&proposal=hc6001"],
    )
    investigations: str = Field(
        description="The investigations of samples of this name.", examples=["/api/v1/investigations?sample=LaB6"]
    )


class SampleSchema(SampleReference):
    """A sample, as far as datasets of it are known to you."""

    pid: str | None = Field(description="Its persistent identifier.", examples=[None])
    facility: str = Field(examples=["local"])
    proposal: str | None = Field(description="The proposal within which it has this name.", examples=["hc6001"])
    investigations: list[InvestigationReference] = Field(description="The latest 20 that it was part of.")
    dataset_count: int = Field(examples=[12])
    links: SampleLinks


class SamplePageSchema(PageSchema):
    """A page of samples."""

    items: list[SampleSchema]
