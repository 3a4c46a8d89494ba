"""What all answers have in common."""

from dataclasses import fields
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Made out of a view."""

    model_config = ConfigDict(from_attributes=True)


class PageLinks(Answer):
    """Where one is, and where the next page is."""

    self: str = Field(examples=["/api/v1/datasets?q=LaB6"])
    next: str | None = Field(examples=["/api/v1/datasets?q=LaB6&cursor=bmV4dA"])


class PageSchema(Answer):
    """What every page of a list has beside its items."""

    next: str | None = Field(description="`cursor` of the next page; null: this is the last.", examples=["bmV4dA"])
    links: PageLinks


class FacetValueSchema(Answer):
    """A value and how many of the found datasets have it."""

    value: str = Field(examples=["id11"])
    count: int = Field(examples=[4])


class FacetSchema(Answer):
    """The most frequent values of a noun."""

    values: list[FacetValueSchema]
    others: int = Field(description="The sum of the counts of all values that are not named.", examples=[0])


def to_members(view: Any) -> dict[str, Any]:
    """Return what a view holds by name, for an answer that adds something to it."""
    return {field.name: getattr(view, field.name) for field in fields(view)}
