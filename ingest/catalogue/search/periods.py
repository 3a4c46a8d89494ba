"""Dates as people write them: `2025`, `2025-03`, `2025-03-31`, `2025-03-31T12:00Z` each mean a period."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_PERIOD: Final = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def parse_period(text: str) -> tuple[datetime, datetime] | None:
    """Return the first instant of the period and the first one after it, or None if the text is no date.

    A time without a zone is UTC, as everything in the catalogue.
    """
    match = _PERIOD.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    shift = _offset(zone)
    try:
        begin = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), tzinfo=UTC)
        begin = begin.replace(second=int(second or 0), microsecond=int((fraction or "0").ljust(6, "0")))
        return begin - shift, _end(begin, match) - shift
    except (ValueError, OverflowError):
        return None


def _end(begin: datetime, match: re.Match[str]) -> datetime:
    """Return the first instant after the period that begins then and is as long as the last part that was written."""
    _, month, day, hour, _, second, fraction, _ = match.groups()
    if month is None:
        return begin.replace(year=begin.year + 1)
    if day is None:
        return (begin + timedelta(days=31)).replace(day=1)
    if hour is None:
        return begin + timedelta(days=1)
    if second is None:
        return begin + timedelta(minutes=1)
    return begin + (timedelta(seconds=1) if fraction is None else timedelta(microseconds=10 ** (6 - len(fraction))))


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta(0)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -size if zone[0] == "-" else size


def to_bounds(operator: str, period: tuple[datetime, datetime]) -> tuple[datetime | None, datetime | None]:
    """Return the half-open bounds of a comparison with a period: `>2025` begins in 2026, `>=2025` in 2025."""
    begin, end = period
    match operator:
        case "<":
            return None, begin
        case "<=":
            return None, end
        case ">":
            return end, None
        case ">=":
            return begin, None
        case _:
            return begin, end
