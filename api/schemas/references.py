"""How answers name what has an answer of its own."""

from pydantic import Field

from api.schemas.base import Answer


class InvestigationReference(Answer):
    """Proposal and visit."""

    id: int = Field(examples=[7])
    name: str = Field(description="Proposal and visit, as people write them.", examples=["hc6001/20261101"])
    proposal: str = Field(examples=["hc6001"])
    visit_id: str | None = Field(examples=["20261101"])
    title: str = Field(examples=["Strain in bearing steel"])
    is_inferred: bool = Field(description="Neither the file nor its path names it: it stands for the folder.")


class SampleReference(Answer):
    """A sample."""

    id: int = Field(examples=[11])
    name: str = Field(examples=["LaB6"])
    formula: str | None = Field(examples=["LaB6"])
