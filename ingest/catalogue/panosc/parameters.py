"""Parameters: their names, units and values as conditions, and how they are answered.

A name finds what it names in our vocabulary, too: `photon_energy` is `InstrumentBeam_incident_energy`. A unit asks for
every parameter of its kind, whose value is compared in that unit and answered in it. A parameter that holds a range or
a list reaches from its smallest value to its largest: a comparison finds it where that overlaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, select, true

from ingest.catalogue.model import ParameterType
from ingest.catalogue.panosc.matching import matches
from ingest.catalogue.panosc.request import POSITIVE, Compare, Every, Operator, Some, Text, Where, to_date, to_number
from ingest.catalogue.panosc.values import to_wire_date, to_wire_number
from ingest.catalogue.units import DimensionError, UnknownUnitError, convert
from ingest.catalogue.vocabulary import find_parameter, load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from sqlalchemy import FromClause
    from sqlalchemy.orm import Session

    Bound: TypeAlias = Callable[[ColumnElement[Any]], ColumnElement[bool]]

_UNITLESS: Final = ("", "1")
_NOISE: Final = 1e-12
"""Relative: what a conversion may change in the last digits."""


@dataclass(frozen=True, slots=True)
class KnownType:
    """A parameter type; `names` are all that it is known by, its own first."""

    id: int
    names: tuple[str, ...]
    unit: str


class ParameterTypes:
    """The parameter types of all facilities, read once for a request: some thousands at most."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def all(self) -> tuple[KnownType, ...]:
        """All types."""
        vocabulary = load_vocabulary()
        rows = self._session.execute(select(ParameterType.id, ParameterType.name, ParameterType.units))
        return tuple(
            KnownType(row.id, (row.name, *(vocabulary[row.name].aliases if row.name in vocabulary else ())), row.units)
            for row in rows
        )

    @cached_property
    def by_id(self) -> dict[int, KnownType]:
        """The types by their id."""
        return {known.id: known for known in self.all}


@dataclass(frozen=True, slots=True)
class Shown:
    """How a type is answered: under the name and in the unit in which it was asked for."""

    name: str
    unit: str


def to_parameter_condition(
    types: ParameterTypes,
    rows: FromClause,
    where: Where,
    compare: Callable[[Compare], ColumnElement[bool]],
    *,
    is_near: bool,
) -> ColumnElement[bool]:
    """Return the condition on parameters; `compare` makes those on their other properties.

    `is_near` where they are looked for beside their dataset.
    """
    return _Compiler(types, rows, compare, is_near=is_near).compile(where, None)


def to_shown(types: ParameterTypes, wheres: list[Where]) -> dict[int, Shown]:
    """Return how the types are answered that are asked for by another name or in another unit than their own."""
    shown: dict[int, Shown] = {}
    for where in wheres:
        for group in _list_groups(where):
            unit = _find_unit(group)
            names = [part for part in group if isinstance(part, Compare) and part.name == "name"]
            for known in types.all:
                if all(_is_named(known, part) for part in names) and (names or unit is not None):
                    _show(shown, known, names, unit)
    return shown


def to_parameter(row: Any, types: ParameterTypes, shown: Mapping[int, Shown]) -> dict[str, Any]:
    """Return the parameter as it is answered."""
    known = types.by_id[row.type_key]
    asked = shown.get(known.id, Shown(known.names[0], known.unit))
    return {
        "id": row.id,
        "name": asked.name,
        "value": _to_answer(row, known.unit, asked.unit),
        "unit": "" if asked.unit in _UNITLESS else asked.unit,
        "datasetId": row.datasetId,
    }


def _to_answer(row: Any, unit: str, wanted: str) -> float | str:
    if row.text is not None:
        return str(row.text)
    if row.date is not None:
        return to_wire_date(row.date)
    if row.low is None:
        return ""
    numbers = row.values or ([row.low] if row.low == row.high else [row.low, row.high])
    said = [to_wire_number(each if unit == wanted else convert(each, unit, wanted)) for each in numbers]
    if len(said) == 1:
        return said[0]
    return ", ".join(map(str, said)) if row.values else "..".join(map(str, said))


def _show(shown: dict[int, Shown], known: KnownType, names: list[Compare], unit: str | None) -> None:
    before = shown.get(known.id, Shown(known.names[0], known.unit))
    asked = [part.value for part in names if part.operator is Operator.EQ]
    name = str(asked[0]) if asked else before.name
    fits = unit is not None and unit not in _UNITLESS and _is_convertible(unit, known.unit)
    shown[known.id] = Shown(name, str(unit) if fits else before.unit)


