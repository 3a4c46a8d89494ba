"""Months and days as the columns of an index have them, and the periods that they make up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ingest.catalogue.search.index import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.catalogue.search.nouns import Instant

MOST_PERIODS: Final = 60_000
"""Engines refuse some 65,000 buckets; so many days are 164 years."""
_MONTHS: Final = {Interval.YEAR: 12, Interval.QUARTER: 3, Interval.MONTH: 1}


def to_column(instant: Instant, interval: Interval) -> str:
    """Return the column by which dates are counted in such periods."""
    return f"{instant}_{'day' if interval is Interval.DAY else 'month'}"


def join_periods(interval: Interval, counts: Iterable[tuple[int, int]]) -> dict[datetime, int]:
    """Return the counts of months or days (`keys.to_month`, `to_day`) by the first instant of their period, rising."""
    joined = Counter[int]()
    length = _MONTHS.get(interval, 1)
    for number, count in counts:
        joined[number - number % length] += count
    return {_to_begin(interval, number): joined[number] for number in sorted(joined)}


def _to_begin(interval: Interval, number: int) -> datetime:
    if interval is Interval.DAY:
        return datetime.fromordinal(number).replace(tzinfo=UTC)
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
