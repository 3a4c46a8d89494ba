"""Hits in the order of a column, a text or a parameter's numbers, in Elasticsearch.

Documents without a key come last, found by a search of their own: no key stands for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.cursors import Place, from_place_cursor, to_place_cursor
from ingest.catalogue.search.elastic_facets import count_found
from ingest.catalogue.search.elastic_query import to_clause
from ingest.catalogue.search.entries import ORDERS
from ingest.catalogue.search.index import ColumnSort, FieldSort, Hit, NumberSort, SearchPage, TextSort
from ingest.catalogue.search.keys import to_facet_value

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.elastic_query import Clause
    from ingest.catalogue.search.index import SearchRequest

_ID: Final = {"id": "asc"}
_KINDS: Final[dict[type[FieldSort], type[int | float | str]]] = {ColumnSort: int, NumberSort: float, TextSort: str}


def page_by_field(client: Elasticsearch, alias: str, request: SearchRequest, sort: FieldSort) -> SearchPage:
    """Return the hits that follow the cursor's place: those that have a key, and then those that have none."""
    place = from_place_cursor(request, _KINDS[type(sort)])
    clause, having = to_clause(request), _to_having(sort)
    found: list[tuple[Place, Hit]] = []
    wanted = request.limit + 1
    if place is None or place.key is not None:
        after = None if place is None else [_to_key(sort, place), place.id]
        within = {"bool": {"must": [clause], "filter": [having]}}
        hits = _search(client, alias, within, [_to_order(sort), _ID], wanted, after)
        found = [(Place(hit["sort"][1], str(hit["sort"][0])), _to_hit(hit)) for hit in hits]
        place = None
    if len(found) < wanted:
        without = {"bool": {"must": [clause], "must_not": [having]}}
        hits = _search(client, alias, without, [_ID], wanted - len(found), None if place is None else [place.id])
        found += [(Place(hit["sort"][0], None), _to_hit(hit)) for hit in hits]
    counts = count_found(client, alias, request)
    shown = found[: request.limit]
    following = to_place_cursor(request, shown[-1][0]) if len(found) > request.limit else None
    return SearchPage(tuple(hit for _, hit in shown), counts.total, counts.facets, following)


def _search(
    client: Elasticsearch, alias: str, clause: Clause, order: list[dict[str, Any]], limit: int, after: list[Any] | None
) -> list[dict[str, Any]]:
    answer = client.search(
        index=alias,
        query=clause,
        sort=order,
        size=limit,
        search_after=after,
        stored_fields="_none_",
        docvalue_fields=[{"field": "revision"}, {"field": "id"}],
        track_total_hits=False,
    )
    hits: list[dict[str, Any]] = answer["hits"]["hits"]
    return hits


def _to_having(sort: FieldSort) -> Clause:
    if isinstance(sort, NumberSort):
        return {"nested": {"path": "number", "query": _to_name(sort), "score_mode": "none"}}
    return {"exists": {"field": _to_column(sort)}}


def _to_order(sort: FieldSort) -> dict[str, Any]:
    order = "desc" if sort.is_falling else "asc"
    if not isinstance(sort, NumberSort):
        return {_to_column(sort): order}
    nested = {"path": "number", "filter": _to_name(sort)}
    return {"number.lowest": {"order": order, "mode": "min", "nested": nested}}


def _to_column(sort: ColumnSort | TextSort) -> str:
    return sort.column.value if isinstance(sort, ColumnSort) else ORDERS[sort.noun]


def _to_name(sort: NumberSort) -> Clause:
    return {"term": {"number.name": to_facet_value(sort.name)}}


def _to_key(sort: FieldSort, place: Place) -> float | str:
    return _KINDS[type(sort)](place.key or 0)


def _to_hit(hit: dict[str, Any]) -> Hit:
    return Hit(hit["fields"]["id"][0], hit["fields"]["revision"][0])