def _list_groups(where: Where) -> Iterator[tuple[Where, ...]]:
    """Yield what must hold together of one parameter, one group for each alternative that stands within another."""
    parts = _flatten(where)
    yield tuple(part for part in parts if not isinstance(part, Some))
    for part in parts:
        if isinstance(part, Some):
            rest = tuple(each for each in parts if each is not part and not isinstance(each, Some))
            for choice in part.parts:
                yield from _list_groups(Every((choice, *rest)))


def _flatten(where: Where) -> list[Where]:
    if isinstance(where, Every):
        return [each for part in where.parts for each in _flatten(part)]
    return [where]


def _find_unit(parts: tuple[Where, ...] | list[Where]) -> str | None:
    """Return the unit in which the values are given that stand beside it."""
    for part in parts:
        if isinstance(part, Compare) and part.name == "unit" and part.operator is Operator.EQ:
            return None if part.value is None else str(part.value)
    return None


def _unbound(_: ColumnElement[Any]) -> ColumnElement[bool]:
    return true()


class _Compiler:
    def __init__(
        self,
        types: ParameterTypes,
        rows: FromClause,
        compare: Callable[[Compare], ColumnElement[bool]],
        *,
        is_near: bool,
    ) -> None:
        self._types, self._rows, self._compare, self._is_near = types, rows, compare, is_near
        self._all = frozenset(types.by_id)

    def compile(self, where: Where, unit: str | None) -> ColumnElement[bool]:
        """Return the condition; `unit` is the one that values are given in."""
        parts = _flatten(where)
        found = _find_unit(parts)
        given = unit if found is None else found
        ids = self._all.intersection(*(self._find_types(part) for part in parts))
        rest = [part for part in parts if not (isinstance(part, Compare) and part.name in ("name", "unit"))]
        # A number is asked for with its types; said once more of all, they would keep a database from what it knows.
        is_said = not self._is_near and any(_is_plain(part) for part in rest)
        types = true() if is_said else self._of_types(ids)
        return and_(types, *(self._compile_part(part, given, ids) for part in rest))

    def _find_types(self, part: Where) -> frozenset[int]:
        """Return the types that a condition on name or unit leaves."""
        match part:
            case Compare(name="name"):
                return frozenset(known.id for known in self._types.all if _is_named(known, part))
            case Compare(name="unit"):
                return frozenset(known.id for known in self._types.all if _has_unit(known, part))
        return self._all

    def _compile_part(self, part: Where, unit: str | None, ids: frozenset[int]) -> ColumnElement[bool]:
        match part:
            case Some(parts):
                return or_(false(), *(self.compile(each, unit) for each in parts))
            case Compare(name="value"):
                return self._has_value(part, unit, ids)
            case Compare():
                return self._compare(part)
            case Text() | Every():
                return false()

    def _of_types(self, ids: frozenset[int]) -> ColumnElement[bool]:
        if ids == self._all:
            return true()
        type_key = self._rows.c.type_key
        # Of the few of one dataset each is looked at: by its type SQLite would walk through those of all datasets.
        return (type_key + 0 if self._is_near else type_key).in_(sorted(ids)) if ids else false()

    def _has_value(self, asked: Compare, unit: str | None, ids: frozenset[int]) -> ColumnElement[bool]:
        if asked.operator in POSITIVE:
            positive = replace(asked, operator=POSITIVE[asked.operator])
            return not_(func.coalesce(self._has_value(positive, unit, ids), false()))
        return or_(self._has_number(asked, unit, ids), self._has_text(asked), self._has_date(asked))

    def _has_number(self, asked: Compare, unit: str | None, ids: frozenset[int]) -> ColumnElement[bool]:
        numbers = _to_numbers(asked)
        if numbers is None:
            return false()
        if unit is None or unit in _UNITLESS:
            return self._reaches(asked.operator, numbers, 0.0, ids)
        by_unit: dict[str, set[int]] = {}
        for known in self._types.all:
            if known.id in ids:
                by_unit.setdefault(known.unit, set()).add(known.id)
        choices = [
            self._reaches(asked.operator, *_convert_all(numbers, unit, own), frozenset(of_unit))
            for own, of_unit in by_unit.items()
            if _is_convertible(unit, own)
        ]
        return or_(false(), *choices)

    def _reaches(
        self, operator: Operator, numbers: list[float], noise: float, ids: frozenset[int]
    ) -> ColumnElement[bool]:
        slack = [abs(number) * noise for number in numbers]
        match operator:
            case Operator.GT:
                return self._lies(ids, lambda top: top > numbers[0] + slack[0])
            case Operator.GTE:
                return self._lies(ids, lambda top: top >= numbers[0] - slack[0])
            case Operator.LT:
                return self._lies(ids, lowest=lambda bottom: bottom < numbers[0] - slack[0])
            case Operator.LTE:
                return self._lies(ids, lowest=lambda bottom: bottom <= numbers[0] + slack[0])
            case Operator.BETWEEN:
                return self._lies_between(ids, numbers[0] - slack[0], numbers[1] + slack[1])
        around = zip(numbers, slack, strict=True)
        return or_(false(), *(self._lies_between(ids, number - near, number + near) for number, near in around))

    def _lies_between(self, ids: frozenset[int], low: float, high: float) -> ColumnElement[bool]:
        return self._lies(ids, lambda top: top >= low, lambda bottom: bottom <= high)

    def _lies(self, ids: frozenset[int], highest: Bound = _unbound, lowest: Bound = _unbound) -> ColumnElement[bool]:
        """Return whether highest and lowest value of such a type are as they should be.

        Beside a dataset all of its own are looked at. Among all parameters single numbers, which are most, and ranges
        are asked for apart, each with its type, as ix_dataset_parameter_value has them.
        """
        rows, of_types = self._rows.c, self._of_types(ids)
        if self._is_near:
            return and_(of_types, highest(rows.high), lowest(rows.low))
        return or_(
            and_(of_types, rows.bottom.is_(None), highest(rows.number), lowest(rows.number)),
            and_(of_types, rows.bottom.is_not(None), highest(rows.high), lowest(rows.bottom)),
        )

    def _has_text(self, asked: Compare) -> ColumnElement[bool]:
        texts = _to_texts(asked)
        return false() if texts is None else self._compare(replace(texts, name="text"))

    def _has_date(self, asked: Compare) -> ColumnElement[bool]:
        values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
        dates = [to_date(value) if isinstance(value, str) else None for value in values]
        if asked.operator in (Operator.LIKE, Operator.ILIKE, Operator.REGEXP) or None in dates or not dates:
            return false()
        value = tuple(dates) if isinstance(asked.value, tuple) else dates[0]
        return self._compare(replace(asked, name="date", value=value))


