"""Counting and measuring the parameters of what may be seen, in the embedded index."""

from __future__ import annotations

from itertools import pairwise
from operator import sub
from typing import TYPE_CHECKING, Any, Final

from tantivy import Order
from tantivy import Query as Clause

from ingest.catalogue.search.bins import count_overlaps
from ingest.catalogue.search.embedded_generation import count_found, read_column
from ingest.catalogue.search.embedded_layout import HIGHEST, LOWEST, to_column
from ingest.catalogue.search.embedded_query import all_of
from ingest.catalogue.search.entries import PARAMETER_FACET, Numbers
from ingest.catalogue.search.index import Extent
from ingest.catalogue.search.keys import from_sortable, to_facet_value, to_sortable, to_told
from ingest.catalogue.search.nouns import AMOUNT_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tantivy import Index, Searcher

_MOST_NAMES: Final = 60_000
"""Tantivy refuses an aggregation of more than 65,000 buckets; a facility has some thousands of parameters."""


def count_names(index: Index, clause: Clause, names: Iterable[str] | None) -> dict[str, int]:
    """Return how many of the documents have each parameter, by its name; with `names` only of those.

    One search for each of these names: counted together, every document that has one is read with all that it has.
    """
    searcher = index.searcher()
    if names is not None:
        counted = {name: count_found(searcher, _having(index, clause, name)) for name in names}
        return {to_facet_value(name): count for name, count in counted.items() if count}
    terms = {"field": PARAMETER_FACET, "size": _MOST_NAMES, "segment_size": _MOST_NAMES}
    buckets = searcher.aggregate(clause, {"names": {"terms": terms}})["names"]["buckets"]
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets if bucket["key"] not in AMOUNT_UNITS}


def measure_names(index: Index, clause: Clause, names: Iterable[str]) -> dict[str, Extent]:
    """Return the extent of the numbers under each name that has some.

    One search for each name, over the documents that have it: all names in one search would read every document once
    for each of them.
    """
    searcher = index.searcher()
    measured = {name: _measure(index, searcher, clause, name) for name in names}
    return {name: extent for name, extent in measured.items() if extent is not None}


def list_newest(index: Index, clause: Clause, names: Iterable[str], limit: int) -> dict[str, list[int]]:
    """Return the ids of the newest documents that have each parameter, by its name: one search for each name."""
    searcher = index.searcher()
    listed = {}
    for name in names:
        held = _having(index, clause, name)
        found = searcher.search(held, limit, count=False, order_by_field="newest", order=Order.Desc).hits
        if found:
            listed[name] = read_column(searcher, "id", found)
    return listed


def count_bins(index: Index, clause: Clause, name: str, edges: tuple[float, ...]) -> tuple[int, ...]:
    """Return how many documents have a number in each bin, as DatasetIndex.count_numbers has it.

    Single numbers fall into one bin each, and ranges are told by how many end before a bin and how many begin behind
    it: a pass over all, and one more over what has no single number. Lists are asked for bin by bin where a bin has
    several of their values, which may be of one document.
    """
    searcher, found = index.searcher(), _having(index, clause, name)
    bounds = [to_sortable(edge) for edge in edges]
    lowest, listed, highest = (to_column(name, part) for part in Numbers._fields)
    counted = searcher.aggregate(found, {part: _to_ranges(part, bounds) for part in (lowest, listed, highest)})
    inside, values, ended = (_read_ranges(counted[part], bounds) for part in (lowest, listed, highest))
    several, begun = (_count_lowest(index, searcher, found, part, lowest, bounds) for part in (listed, highest))
    held = [
        _count_inside(index, searcher, found, listed, *bin_) if count > 1 else count
        for count, bin_ in zip(values[1:-1], pairwise(bounds), strict=True)
    ]
    singles = map(sub, map(sub, inside, several), begun)
    overlapping = count_overlaps(begun, ended)
    return tuple(map(sum, zip(list(singles)[1:-1], held, overlapping, strict=True)))


def _having(index: Index, clause: Clause, name: str) -> Clause:
    """Return the same documents, those that have the parameter."""
    having = Clause.term_query(index.schema, PARAMETER_FACET, to_facet_value(name))
    return all_of([clause, having])


def _count_lowest(
    index: Index, searcher: Searcher, found: Clause, part: str, lowest: str, bounds: list[int]
) -> list[int]:
    """Return how many of the documents that have this part have their lowest number in each range."""
    having = all_of([found, index.parse_query(f"{part}:[{LOWEST} TO {HIGHEST}]")])
    return _read_ranges(searcher.aggregate(having, {"lowest": _to_ranges(lowest, bounds)})["lowest"], bounds)


def _count_inside(index: Index, searcher: Searcher, found: Clause, column: str, first: int, end: int) -> int:
    """Return how many of the documents have a number in the bin."""
    inside = index.parse_query(f"{column}:[{first} TO {end - 1}]")
    return count_found(searcher, all_of([found, inside]))


def _to_ranges(column: str, bounds: list[int]) -> dict[str, Any]:
    """Return what counts the numbers before all bounds, between them, and from the last one on."""
    return {"range": {"field": column, "ranges": [{"from": low, "to": high} for low, high in pairwise(bounds)]}}


def _read_ranges(counted: dict[str, Any], bounds: list[int]) -> list[int]:
    """Return the counts; where a segment has nothing of the result, its ranges are not told."""
    counts = {bucket.get("from"): bucket["doc_count"] for bucket in counted["buckets"]}
    return [counts.get(begin, 0) for begin in (None, *map(float, bounds))]


def _measure(index: Index, searcher: Searcher, clause: Clause, name: str) -> Extent | None:
    columns = [to_column(name, part) for part in Numbers._fields]
    wanted = {"low": {"min": {"field": columns[0]}}} | {column: {"max": {"field": column}} for column in columns}
    found = searcher.aggregate(_having(index, clause, name), wanted)
    if found["low"]["value"] is None:
        return None
    highs = [found[column]["value"] for column in columns if found[column]["value"] is not None]
    return Extent(_from_aggregated(found["low"]["value"]), max(map(_from_aggregated, highs)))


def _from_aggregated(value: float) -> float:
    """Return the number of what tantivy answers: the whole number that sorts as it, through a float64.

    That keeps 53 of its 63 bits, and the number is right to one part in 10**13.
    """
    return to_told(from_sortable(int(value)))
