"""Counting the whole result in Elasticsearch: values of nouns, and dates by their periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingest.catalogue.search.elastic_query import to_clause
from ingest.catalogue.search.entries import FACETS
from ingest.catalogue.search.facet_forms import to_facet, to_pattern
from ingest.catalogue.search.index import Counts
from ingest.catalogue.search.spans import MOST_PERIODS, join_periods, to_column

if TYPE_CHECKING:
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.index import Facet, FacetRequest, Interval, SearchRequest
    from ingest.catalogue.search.nouns import Instant, Noun


def to_aggregations(request: SearchRequest) -> dict[str, Any]:
    """Return what counts the facets together with the search: all that do not ignore a filter of the request."""
    return {facet.noun.value: _to_terms(facet) for facet in request.facets if request.find_wider(facet) is None}


def read_facets(
    client: Elasticsearch, alias: str, request: SearchRequest, counted: dict[str, Any]
) -> dict[Noun, Facet]:
    """Return the facets out of the answer to a search; those that ignore a filter are counted by one more each."""
    facets: dict[Noun, Facet] = {}
    for facet in request.facets:
        wider = request.find_wider(facet)
        buckets = counted[facet.noun.value] if wider is None else aggregate(client, alias, wider, _to_terms(facet))
        facets[facet.noun] = to_facet(buckets)
    return facets


def count_found(client: Elasticsearch, alias: str, request: SearchRequest) -> Counts:
    """Return how many the request finds, and its facets: no hits, so that a server keeps the answer."""
    aggs = to_aggregations(request)
    answer = client.search(index=alias, query=to_clause(request), aggs=aggs, size=0, track_total_hits=True)
    facets = read_facets(client, alias, request, answer.get("aggregations", {}))
    return Counts(answer["hits"]["total"]["value"], facets)


def count_periods(
    client: Elasticsearch, alias: str, request: SearchRequest, instant: Instant, interval: Interval
) -> dict[datetime, int]:
    """Return how many of the documents have that date in each period that has any."""
    terms = {"terms": {"field": to_column(instant, interval), "size": MOST_PERIODS}}
    buckets = aggregate(client, alias, request, terms)["buckets"]
    return join_periods(interval, ((bucket["key"], bucket["doc_count"]) for bucket in buckets))


def aggregate(client: Elasticsearch, alias: str, request: SearchRequest, wanted: dict[str, Any]) -> Any:
    """Return the one aggregation over all that the request finds."""
    answer = client.search(
        index=alias, query=to_clause(request), aggs={"found": wanted}, size=0, track_total_hits=False
    )
    return answer["aggregations"]["found"]


def _to_terms(facet: FacetRequest) -> dict[str, Any]:
    terms: dict[str, Any] = {"field": FACETS[facet.noun], "size": facet.size}
    return {"terms": terms | ({"include": to_pattern(facet, _escape)} if facet.contains else {})}


def _escape(sign: str) -> str:
    return f"\\{sign}"
