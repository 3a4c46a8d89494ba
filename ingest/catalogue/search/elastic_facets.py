"""Counting the whole result in Elasticsearch: values of nouns, and dates by their periods."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ingest.catalogue.search.elastic_client import aggregate
from ingest.catalogue.search.elastic_query import to_clause
from ingest.catalogue.search.entries import FACETS
from ingest.catalogue.search.facet_forms import to_facet, to_pattern
from ingest.catalogue.search.index import Counts, Sort
from ingest.catalogue.search.query import All
from ingest.catalogue.search.spans import MOST_PERIODS, join_periods, to_column

if TYPE_CHECKING:
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.index import FacetRequest, Interval, SearchRequest
    from ingest.catalogue.search.nouns import Instant


def to_counting(request: SearchRequest) -> list[dict[str, Any]]:
    """Return the searches that count total and facets: one, and one more for each facet that ignores a filter.

    Where nothing is asked for, one for each facet: all that may be seen need not be found again, and each facet of it
    is counted by a core of its own. They bring no hits, in whatever order, so that a server keeps the answers for
    whoever asks the same next.
    """
    unsorted = replace(request, sort=Sort.NEWEST)
    is_all = request.query == All() and not request.filters
    together: dict[str, Any] = {}
    apart = []
    for facet in request.facets:
        aggs, wider = {facet.noun.value: _to_terms(facet)}, unsorted.find_wider(facet)
        if wider is None and not is_all:
            together |= aggs
        else:
            clause = to_clause(wider or unsorted)
            apart.append({"query": clause, "aggs": aggs, "size": 0, "track_total_hits": False})
    return [{"query": to_clause(unsorted), "aggs": together, "size": 0, "track_total_hits": True}, *apart]


def read_counts(request: SearchRequest, counted: list[dict[str, Any]]) -> Counts:
    """Return total and facets out of the answers to `to_counting`."""
    buckets: dict[str, Any] = {}
    for answer in counted:
        buckets |= answer.get("aggregations", {})
    facets = {facet.noun: to_facet(buckets[facet.noun.value]) for facet in request.facets}
    return Counts(counted[0]["hits"]["total"]["value"], facets)


def count_periods(
    client: Elasticsearch, alias: str, request: SearchRequest, instant: Instant, interval: Interval
) -> dict[datetime, int]:
    """Return how many of the documents have that date in each period that has any."""
    periods = {"terms": {"field": to_column(instant, interval), "size": MOST_PERIODS}}
    buckets = aggregate(client, alias, to_clause(request), {"periods": periods})["periods"]["buckets"]
    return join_periods(interval, ((bucket["key"], bucket["doc_count"]) for bucket in buckets))


def _to_terms(facet: FacetRequest) -> dict[str, Any]:
    terms: dict[str, Any] = {"field": FACETS[facet.noun], "size": facet.size}
    return {"terms": terms | ({"include": to_pattern(facet, _escape)} if facet.contains else {})}


def _escape(sign: str) -> str:
    return f"\\{sign}"
