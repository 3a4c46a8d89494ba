"""Hits in the order of any column or number: every index pages through them as plain Python sorts them."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.catalogue.document import NumericEntry, SearchDocument
from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search import (
    Column,
    ColumnSort,
    DatasetIndex,
    FacetRequest,
    FacetValue,
    FieldSort,
    Noun,
    NumberSort,
    SearchRequest,
    TextSort,
    VisibilityFilter,
)
from ingest.catalogue.search.cursors import to_cursor
from tests.catalogue.search import plain_search
from tests.catalogue.search.test_search_properties import CLOCK, catalogues, fill, names, read_pages, requests

sorts = (
    st.builds(ColumnSort, st.sampled_from(Column), st.booleans())
    | st.builds(NumberSort, names, st.booleans())
    | st.builds(TextSort, st.sampled_from(Noun), st.booleans())
)
sized = catalogues.flatmap(
    lambda documents: st.lists(
        st.integers(0, 3) | st.just(10**15), min_size=len(documents), max_size=len(documents)
    ).map(lambda sizes: [replace(each, file_size=size) for each, size in zip(documents, sizes, strict=True)])
)


@given(catalogue=sized, asked=st.lists(st.tuples(requests, sorts), min_size=1, max_size=6))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_is_that_of_plain_python(
    index: DatasetIndex,
    catalogue: list[SearchDocument],
    asked: list[tuple[SearchRequest, FieldSort]],
) -> None:
    fill(index, catalogue)
    for request, sort in asked:
        found = plain_search.find(catalogue, request)
        pages = read_pages(index, replace(request, sort=sort))
        assert [hit.id for page in pages for hit in page.hits] == [each.id for each in order(found, sort)]
        assert {page.total for page in pages} == {len(found)}


def order(found: list[SearchDocument], sort: FieldSort) -> list[SearchDocument]:
    if isinstance(sort, TextSort):
        return plain_search.order_by_text(found, sort)
    keys = {each.id: to_key(each, sort) for each in found}
    sign = -1 if sort.is_falling else 1
    having = sorted((e for e in found if keys[e.id] is not None), key=lambda e: (sign * (keys[e.id] or 0), -e.id))
    return having + sorted((e for e in found if keys[e.id] is None), key=lambda e: -e.id)


def to_key(document: SearchDocument, sort: ColumnSort | NumberSort) -> float | None:
    if isinstance(sort, NumberSort):
        return next((lowest(each) for each in plain_search.list_numbers(document) if each.name == sort.name), None)
    if sort.column in {Column.START, Column.END, Column.RELEASE}:
        date = getattr(document, sort.column)
        return None if date is None else (date - CLOCK).total_seconds()
    return document.id


def lowest(number: NumericEntry) -> float | None:
    if number.values or number.low == number.high:
        known = [value for value in number.values or (number.low,) if not isnan(value)]
        return min(known, default=None)
    return None if isnan(number.low) or isnan(number.high) else number.low


def make(number: int, *entries: NumericEntry) -> SearchDocument:
    return SearchDocument(number, number + 10, f"set_{number}", "ESRF", "hc1", "hc1", numbers=entries, samples=("a",))


@pytest.fixture
def mixed(index: DatasetIndex, number_name: str) -> DatasetIndex:
    entries = [
        NumericEntry(number_name, 7.0, 7.0),
        NumericEntry(number_name, 5.0, 9.0),
        NumericEntry(number_name, 6.0, 8.0, (8.0, 6.0)),
        NumericEntry(number_name, 7.0, 7.0),
        NumericEntry(number_name, -inf, 1.0),
        NumericEntry("other", 1.0, 1.0),
    ]
    index.write([make(number, entry) for number, entry in enumerate(entries)])
    return index


def test_number_counts_by_its_lowest_and_comes_before_what_has_none(
    mixed: DatasetIndex, operator: VisibilityFilter, number_name: str
) -> None:
    rising = SearchRequest(operator, sort=NumberSort(number_name), limit=2)
    hits = [hit for page in read_pages(mixed, rising) for hit in page.hits]
    assert [hit.id for hit in hits] == [4, 1, 2, 3, 0, 5]
    assert [hit.revision for hit in hits] == [14, 11, 12, 13, 10, 15]
    falling = replace(rising, sort=NumberSort(number_name, is_falling=True))
    assert [hit.id for page in read_pages(mixed, falling) for hit in page.hits] == [3, 0, 2, 1, 4, 5]


def test_facets_of_an_order_are_of_the_whole_result(
    mixed: DatasetIndex, operator: VisibilityFilter, number_name: str
) -> None:
    request = SearchRequest(operator, facets=(FacetRequest(Noun.SAMPLE),), sort=NumberSort(number_name), limit=1)
    assert mixed.search(request).facets[Noun.SAMPLE].values == (FacetValue("a", 6),)


def test_documents_that_come_in_between_shift_nothing(
    mixed: DatasetIndex, operator: VisibilityFilter, number_name: str
) -> None:
    request = SearchRequest(operator, sort=NumberSort(number_name), limit=3)
    first = mixed.search(request)
    mixed.write([make(100, NumericEntry(number_name, 1.0, 1.0))])
    rest = mixed.search(replace(request, cursor=first.next_cursor))
    assert [hit.id for hit in (*first.hits, *rest.hits)] == [4, 1, 2, 3, 0, 5]


FORGED = ["", "1", "x:1", "1:x", "1:--1", "99999999999:1", "1:1:1", "1:[0 TO *]", "1:A"]
FORGED_NUMBERS, FORGED_TEXTS = ["1:1e999", "1:a"], ["1:-1"]


def test_forged_cursor_is_refused(mixed: DatasetIndex, operator: VisibilityFilter, number_name: str) -> None:
    orders = {
        ColumnSort(Column.ID): (FORGED_NUMBERS, [f"1:-{2**62}"]),
        NumberSort(number_name): (FORGED_NUMBERS, [f"1:-{2**62}"]),
        TextSort(Noun.SAMPLE): (FORGED_TEXTS, ["1:vvvv"]),
    }
    for sort, (forged, far) in orders.items():
        request = SearchRequest(operator, sort=sort)
        for body in FORGED + forged:
            with pytest.raises(InvalidQueryError, match="another search"):
                mixed.search(replace(request, cursor=to_cursor(request, body)))
        # Numbers far away are answered, or refused, as any other.
        for body in (f"1:{2**62}", *far, "4294967295:1", "1:0"):
            mixed.search(replace(request, cursor=to_cursor(request, body)))
