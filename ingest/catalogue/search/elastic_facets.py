"""Counting the whole result in Elasticsearch: values of nouns, and dates by their periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingest.catalogue.search.elastic_query import to_clause
from ingest.catalogue.search.facet_patterns import to_pattern
from ingest.catalogue.search.index import Facet, FacetValue
from ingest.catalogue.search.keys import from_facet_entry
from ingest.catalogue.search.spans import MOST_PERIODS, join_periods, to_column

if TYPE_CHECKING:
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.index import FacetRequest, Interval, SearchRequest
    from ingest.catalogue.search.nouns import Instant, Noun


def to_aggregations(request: SearchRequest) -> dict[str, Any]:
    """Return what counts the facets together with the search: all that do not ignore a filter of the request."""
    return {facet.noun.value: _to_terms(facet) for facet in request.facets if _find_wider(request, facet) is None}


def read_facets(
    client: Elasticsearch, alias: str, request: SearchRequest, counted: dict[str, Any]
) -> dict[Noun, Facet]:
    """Return the facets out of the answer to a search; those that ignore a filter are counted by one more each."""
    facets: dict[Noun, Facet] = {}
    for facet in request.facets:
        wider = _find_wider(request, facet)
        buckets = counted[facet.noun.value] if wider is None else aggregate(client, alias, wider, _to_terms(facet))
        facets[facet.noun] = _to_facet(buckets)
    return facets


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


def _find_wider(request: SearchRequest, facet: FacetRequest) -> SearchRequest | None:
    wider = request.without(facet.noun) if facet.ignores_own else request
    return None if wider is request else wider


def _to_terms(facet: FacetRequest) -> dict[str, Any]:
    terms: dict[str, Any] = {"field": f"facet_{facet.noun}", "size": facet.size}
    return {"terms": terms | ({"include": to_pattern(facet, _escape)} if facet.contains else {})}


def _escape(sign: str) -> str:
    return f"\\{sign}"


def _to_facet(counted: dict[str, Any]) -> Facet:
    values = [FacetValue(from_facet_entry(bucket["key"]), bucket["doc_count"]) for bucket in counted["buckets"]]
    return Facet(tuple(sorted(values, key=lambda value: (-value.count, value.value))), counted["sum_other_doc_count"])
