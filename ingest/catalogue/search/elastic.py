"""The index of a facility: Elasticsearch 8.19 or later, shared by all hosts, behind one alias.

How documents lie in it says `elastic_layout`, what a query becomes says `elastic_query`. A call is not one commit, as
it is in the embedded index: a server that is killed in the middle of one keeps a part of it. The caller, who was not
told that it went well, writes all of it again.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from itertools import chain, islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search.cursors import STALE_CURSOR, check_key, from_cursor, to_cursor
from ingest.catalogue.search.elastic_client import (
    KEPT,
    ask_all,
    check_layout,
    create_index,
    delete_documents,
    engine_errors,
    find_index,
    find_revisions,
    list_revisions,
    make_client,
    walk_on,
    write_documents,
)
from ingest.catalogue.search.elastic_facets import count_periods, read_counts, to_counting
from ingest.catalogue.search.elastic_layout import HIT_COLUMNS, to_hit
from ingest.catalogue.search.elastic_lease import heal_block
from ingest.catalogue.search.elastic_parameters import count_bins, count_names, list_newest, measure_names
from ingest.catalogue.search.elastic_query import to_clause, to_filters
from ingest.catalogue.search.elastic_sorting import page_by_field
from ingest.catalogue.search.index import (
    MAX_RELEVANCE_DEPTH,
    IndexBusyError,
    SearchPage,
    SearchRequest,
    Sort,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from elasticsearch import Elasticsearch

    from ingest.catalogue.document import SearchDocument
    from ingest.catalogue.search.index import AnyOf, Counts, Extent, Interval, VisibilityFilter
    from ingest.catalogue.search.nouns import Instant
    from ingest.catalogue.search.query import DateRange


class ElasticIndex:
    """A DatasetIndex behind an alias of a server; both are first asked for when the index is first used.

    If there is no index it is made then, empty. Raises IndexOutdatedError, then, for one of another layout.
    """

    def __init__(self, url: str, alias: str) -> None:
        self._client, self._alias = make_client(url), alias
        self._first_use = Lock()
        self._is_known = False

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """As DatasetIndex.write."""
        made = list(documents)
        self._change(lambda client: write_documents(client, self._alias, made))

    def delete(self, ids: Iterable[int]) -> None:
        """As DatasetIndex.delete."""
        listed = list(ids)
        self._change(lambda client: delete_documents(client, self._alias, listed))

    def search(self, request: SearchRequest) -> SearchPage:
        """As DatasetIndex.search."""
        if request.field_sort is not None:
            with self._using() as client:
                return page_by_field(client, self._alias, request, request.field_sort)
        # What counts, the same on every page, goes apart: the hits alone are found sooner, but for those by score.
        goes_apart = request.facets or request.sort is not Sort.RELEVANCE
        counting = to_counting(request) if goes_apart else []
        with self._using() as client:
            found, *counted = ask_all(client, self._alias, [_to_finding(request, counts=not counting), *counting])
        counts = read_counts(request, counted or [found])
        return _to_page(request, found["hits"]["hits"], counts)

    def count(self, request: SearchRequest) -> Counts:
        """As DatasetIndex.count."""
        (counts,) = self.count_all([request])
        return counts

    def count_all(self, requests: Sequence[SearchRequest]) -> list[Counts]:
        """As DatasetIndex.count_all."""
        asked = [to_counting(request) for request in requests]
        with self._using() as client:
            answers = iter(ask_all(client, self._alias, chain.from_iterable(asked)))
        return [read_counts(each, list(islice(answers, len(part)))) for each, part in zip(requests, asked, strict=True)]

    def count_parameters(
        self,
        visibility: VisibilityFilter,
        filters: tuple[AnyOf | DateRange, ...] = (),
        names: Iterable[str] | None = None,
    ) -> dict[str, int]:
        """As DatasetIndex.count_parameters."""
        with self._using() as client:
            return count_names(client, self._alias, to_filters(visibility, filters), names)

    def measure_parameters(
        self, visibility: VisibilityFilter, names: Iterable[str], filters: tuple[AnyOf | DateRange, ...] = ()
    ) -> dict[str, Extent]:
        """As DatasetIndex.measure_parameters."""
        with self._using() as client:
            return measure_names(client, self._alias, to_filters(visibility, filters), names)

    def list_newest(
        self,
        visibility: VisibilityFilter,
        names: Iterable[str],
        limit: int,
        filters: tuple[AnyOf | DateRange, ...] = (),
    ) -> dict[str, list[int]]:
        """As DatasetIndex.list_newest."""
        with self._using() as client:
            return list_newest(client, self._alias, to_filters(visibility, filters), names, limit)

    def walk(self, request: SearchRequest) -> Iterator[list[int]]:
        """As DatasetIndex.walk: over a point in time, which the server keeps ten minutes from stretch to stretch."""
        with self._using() as client:
            kept = client.open_point_in_time(index=self._alias, keep_alive=KEPT)["id"]
        try:
            after: list[Any] | None = None
            while True:
                with self._using() as client:
                    answer = walk_on(client, kept, to_clause(replace(request, sort=Sort.NEWEST)), after)
                kept, found = answer["pit_id"], answer["hits"]["hits"]
                if not found:
                    return
                yield [hit["sort"][0] for hit in found]
                after = found[-1]["sort"]
        finally:
            self._client.options(ignore_status=HTTPStatus.NOT_FOUND).close_point_in_time(id=kept)

    def measure_found(self, request: SearchRequest, name: str) -> Extent | None:
        """As DatasetIndex.measure_found."""
        with self._using() as client:
            return measure_names(client, self._alias, [to_clause(request)], [name]).get(name)

    def count_dates(self, request: SearchRequest, instant: Instant, interval: Interval) -> dict[datetime, int]:
        """As DatasetIndex.count_dates."""
        with self._using() as client:
            return count_periods(client, self._alias, request, instant, interval)

    def count_numbers(self, request: SearchRequest, name: str, edges: tuple[float, ...]) -> tuple[int, ...]:
        """As DatasetIndex.count_numbers."""
        with self._using() as client:
            return count_bins(client, self._alias, to_clause(request), name, edges)

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As DatasetIndex.revisions."""
        with self._using() as client:
            return list_revisions(client, self._alias, after_id, limit)

    def revisions_of(self, ids: Iterable[int]) -> dict[int, int]:
        """As DatasetIndex.revisions_of."""
        with self._using() as client:
            return find_revisions(client, self._alias, ids)

    def refresh(self) -> None:
        """As DatasetIndex.refresh: who writes lets the server refresh, so that all see it."""
        with self._using() as client:
            client.indices.refresh(index=self._alias)

    def close(self) -> None:
        """As DatasetIndex.close."""
        self._client.close()

    def _change(self, change: Callable[[Elasticsearch], None]) -> None:
        with self._using() as client:
            try:
                change(client)
            except IndexBusyError:
                # Of a rebuild that was killed while it kept writers out.
                if not heal_block(client, self._alias):
                    raise
                change(client)

    @contextmanager
    def _using(self) -> Iterator[Elasticsearch]:
        with engine_errors(self._alias):
            with self._first_use:
                if not self._is_known:
                    if find_index(self._client, self._alias) is None:
                        create_index(self._client, f"{self._alias}-first", self._alias)
                    check_layout(self._client, self._alias)
                    self._is_known = True
            yield self._client


