"""Counting a whole result by periods and in bins, for whoever may find it. Functions that only read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from math import floor, isfinite, log10
from typing import TYPE_CHECKING, Final

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.finding import resolve_parameter, settle_unit, to_request
from ingest.catalogue.search import Interval
from ingest.catalogue.search.index import MAX_BINS
from ingest.catalogue.search.keys import to_edge
from ingest.catalogue.search.resolve import BOUND_TOLERANCE
from ingest.catalogue.units import convert

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.finding import SearchQuestion
    from ingest.catalogue.search import DatasetIndex, Instant
    from ingest.catalogue.visibility import Viewer

_MOST_DAYS: Final = {Interval.DAY: 1, Interval.MONTH: 31, Interval.QUARTER: 93, Interval.YEAR: 366}
_STEPS: Final = (1, 2, 5, 10)
_ALIKE: Final = 1e-9
"""Numbers that differ by less than this part of them are one for the choice of bins."""


@dataclass(frozen=True, slots=True)
class Period:
    """A year, quarter, month or day in UTC, and how many datasets fall into it; it ends before `end_date`."""

    start_date: datetime
    end_date: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Numbers from `low` up to `high`, which it does not hold, and how many datasets have one of them."""

    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How a parameter is spread over a result, in `unit`; no bins where no dataset has a number."""

    name: str
    unit: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramQuestion:
    """How a parameter is counted: in about so many bins, in its own unit unless one is named, between two bounds.

    Without bounds the bins reach from the smallest to the largest number, and have round edges.
    """

    name: str
    unit: str = ""
    bins: int = 20
    low: float | None = None
    high: float | None = None


def count_dates(
    session: Session,
    index: DatasetIndex,
    viewer: Viewer,
    now: datetime,
    question: SearchQuestion,
    instant: Instant,
    interval: Interval,
) -> tuple[Period, ...]:
    """Return the periods in which datasets that are found have this date, those that have any, rising."""
    request = to_request(session, viewer, now, question)
    if question.facets_ignore_own:
        request = request.without(instant)
    counts = index.count_dates(request, instant, interval)
    return tuple(Period(begin, to_end(begin, interval), count) for begin, count in counts.items())


def to_end(begin: datetime, interval: Interval) -> datetime:
    """Return the first instant after the period; for the last one of all, its last."""
    try:
        after = begin + timedelta(days=_MOST_DAYS[interval])
    except OverflowError:
        return begin.replace(month=12, day=31, hour=23, minute=59, second=59, microsecond=999_999)
    return after if interval is Interval.DAY else after.replace(day=1)


def count_numbers(
    session: Session,
    index: DatasetIndex,
    viewer: Viewer,
    now: datetime,
    question: SearchQuestion,
    asked: HistogramQuestion,
) -> Histogram:
    """Return how the numbers of a parameter are spread over the datasets that are found.

    A dataset counts in each bin in which a search for the bin's range finds it: a range in all that it overlaps.
    Raises InvalidQueryError for an unknown parameter or unit, and for bounds or a number of bins that make no bins.
    """
    name, stored = resolve_parameter(session, viewer, now, asked.name)
    unit = settle_unit(asked.unit, stored, asked.unit)
    edges = _to_asked_edges(asked)
    request = to_request(session, viewer, now, question)
    if edges is None:
        extent = index.measure_found(request, name)
        if extent is None:
            return Histogram(name, unit, ())
        low, high = sorted(convert(number, stored, unit) for number in (extent.low, extent.high))
        edges = to_round_edges(low, high, asked.bins)
    exact = [convert(edge, unit, stored) for edge in edges]
    sharp = tuple(to_edge(edge - BOUND_TOLERANCE * abs(edge)) for edge in exact)
    if any(low >= high for low, high in pairwise(sharp)):
        raise InvalidQueryError(f"bins of {asked.name} are too narrow to be told apart: ask for fewer")
    counts = index.count_numbers(request, name, sharp)
    bins = zip(pairwise(edges), counts, strict=True)
    return Histogram(name, unit, tuple(Bin(low, high, count) for (low, high), count in bins))


def to_round_edges(low: float, high: float, bins: int) -> list[float]:
    """Return edges that are multiples of 1, 2 or 5 times a power of ten, for `bins` bins or one more at most.

    The last bin holds `high`. Raises InvalidQueryError where the numbers reach to infinity.
    """
    if not isfinite(high - low):
        raise InvalidQueryError("its numbers have no end: say from where to where with low and high")
    reach = max(abs(low), abs(high))
    if high - low <= _ALIKE * reach or high == low:
        width = _to_round_width(reach / 10 or 1.0)
    else:
        width = _to_round_width((high - low) / bins)
    first = floor(Decimal(low) / width)
    last = max(floor(Decimal(high + BOUND_TOLERANCE * abs(high)) / width), first) + 1
    return [float(number * width) for number in range(first, last + 1)]


def _to_round_width(least: float) -> Decimal:
    """Return the smallest round width that is not less; tiny ones end at what numbers can tell apart."""
    power = Decimal(10) ** floor(log10(max(least, 1e-300)))
    return next(width for step in _STEPS if float(width := step * power) >= least * (1 - _ALIKE))


def _to_asked_edges(asked: HistogramQuestion) -> list[float] | None:
    """Return equal bins between the bounds that were given; None if none were."""
    if not 1 <= asked.bins <= MAX_BINS:
        raise InvalidQueryError(f"a histogram has 1 to {MAX_BINS} bins, not {asked.bins}")
    if asked.low is None and asked.high is None:
        return None
    if asked.low is None or asked.high is None or not (asked.low < asked.high and isfinite(asked.high - asked.low)):
        raise InvalidQueryError("give both bounds of a histogram, low before high, or none of them")
    step = (asked.high - asked.low) / asked.bins
    return [*(asked.low + number * step for number in range(asked.bins)), asked.high]
