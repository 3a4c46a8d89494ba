"""Counting and measuring the parameters of what may be seen, in Elasticsearch."""

from __future__ import annotations

import sys
from itertools import pairwise
from math import copysign, inf
from operator import add
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.bins import count_overlaps
from ingest.catalogue.search.elastic_client import aggregate, ask_all
from ingest.catalogue.search.entries import PARAMETER_FACET
from ingest.catalogue.search.index import Extent
from ingest.catalogue.search.keys import to_facet_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.elastic_query import Clause

_MOST_NAMES: Final = 60_000
"""A server refuses an aggregation of more than 65,536 buckets; a facility has some thousands of parameters."""
_NEWEST: Final[dict[str, Any]] = {
    "sort": [{"newest": "desc"}],
    "stored_fields": "_none_",
    "docvalue_fields": [{"field": "id"}],
    "track_total_hits": False,
}
_EXTREMES: Final = {
    "value_low": {"min": {"field": "number.value"}},
    "value_high": {"max": {"field": "number.value"}},
    "low": {"min": {"field": "number.low"}},
    "high": {"max": {"field": "number.high"}},
}


def count_names(
    client: Elasticsearch, alias: str, filters: list[Clause], names: Iterable[str] | None
) -> dict[str, int]:
    """Return how many of the documents have each parameter, by its name; with `names` only of those.

    One search for each of these names: counted together, every document that has one is read with all that it has.
    """
    if names is not None:
        wanted = list(names)
        answers = _ask_each(client, alias, filters, wanted, size=0, track_total_hits=True)
        totals = [answer["hits"]["total"]["value"] for answer in answers]
        return {to_facet_value(name): total for name, total in zip(wanted, totals, strict=True) if total}
    terms = {"field": PARAMETER_FACET, "size": _MOST_NAMES}
    counted = aggregate(client, alias, _all_of(filters), {"terms": terms})
    return {bucket["key"]: bucket["doc_count"] for bucket in counted["buckets"]}


def measure_names(client: Elasticsearch, alias: str, filters: list[Clause], names: Iterable[str]) -> dict[str, Extent]:
    """Return the extent of the numbers under each name that has some."""
    wanted = {to_facet_value(name): name for name in names}
    if not wanted:
        return {}
    having = {"terms": {PARAMETER_FACET: list(wanted)}}
    each = {"terms": {"field": "number.name", "size": len(wanted), "include": list(wanted)}, "aggs": _EXTREMES}
    nested = {"nested": {"path": "number"}, "aggs": {"each": each}}
    found = aggregate(client, alias, _all_of([*filters, having]), nested)["each"]["buckets"]
    return {wanted[bucket["key"]]: _to_extent(bucket) for bucket in found}


def list_newest(
    client: Elasticsearch, alias: str, filters: list[Clause], names: Iterable[str], limit: int
) -> dict[str, list[int]]:
    """Return the ids of the newest documents that have each parameter, by its name.

    One search for each name: sorted by a column, it stops early, as a count over all names would not.
    """
    asked = list(names)
    answers = _ask_each(client, alias, filters, asked, size=limit, **_NEWEST)
    found = [[hit["fields"]["id"][0] for hit in answer["hits"]["hits"]] for answer in answers]
    return {name: ids for name, ids in zip(asked, found, strict=True) if ids}


def count_bins(
    client: Elasticsearch, alias: str, found: Clause, name: str, edges: tuple[float, ...]
) -> tuple[int, ...]:
    """Return how many documents have a number in each bin, as DatasetIndex.count_numbers has it, in one pass.

    Ranges are told by how many end before a bin and how many begin behind it.
    """
    known = to_facet_value(name)
    ends = [{"to": edges[0]}, *({"from": low, "to": high} for low, high in pairwise(edges)), {"from": edges[-1]}]
    counts = {part: {"range": {"field": f"number.{part}", "ranges": ends}} for part in ("value", "low", "high")}
    named = {"filter": {"term": {"number.name": known}}, "aggs": counts}
    nested = {"nested": {"path": "number"}, "aggs": {"named": named}}
    having = _all_of([found, _to_having(name)])
    counted = aggregate(client, alias, having, nested)["named"]
    inside, begun, ended = (
        [bucket["doc_count"] for bucket in counted[part]["buckets"]] for part in ("value", "low", "high")
    )
    return tuple(map(add, inside[1:-1], count_overlaps(begun, ended)))


def _ask_each(
    client: Elasticsearch, alias: str, filters: list[Clause], names: Sequence[str], **wanted: Any
) -> list[dict[str, Any]]:
    """Return the answer to one search for each parameter, over the documents that have it."""
    queries = [_all_of([*filters, _to_having(name)]) for name in names]
    return ask_all(client, alias, [{"query": query, **wanted} for query in queries])


def _to_having(name: str) -> Clause:
    """Return the clause of the documents that have the parameter."""
    return {"term": {PARAMETER_FACET: to_facet_value(name)}}


def _all_of(filters: list[Clause]) -> Clause:
    return {"bool": {"filter": filters}}


def _to_extent(bucket: dict[str, Any]) -> Extent:
    known = {name: _from_number(bucket[name]["value"]) for name in _EXTREMES if bucket[name]["value"] is not None}
    lows = [known[name] for name in ("value_low", "low") if name in known]
    highs = [known[name] for name in ("value_high", "high") if name in known]
    return Extent(min(lows), max(highs))


def _from_number(value: float) -> float:
    """Return the number that `to_number` wrote."""
    return copysign(inf, value) if abs(value) == sys.float_info.max else value
