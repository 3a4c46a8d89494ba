"""What every index must do when it counts a whole result: values sought by letters, periods, bins."""

from __future__ import annotations

import math
from collections.abc import Generator
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.document import NumericEntry, SearchDocument
from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search import (
    AnyOf,
    DatasetIndex,
    DateRange,
    Extent,
    FacetRequest,
    FacetValue,
    Instant,
    Interval,
    Noun,
    ParameterRange,
    SearchRequest,
    Sort,
    VisibilityFilter,
    Word,
    elastic_client,
    embedded,
)
from ingest.catalogue.search.index import MAX_SOUGHT

if TYPE_CHECKING:
    from collections.abc import Iterable


def make(number: int, **given: object) -> SearchDocument:
    plain = {"name": f"set_{number}", "facility": "ESRF", "investigation": "hc1/2025", "proposal": "hc1"}
    return SearchDocument(id=number, revision=1, **{**plain, **given})  # type: ignore[arg-type]


def write_samples(index: DatasetIndex, samples: Iterable[tuple[str, ...]]) -> None:
    index.write(make(number, samples=each) for number, each in enumerate(samples, 1))


def count(index: DatasetIndex, visibility: VisibilityFilter, facet: FacetRequest) -> tuple[dict[str, int], int]:
    counted = index.search(SearchRequest(visibility, facets=(facet,))).facets[facet.noun]
    return {value.value: value.count for value in counted.values}, counted.others


SOUGHT = [
    ("lab6", False, {"LaB6": 2, "old LaB₆.x": 1}),
    ("AB", False, {"LaB6": 2, "old LaB₆.x": 1, "Ångström-ab": 1}),
    ("ab", True, {"Ångström-ab": 1}),
    ("angs", True, {"Ångström-ab": 1}),
    ("ÅN", True, {"Ångström-ab": 1}),
    (".x", False, {"old LaB₆.x": 1}),
    (".", False, {"old LaB₆.x": 1}),
    ("old lab", True, {"old LaB₆.x": 1}),
    ('a"b\\c', False, {'a"b\\c\n(d]~&<e>@#': 1}),
    ("\n(d]~&<E>@#", False, {'a"b\\c\n(d]~&<e>@#': 1}),
    ("d", True, {'a"b\\c\n(d]~&<e>@#': 1}),
    (".*", False, {}),
    ("日", False, {"日本": 1}),
]


def test_values_of_a_facet_are_sought_by_letters(index: DatasetIndex, operator: VisibilityFilter) -> None:
    write_samples(index, [("LaB6", "LaB6", "old LaB₆.x"), ("LaB6", 'a"b\\c\n(d]~&<e>@#'), ("Ångström-ab", "日本")])
    for contains, at_word, expected in SOUGHT:
        assert count(index, operator, FacetRequest(Noun.SAMPLE, 9, contains, at_word)) == (expected, 0)


def test_counts_that_are_asked_together_are_those_of_each(index: DatasetIndex, operator: VisibilityFilter) -> None:
    write_samples(index, [("a", "b"), ("a",), ("c",)])
    own = (AnyOf(Noun.SAMPLE, ("a",)),)
    facets = (FacetRequest(Noun.SAMPLE, ignores_own=True), FacetRequest(Noun.PROPOSAL))
    requests = [SearchRequest(operator, filters=own, facets=facets), SearchRequest(operator)]
    both = index.count_all(requests)
    assert [counts.total for counts in both] == [2, 3]
    assert both == [index.count(request) for request in requests]
    assert {value.value for value in both[0].facets[Noun.SAMPLE].values} == {"a", "b", "c"}
    assert index.count_all([]) == []


def test_others_of_what_is_sought_are_those_that_hold_it(index: DatasetIndex, operator: VisibilityFilter) -> None:
    write_samples(index, [("ab1", "ab2", "zz"), ("ab1", "ab3", "zz")])
    assert count(index, operator, FacetRequest(Noun.SAMPLE, 1, "ab")) == ({"ab1": 2}, 2)


def test_values_are_sought_by_so_many_letters_at_most(operator: VisibilityFilter) -> None:
    with pytest.raises(InvalidQueryError, match="100 letters at most"):
        SearchRequest(operator, facets=(FacetRequest(Noun.SAMPLE, 1, "a" * (MAX_SOUGHT + 1)),))


