"""Experimental techniques."""

from pydantic import Field

from api.schemas.base import Answer, PageSchema


class TechniqueLinks(Answer):
    """Where more about a technique is."""

    self: str = Field(examples=["/api/v1/techniques/3"])
    datasets: str = Field(examples=["/api/v1/datasets?technique=XRD"])


class TechniqueSchema(Answer):
    """A technique, with the number of its datasets that are known to you."""

    id: int = Field(examples=[3])
    name: str = Field(examples=["XRD"])
    pid: str | None = Field(
        description="Its term in an ontology.", examples=["http://purl.org/pan-science/PaNET/PaNET01216"]
    )
    description: str | None = Field(examples=["x-ray diffraction"])
    dataset_count: int = Field(examples=[5400])
    links: TechniqueLinks


class TechniquePageSchema(PageSchema):
    """A page of techniques."""

    items: list[TechniqueSchema]
