"""One target after another, looked for in one entry: the first acceptable reading wins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ingest.catalogue.units import DimensionError, UnknownUnitError, convert, parse_unit
from ingest.mapping.drafts import Moment, Quantity, Taken
from ingest.mapping.readings import read_candidates, to_numbers, to_original, to_quantity, to_text
from ingest.mapping.times import ZONE_ATTRIBUTES, to_moment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from zoneinfo import ZoneInfo

    from ingest.catalogue.units import Probe
    from ingest.mapping.plan import Plan, SourcePlan, TargetPlan
    from ingest.mapping.positions import EntryIndex
    from ingest.mapping.readings import Numbers, Reading

LARGEST_COUNT: Final = 2**53
"""More points no scan has, and fewer a database can count."""
AGREE: Final = 0.02
"""Relative; a bare number is given the unit that makes it agree this well with its partner."""


@dataclass(slots=True)
class Search:
    """One entry and the rules for it; `flags` collects what a curator should look at."""

    index: EntryIndex
    plan: Plan
    zone: ZoneInfo
    flags: list[str] = field(default_factory=list)
    probe: Probe | None = None

    def find_text(self, target: TargetPlan) -> Taken[str] | None:
        """Return the first text that is one."""
        found = (to_text(reading, target, self.plan) for reading in read_candidates(self.index, target))
        return next((text for text in found if text is not None), None)

    def find_time(self, target: TargetPlan) -> Taken[Moment] | None:
        """Return the first time that can be understood."""
        for reading in read_candidates(self.index, target):
            moment = self.find_moment(reading, target)
            if moment is not None:
                return Taken(moment, reading.path, to_original(reading.value))
        return None

    def find_integer(self, target: TargetPlan) -> Taken[int] | None:
        """Return the first whole number above zero."""
        for reading in read_candidates(self.index, target):
            numbers = to_numbers(reading, target)
            if numbers is not None and len(numbers.values) == 1 and 1 <= numbers.values[0] <= LARGEST_COUNT:
                return Taken(int(numbers.values[0]), reading.path, to_original(reading.value))
        return None

    def find_length(self, target: TargetPlan) -> Taken[int] | None:
        """Return the length of the first array that has one."""
        for reading in read_candidates(self.index, target):
            if reading.field is not None and reading.field.shape and reading.field.shape[0] <= LARGEST_COUNT:
                return Taken(reading.field.shape[0], reading.path, "x".join(map(str, reading.field.shape)))
        return None

    def find_quantity(
        self, target: TargetPlan, *, expected: float | None = None, stated_only: bool = False
    ) -> Taken[Quantity] | None:
        """Return the first believable quantity.

        `expected` is what physics expects, in the target's unit; it decides the unit of a bare number.
        `stated_only` passes over numbers without a unit of their own.
        """
        return self.first_quantity(read_candidates(self.index, target), target, expected, stated_only=stated_only)

    def first_quantity(
        self,
        readings: Iterable[Reading],
        target: TargetPlan,
        expected: float | None = None,
        *,
        stated_only: bool = False,
    ) -> Taken[Quantity] | None:
        """Return the first of the readings that is a believable quantity."""
        for reading in readings:
            numbers = to_numbers(reading, target)
            if numbers is None or (numbers.unit is None and (stated_only or reading.source.needs_unit)):
                continue
            unit = self.find_unit(numbers, target, reading.source, expected)
            taken = self._convert(reading, numbers, target, unit) if unit is not None else None
            if taken is not None:
                return taken
        return None

    def _convert(self, reading: Reading, numbers: Numbers, target: TargetPlan, unit: str) -> Taken[Quantity] | None:
        try:
            return to_quantity(reading, numbers, target, unit)
        except (UnknownUnitError, DimensionError):
            if target.name in self.plan.targets:
                self.flags.append(f"{reading.path} has the unit {unit!r}, which is none for {target.name}: not taken")
            return None

    def find_unit(
        self, numbers: Numbers, target: TargetPlan, source: SourcePlan, expected: float | None = None
    ) -> str | None:
        """Return the unit to take the numbers in: the file's, else one that is believed; None if none is."""
        if numbers.unit is not None:
            is_bare = target.unit == "1" and (source.own_unit or parse_unit(numbers.unit) is None)
            return "1" if is_bare and not is_ratio(numbers.unit) else numbers.unit
        if target.unit == "1" or source.own_unit:
            return target.unit
        for bare in target.bare:
            if bare.probe is not None and bare.probe is not self.probe:
                continue
            if expected is None:
                is_believed = all(bare.low <= number <= bare.high for number in numbers.values)
            else:
                is_believed = abs(convert(numbers.values[0], bare.unit, target.unit) - expected) <= AGREE * expected
            if is_believed:
                return bare.unit
        return None

    def find_moment(self, reading: Reading, target: TargetPlan) -> Moment | None:
        """Return the instant that is meant; None if it is no time."""
        value = reading.value[0] if isinstance(reading.value, list) and reading.value else reading.value
        if value is None or isinstance(value, bool | list):
            return None
        attributes = reading.field.attributes if reading.field is not None else {}
        zone_text = next((str(attributes[name]) for name in ZONE_ATTRIBUTES if name in attributes), None)
        return to_moment(value, self.zone, day=self._find_day(target), zone_text=zone_text)

    def _find_day(self, target: TargetPlan) -> date | None:
        for name in target.day_from:
            value = self.index.root.group.attributes.get(name)
            moment = to_moment(value, self.zone) if isinstance(value, str) else None
            if moment is not None:
                return datetime.fromisoformat(moment.written).date()
        return None


@lru_cache(maxsize=1024)
def is_ratio(unit: str) -> bool:
    """Whether a unit is that of a bare number, such as per cent."""
    try:
        convert(1.0, unit, "1")
    except (UnknownUnitError, DimensionError):
        return False
    return True


def is_alike(one: Quantity, other: Quantity, tolerance: float) -> bool:
    """Whether two quantities say the same, within a relative tolerance."""
    first, second = to_span(one), to_span(other)
    return all(abs(a - b) <= tolerance * max(abs(a), abs(b)) for a, b in zip(first, second, strict=True))


def to_span(quantity: Quantity) -> tuple[float, float]:
    """Return the lowest and the highest number of a quantity."""
    if quantity.value is not None:
        return quantity.value, quantity.value
    if quantity.values:
        return min(quantity.values), max(quantity.values)
    return quantity.bottom or 0.0, quantity.top or 0.0


def to_words(taken: Taken[Quantity]) -> str:
    """Return what a place says, for a flag: its path, with the number and the unit as they stand there."""
    return f"{taken.path} ({taken.original} {taken.original_unit or 'no unit'})"
