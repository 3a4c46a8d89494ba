"""Round edges of bins, and the ends of periods."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.histograms import to_end, to_round_edges
from ingest.catalogue.search import Interval


@pytest.mark.parametrize(
    ("low", "high", "bins", "expected"),
    [
        (0.0, 10.0, 5, [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]),
        (7.1, 12.4, 3, [6.0, 8.0, 10.0, 12.0, 14.0]),
        (-0.3, 0.3, 3, [-0.4, -0.2, 0.0, 0.2, 0.4]),
        (12.0, 12.0, 20, [12.0, 14.0]),
        (0.0, 0.0, 20, [0.0, 1.0]),
    ],
)
def test_edges_are_round_and_hold_both_ends(low: float, high: float, bins: int, expected: list[float]) -> None:
    assert to_round_edges(low, high, bins) == expected


numbers = st.floats(-1e200, 1e200).filter(lambda number: number == 0 or abs(number) > 1e-200)


@given(low=numbers, high=numbers, bins=st.integers(1, 100))
def test_bins_are_about_as_many_as_asked_for_and_hold_all(low: float, high: float, bins: int) -> None:
    low, high = sorted((low, high))
    edges = to_round_edges(low, high, bins)
    assert edges[0] <= low
    assert high < edges[-1] or high == low
    assert len(edges) - 1 <= bins + 2
    assert all(one < other for one, other in pairwise(edges))


def test_numbers_without_an_end_are_refused() -> None:
    with pytest.raises(InvalidQueryError, match="no end"):
        to_round_edges(0.0, float("inf"), 3)


@pytest.mark.parametrize(
    ("begin", "interval", "end"),
    [
        ("2024-02-28", Interval.DAY, "2024-02-29"),
        ("2024-02-01", Interval.MONTH, "2024-03-01"),
        ("2024-12-01", Interval.MONTH, "2025-01-01"),
        ("2023-10-01", Interval.QUARTER, "2024-01-01"),
        ("2023-01-01", Interval.QUARTER, "2023-04-01"),
        ("2024-01-01", Interval.YEAR, "2025-01-01"),
        ("2023-01-01", Interval.YEAR, "2024-01-01"),
    ],
)
def test_period_ends_where_the_next_begins(begin: str, interval: Interval, end: str) -> None:
    first = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert to_end(first, interval) == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_last_period_of_all_has_an_end() -> None:
    for month, interval in ((12, Interval.MONTH), (10, Interval.QUARTER), (1, Interval.YEAR)):
        assert to_end(datetime(9999, month, 1, tzinfo=UTC), interval).year == 9999
