"""What one may ask about a whole result in the query string. The rest is refused."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.questions import MAX_VALUES, Absent, FacetMode, ResultParameters, Text
from ingest.catalogue.histograms import HistogramQuestion
from ingest.catalogue.search import FacetRequest, Instant, Interval, Noun
from ingest.catalogue.search.index import MAX_BINS, MAX_FACET_SIZE, MAX_SOUGHT
from ingest.catalogue.suggesting import MAX_SUGGESTIONS

Letters = Annotated[Text, Field(max_length=MAX_SOUGHT)]


class FacetQuestion(ResultParameters):
    """Which values of a noun, within what is found."""

    contains: Letters = Field(
        default="",
        description="Only values that hold these letters, in any case and with any accents.",
        examples=["la"],
    )
    at_word: bool = Field(default=False, description="The letters stand at the beginning of a word.")
    facet_mode: FacetMode = Field(
        default=FacetMode.NARROW, description="`wide`: as if there were no filters by this noun."
    )
    size: int = Field(default=20, ge=1, le=MAX_FACET_SIZE, description="The most values, the most frequent ones.")

    def to_request(self, noun: Noun) -> FacetRequest:
        """Return the same in the index's terms."""
        is_wide = self.facet_mode is FacetMode.WIDE
        return FacetRequest(noun, self.size, self.contains, at_word=self.at_word, ignores_own=is_wide)


class DatesQuestion(ResultParameters):
    """By which periods a result is counted."""

    field: Instant = Field(default=Instant.START, description="The date that is counted.")
    interval: Interval = Field(default=Interval.MONTH, description="How long the periods are, in UTC.")
    facet_mode: FacetMode = Field(
        default=FacetMode.NARROW, description="`wide`: as if there were no filter by this date."
    )


class NumbersQuestion(ResultParameters):
    """In which bins a parameter is counted over a result."""

    field: Annotated[Text, Field(min_length=1)] = Field(
        description="A parameter, by its name or a short one.", examples=["energy"]
    )
    unit: Text = Field(default="", description="The unit of the bins; the parameter's own if none.", examples=["eV"])
    bins: int = Field(default=20, ge=1, le=MAX_BINS, description="About how many bins.")
    low: Annotated[float, Field(allow_inf_nan=False)] | Absent = Field(
        default=None, description="Where the first bin begins, in the unit; with `high`, or not at all.", examples=[5]
    )
    high: Annotated[float, Field(allow_inf_nan=False)] | Absent = Field(
        default=None, description="Where the last bin ends, in the unit.", examples=[30]
    )

    def to_histogram(self) -> HistogramQuestion:
        """Return the same in the catalogue's terms."""
        return HistogramQuestion(name=self.field, unit=self.unit, bins=self.bins, low=self.low, high=self.high)


class SuggestQuestion(BaseModel):
    """What was typed so far."""

    model_config = ConfigDict(extra="forbid")

    text: Letters = Field(description="The letters that were typed, two at least.", examples=["hem"])
    limit: int = Field(default=10, ge=1, le=MAX_SUGGESTIONS, description="The most suggestions.")


class ExportQuestion(ResultParameters):
    """What is exported, and as what."""

    format: Annotated[str, Field(pattern="^(ndjson|csv)?$")] = Field(
        default="", description="`ndjson` or `csv`; without it the Accept header tells.", examples=["csv"]
    )
    column: Annotated[list[Text], Field(max_length=MAX_VALUES)] = Field(
        default_factory=list,
        description="A parameter that is told of each dataset, in its own unit or in one behind a colon.",
        examples=[["energy:eV"]],
    )
