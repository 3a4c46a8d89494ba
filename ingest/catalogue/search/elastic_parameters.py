"""Counting and measuring the parameters of what may be seen, in Elasticsearch."""

from __future__ import annotations

from itertools import islice, pairwise
from operator import add, sub
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.bins import count_overlaps
from ingest.catalogue.search.elastic_client import aggregate, ask_all
from ingest.catalogue.search.elastic_numbers import (
    NESTED,
    from_number,
    having_number,
    list_known,
    order_by,
    to_path,
    unwrap_aggregations,
    wrap_aggregations,
)
from ingest.catalogue.search.entries import PARAMETER_FACET
from ingest.catalogue.search.index import Extent
from ingest.catalogue.search.keys import to_facet_value, to_told
from ingest.catalogue.search.nouns import AMOUNT_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.elastic_numbers import Clause

_MOST_NAMES: Final = 60_000
"""A server refuses an aggregation of more than 65,536 buckets; a facility has some thousands of parameters."""
_NOTHING_BESIDE: Final[dict[str, Any]] = {"stored_fields": "_none_", "track_total_hits": False}
_NEWEST: Final[dict[str, Any]] = {
    "sort": [{"newest": "desc"}],
    "docvalue_fields": [{"field": "id"}],
    **_NOTHING_BESIDE,
}
_ENDS: Final = (("lowest", "asc"), ("lowest", "desc"), ("listed", "desc"), ("highest", "desc"))
"""The orders of which the first numbers tell how far all reach: the low end, and what may be the high one."""


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
    counted = aggregate(client, alias, _all_of(filters), {"names": {"terms": terms}})["names"]
    return {bucket["key"]: bucket["doc_count"] for bucket in counted["buckets"] if bucket["key"] not in AMOUNT_UNITS}


def measure_names(client: Elasticsearch, alias: str, filters: list[Clause], names: Iterable[str]) -> dict[str, Extent]:
    """Return the extent of the numbers under each name that has some."""
    wanted = set(names)
    known = sorted(wanted & list_known())
    return _measure_known(client, alias, filters, known) | _measure_nested(
        client, alias, filters, wanted.difference(known)
    )


def _measure_known(client: Elasticsearch, alias: str, filters: list[Clause], names: list[str]) -> dict[str, Extent]:
    """Return the extents by one search for each end: the first by a field is found without a look at the others."""
    searches = [_to_first(filters, name, *end) for name in names for end in _ENDS]
    answers = iter(ask_all(client, alias, searches))
    firsts = {name: [_read_first(answer) for answer in islice(answers, len(_ENDS))] for name in names}
    return {name: _to_extent(ends) for name, ends in firsts.items() if ends[0] is not None}


def _measure_nested(client: Elasticsearch, alias: str, filters: list[Clause], names: set[str]) -> dict[str, Extent]:
    """Return the extents by one pass over all numbers of the documents that have one of the names."""
    if not names:
        return {}
    wanted = {to_facet_value(name): name for name in names}
    having = {"terms": {PARAMETER_FACET: list(wanted)}}
    extremes = {
        f"{part}_{order}": {"min" if order == "asc" else "max": {"field": f"{NESTED}.{part}"}} for part, order in _ENDS
    }
    each = {"terms": {"field": f"{NESTED}.name", "size": len(wanted), "include": list(wanted)}, "aggs": extremes}
    nested = {"numbers": {"nested": {"path": NESTED}, "aggs": {"each": each}}}
    found = aggregate(client, alias, _all_of([*filters, having]), nested)["numbers"]["each"]["buckets"]
    return {wanted[bucket["key"]]: _to_extent([bucket[end]["value"] for end in extremes]) for bucket in found}


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
    ends = [{"to": edges[0]}, *({"from": low, "to": high} for low, high in pairwise(edges)), {"from": edges[-1]}]
    wanted = {"lowest": _to_ranges(name, "lowest", ends)}
    for part in ("listed", "highest"):
        aggs = {each: _to_ranges(name, each, ends) for each in ("lowest", part)}
        wanted[part] = {"filter": {"exists": {"field": to_path(name, part)}}, "aggs": aggs}
    having = _all_of([found, _to_having(name)])
    counted = unwrap_aggregations(name, aggregate(client, alias, having, wrap_aggregations(name, wanted)))
    lists, ranges = counted["listed"], counted["highest"]
    begun = _read_ranges(ranges["lowest"])
    singles = map(sub, map(sub, _read_ranges(counted["lowest"]), _read_ranges(lists["lowest"])), begun)
    inside = list(map(add, singles, _read_ranges(lists["listed"])))
    return tuple(map(add, inside[1:-1], count_overlaps(begun, _read_ranges(ranges["highest"]))))


def _to_ranges(name: str, part: str, ends: list[dict[str, float]]) -> dict[str, Any]:
    return {"range": {"field": to_path(name, part), "ranges": ends}}


def _read_ranges(counted: dict[str, Any]) -> list[int]:
    return [bucket["doc_count"] for bucket in counted["buckets"]]


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


def _to_first(filters: list[Clause], name: str, part: str, order: str) -> dict[str, Any]:
    """Return the search for the first document in that order of a part of the numbers."""
    query = _all_of([*filters, having_number(name, part)])
    return {"query": query, "sort": [order_by(name, part, order)], "size": 1, **_NOTHING_BESIDE}


def _read_first(answer: dict[str, Any]) -> float | None:
    return next((hit["sort"][0] for hit in answer["hits"]["hits"]), None)


def _to_extent(ends: Sequence[float | None]) -> Extent:
    """Return the extent of numbers that have these ends, in the order of _ENDS; of the last ones some may be None."""
    low, *highs = [to_told(from_number(end)) for end in ends if end is not None]
    return Extent(low, max(highs))
