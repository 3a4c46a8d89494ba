"""What one may ask of the lists of resources in the query string. The rest is refused."""

from typing import Annotated

from pydantic import Field

from api.questions import MAX_VALUES, Absent, PageQuestion, Text, Values, to_filter
from ingest.catalogue.browsing import ScanFilter
from ingest.catalogue.counting import CountedSort
from ingest.catalogue.instruments import InstrumentQuestion
from ingest.catalogue.investigations import InvestigationQuestion, InvestigationSort
from ingest.catalogue.linked_files import LinkedState
from ingest.catalogue.matching import MAX_WORDS
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.parameter_types import ParameterTypeQuestion
from ingest.catalogue.samples import SampleQuestion
from ingest.catalogue.techniques import TechniqueQuestion
from ingest.catalogue.vocabulary import ValueType


def _words(places: str, example: str) -> str:
    """Return the declaration of a search for words."""
    declared: str = Field(
        default="", description=f"Words, at most {MAX_WORDS}; each stands in {places}.", examples=[example]
    )
    return declared


def _sort(meaning: str, default: str) -> CountedSort:
    declared: CountedSort = Field(default=CountedSort(default), description=meaning)
    return declared


class ScansQuestion(PageQuestion):
    """Which scans."""

    q: Text = _words("title or command", "ascan samx")
    definition: Values = to_filter("NeXus application definition", "NXxrd")
    ended: bool | Absent = Field(default=None, description="Only those that have ended, or only those that have not.")
    motor: Values = to_filter("Motor that it moved", "samx")
    counter: Values = to_filter("Channel that it measured", "I0")
    detector: Values = to_filter("Detector, by the name of its group", "eiger")
    kind: Values = to_filter("What it was taken for", "dark")
    linked: Annotated[list[LinkedState], Field(max_length=MAX_VALUES)] = Field(
        default_factory=list, description="What became of a file that it needs.", examples=[["missing"]]
    )
    served_by: Text | Absent = Field(
        default=None, description="Entry name of a scan, such as of darks: those that it serves.", examples=["1.1"]
    )

    def to_filter(self) -> ScanFilter:
        """Return the same in the catalogue's terms."""
        return ScanFilter(
            text=self.q,
            definitions=_given(self.definition),
            is_ended=self.ended,
            motors=_given(self.motor),
            counters=_given(self.counter),
            detectors=_given(self.detector),
            kinds=_given(self.kind),
            linked=tuple(self.linked),
            served_by=self.served_by,
        )


class ParametersQuestion(PageQuestion):
    """Which parameters."""

    q: Text = _words("the name", "energy")
    scan: Text | Absent = Field(
        default=None,
        description="Entry name of a scan, such as `1.1`: its parameters, not the dataset's own; `*`: of all scans.",
        examples=["1.1"],
    )


class FilesQuestion(PageQuestion):
    """Which files."""

    name: Text = Field(
        default="",
        description="A part of the name; with `*` or `?` in it what the whole name is like, such as `*/eiger_*.h5`.",
        examples=["eiger"],
    )
    vanished: bool | Absent = Field(
        default=None, description="Only those that are no longer on disk, or only those that are."
    )


class InvestigationsQuestion(PageQuestion):
    """Which investigations: every part that is given must hold."""

    q: Text = _words("name, visit, title or summary", "bearing steel")
    facility: Values = to_filter("Facility", "local")
    proposal: Values = to_filter("Proposal", "hc6001")
    instrument: Values = to_filter("Instrument of one of its datasets", "id11")
    sample: Values = to_filter("Name of a sample, letter by letter", "LaB6")
    date: Text = Field(
        default="",
        description="When one of its datasets began: a date, a month, a year or a span, such as `2025-03..2025-05`.",
        examples=["2025-03..2025-05"],
    )
    sort: InvestigationSort = Field(
        default=InvestigationSort.NEWEST, description="By when the first dataset began, or by name."
    )

    def to_question(self) -> InvestigationQuestion:
        """Return the same in the catalogue's terms."""
        return InvestigationQuestion(
            text=self.q,
            facilities=_given(self.facility),
            proposals=_given(self.proposal),
            instruments=_given(self.instrument),
            samples=_given(self.sample),
            date=self.date,
            sort=self.sort,
        )


class SamplesQuestion(PageQuestion):
    """Which samples: every part that is given must hold."""

    q: Text = _words("the name", "LaB6")
    name: Values = to_filter("Name, letter by letter", "LaB6")
    formula: Values = to_filter("Formula", "LaB6")
    facility: Values = to_filter("Facility", "local")
    proposal: Values = to_filter("Proposal within which it has its name", "hc6001")
    investigation_id: Annotated[int, Field(ge=1, le=LARGEST_KEY)] | Absent = Field(
        default=None, description="Only those of the investigation with this `id`.", examples=[7]
    )

    def to_question(self) -> SampleQuestion:
        """Return the same in the catalogue's terms."""
        return SampleQuestion(
            text=self.q,
            names=_given(self.name),
            formulas=_given(self.formula),
            facilities=_given(self.facility),
            proposals=_given(self.proposal),
            investigation_id=self.investigation_id,
        )


class InstrumentsQuestion(PageQuestion):
    """Which instruments."""

    q: Text = _words("name, full name or description", "id11")
    facility: Values = to_filter("Facility", "local")
    sort: CountedSort = _sort("By name, or those with the most datasets first.", "name")

    def to_question(self) -> InstrumentQuestion:
        """Return the same in the catalogue's terms."""
        return InstrumentQuestion(text=self.q, facilities=_given(self.facility), sort=self.sort)


class TechniquesQuestion(PageQuestion):
    """Which techniques."""

    q: Text = _words("name, description or identifier", "diffraction")
    sort: CountedSort = _sort("By name, or those with the most datasets first.", "name")

    def to_question(self) -> TechniqueQuestion:
        """Return the same in the catalogue's terms."""
        return TechniqueQuestion(text=self.q, sort=self.sort)


class ParameterTypesQuestion(PageQuestion):
    """Which parameter types: every part that is given must hold."""

    limit: int = Field(default=50, ge=1, le=200, description="The most items on the page; each is measured.")
    q: Text = _words("name, short names or meaning", "energy")
    unit: Text = Field(default="", description="A unit: those in a unit of its kind.", examples=["eV"])
    value_type: Annotated[list[ValueType], Field(max_length=MAX_VALUES)] = Field(
        default_factory=list, description="What its values are.", examples=[["NUMERIC"]]
    )
    facility: Values = to_filter("Facility", "local")
    sort: CountedSort = _sort("By name, or those that the most datasets have first.", "name")

    def to_question(self) -> ParameterTypeQuestion:
        """Return the same in the catalogue's terms."""
        return ParameterTypeQuestion(
            text=self.q,
            unit=self.unit,
            value_types=tuple(self.value_type),
            facilities=_given(self.facility),
            sort=self.sort,
        )


def _given(values: list[str]) -> tuple[str, ...]:
    # An empty field of a form asks for nothing.
    return tuple(filter(None, values))
