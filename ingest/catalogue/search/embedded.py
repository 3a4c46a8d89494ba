"""The embedded index: tantivy in one folder, shared by any number of processes.

One process writes at a time; whoever is not first gets IndexBusyError at once. Readers see each commit at their next
search, also when another generation has taken the place of the one that they read (`embedded_folder`). How documents
lie in it says `embedded_layout`, what a query becomes says `embedded_query`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from tantivy import Index, Order
from tantivy import Query as Clause

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search.cursors import STALE_CURSOR, check_key, from_cursor, to_cursor
from ingest.catalogue.search.embedded_facets import count_facets, count_periods
from ingest.catalogue.search.embedded_folder import WRITER_LOCK, create_folder, get_current, locked
from ingest.catalogue.search.embedded_generation import (
    Generation,
    count_found,
    delete_documents,
    engine_errors,
    get_count,
    read_column,
    write_documents,
)
from ingest.catalogue.search.embedded_parameters import count_bins, count_names, list_newest, measure_names
from ingest.catalogue.search.embedded_query import above, all_of, below
from ingest.catalogue.search.embedded_sorting import page_by_field
from ingest.catalogue.search.index import (
    MAX_RELEVANCE_DEPTH,
    Counts,
    Hit,
    IndexBusyError,
    IndexOutdatedError,
    SearchPage,
    SearchRequest,
    Sort,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from tantivy import DocAddress, Searcher

    from ingest.catalogue.document import SearchDocument
    from ingest.catalogue.search.embedded_query import Translator
    from ingest.catalogue.search.index import AnyOf, Extent, Facet, Interval, VisibilityFilter
    from ingest.catalogue.search.nouns import Instant, Noun
    from ingest.catalogue.search.query import DateRange

_STRETCH: Final = 10_000
"""Ids that are walked at a time: each stretch costs a search over the whole result."""


class EmbeddedIndex:
    """A DatasetIndex in a folder, which is made if it is not there.

    Raises IndexOutdatedError if the folder holds an index of another layout, a damaged one or something else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        create_folder(folder)
        self._reload_lock = Lock()
        self._generation: Generation | None = None
        self.refresh()

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """As DatasetIndex.write."""
        with self._writing() as generation:
            write_documents(generation, documents)

    def delete(self, ids: Iterable[int]) -> None:
        """As DatasetIndex.delete."""
        with self._writing() as generation:
            delete_documents(generation, ids)

    def search(self, request: SearchRequest) -> SearchPage:
        """As DatasetIndex.search."""
        generation = self._follow()
        with engine_errors():
            searcher = generation.index.searcher()
            clause = generation.translator.to_clause(request)
            facets = count_facets(searcher, generation.translator, clause, request)
            if request.field_sort is not None:
                return page_by_field(generation.index, searcher, clause, request, request.field_sort, facets)
            if request.sort is Sort.RELEVANCE:
                return _page_by_score(searcher, clause, request, facets)
            return _page_by_start(generation.index, searcher, clause, request, facets)

    def count(self, request: SearchRequest) -> Counts:
        """As DatasetIndex.count."""
        (counts,) = self.count_all([request])
        return counts

    def count_all(self, requests: Sequence[SearchRequest]) -> list[Counts]:
        """As DatasetIndex.count_all."""
        generation = self._follow()
        with engine_errors():
            searcher = generation.index.searcher()
            return [_count(searcher, generation.translator, request) for request in requests]

    def count_parameters(
        self,
        visibility: VisibilityFilter,
        filters: tuple[AnyOf | DateRange, ...] = (),
        names: Iterable[str] | None = None,
    ) -> dict[str, int]:
        """As DatasetIndex.count_parameters."""
        generation = self._follow()
        with engine_errors():
            clause = generation.translator.to_clause(SearchRequest(visibility, filters=filters))
            return count_names(generation.index, clause, names)

    def measure_parameters(
        self, visibility: VisibilityFilter, names: Iterable[str], filters: tuple[AnyOf | DateRange, ...] = ()
    ) -> dict[str, Extent]:
        """As DatasetIndex.measure_parameters."""
        generation = self._follow()
        with engine_errors():
            clause = generation.translator.to_clause(SearchRequest(visibility, filters=filters))
            return measure_names(generation.index, clause, names)

    def list_newest(
        self,
        visibility: VisibilityFilter,
        names: Iterable[str],
        limit: int,
        filters: tuple[AnyOf | DateRange, ...] = (),
    ) -> dict[str, list[int]]:
        """As DatasetIndex.list_newest."""
        generation = self._follow()
        with engine_errors():
            clause = generation.translator.to_clause(SearchRequest(visibility, filters=filters))
            return list_newest(generation.index, clause, names, limit)

    def walk(self, request: SearchRequest) -> Iterator[list[int]]:
        """As DatasetIndex.walk: over one searcher, which sees no commit that comes after it."""
        generation = self._follow()
        searcher, after = generation.index.searcher(), None
        clause = generation.translator.to_clause(replace(request, sort=Sort.NEWEST))
        while True:
            with engine_errors():
                bounded = clause if after is None else all_of([clause, above(generation.index, "id", after)])
                found = searcher.search(bounded, _STRETCH, count=False, order_by_field="id", order=Order.Asc).hits
            if not found:
                return
            yield [int(key) for key, _ in found]
            after = int(found[-1][0])

    def measure_found(self, request: SearchRequest, name: str) -> Extent | None:
        """As DatasetIndex.measure_found."""
        generation = self._follow()
        with engine_errors():
            return measure_names(generation.index, generation.translator.to_clause(request), [name]).get(name)

    def count_dates(self, request: SearchRequest, instant: Instant, interval: Interval) -> dict[datetime, int]:
        """As DatasetIndex.count_dates."""
        generation = self._follow()
        with engine_errors():
            clause = generation.translator.to_clause(request)
            return count_periods(generation.index.searcher(), clause, instant, interval)

    def count_numbers(self, request: SearchRequest, name: str, edges: tuple[float, ...]) -> tuple[int, ...]:
        """As DatasetIndex.count_numbers."""
        generation = self._follow()
        with engine_errors():
            return count_bins(generation.index, generation.translator.to_clause(request), name, edges)

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As DatasetIndex.revisions."""
        return self._follow().revisions(after_id, limit)

    def revisions_of(self, ids: Iterable[int]) -> dict[int, int]:
        """As DatasetIndex.revisions_of."""
        return self._follow().revisions_of(ids)

    def refresh(self) -> None:
        """As DatasetIndex.refresh; every search does it, too, at the cost of reading one name and one stat."""
        self._follow()

    def close(self) -> None:
        """As DatasetIndex.close: the files are mapped, and let go of with the last searcher."""
        self._generation = None

    def _follow(self) -> Generation:
        """Return the current generation, its last commit seen.

        If it is gone or broken and another has taken its place in between, that one is followed.
        """
        with self._reload_lock:
            while True:
                current = get_current(self._folder)
                try:
                    if self._generation is None or self._generation.folder != current:
                        self._generation = Generation(current)
                    self._generation.reload()
                except IndexOutdatedError:
                    self._generation = None
                    if get_current(self._folder) == current:
                        raise
                else:
                    return self._generation

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """Hold the lock of the one who writes, and yield the generation that is current as long as it is held."""
        get_current(self._folder)  # no lock is left in a folder that is not ours
        with locked(self._folder / WRITER_LOCK, IndexBusyError(str(self._folder))):
            yield get_current(self._folder)


def _page_by_start(
    index: Index, searcher: Searcher, clause: Clause, request: SearchRequest, facets: dict[Noun, Facet]
) -> SearchPage:
    """Return the hits beyond the cursor's key in the order of a column that is different for every document."""
    column, order = ("newest", Order.Desc) if request.sort is Sort.NEWEST else ("oldest", Order.Asc)
    beyond = _beyond_cursor(index, request, column)
    bounded = clause if beyond is None else all_of([clause, beyond])
    found = searcher.search(bounded, request.limit + 1, count=beyond is None, order_by_field=column, order=order)
    total = get_count(found) if beyond is None else count_found(searcher, clause)
    shown = found.hits[: request.limit]
    following = to_cursor(request, shown[-1][0]) if len(found.hits) > request.limit else None
    return SearchPage(_to_hits(searcher, shown), total, facets, following)


