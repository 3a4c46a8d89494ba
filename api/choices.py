"""What one can choose on the search page, what is chosen, and the address to which each choice leads.

The address of the page has the parameters of `GET /api/v1/datasets`; a choice is one of them more or less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlencode

from fastapi import Request

from api.links import to_address
from api.questions import SearchParameters
from ingest.catalogue.histograms import Period
from ingest.catalogue.search import Facet, Instant, Interval, Noun, Sort
from ingest.catalogue.search.folding import fold

COUNTED: Final = {
    Noun.INSTRUMENT: "Instrument",
    Noun.TECHNIQUE: "Technique",
    Noun.SAMPLE: "Sample",
    Noun.FACILITY: "Facility",
    Noun.PROBE: "Probe",
    Noun.DEFINITION: "NeXus definition",
    Noun.COMPLETE: "State",
}
"""What the page counts unless its address says otherwise, and how it is called there."""
STATES: Final = {"true": "complete", "false": "incomplete"}
_LABELS: Final = {Interval.YEAR: "%Y", Interval.MONTH: "%Y-%m"}
_NO_FILTERS: Final = {"q", "facets", "facet_mode", "highlights", "sort", "order_by", "limit", "cursor"}
_FILTERS: Final = SearchParameters.model_fields.keys() - _NO_FILTERS

Asked: TypeAlias = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter by its name and its value in words; the address adds it, or takes it away if it is chosen."""

    name: str
    value: str
    address: str
    is_chosen: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """The most frequent values of a noun, and the sum of the counts of the others."""

    name: str
    choices: tuple[Choice, ...]
    others: int


@dataclass(frozen=True, slots=True)
class PeriodChoice:
    """A month or a year in which datasets began; the address asks for those alone, or no longer, if it is chosen."""

    label: str
    count: int
    address: str
    is_chosen: bool


def to_asked(request: Request, *without: str) -> Asked:
    """Return what the address asks but for some parameters; empty fields of a form ask for nothing."""
    return [(name, value) for name, value in request.query_params.multi_items() if value and name not in without]


def to_page_address(request: Request, operation: str, asked: Asked) -> str:
    """Return the address of an operation with these parameters."""
    path = to_address(request, operation)
    return f"{path}?{urlencode(asked)}" if asked else path


def list_chosen(request: Request) -> list[Choice]:
    """Return the filters that the address holds, each with the address without it."""
    asked = to_asked(request, "cursor")
    return [
        Choice(
            name="state" if name == Noun.COMPLETE else name.replace("_", " "),
            value=_to_words(name, value),
            address=to_page_address(request, "show_search_page", [each for each in asked if each != (name, value)]),
            is_chosen=True,
        )
        for name, value in dict.fromkeys(asked)
        if name in _FILTERS
    ]


def list_groups(request: Request, facets: Mapping[Noun, Facet]) -> list[ChoiceGroup]:
    """Return what was counted as choices; what nothing has is left out."""
    asked, path = to_asked(request, "cursor"), to_address(request, "show_search_page")
    return [
        ChoiceGroup(
            name=COUNTED.get(noun, noun.capitalize()),
            choices=tuple(_to_choice(path, asked, noun, each.value, each.count) for each in facet.values),
            others=facet.others,
        )
        for noun, facet in facets.items()
        if facet.values
    ]


def list_periods(request: Request, periods: Iterable[Period], interval: Interval) -> list[PeriodChoice]:
    """Return the periods as choices, the latest first."""
    asked = to_asked(request, "cursor", Instant.START)
    chosen = request.query_params.get(Instant.START)
    choices = []
    for period in reversed(tuple(periods)):
        label = f"{period.start_date:{_LABELS[interval]}}"
        changed = asked if label == chosen else [*asked, (Instant.START.value, label)]
        address = to_page_address(request, "show_search_page", changed)
        choices.append(PeriodChoice(label, period.count, address, label == chosen))
    return choices


def list_sorts(request: Request, sorts: Iterable[Sort]) -> list[tuple[Sort, str]]:
    """Return the orders, each with the address of the same search in it."""
    asked = to_asked(request, "cursor", "sort", "order_by")
    return [(sort, to_page_address(request, "show_search_page", [*asked, ("sort", sort)])) for sort in sorts]


def _to_choice(path: str, asked: Asked, noun: Noun, value: str, count: int) -> Choice:
    """Return the choice of a value, which is chosen if it was asked for in any case and with any accents."""
    others = [(name, text) for name, text in asked if name != noun or fold(text) != fold(value)]
    is_chosen = len(others) < len(asked)
    changed = others if is_chosen else [*others, (noun.value, value)]
    address = f"{path}?{urlencode(changed)}" if changed else path
    return Choice(noun, _to_words(noun, value), address, is_chosen, count)


def _to_words(name: str, value: str) -> str:
    return STATES.get(value.lower(), value) if name == Noun.COMPLETE else value
