"""What is counted over a whole result, and what is suggested."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import Answer, FacetSchema
from ingest.catalogue.search import Instant, Interval, Noun


class FacetAnswer(FacetSchema):
    """The values of one noun."""

    noun: Noun


class PeriodSchema(Answer):
    """A period in UTC and how many of the found datasets fall into it."""

    start_date: datetime = Field(examples=["2026-11-01T00:00:00Z"])
    end_date: datetime = Field(description="The first instant after it.", examples=["2026-12-01T00:00:00Z"])
    count: int = Field(examples=[42])


class DatesSchema(Answer):
    """The periods that have any of the found datasets, rising."""

    field: Instant
    interval: Interval
    periods: list[PeriodSchema]


class BinSchema(Answer):
    """Numbers from `low` up to `high`, which is not in it, and how many of the found datasets have one."""

    low: float = Field(examples=[12.0])
    high: float = Field(examples=[12.5])
    count: int = Field(examples=[42])


class NumbersSchema(Answer):
    """How a parameter is spread; no bins where no dataset has a number.

    A dataset counts in each bin in which a search for its range finds it.
    """

    name: str = Field(description="The parameter's stored name.", examples=["InstrumentBeam_incident_energy"])
    unit: str = Field(description="Of the bins.", examples=["keV"])
    bins: list[BinSchema]


class SuggestionSchema(Answer):
    """What may be meant."""

    kind: str = Field(description="A noun, or `parameter`.", examples=["sample"])
    value: str = Field(examples=["hematite"])
    count: int = Field(description="How many datasets have it.", examples=[4])
    query: str = Field(
        description="How to ask for it; that of a parameter is to be ended.", examples=["sample:hematite"]
    )


class SuggestionsSchema(Answer):
    """The most frequent first."""

    suggestions: list[SuggestionSchema]
    did_you_mean: str | None = Field(
        description="The text with each word that nothing has replaced by the nearest that something has.",
        examples=["hematite"],
    )
