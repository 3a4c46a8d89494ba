"""Experimental techniques."""

from pydantic import Field

from api.schemas.base import Answer, PageSchema


class TechniqueLinks(Answer):
    """Where more about a technique is."""

    self: str = Field(examples=["/api/v1/techniques/3"])
    datasets: str = Field(examples=["/api/v1/datasets?technique=XRD"])


class TechniqueTermSchema(Answer):
    """A term of an ontology."""

    pid: str = Field(examples=["http://purl.org/pan-science/PaNET/PaNET01184"])
    label: str = Field(examples=["x-ray scattering"])


class TechniqueSchema(Answer):
    """A technique, with the number of its datasets that are known to you.

    A search for a technique also finds the datasets of narrower ones, which are not counted here.
    """

    id: int = Field(examples=[3])
    name: str = Field(examples=["XRD"])
    pid: str | None = Field(
        description="Its term in an ontology.", examples=["http://purl.org/pan-science/PaNET/PaNET01216"]
    )
    description: str | None = Field(examples=["x-ray diffraction"])
    dataset_count: int = Field(examples=[5400])
    broader: list[TechniqueTermSchema] = Field(
        description="What it falls under, the nearest first; it is found by their names, too."
    )
    links: TechniqueLinks


class TechniquePageSchema(PageSchema):
    """A page of techniques."""

    items: list[TechniqueSchema]
