"""Parameters: looked for in every scan, then said once for the dataset where the scans agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from ingest.catalogue.vocabulary import HIGHEST_NUMBER, NUMBERED
from ingest.mapping.drafts import Moment, Origin, ParameterDraft, Quantity, Taken
from ingest.mapping.findings import is_alike, to_span
from ingest.mapping.readings import is_asked, read_place, to_text
from ingest.mapping.rule_schema import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.mapping.drafts import ScanDraft
    from ingest.mapping.findings import Search
    from ingest.mapping.plan import SourcePlan, TargetPlan
    from ingest.mapping.positions import Place

AnyTaken: TypeAlias = "Taken[Quantity] | Taken[str] | Taken[Moment]"

LONGEST_LIST: Final = 32
"""Distinct values of the scans that are listed; more become a range."""
_AGREE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Found:
    """A parameter of one scan; `owner` is the numbered group that it belongs to, by its path below the entry."""

    name: str
    value: AnyTaken
    owner: str = ""
    order: int = 0
    """Where the owner stands in the file."""
    is_public: bool = True


def find_parameters(search: Search, scan: ScanDraft) -> list[Found]:
    """Return the parameters that one scan gives."""
    found = [
        Found(target.parameter, taken)
        for name, target in search.plan.targets.items()
        if target.parameter and (taken := getattr(scan, name)) is not None
    ]
    for target in search.plan.parameters:
        if target.is_numbered:
            found += _find_numbered(search, target)
        elif (taken := _find_one(search, target)) is not None:
            found.append(Found(target.name, taken, is_public=target.is_public))
    return found


def to_parameters(scans: Iterable[tuple[str, list[Found]]]) -> tuple[ParameterDraft, ...]:
    """Return the parameters of the dataset: one where all scans that give it agree.

    Where they differ, numbers are also summarised for the dataset, as a list or a range, and each scan keeps its own.
    """
    by_name: dict[str, list[tuple[str, AnyTaken]]] = {}
    closed: set[str] = set()
    numbers = _Numbers()
    for entry, found in scans:
        numbers.put(found)
        for one in found:
            name = numbers.find_name(one)
            if name is not None:
                by_name.setdefault(name, []).append((entry, one.value))
                if not one.is_public:
                    closed.add(name)
    drafts = (draft for name, values in by_name.items() for draft in _to_drafts(name, values))
    return tuple(replace(draft, is_public=False) if draft.name in closed else draft for draft in drafts)


class _Numbers:
    """Which number each detector has: given in the order of the file, the same in every scan."""

    def __init__(self) -> None:
        self._by_owner: dict[str, int] = {}

    def put(self, found: list[Found]) -> None:
        """Give a number to each group of a scan that has none yet."""
        for _, owner in sorted({(one.order, one.owner) for one in found if one.owner}):
            self._by_owner.setdefault(owner, len(self._by_owner) + 1)

    def find_name(self, found: Found) -> str | None:
        """Return the parameter's name with the number of its group; None past the last number there is."""
        if not found.owner:
            return found.name
        number = self._by_owner[found.owner]
        return found.name.replace(NUMBERED, f"{number:02d}") if number <= HIGHEST_NUMBER else None


def _find_one(search: Search, target: TargetPlan) -> AnyTaken | None:
    if target.kind is Kind.QUANTITY:
        return search.find_quantity(target)
    if target.kind is Kind.TIME:
        return search.find_time(target)
    return search.find_text(target)


def _find_numbered(search: Search, target: TargetPlan) -> Iterator[Found]:
    """Yield the parameter for each group that gives it."""
    seen: set[int] = set()
    for source in target.sources:
        for place in _find_places(search, source):
            readings = read_place(place, source)
            taken: AnyTaken | None
            if target.kind is Kind.QUANTITY:
                taken = search.first_quantity(readings, target)
            else:
                taken = next((text for reading in readings if (text := to_text(reading, target, search.plan))), None)
            if taken is not None and place.order not in seen:
                seen.add(place.order)
                yield Found(target.name, taken, place.relative_path(), place.order, target.is_public)


def _find_places(search: Search, source: SourcePlan) -> Iterator[Place]:
    for position in source.positions:
        known = search.index.find(position) if source.names is None else search.index.find_with(position, source.names)
        yield from (place for place in known if is_asked(place, source))


def _to_drafts(name: str, values: list[tuple[str, AnyTaken]]) -> list[ParameterDraft]:
    first = values[0][1]
    if all(_is_same(first, other) for _, other in values[1:]):
        return [ParameterDraft(name, first)]
    each = [ParameterDraft(name, value, entry) for entry, value in values]
    quantities = [value.value for _, value in values if isinstance(value.value, Quantity)]
    if len(quantities) < len(values):
        return each
    # No one path leads to a sum of several: each of them stands beside it with its own.
    return [ParameterDraft(name, Taken(_summarise(quantities), origin=Origin.DERIVED)), *each]


def _is_same(one: AnyTaken, other: AnyTaken) -> bool:
    if isinstance(one.value, Quantity) and isinstance(other.value, Quantity):
        is_list = bool(one.value.values), bool(other.value.values)
        return one.value.values == other.value.values if any(is_list) else is_alike(one.value, other.value, _AGREE)
    return one.value == other.value


def _summarise(quantities: list[Quantity]) -> Quantity:
    numbers = sorted({quantity.value for quantity in quantities if quantity.value is not None})
    if len(numbers) <= LONGEST_LIST and all(quantity.value is not None for quantity in quantities):
        return Quantity(quantities[0].unit, values=tuple(numbers))
    spans = [to_span(quantity) for quantity in quantities]
    return Quantity(quantities[0].unit, bottom=min(low for low, _ in spans), top=max(high for _, high in spans))
