"""Hits in the order of a column, a text or a parameter's numbers, in the embedded index.

Tantivy orders a search by a column of the schema alone, and by that in one sense only: enough for texts, each of which
has the id in it. Its `top_hits` takes any column of numbers, those of a parameter as well, and the id behind it; a page
costs one pass over the result for each column, whatever its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tantivy import FieldType, Index, Occur, Order, Searcher
from tantivy import Query as Clause

from ingest.catalogue.search.cursors import Place, from_place_cursor, to_place_cursor
from ingest.catalogue.search.embedded_generation import read_column
from ingest.catalogue.search.embedded_layout import HIGHEST, LOWEST, to_key
from ingest.catalogue.search.embedded_query import above, all_of
from ingest.catalogue.search.index import Column, ColumnSort, FieldSort, Hit, NumberSort, SearchPage, TextSort
from ingest.catalogue.search.nouns import to_order_column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ingest.catalogue.search.index import Facet, SearchRequest
    from ingest.catalogue.search.nouns import Noun

    _Finder = Callable[[int, Place | None], list[tuple[Place, Hit]]]

_SIGNED: Final = {Column.START, Column.END}
_SIGN: Final = 2**63
"""Between a signed number and the unsigned one that tantivy sorts in its place."""


@dataclass(frozen=True, slots=True)
class _Keys:
    """Where the keys of some documents are, each of which has one there."""

    index: Index
    column: str
    is_signed: bool = True

    def between(self, low: int = LOWEST, high: int = HIGHEST) -> Clause:
        """Return the documents that have a key in these bounds."""
        if self.column.startswith("number."):
            return self.index.parse_query(f"{self.column}:[{low} TO {high}]")
        if self.is_signed:
            return Clause.range_query(self.index.schema, self.column, FieldType.Integer, low, high)
        if high < 0:
            return Clause.empty_query()
        return Clause.range_query(self.index.schema, self.column, FieldType.Unsigned, max(low, 0), high)

    def beyond(self, place: Place, *, is_falling: bool) -> Clause:
        """Return the documents that follow the place."""
        key = int(place.key or 0)
        further = self.between(high=key - 1) if is_falling else self.between(low=key + 1)
        beside = all_of([self.between(key, key), above(self.index, place.id)])
        return Clause.boolean_query([(Occur.Should, further), (Occur.Should, beside)])


def page_by_field(
    index: Index,
    searcher: Searcher,
    clause: Clause,
    request: SearchRequest,
    sort: FieldSort,
    facets: Mapping[Noun, Facet],
) -> SearchPage:
    """Return the hits that follow the cursor's place: those that have a key, and then those that have none."""
    place = from_place_cursor(request, str if isinstance(sort, TextSort) else int)
    having, find_first = _plan(index, searcher, clause, sort)
    found: list[tuple[Place, Hit]] = []
    if place is None or place.key is not None:
        found = find_first(request.limit + 1, place)
        place = None
    if len(found) <= request.limit:
        lacking = Clause.boolean_query([(Occur.Must, clause), (Occur.MustNot, having)])
        bounded = lacking if place is None else all_of([lacking, above(index, place.id)])
        found += _find_lacking(searcher, bounded, request.limit + 1 - len(found))
    total = int(searcher.search(clause, 1, order_by_field="newest").count)  # type: ignore[attr-defined]
    shown = found[: request.limit]
    following = to_place_cursor(request, shown[-1][0]) if len(found) > request.limit else None
    return SearchPage(tuple(hit for _, hit in shown), total, facets, following)


def _plan(index: Index, searcher: Searcher, clause: Clause, sort: FieldSort) -> tuple[Clause, _Finder]:
    """Return the documents that have a key, and what finds the first of them beyond a place."""
    if isinstance(sort, TextSort):
        return _between_texts(index, sort), partial(_find_texts, index, searcher, clause, sort)
    parts = _list_keys(index, sort)
    having = Clause.boolean_query([(Occur.Should, keys.between()) for keys, _ in parts])
    return having, partial(_find_numbers, searcher, clause, sort, parts)


def _between_texts(index: Index, sort: TextSort, bounds: str = "[0 TO *]") -> Clause:
    # As keys are written, none comes before 0.
    return index.parse_query(f"{to_order_column(sort.noun)}:{bounds}")


def _find_texts(
    index: Index, searcher: Searcher, clause: Clause, sort: TextSort, limit: int, place: Place | None
) -> list[tuple[Place, Hit]]:
    """Return the first documents beyond the place."""
    key = place.key if place is not None else None
    beyond = "[0 TO *]" if key is None else f"[0 TO {key}}}" if sort.is_falling else f"{{{key} TO *]"
    bounded = all_of([clause, _between_texts(index, sort, beyond)])
    order = Order.Desc if sort.is_falling else Order.Asc
    column = to_order_column(sort.noun)
    hits = searcher.search(bounded, limit, count=False, order_by_field=column, order=order).hits
    ids, revisions = read_column(searcher, "id", hits), read_column(searcher, "revision", hits)
    return [
        (Place(number, str(key)), Hit(number, revision))
        for (key, _), number, revision in zip(hits, ids, revisions, strict=True)
    ]


def _list_keys(index: Index, sort: ColumnSort | NumberSort) -> list[tuple[_Keys, Clause | None]]:
    """Return where the keys are, each with the documents that have theirs elsewhere although they have one there."""
    if isinstance(sort, ColumnSort):
        return [(_Keys(index, sort.column.value, is_signed=sort.column in _SIGNED), None)]
    value, begin, lowest = (_Keys(index, f"number.{to_key(sort.name)}.{part}") for part in ("v", "lo", "a"))
    return [(value, lowest.between()), (begin, None), (lowest, None)]


def _find_numbers(
    searcher: Searcher,
    clause: Clause,
    sort: ColumnSort | NumberSort,
    parts: list[tuple[_Keys, Clause | None]],
    limit: int,
    place: Place | None,
) -> list[tuple[Place, Hit]]:
    """Return the first documents beyond the place, of each column as many as are asked for, and of those the first."""
    found: list[tuple[int, int, int]] = []
    for keys, others in parts:
        within = keys.between() if place is None else keys.beyond(place, is_falling=sort.is_falling)
        bounded = all_of([clause, within])
        if others is not None:
            bounded = Clause.boolean_query([(Occur.Must, bounded), (Occur.MustNot, others)])
        order = [{keys.column: "desc" if sort.is_falling else "asc"}, {"id": "asc"}]
        wanted = {"top_hits": {"sort": order, "size": limit, "docvalue_fields": ["revision"]}}
        hits: list[Any] = searcher.aggregate(bounded, {"first": wanted})["first"]["hits"]
        shift = _SIGN if keys.is_signed else 0
        found += [(hit["sort"][0] - shift, hit["sort"][1], hit["docvalue_fields"]["revision"][0]) for hit in hits]
    found.sort(key=lambda each: (-each[0] if sort.is_falling else each[0], each[1]))
    return [(Place(number, str(key)), Hit(number, revision)) for key, number, revision in found[:limit]]


def _find_lacking(searcher: Searcher, clause: Clause, limit: int) -> list[tuple[Place, Hit]]:
    hits = searcher.search(clause, limit, count=False, order_by_field="id", order=Order.Asc).hits
    revisions = read_column(searcher, "revision", hits)
    return [
        (Place(number, None), Hit(number, revision))
        for number, revision in zip([int(key) for key, _ in hits], revisions, strict=True)
    ]
