"""Hits in the order of a column, a text or a parameter's numbers, in Elasticsearch.

Documents without a key come last, found by a search of their own: no key stands for none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.cursors import Place, from_place_cursor, to_place_cursor
from ingest.catalogue.search.elastic_client import ask_all
from ingest.catalogue.search.elastic_facets import read_counts, to_counting
from ingest.catalogue.search.elastic_layout import HIT_COLUMNS, to_hit
from ingest.catalogue.search.elastic_numbers import having_number, order_by
from ingest.catalogue.search.elastic_query import to_clause
from ingest.catalogue.search.entries import ORDERS
from ingest.catalogue.search.index import ColumnSort, FieldSort, Hit, NumberSort, SearchPage, TextSort

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from ingest.catalogue.search.elastic_numbers import Clause
    from ingest.catalogue.search.index import SearchRequest

_ID: Final = {"id": "desc"}
_HITS_ALONE: Final[dict[str, Any]] = {"track_total_hits": False, **HIT_COLUMNS}
_KINDS: Final[dict[type[FieldSort], type[int | float | str]]] = {ColumnSort: int, NumberSort: float, TextSort: str}


def page_by_field(client: Elasticsearch, alias: str, request: SearchRequest, sort: FieldSort) -> SearchPage:
    """Return the hits that follow the cursor's place: those that have a key, and then those that have none."""
    place = from_place_cursor(request, _KINDS[type(sort)])
    clause, wanted = to_clause(request), request.limit + 1
    has_keys = place is None or place.key is not None
    first = _find_with_key(clause, sort, wanted, place) if has_keys else _find_without_key(clause, sort, wanted, place)
    answer, *counted = ask_all(client, alias, [first, *to_counting(request)])
    found = _to_found(answer)
    if has_keys and len(found) < wanted:
        (answer,) = ask_all(client, alias, [_find_without_key(clause, sort, wanted - len(found), None)])
        found += _to_found(answer)
    shown, counts = found[: request.limit], read_counts(request, counted)
    following = to_place_cursor(request, shown[-1][0]) if len(found) > request.limit else None
    return SearchPage(tuple(hit for _, hit in shown), counts.total, counts.facets, following)


def _find_with_key(clause: Clause, sort: FieldSort, limit: int, place: Place | None) -> dict[str, Any]:
    within = {"bool": {"must": [clause], "filter": [_to_having(sort)]}}
    after = {} if place is None else {"search_after": [_to_key(sort, place), place.id]}
    return {"query": within, "sort": [_to_order(sort), _ID], "size": limit, **after, **_HITS_ALONE}


def _find_without_key(clause: Clause, sort: FieldSort, limit: int, place: Place | None) -> dict[str, Any]:
    without = {"bool": {"must": [clause], "must_not": [_to_having(sort)]}}
    after = {} if place is None else {"search_after": [place.id]}
    return {"query": without, "sort": [_ID], "size": limit, **after, **_HITS_ALONE}


def _to_found(answer: dict[str, Any]) -> list[tuple[Place, Hit]]:
    found = []
    for hit in answer["hits"]["hits"]:
        *key, number = hit["sort"]
        found.append((Place(number, str(key[0]) if key else None), to_hit(hit)))
    return found


def _to_having(sort: FieldSort) -> Clause:
    if isinstance(sort, NumberSort):
        return having_number(sort.name)
    return {"exists": {"field": _to_column(sort)}}


def _to_order(sort: FieldSort) -> dict[str, Any]:
    order = "desc" if sort.is_falling else "asc"
    return order_by(sort.name, "lowest", order) if isinstance(sort, NumberSort) else {_to_column(sort): order}


def _to_column(sort: ColumnSort | TextSort) -> str:
    return sort.column.value if isinstance(sort, ColumnSort) else ORDERS[sort.noun]


def _to_key(sort: FieldSort, place: Place) -> float | str:
    return _KINDS[type(sort)](place.key or 0)
