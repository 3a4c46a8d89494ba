"""Hits in the order of a column, a text or a parameter's numbers, in the embedded index.

Tantivy orders a search by one column of the schema, and what is equal there in any way: enough to learn which texts
come on a page; of the first and the last of them, which other pages may have as well, documents are found by id. Its
`top_hits` takes any column of numbers, those of a parameter as well, and the id behind it. A page costs a few passes
over the result, whatever its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from tantivy import FieldType, Index, Occur, Order, Searcher
from tantivy import Query as Clause

from ingest.catalogue.search.cursors import Place, from_place_cursor, to_place_cursor
from ingest.catalogue.search.embedded_generation import count_found, read_column, read_revisions
from ingest.catalogue.search.embedded_layout import HIGHEST, LOWEST, to_column
from ingest.catalogue.search.embedded_query import all_of, below
from ingest.catalogue.search.entries import ORDERS
from ingest.catalogue.search.index import Column, ColumnSort, FieldSort, Hit, NumberSort, SearchPage, TextSort
from ingest.catalogue.search.nouns import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tantivy import DocAddress

    from ingest.catalogue.search.index import Facet, SearchRequest
    from ingest.catalogue.search.nouns import Noun

    _Finder = Callable[[int, Place | None], list[tuple[Place, Hit]]]

_SIGNED: Final = {Column(instant) for instant in Instant}
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
        beside = all_of([self.between(key, key), below(self.index, "id", place.id)])
        return Clause.boolean_query([(Occur.Should, further), (Occur.Should, beside)])


@dataclass(frozen=True, slots=True)
class _Texts:
    """A result in the order of a column of texts, equal ones by falling id."""

    index: Index
    searcher: Searcher
    clause: Clause
    column: str
    is_falling: bool

    def find_first(self, limit: int, place: Place | None) -> list[tuple[Place, Hit]]:
        """Return the first documents beyond the place, of those that have a text."""
        if place is None or place.key is None:
            return self._find_further(limit, None)
        found = self._find_equal(limit, place.key, below(self.index, "id", place.id))
        return found if len(found) == limit else found + self._find_further(limit - len(found), place.key)

    def _find_further(self, limit: int, key: str | None) -> list[tuple[Place, Hit]]:
        """Return the first documents whose text comes after this one."""
        hits = self._list_texts(limit, key)
        if not hits:
            return []
        last = hits[-1][0]
        whole = [hit for hit in hits if hit[0] != last]
        ids, revisions = (read_column(self.searcher, column, whole) for column in ("id", "revision"))
        found = [(text, Hit(*each)) for (text, _), *each in zip(whole, ids, revisions, strict=True)]
        found.sort(key=lambda each: -each[1].id)
        found.sort(key=itemgetter(0), reverse=self.is_falling)
        before = [(Place(hit.id, text), hit) for text, hit in found]
        return before + self._find_equal(limit - len(before), last)

    def _list_texts(self, limit: int, key: str | None) -> list[tuple[str, DocAddress]]:
        """Return the first texts after this one, as many as documents have them; which of these is of no account."""
        bounds = "*"
        if key is not None:
            # As keys are written, none comes before 0.
            bounds = f"[0 TO {key}}}" if self.is_falling else f"{{{key} TO *]"
        clause = all_of([self.clause, self.index.parse_query(f"{self.column}:{bounds}")])
        order = Order.Desc if self.is_falling else Order.Asc
        found = self.searcher.search(clause, limit, count=False, order_by_field=self.column, order=order)
        return [(str(text), address) for text, address in found.hits]

    def _find_equal(self, limit: int, key: str, *bounds: Clause) -> list[tuple[Place, Hit]]:
        equal = Clause.term_query(self.index.schema, self.column, key)
        return _find_by_id(self.searcher, all_of([self.clause, equal, *bounds]), limit, key)


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
        bounded = lacking if place is None else all_of([lacking, below(index, "id", place.id)])
        found += _find_by_id(searcher, bounded, request.limit + 1 - len(found))
    total = count_found(searcher, clause)
    shown = found[: request.limit]
    following = to_place_cursor(request, shown[-1][0]) if len(found) > request.limit else None
    return SearchPage(tuple(hit for _, hit in shown), total, facets, following)


def _plan(index: Index, searcher: Searcher, clause: Clause, sort: FieldSort) -> tuple[Clause, _Finder]:
    """Return the documents that have a key, and what finds the first of them beyond a place."""
    if isinstance(sort, TextSort):
        texts = _Texts(index, searcher, clause, ORDERS[sort.noun], sort.is_falling)
        return Clause.exists_query(texts.column), texts.find_first
    keys = _to_keys(index, sort)
    return keys.between(), partial(_find_numbers, searcher, clause, keys, sort.is_falling)


def _to_keys(index: Index, sort: ColumnSort | NumberSort) -> _Keys:
    """Return where the keys are."""
    if isinstance(sort, NumberSort):
        return _Keys(index, to_column(sort.name, "lowest"))
    return _Keys(index, sort.column.value, is_signed=sort.column in _SIGNED)


def _find_numbers(
    searcher: Searcher, clause: Clause, keys: _Keys, is_falling: bool, limit: int, place: Place | None
) -> list[tuple[Place, Hit]]:
    """Return the first documents beyond the place, of those that have a key."""
    within = keys.between() if place is None else keys.beyond(place, is_falling=is_falling)
    order = [{keys.column: "desc" if is_falling else "asc"}, {"id": "desc"}]
    wanted = {"top_hits": {"sort": order, "size": limit, "docvalue_fields": ["revision"]}}
    hits: list[Any] = searcher.aggregate(all_of([clause, within]), {"first": wanted})["first"]["hits"]
    shift = _SIGN if keys.is_signed else 0
    found = [(*hit["sort"], hit["docvalue_fields"]["revision"][0]) for hit in hits]
    return [(Place(number, str(key - shift)), Hit(number, revision)) for key, number, revision in found]


def _find_by_id(searcher: Searcher, clause: Clause, limit: int, key: str | None = None) -> list[tuple[Place, Hit]]:
    """Return the first documents by falling id, all of which have this key."""
    rows = read_revisions(searcher, clause, limit, Order.Desc)
    return [(Place(hit.id, key), hit) for hit in (Hit(*row) for row in rows)]