def _count(searcher: Searcher, translator: Translator, request: SearchRequest) -> Counts:
    clause = translator.to_clause(request)
    facets = count_facets(searcher, translator, clause, request)
    return Counts(count_found(searcher, clause), facets)


def _beyond_cursor(index: Index, request: SearchRequest, column: str) -> Clause | None:
    key = from_cursor(request, int)
    check_key(key)
    if key is None:
        return None
    return below(index, column, key) if request.sort is Sort.NEWEST else above(index, column, key)


def _page_by_score(searcher: Searcher, clause: Clause, request: SearchRequest, facets: dict[Noun, Facet]) -> SearchPage:
    """Return hits by score from the cursor's place on, as far as MAX_RELEVANCE_DEPTH."""
    offset = from_cursor(request, int) or 0
    if not 0 <= offset < MAX_RELEVANCE_DEPTH:
        raise InvalidQueryError(STALE_CURSOR)
    limit = min(request.limit, MAX_RELEVANCE_DEPTH - offset)
    found = searcher.search(clause, limit, offset=offset)
    shown, total = found.hits, get_count(found)
    end = offset + limit
    following = to_cursor(request, end) if end < min(total, MAX_RELEVANCE_DEPTH) else None
    return SearchPage(_to_hits(searcher, shown, scored=True), total, facets, following)


def _to_hits(searcher: Searcher, found: list[tuple[Any, DocAddress]], *, scored: bool = False) -> tuple[Hit, ...]:
    ids, revisions = read_column(searcher, "id", found), read_column(searcher, "revision", found)
    scores = [float(key) for key, _ in found] if scored else [None] * len(found)
    return tuple(Hit(*hit) for hit in zip(ids, revisions, scores, strict=True))
