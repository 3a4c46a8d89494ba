"""Counting the whole result in the embedded index: values of nouns, and dates by their periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.entries import FACETS
from ingest.catalogue.search.facet_forms import to_facet, to_pattern
from ingest.catalogue.search.spans import MOST_PERIODS, join_periods, to_column

if TYPE_CHECKING:
    from datetime import datetime

    from tantivy import Query as Clause
    from tantivy import Searcher

    from ingest.catalogue.search.embedded_query import Translator
    from ingest.catalogue.search.index import Facet, FacetRequest, Interval, SearchRequest
    from ingest.catalogue.search.nouns import Instant, Noun

_ALL_VALUES: Final = 2**32 - 1
"""Each segment counts all values of a facet: with fewer, sums over segments would be guesses."""


def count_facets(
    searcher: Searcher, translator: Translator, clause: Clause, request: SearchRequest
) -> dict[Noun, Facet]:
    """Count all facets in one pass over the whole result, and one more for each that ignores filters of its own."""
    counted: dict[Noun, Facet] = {}
    together = []
    for facet in request.facets:
        wider = request.find_wider(facet)
        if wider is None:
            together.append(facet)
        else:
            counted |= _count(searcher, translator.to_clause(wider), [facet])
    counted |= _count(searcher, clause, together)
    return {facet.noun: counted[facet.noun] for facet in request.facets}


def count_periods(searcher: Searcher, clause: Clause, instant: Instant, interval: Interval) -> dict[datetime, int]:
    """Return how many of the documents have that date in each period that has any."""
    terms = {"field": to_column(instant, interval), "size": MOST_PERIODS, "segment_size": _ALL_VALUES}
    buckets = searcher.aggregate(clause, {"periods": {"terms": terms}})["periods"]["buckets"]
    return join_periods(interval, ((int(bucket["key"]), bucket["doc_count"]) for bucket in buckets))


def _count(searcher: Searcher, clause: Clause, facets: list[FacetRequest]) -> dict[Noun, Facet]:
    if not facets:
        return {}
    counted = searcher.aggregate(clause, {facet.noun.value: {"terms": _to_terms(facet)} for facet in facets})
    return {facet.noun: to_facet(counted[facet.noun.value]) for facet in facets}


def _to_terms(facet: FacetRequest) -> dict[str, Any]:
    terms: dict[str, Any] = {"field": FACETS[facet.noun], "size": facet.size, "segment_size": _ALL_VALUES}
    return terms | ({"include": to_pattern(facet, _escape)} if facet.contains else {})


def _escape(sign: str) -> str:
    return f"\\x{{{ord(sign):x}}}"
