"""What one may ask in the query string. The rest is refused: a misspelt filter must not find everything."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.fields import FieldInfo
from pydantic.json_schema import SkipJsonSchema

from ingest.catalogue.finding import SearchQuestion
from ingest.catalogue.identifiers import strip_doi_address
from ingest.catalogue.model import NoticeState
from ingest.catalogue.paging import DEFAULT_LIMIT, MAX_LIMIT, PageRequest
from ingest.catalogue.search import Column, Instant, Noun, Sort
from ingest.catalogue.search.nouns import AMOUNT_UNITS, UNCOUNTED

MAX_TEXT: Final = 4000
MAX_VALUES: Final = 20
COUNTED: Final = tuple(noun for noun in Noun if noun not in UNCOUNTED)
_COUNTED: Final = f" *({'|'.join(COUNTED)})? *"
_ORDERS: Final = "`, `".join([*Column, *AMOUNT_UNITS, *Noun])


def to_pattern(expression: str) -> FieldInfo:
    """Return the annotation by which the document shows what a text is like that its validator accepts."""
    shown: FieldInfo = Field(json_schema_extra={"pattern": f"^{expression}$"})
    return shown


def refuse_nul(text: str) -> str:
    """Return the text; no database takes one with a NUL in it."""
    if "\0" in text:
        raise ValueError("a NUL character stands in it: leave it out")
    return text


def _check_facets(text: str) -> str:
    for name in _split(text):
        if name not in COUNTED:
            raise ValueError(f"{name[:50]!r} cannot be counted: choose from {', '.join(COUNTED)}")
    return text


def _split(text: str) -> list[str]:
    return [name for name in (part.strip(" ") for part in text.split(",")) if name]


NO_NUL: Final = to_pattern(r"[^\u0000]*")
Text = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(refuse_nul), NO_NUL]
Values = Annotated[list[Text], Field(max_length=MAX_VALUES)]
Dois = Annotated[list[Annotated[Text, AfterValidator(strip_doi_address)]], Field(max_length=MAX_VALUES)]
Facets = Annotated[Text, AfterValidator(_check_facets), to_pattern(f"{_COUNTED}(,{_COUNTED})*")]
# In a query string nothing can be null: what is not given is left out.
Absent = SkipJsonSchema[None]
Cursor = Annotated[Text, Field(description="`next` of the page before; everything else stays as it was.")]


class FacetMode(StrEnum):
    """What a facet counts: what is found, or also what the filters by its own noun leave out."""

    NARROW = "narrow"
    WIDE = "wide"


class PageQuestion(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="The most items on the page.")
    cursor: Cursor = ""

    def to_request(self) -> PageRequest:
        """Return the same in the catalogue's terms."""
        return PageRequest(self.limit, self.cursor or None)


class NoticesQuestion(PageQuestion):
    """Which notices."""

    state: Annotated[list[NoticeState], Field(max_length=MAX_VALUES)] = Field(
        default_factory=list, description="Only those in one of these states.", examples=[["waiting"]]
    )
    path: Text = Field(default="", description="Only the one for this folder or file.", examples=["/data/a/a.h5"])


class DatasetPageQuestion(BaseModel):
    """Which parts of its lists a dataset's page shows."""

    model_config = ConfigDict(extra="forbid")

    scan: Text | Absent = Field(default=None, description="Entry name of the scan whose parameters are shown.")
    scans: Cursor = ""
    parameters: Cursor = ""
    files: Cursor = ""


def to_filter(meaning: str, example: str) -> list[str]:
    """Return the declaration of a filter by a noun."""
    declared: list[str] = Field(
        default_factory=list, description=f"{meaning}, such as `{example}`.", examples=[[example]]
    )
    return declared


