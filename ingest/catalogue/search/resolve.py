"""Settle what the language leaves open: which parameter a field means, and the range in that parameter's unit."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NoReturn

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search.folding import fold
from ingest.catalogue.search.nouns import ELEMENTS, SYNONYMS, Instant, Noun
from ingest.catalogue.search.query import And, FieldMatch, Match, Not, Or, ParameterRange, Place, Query
from ingest.catalogue.units import DimensionError, UnknownUnitError, convert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BOUND_TOLERANCE: Final = 1e-12
"""Values that differ by less than this part of a bound are equal to it: units were converted on both sides."""

_FIELDS: Final = (*Noun, *Instant, *SYNONYMS, ELEMENTS)
"""What a query may name besides parameters."""

_UNITLESS: Final = frozenset({"", "1", "NA", "dimensionless"})


def resolve(query: Query, parameter_units: Mapping[str, str], aliases: Mapping[str, str]) -> Query:
    """Return the same question with every parameter under its stored name and every range in its type's unit.

    Parameters
    ----------
    query
        As `parse_query` returns it.
    parameter_units
        The unit of every parameter type, by name; "" where it has none, as those that hold text.
    aliases
        Short words for parameters: `energy` for `InstrumentMonochromator_energy`.

    Raises
    ------
    InvalidQueryError
        A field that nothing is called (with the nearest names), a unit that is none or measures something else, or
        text where the parameter is a quantity; with the position in the text.
    """
    match query:
        case And(parts):
            return And(tuple(resolve(part, parameter_units, aliases) for part in parts))
        case Or(parts):
            return Or(tuple(resolve(part, parameter_units, aliases) for part in parts))
        case Not(part):
            return Not(resolve(part, parameter_units, aliases))
        case ParameterRange():
            return _resolve_range(query, parameter_units, aliases)
        case FieldMatch(field) if field not in set(Noun):
            return _resolve_match(query, parameter_units, aliases)
        case _:
            return query


def _resolve_range(asked: ParameterRange, units: Mapping[str, str], aliases: Mapping[str, str]) -> ParameterRange:
    name = get_parameter_name(asked.name, units, aliases, asked.place, beside=_FIELDS, is_word=True)
    low = None if asked.low is None else _convert(asked.low, asked, units[name])
    high = None if asked.high is None else _convert(asked.high, asked, units[name])
    return replace(
        asked,
        name=name,
        unit=None,
        low=None if low is None else _shift(low, outward=-1 if asked.includes_low else 1),
        high=None if high is None else _shift(high, outward=1 if asked.includes_high else -1),
    )


def _resolve_match(asked: FieldMatch, units: Mapping[str, str], aliases: Mapping[str, str]) -> Query:
    name = get_parameter_name(asked.field, units, aliases, asked.place, beside=_FIELDS, is_word=True)
    if asked.match is Match.WILDCARD and asked.value == "*":
        return Or((ParameterRange(name), replace(asked, field=name)))
    if units[name] not in _UNITLESS:
        example = f"{asked.field}:1..2 {units[name]}"
        _fail(f"{name} is a quantity in {units[name]} and {asked.value!r} is no number: write {example}", asked.place)
    return replace(asked, field=name)


def _convert(magnitude: float, asked: ParameterRange, target: str) -> float:
    if asked.unit is None:
        return magnitude
    if target in _UNITLESS - {"1"} and asked.unit not in _UNITLESS:
        _fail(f"{asked.name} has no unit: leave {asked.unit!r} out{_hint_at_word(asked)}", asked.place)
    try:
        return convert(magnitude, asked.unit, target)
    except (UnknownUnitError, DimensionError) as error:
        raise InvalidQueryError(f"{error}{_hint_at_word(asked)}", *_where(asked.place)) from error


def _hint_at_word(asked: ParameterRange) -> str:
    return f". If {asked.unit} is a word to search for write: and {asked.unit}"


def _shift(bound: float, outward: int) -> float:
    """Return the bound moved by the tolerance: outward if it is included, inward if not."""
    return bound + outward * BOUND_TOLERANCE * abs(bound)


def find_by_alias(written: str, aliases: Mapping[str, str]) -> str | None:
    """Return the stored name of what has this alias, which is sought as it is written and then in small letters."""
    return aliases.get(written) or aliases.get(written.lower())


def get_parameter_name(
    written: str,
    units: Mapping[str, str],
    aliases: Mapping[str, str],
    place: Place,
    *,
    beside: Iterable[str] = (),
    is_word: bool = False,
) -> str:
    """Return the stored name: as written, else by its alias, else the only one that differs in case alone.

    Raises InvalidQueryError, with the nearest names, of those `beside` parameters, too, and where it may be a word to
    search for with how to do that.
    """
    if written in units:
        return written
    alias = find_by_alias(written, aliases)
    if alias is not None and alias in units:
        return alias
    folded = fold(written)
    same = [name for name in units if fold(name) == folded]
    if len(same) == 1:
        return same[0]
    near = same or _find_near(folded, [*units, *aliases, *beside])
    advice = f"did you mean {', '.join(near)}?" if near else "nothing is called nearly so"
    if is_word:
        advice += f"{' Else' if near else ';'} put it in quotes to search for it as text"
    raise InvalidQueryError(f"no field or parameter is called {written!r}: {advice}", *_where(place))


def _find_near(folded: str, known: list[str]) -> list[str]:
    by_folded = {fold(name): name for name in known}
    containing = sorted((name for key, name in by_folded.items() if folded in key), key=len)
    close = [by_folded[key] for key in get_close_matches(folded, by_folded, n=5, cutoff=0.7)]
    return list(dict.fromkeys([*close, *containing]))[:5]


def _where(place: Place) -> tuple[int, str]:
    return place.position, place.text


def _fail(message: str, place: Place) -> NoReturn:
    raise InvalidQueryError(message, *_where(place))
