"""A query as text in the language: the inverse of `parse_query`, for addresses that are handed on.

Each leaf is written in the shortest of its forms that is read as the same leaf: what needs quotes is not decided twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, assert_never

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search.language import parse_query
from ingest.catalogue.search.query import (
    All,
    And,
    DateRange,
    Elements,
    FieldMatch,
    Match,
    Not,
    Or,
    ParameterRange,
    Phrase,
    Query,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.catalogue.search.query import Leaf


def to_text(query: Query) -> str:
    """Return the text that `parse_query` makes the same tree of.

    Raises InvalidQueryError for a tree that is longer or deeper than the language takes, or that it has no words for,
    such as a range open at both ends, or one of two bounds one of which is left out.
    """
    text = _write(query)
    if parse_query(text) != query:
        raise InvalidQueryError("a query of this form cannot be written as text")
    return text


def _write(query: Query) -> str:
    match query:
        case And(parts):
            return _write_all(parts)
        case Or(parts):
            return " or ".join(map(_write_part, parts))
        case Not(part):
            return f"not {_write_part(part)}"
        case _:
            return _write_leaf(query)


def _write_all(parts: tuple[Query, ...]) -> str:
    """Return the parts side by side; behind a number without a unit the next word would be taken for one."""
    written = ""
    for part in parts:
        written += f"{written and ' '}{_write_part(part)}"
        if isinstance(part, ParameterRange) and part.unit is None and part is not parts[-1]:
            written += " and"
    return written


def _write_part(part: Query) -> str:
    return f"({_write(part)})" if isinstance(part, And | Or) else _write(part)


def _write_leaf(leaf: Leaf) -> str:
    """Return the first form that is read as this leaf."""
    refusal = InvalidQueryError("a query of this form cannot be written as text")
    for text in _list_forms(leaf):
        try:
            if parse_query(text) == leaf:
                return text
        except InvalidQueryError as error:
            refusal = InvalidQueryError(f"{text[:100]}: {error.message}")
    raise refusal


def _list_forms(leaf: Leaf) -> Iterator[str]:
    match leaf:
        case All():
            yield "*"
        case Word(text, match):
            yield f"{text}{_to_sign(match)}"
        case Phrase(text):
            yield _quote(text)
        case FieldMatch(field, value, match):
            values = (f"{value}{_to_sign(match)}", _quote(value))
            yield from (f"{name}:{written}" for name in (field, _quote(field)) for written in values)
        case ParameterRange(name):
            yield from (f"{written}:{_write_range(leaf)}" for written in (name, _quote(name)))
        case DateRange(field):
            yield from (f"{field}:{written}" for written in _list_dates(leaf))
        case Elements(symbols, is_exact):
            yield f"elements:{'=' * is_exact}{','.join(symbols)}"
        case _:
            assert_never(leaf)


def _to_sign(match: Match) -> str:
    return "~" if match is Match.FUZZY else ""


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write_range(asked: ParameterRange) -> str:
    unit = "" if asked.unit is None else f" {asked.unit}"
    if asked.low is None and asked.high is not None:
        return f"<{'=' * asked.includes_high}{_write_number(asked.high)}{unit}"
    if asked.high is None and asked.low is not None:
        return f">{'=' * asked.includes_low}{_write_number(asked.low)}{unit}"
    return "..".join(_write_number(bound) for bound in (asked.low, asked.high)) + unit


def _write_number(number: float | None) -> str:
    return "" if number is None else repr(float(number)).removesuffix(".0")


def _list_dates(asked: DateRange) -> Iterator[str]:
    low, high = asked.low, asked.high
    if low is None and high is None:
        yield "*"
    if low is not None and high is not None:
        day = low.astimezone(UTC).date().isoformat()
        yield from (day[:4], day[:7], day)
    first = "" if low is None else _write_instant(low)
    last = "" if high is None else _write_last(high)
    yield f"{first}..{last}"


def _write_instant(instant: datetime) -> str:
    """Return the day if it begins then, else the instant with all its digits."""
    utc = instant.astimezone(UTC)
    return utc.date().isoformat() if utc.time() == time() else f"{utc:%Y-%m-%dT%H:%M:%S.%fZ}".zfill(27)


def _write_last(end: datetime) -> str:
    """Return the day, or else the microsecond, that ends where this instant begins."""
    utc = end.astimezone(UTC)
    if utc.time() == time():
        return (utc - timedelta(days=1)).date().isoformat()
    return f"{utc - timedelta(microseconds=1):%Y-%m-%dT%H:%M:%S.%fZ}".zfill(27)
