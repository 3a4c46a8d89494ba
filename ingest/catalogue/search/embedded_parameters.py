"""Counting and measuring the parameters of what may be seen, in the embedded index."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite
from operator import add
from typing import TYPE_CHECKING, Any, Final

from tantivy import Occur, Order
from tantivy import Query as Clause

from ingest.catalogue.search.bins import count_overlaps
from ingest.catalogue.search.embedded_generation import count_found, read_column
from ingest.catalogue.search.embedded_layout import HIGHEST, LOWEST, to_key
from ingest.catalogue.search.embedded_query import all_of
from ingest.catalogue.search.entries import PARAMETER_FACET
from ingest.catalogue.search.index import Extent
from ingest.catalogue.search.keys import from_sortable, to_facet_value, to_sortable
from ingest.catalogue.search.nouns import AMOUNT_UNITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tantivy import Index, Searcher

_MOST_NAMES: Final = 60_000
"""Tantivy refuses an aggregation of more than 65,000 buckets; a facility has some thousands of parameters."""
_DIGITS: Final = 12


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

    Single values fall into one bin each, and ranges are told by how many end before a bin and how many begin behind it:
    one pass over three columns. Lists, which are few, are asked for bin by bin.
    """
    searcher = index.searcher()
    key = to_key(name)
    found = _having(index, clause, name)
    bounds = [to_sortable(edge) for edge in edges]
    wanted = {part: _to_ranges(f"number.{key}.{part}", bounds) for part in ("v", "lo", "hi")}
    counted = searcher.aggregate(found, wanted | {"lists": {"min": {"field": f"number.{key}.a"}}})
    inside, begun, ended = (_read_ranges(counted[part], bounds) for part in ("v", "lo", "hi"))
    overlapping = count_overlaps(begun, ended)
    if counted["lists"]["value"] is None:
        return tuple(map(add, inside[1:-1], overlapping))
    lists = index.parse_query(f"number.{key}.a:[{LOWEST} TO {HIGHEST}]")
    others = Clause.boolean_query([(Occur.Must, found), (Occur.MustNot, lists)])
    inside = _read_ranges(searcher.aggregate(others, {"v": wanted["v"]})["v"], bounds)
    listed = [_count_lists(index, searcher, found, lists, f"number.{key}.v", *each) for each in pairwise(bounds)]
    return tuple(map(sum, zip(inside[1:-1], overlapping, listed, strict=True)))


def _having(index: Index, clause: Clause, name: str) -> Clause:
    """Return the same documents, those that have the parameter."""
    having = Clause.term_query(index.schema, PARAMETER_FACET, to_facet_value(name))
    return all_of([clause, having])


def _count_lists(
    index: Index, searcher: Searcher, found: Clause, lists: Clause, column: str, first: int, end: int
) -> int:
    inside = index.parse_query(f"{column}:[{first} TO {end - 1}]")
    musts = Clause.boolean_query([(Occur.Must, each) for each in (found, lists, inside)])
    return int(searcher.search(musts, 1).count)  # type: ignore[attr-defined]


def _to_ranges(column: str, bounds: list[int]) -> dict[str, Any]:
    """Return what counts the numbers before all bounds, between them, and from the last one on."""
    return {"range": {"field": column, "ranges": [{"from": low, "to": high} for low, high in pairwise(bounds)]}}


def _read_ranges(counted: dict[str, Any], bounds: list[int]) -> list[int]:
    """Return the counts; where a segment has nothing of the result, its ranges are not told."""
    counts = {bucket.get("from"): bucket["doc_count"] for bucket in counted["buckets"]}
    return [counts.get(begin, 0) for begin in (None, *map(float, bounds))]


def _measure(index: Index, searcher: Searcher, clause: Clause, name: str) -> Extent | None:
    column = f"number.{to_key(name)}"
    wanted = {
        "values": {"stats": {"field": f"{column}.v"}},
        "low": {"min": {"field": f"{column}.lo"}},
        "high": {"max": {"field": f"{column}.hi"}},
    }
    found = searcher.aggregate(_having(index, clause, name), wanted)
    lows = _list_known(found["values"]["min"], found["low"]["value"])
    highs = _list_known(found["values"]["max"], found["high"]["value"])
    return Extent(min(lows), max(highs)) if lows and highs else None


def _list_known(*aggregated: Any) -> list[float]:
    return [_from_aggregated(value) for value in aggregated if value is not None]


def _from_aggregated(value: float) -> float:
    """Return the number of what tantivy answers: the whole number that sorts as it, through a float64.

    That keeps 53 of its 63 bits, and the number is right to one part in 10**13: as it is read, in twelve digits.
    """
    number = from_sortable(int(value))
    return float(f"{number:.{_DIGITS}g}") if isfinite(number) else number
