"""Counting and measuring the parameters of what may be seen, in the embedded index."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from tantivy import Occur
from tantivy import Query as Clause

from ingest.catalogue.search.embedded_layout import PARAMETER_FACET, from_sortable, to_key
from ingest.catalogue.search.index import Extent
from ingest.catalogue.search.keys import to_facet_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tantivy import Index, Searcher

_MOST_NAMES: Final = 60_000
"""Tantivy refuses an aggregation of more than 65,000 buckets; a facility has some thousands of parameters."""
_DIGITS: Final = 12


def count_names(searcher: Searcher, clause: Clause) -> dict[str, int]:
    """Return how many of the documents have each parameter, by its name."""
    wanted = {"names": {"terms": {"field": PARAMETER_FACET, "size": _MOST_NAMES, "segment_size": _MOST_NAMES}}}
    buckets = searcher.aggregate(clause, wanted)["names"]["buckets"]
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets}


def measure_names(index: Index, clause: Clause, names: Iterable[str]) -> dict[str, Extent]:
    """Return the extent of the numbers under each name that has some.

    One search for each name, over the documents that have it: all names in one search would read every document once
    for each of them.
    """
    searcher = index.searcher()
    measured = {name: _measure(index, searcher, clause, name) for name in names}
    return {name: extent for name, extent in measured.items() if extent is not None}


def _measure(index: Index, searcher: Searcher, clause: Clause, name: str) -> Extent | None:
    having = Clause.term_query(index.schema, PARAMETER_FACET, to_facet_value(name))
    both = Clause.boolean_query([(Occur.Must, clause), (Occur.Must, having)])
    column = f"number.{to_key(name)}"
    wanted = {
        "values": {"stats": {"field": f"{column}.v"}},
        "low": {"min": {"field": f"{column}.lo"}},
        "high": {"max": {"field": f"{column}.hi"}},
    }
    found = searcher.aggregate(both, wanted)
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
