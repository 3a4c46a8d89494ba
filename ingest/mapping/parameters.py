"""Parameters: looked for in every scan, then said once for the dataset where the scans agree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Final, TypeAlias

from ingest.catalogue.vocabulary import NUMBERED, get_highest_number, to_numbered
from ingest.mapping.drafts import Moment, Origin, ParameterDraft, Quantity, Taken
from ingest.mapping.findings import is_alike, to_span
from ingest.mapping.readings import is_asked, read_place, to_text
from ingest.mapping.rule_schema import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.mapping.drafts import ScanDraft
    from ingest.mapping.findings import Search
    from ingest.mapping.plan import SourcePlan, TargetPlan
    from ingest.mapping.positions import Place, Position

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
    number: int = 0
    """The number that the owner's name states, if a rule takes it from there."""
    is_public: bool = True

    @property
    def kind(self) -> str:
        """The kind of group that is numbered: what stands before the number."""
        return self.name.partition(NUMBERED)[0]


def find_parameters(search: Search, scan: ScanDraft) -> list[Found]:
    """Return the parameters that one scan gives."""
    found = [
        Found(target.parameter, taken)
        for name, target in search.plan.targets.items()
        if target.parameter and (taken := getattr(scan, name)) is not None
    ]
    for target in search.plan.lookup.list_targets(search.index):
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
    scans = list(scans)
    numbers = _Numbers([one for _, found in scans for one in found if one.owner])
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
    """Which number each detector or attenuator has, the same in every scan: its own, if a rule takes it from its name.

    Else the first that is free, in the order of the file. Each kind of group is numbered for itself.
    """

    def __init__(self, numbered: Iterable[Found]) -> None:
        self._by_owner = {(one.kind, one.owner): one.number for one in numbered if one.number}
        self._taken = {(kind, number) for (kind, _), number in self._by_owner.items()}

    def put(self, found: list[Found]) -> None:
        """Give a number to each group of a scan that has none yet."""
        for _, kind, owner in sorted({(one.order, one.kind, one.owner) for one in found if one.owner}):
            if (kind, owner) not in self._by_owner:
                number = next(number for number in count(1) if (kind, number) not in self._taken)
                self._by_owner[kind, owner] = number
                self._taken.add((kind, number))

    def find_name(self, found: Found) -> str | None:
        """Return the parameter's name with the number of its group; None past the last number there is."""
        if not found.owner:
            return found.name
        number = self._by_owner[found.kind, found.owner]
        return to_numbered(found.name, number) if number <= get_highest_number(found.name) else None


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
        for position, place in _find_places(search, source):
            readings = read_place(place, source)
            taken: AnyTaken | None
            if target.kind is Kind.QUANTITY:
                taken = search.first_quantity(readings, target)
            else:
                taken = next((text for reading in readings if (text := to_text(reading, target, search.plan))), None)
            if taken is not None and place.order not in seen:
                seen.add(place.order)
                owner, number = position.find_numbered(place)
                yield Found(target.name, taken, owner.relative_path(), owner.order, number, target.is_public)


def _find_places(search: Search, source: SourcePlan) -> Iterator[tuple[Position, Place]]:
    for position in source.positions:
        known = search.index.find(position) if source.names is None else search.index.find_with(position, source.names)
        yield from ((position, place) for place in known if is_asked(place, source))


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
    low, high = min(low for low, _ in spans), max(high for _, high in spans)
    return Quantity(quantities[0].unit, bottom=low, top=high, count=_sum_counts(quantities))


def _sum_counts(quantities: list[Quantity]) -> int | None:
    """Return of how many values the quantities are made in all; None if one of them does not know."""
    counts = [1 if quantity.value is not None else len(quantity.values) or quantity.count for quantity in quantities]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