class ResultParameters(BaseModel):
    """A result: every part that is given must hold."""

    model_config = ConfigDict(extra="forbid")

    q: Text = Field(
        default="",
        description=(
            "Words, `field:value`, ranges of parameters with units; `and`, `or`, `not`, parentheses, "
            '"several words in quotes", `wild*c?rds`, `misspelt~`, `elements:Fe,O`; '
            "such as `LaB6 instrument:id11 energy:12..13 keV`."
        ),
        examples=["LaB6 instrument:id11 energy:12..13 keV"],
    )
    name: Values = to_filter("Name of the dataset", "sample_0001")
    instrument: Values = to_filter("Instrument or beamline", "id11")
    investigation: Values = to_filter("Proposal and visit, as hits show them", "hc6001/20261101")
    proposal: Values = to_filter("Proposal", "hc6001")
    sample: Values = to_filter("Name of the sample", "LaB6")
    formula: Values = to_filter("Formula of the sample", "LaB6")
    technique: Values = to_filter("Experimental technique", "XRD")
    keyword: Values = to_filter("Keyword of the investigation or the DOI", "tomography")
    doi: Dois = to_filter("DOI of the dataset or of what it is published in", "10.5072/3b9vq-hz06")
    definition: Values = to_filter("NeXus application definition", "NXxrd")
    user: Values = to_filter("Person who took part", "Ada Example")
    detector: Values = to_filter("Detector", "eiger")
    motor: Values = to_filter("Motor that one of its scans moved", "samx")
    counter: Values = to_filter("Channel that one of its scans measured", "I0")
    scan_kind: Values = to_filter("Kind of one of its scans", "flat")
    linked_file: Values = to_filter("What became of a file that its master needs", "missing")
    probe: Values = to_filter("Probe", "x-ray")
    facility: Values = to_filter("Facility", "local")
    complete: bool | Absent = Field(default=None, description="Only complete, or only incomplete datasets.")
    start_date: Text = Field(
        default="",
        description="When it began, in UTC: a date, a month, a year or a span of them, such as `2025-03..2025-05`.",
        examples=["2025-03..2025-05"],
    )
    end_date: Text = Field(
        default="", description="When it ended, in the same form, such as `2025..`.", examples=["2025.."]
    )
    release_date: Text = Field(
        default="", description="When it opened or will open, in the same form, such as `..2025`.", examples=["..2025"]
    )
    parameter: Values = Field(
        default_factory=list,
        description="A range of a parameter, such as `energy:12..13 keV`, `temperature:<100 K`; the unit is converted.",
        examples=[["energy:12..13 keV"]],
    )
    elements: Text = Field(
        default="",
        description="Elements that a formula of the sample holds, by commas: `Fe,O`; behind a `=` it holds no others.",
        examples=["Fe,O"],
    )

    def to_question(self) -> SearchQuestion:
        """Return the same in the catalogue's terms."""
        given = [(noun, getattr(self, noun, [])) for noun in Noun if noun is not Noun.COMPLETE]
        # An empty field of a form asks for nothing.
        filters: dict[Noun, tuple[str, ...]] = {noun: tuple(filter(None, values)) for noun, values in given}
        if self.complete is not None:
            filters[Noun.COMPLETE] = ("true" if self.complete else "false",)
        dates = {instant: text for instant in Instant if (text := getattr(self, instant))}
        return SearchQuestion(
            text=self.q,
            filters=filters,
            parameters=tuple(self.parameter),
            elements=self.elements,
            dates=dates,
        )


class SearchParameters(ResultParameters):
    """A search: every part that is given must hold."""

    facets: Facets = Field(
        default="",
        description=f"Count the values of these, separated by commas: {', '.join(COUNTED)}.",
        examples=["instrument,technique"],
    )
    facet_mode: FacetMode = Field(
        default=FacetMode.NARROW,
        description=(
            "`wide`: each facet counts what would be found without the filters by its own noun, so that one sees what "
            "else could be chosen."
        ),
    )
    highlights: bool = Field(
        default=False, description="Each hit tells which of its values hold the words that are searched for, and where."
    )
    sort: Sort | Absent = Field(
        default=None,
        description=(
            "Relevance if words are searched for, else the newest first. By relevance the first 10,000 are paged; the "
            "other orders have no end."
        ),
    )
    order_by: Text = Field(
        default="",
        description=(
            f"Instead of `sort`: `{_ORDERS}` or a numeric parameter, with `-` before it falling. "
            "Of several values the first by the alphabet counts, or the lowest. Datasets without it come last. "
            "It has no end."
        ),
        examples=["-energy"],
    )
    limit: int = Field(default=20, ge=1, le=MAX_LIMIT, description="The most hits on the page.")
    cursor: Cursor = ""

    def to_question(self) -> SearchQuestion:
        """Return the same in the catalogue's terms."""
        return replace(
            super().to_question(),
            facets=tuple(Noun(name) for name in _split(self.facets)),
            facets_ignore_own=self.facet_mode is FacetMode.WIDE,
            highlights=self.highlights,
            sort=self.sort,
            order_by=self.order_by,
            limit=self.limit,
            cursor=self.cursor or None,
        )
