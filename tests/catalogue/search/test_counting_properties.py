"""For random catalogues and requests every index counts values, periods and bins as plain Python does."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.catalogue.search import DatasetIndex, FacetRequest, Instant, Interval, Noun, ParameterRange, SearchRequest
from ingest.catalogue.search.folding import fold
from ingest.catalogue.search.keys import to_edge
from tests.catalogue.search import plain_search
from tests.catalogue.search.test_search_properties import (
    PIECES,
    assert_same_counts,
    catalogues,
    fill,
    free_texts,
    names,
    numbers,
    requests,
)

if TYPE_CHECKING:
    from ingest.catalogue.document import SearchDocument

edges = st.lists(
    numbers.filter(lambda number: abs(number) < 1e308).map(to_edge), min_size=2, max_size=5, unique=True
).map(lambda each: tuple(sorted(each)))
sought = st.builds(
    FacetRequest,
    st.sampled_from([Noun.SAMPLE, Noun.INSTRUMENT, Noun.TECHNIQUE]),
    st.integers(1, 4),
    st.sampled_from([*PIECES, "a", "B6", "2"]) | free_texts,
    st.booleans(),
    st.booleans(),
)


@given(
    catalogue=catalogues,
    asked=st.lists(st.tuples(requests, sought, names, edges), min_size=1, max_size=6),
    instant=st.sampled_from(Instant),
    interval=st.sampled_from(Interval),
)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_whole_result_is_counted_as_in_plain_python(
    index: DatasetIndex,
    catalogue: list[SearchDocument],
    asked: list[tuple[SearchRequest, FacetRequest, str, tuple[float, ...]]],
    instant: Instant,
    interval: Interval,
) -> None:
    fill(index, catalogue)
    for request, facet, name, bounds in asked:
        found = plain_search.find(catalogue, request)
        wider = plain_search.find(catalogue, request.without(facet.noun)) if facet.ignores_own else found
        counted = replace(request, facets=(facet,))
        page, counts = index.search(counted), index.count(counted)
        assert (counts.total, counts.facets) == (page.total, page.facets)
        assert counts.total == len(found)
        assert_same_counts(counts.facets[facet.noun], count_sought(wider, facet), facet.size)
        assert index.count_dates(request, instant, interval) == count_periods(found, instant, interval)
        assert index.count_numbers(request, name, bounds) == tuple(
            count_bin(found, name, low, high) for low, high in pairwise(bounds)
        )


def count_sought(found: list[SearchDocument], facet: FacetRequest) -> Counter[str]:
    before = "(?:^|[^a-z0-9])" if facet.at_word else ""
    pattern = re.compile(before + re.escape(fold(facet.contains)))
    counts = plain_search.count_values(found, facet)
    return Counter({value: count for value, count in counts.items() if pattern.search(fold(value))})


def count_periods(found: list[SearchDocument], instant: Instant, interval: Interval) -> Counter[datetime]:
    dates = [getattr(each, instant) for each in found]
    return Counter(to_begin(date, interval) for date in dates if date is not None)


def to_begin(date: datetime, interval: Interval) -> datetime:
    midnight = datetime(date.year, date.month, date.day, tzinfo=UTC)
    match interval:
        case Interval.YEAR:
            return midnight.replace(month=1, day=1)
        case Interval.QUARTER:
            return midnight.replace(month=(date.month - 1) // 3 * 3 + 1, day=1)
        case Interval.MONTH:
            return midnight.replace(day=1)
        case Interval.DAY:
            return midnight


def count_bin(found: list[SearchDocument], name: str, low: float, high: float) -> int:
    inside = ParameterRange(name, low, high, includes_high=False)
    return sum(plain_search.matches(document, inside) for document in found)