def _to_finding(request: SearchRequest, *, counts: bool) -> dict[str, Any]:
    """Return the search for the hits of the page; `counts` all that is found, too."""
    asked = _to_scored(request) if request.sort is Sort.RELEVANCE else _to_sorted(request)
    return {"query": to_clause(request), "track_total_hits": counts, **HIT_COLUMNS, **asked}


def _to_sorted(request: SearchRequest) -> dict[str, Any]:
    """Return what asks for the hits beyond the cursor's key in the order of a column different for every document."""
    order = {"newest": "desc"} if request.sort is Sort.NEWEST else {"oldest": "asc"}
    asked: dict[str, Any] = {"sort": [order], "size": request.limit + 1}
    key = from_cursor(request, int)
    check_key(key)
    return asked if key is None else asked | {"search_after": [key]}


def _to_scored(request: SearchRequest) -> dict[str, Any]:
    """Return what asks for hits by score from the cursor's place on, as far as MAX_RELEVANCE_DEPTH."""
    offset = _get_offset(request)
    size = min(request.limit, MAX_RELEVANCE_DEPTH - offset)
    return {"sort": [{"_score": "desc"}, {"newest": "desc"}], "from": offset, "size": size}


def _get_offset(request: SearchRequest) -> int:
    offset = from_cursor(request, int) or 0
    if not 0 <= offset < MAX_RELEVANCE_DEPTH:
        raise InvalidQueryError(STALE_CURSOR)
    return offset


def _to_page(request: SearchRequest, found: list[dict[str, Any]], counts: Counts) -> SearchPage:
    is_scored = request.sort is Sort.RELEVANCE
    hits = tuple(to_hit(hit, hit["sort"][0] if is_scored else None) for hit in found[: request.limit])
    return SearchPage(hits, counts.total, counts.facets, _to_following(request, found, counts.total))


def _to_following(request: SearchRequest, found: list[dict[str, Any]], total: int) -> str | None:
    if request.sort is not Sort.RELEVANCE:
        return to_cursor(request, found[request.limit - 1]["sort"][0]) if len(found) > request.limit else None
    end = _get_offset(request) + request.limit
    return to_cursor(request, end) if end < min(total, MAX_RELEVANCE_DEPTH) else None