def test_facet_may_ignore_its_own_filters_and_no_others(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write(
        [
            make(1, instruments=("ID22",), samples=("ceria",)),
            make(2, instruments=("ID11",), samples=("ceria",)),
            make(3, instruments=("BM20",), samples=("LaB6",)),
        ]
    )
    filters = AnyOf(Noun.INSTRUMENT, ("ID22",)), AnyOf(Noun.SAMPLE, ("ceria",))
    facets = FacetRequest(Noun.INSTRUMENT, ignores_own=True), FacetRequest(Noun.SAMPLE), FacetRequest(Noun.FACILITY)
    page = index.search(SearchRequest(operator, filters=filters, facets=facets))
    assert page.total == 1
    assert list(page.facets) == [Noun.INSTRUMENT, Noun.SAMPLE, Noun.FACILITY]
    assert page.facets[Noun.INSTRUMENT].values == (FacetValue("ID11", 1), FacetValue("ID22", 1))
    assert page.facets[Noun.SAMPLE].values == (FacetValue("ceria", 1),)
    assert page.facets[Noun.FACILITY].values == (FacetValue("ESRF", 1),)


def test_request_without_its_own_filters_keeps_the_others(operator: VisibilityFilter) -> None:
    own, other = DateRange(Instant.START), AnyOf(Noun.SAMPLE, ("a",))
    request = SearchRequest(operator, filters=(own, other))
    assert request.without(Instant.START).filters == (other,)
    assert request.without(Noun.SAMPLE).filters == (own,)
    assert request.without(Noun.NAME) is request


DATES = ["0001-01-01", "2024-12-31", "2025-01-01", "2025-03-31", "2025-03-31", "2025-04-01", "9999-12-31"]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (Interval.YEAR, {"0001-01-01": 1, "2024-01-01": 1, "2025-01-01": 4, "9999-01-01": 1}),
        (
            Interval.QUARTER,
            {"0001-01-01": 1, "2024-10-01": 1, "2025-01-01": 3, "2025-04-01": 1, "9999-10-01": 1},
        ),
        (
            Interval.MONTH,
            {"0001-01-01": 1, "2024-12-01": 1, "2025-01-01": 1, "2025-03-01": 2, "2025-04-01": 1, "9999-12-01": 1},
        ),
        (Interval.DAY, {"0001-01-01": 1, **dict.fromkeys(DATES[1:], 1), "2025-03-31": 2}),
    ],
)
def test_dates_are_counted_by_periods(
    index: DatasetIndex, operator: VisibilityFilter, interval: Interval, expected: dict[str, int]
) -> None:
    days = [datetime.fromisoformat(day).replace(hour=23, minute=59, tzinfo=UTC) for day in DATES]
    index.write([*(make(number, end_date=day) for number, day in enumerate(days)), make(100)])
    counted = index.count_dates(SearchRequest(operator), Instant.END, interval)
    assert {f"{begin:%Y-%m-%d}".zfill(10): number for begin, number in counted.items()} == expected
    assert list(counted) == sorted(counted)
    assert all(begin.tzinfo is UTC for begin in counted)
    assert index.count_dates(SearchRequest(operator), Instant.START, interval) == {}


def write_numbers(index: DatasetIndex, name: str) -> None:
    entries = [
        NumericEntry(name, 1.0, 1.0),
        NumericEntry(name, 2.0, 2.0, (2.0,)),
        NumericEntry(name, 3.0, 6.0),
        NumericEntry(name, -4.0, 20.0),
        NumericEntry(name, 2.0, 7.0, (2.0, 2.5, 7.0, 7.0)),
        NumericEntry(name, -math.inf, math.inf),
        NumericEntry(name, 1.0, 1.0, (math.nan,)),
        NumericEntry("other", 1.0, 1.0),
    ]
    index.write(make(number, numbers=(entry,)) for number, entry in enumerate(entries))


def test_numbers_are_counted_in_bins_as_ranges_find_them(
    index: DatasetIndex, operator: VisibilityFilter, number_name: str
) -> None:
    write_numbers(index, number_name)
    edges = (-1.0, 1.0, 2.0, 3.0, 6.0, 7.0, 8.0)
    counted = index.count_numbers(SearchRequest(operator), number_name, edges)
    assert counted == (2, 3, 4, 3, 3, 3)
    for (low, high), number in zip(pairwise(edges), counted, strict=True):
        asked = SearchRequest(operator, ParameterRange(number_name, low, high, includes_high=False))
        assert index.search(asked).total == number


def test_numbers_without_lists_are_counted_alike(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, numbers=(NumericEntry("a b", 0.5, 0.5),)), make(2, numbers=(NumericEntry("a b", 0.0, 1.5),))])
    assert index.count_numbers(SearchRequest(operator), "a b", (0.0, 1.0, 2.0)) == (2, 1)
    assert index.count_numbers(SearchRequest(operator), "nothing", (0.0, 1.0, 2.0)) == (0, 0)


def test_extent_is_of_what_is_found(index: DatasetIndex, operator: VisibilityFilter, number_name: str) -> None:
    index.write(
        [
            make(1, samples=("ceria",), numbers=(NumericEntry(number_name, 1.0, 2.0),)),
            make(2, numbers=(NumericEntry(number_name, 5.0, 5.0),)),
        ]
    )
    assert index.measure_found(SearchRequest(operator, Word("ceria")), number_name) == Extent(1.0, 2.0)
    assert index.measure_found(SearchRequest(operator, Word("ceria")), "other") is None
    assert index.measure_found(SearchRequest(operator), number_name) == Extent(1.0, 5.0)


def test_named_parameters_alone_are_counted(index: DatasetIndex, operator: VisibilityFilter, number_name: str) -> None:
    write_numbers(index, number_name)
    assert index.count_parameters(operator, names=["other", "a" * 2000, "none"]) == {"other": 1}
    assert index.count_parameters(operator, names=[]) == {}


def test_walk_yields_each_id_once_as_the_index_was(index: DatasetIndex, anonymous: VisibilityFilter) -> None:
    open_since = datetime(2020, 1, 1, tzinfo=UTC)
    index.write([*(make(number, release_date=open_since) for number in (5, 0, 3)), make(4)])
    walked = index.walk(SearchRequest(anonymous, sort=Sort.RELEVANCE, limit=1))
    first = next(walked)
    index.write([make(9, release_date=open_since)])
    assert [*first, *(number for stretch in walked for number in stretch)] == [0, 3, 5]
    assert list(index.walk(SearchRequest(anonymous, Word("nothing")))) == []


def test_walk_goes_on_from_stretch_to_stretch(
    index: DatasetIndex, operator: VisibilityFilter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (embedded, elastic_client):
        monkeypatch.setattr(module, "_STRETCH", 2)
    index.write(make(number) for number in range(5))
    assert list(index.walk(SearchRequest(operator))) == [[0, 1], [2, 3], [4]]
    begun = index.walk(SearchRequest(operator))
    assert next(begun) == [0, 1]
    assert isinstance(begun, Generator)
    begun.close()