def _is_plain(part: Where) -> bool:
    """Return whether a number is asked for and nothing else."""
    if not isinstance(part, Compare) or part.name != "value" or part.operator in POSITIVE:
        return False
    return _to_numbers(part) is not None and _to_texts(part) is None


def _to_numbers(asked: Compare) -> list[float] | None:
    """Return the numbers to compare with, None if there are none: of several those that are."""
    if asked.operator in (Operator.LIKE, Operator.ILIKE, Operator.REGEXP):
        return None
    values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
    numbers = [
        to_number(value) for value in values if isinstance(value, str | float | int) and not isinstance(value, bool)
    ]
    known = [number for number in numbers if number is not None]
    is_partial = len(known) < len(values) and asked.operator is not Operator.INQ
    return None if not known or is_partial else known


def _to_texts(asked: Compare) -> Compare | None:
    """Return the comparison with texts, None if it is with none: of several those that are."""
    values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
    texts = tuple(value for value in values if isinstance(value, str))
    if not texts or (len(texts) < len(values) and asked.operator is not Operator.INQ):
        return None
    return replace(asked, value=texts) if isinstance(asked.value, tuple) else asked


def _convert_all(numbers: list[float], unit: str, own: str) -> tuple[list[float], float]:
    if unit == own:
        return numbers, 0.0
    return [convert(number, unit, own) for number in numbers], _NOISE


@lru_cache(maxsize=4096)
def _is_convertible(unit: str, own: str) -> bool:
    if unit in _UNITLESS or own in _UNITLESS:
        return unit in _UNITLESS and own in _UNITLESS
    try:
        return math.isfinite(convert(1.0, unit, own))
    except (DimensionError, UnknownUnitError):
        return False


def _has_unit(known: KnownType, asked: Compare) -> bool:
    """Return whether the type is measured in such a unit; one that is named stands for all of its kind."""
    if asked.operator in POSITIVE:
        return not _has_unit(known, replace(asked, operator=POSITIVE[asked.operator]))
    if asked.operator in (Operator.EQ, Operator.INQ):
        values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
        return any(
            value == known.unit or _is_convertible(str(value), known.unit) for value in values if value is not None
        )
    return matches("" if known.unit in _UNITLESS else known.unit, asked)


def _is_named(known: KnownType, asked: Compare) -> bool:
    """Return whether the type is called so; what is denied must be none of its names."""
    if asked.operator in POSITIVE:
        return not _is_named(known, replace(asked, operator=POSITIVE[asked.operator]))
    if asked.operator is Operator.EQ and isinstance(asked.value, str):
        meant = find_parameter(asked.value)
        return asked.value in known.names or (meant is not None and meant.name == known.names[0])
    return any(matches(name, asked) for name in known.names)
