"""What parameters mean."""

from pydantic import Field

from api.schemas.base import Answer, PageSchema
from ingest.catalogue.vocabulary import ValueType


class ParameterTypeLinks(Answer):
    """Where more about a parameter is."""

    self: str = Field(examples=["/api/v1/parameter-types/5"])
    datasets: str | None = Field(
        description="The example as a search.",
        examples=["/api/v1/datasets?q=energy%3A7.1..87+keV"],
    )


class ParameterTypeSchema(Answer):
    """The meaning of a parameter, over the datasets that are known to you."""

    id: int = Field(examples=[5])
    name: str = Field(examples=["InstrumentBeam_incident_energy"])
    description: str | None = Field(examples=["Energy of each particle that hits the sample"])
    value_type: ValueType
    unit: str = Field(
        description="Of all its numbers; empty for texts and times, 1 for bare numbers.", examples=["keV"]
    )
    facility: str = Field(examples=["local"])
    pid: str | None = Field(description="Its persistent identifier.", examples=[None])
    aliases: list[str] = Field(description="What it is called in a query, too.", examples=[["energy"]])
    dataset_count: int = Field(description="How many datasets have it.", examples=[5400])
    smallest: float | None = Field(description="In `unit`, in twelve digits.", examples=[7.1])
    largest: float | None = Field(description="In `unit`, in twelve digits.", examples=[87.0])
    example_values: list[str] = Field(
        description="Up to three texts or times that some of the newest datasets have, in 200 letters at most; numbers "
        "have `smallest` and `largest` instead.",
        examples=[["silver behenate"]],
    )
    example: str | None = Field(description="A query that asks for it.", examples=["energy:7.1..87 keV"])
    links: ParameterTypeLinks


class ParameterTypePageSchema(PageSchema):
    """A page of parameter types."""

    items: list[ParameterTypeSchema]
