"""The embedded index: tantivy in one folder, shared by any number of processes.

One process writes at a time; whoever is not first gets IndexBusyError at once. Readers see each commit at their next
search. How documents lie in it says `embedded_layout`, what a query becomes says `embedded_query`.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tantivy import FieldType, Index, IndexWriter, Occur, Order
from tantivy import Query as Clause

from ingest.catalogue.errors import InvalidQueryError, UnavailableError
from ingest.catalogue.search.cursors import STALE_CURSOR, from_cursor, to_cursor
from ingest.catalogue.search.embedded_folder import broken_as_outdated, create_folder, open_folder, read_state
from ingest.catalogue.search.embedded_layout import to_entry
from ingest.catalogue.search.embedded_query import Translator
from ingest.catalogue.search.index import (
    MAX_RELEVANCE_DEPTH,
    Facet,
    FacetValue,
    Hit,
    IndexBusyError,
    SearchPage,
    SearchRequest,
    Sort,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tantivy import DocAddress, Searcher, SearchResult

    from ingest.catalogue.document import SearchDocument
    from ingest.catalogue.search.nouns import Noun

_WRITER_MEMORY: Final = 128_000_000
"""Bytes; a batch that fits becomes one segment."""
_BATCH_SIZE: Final = 1000
_ALL_VALUES: Final = 2**32 - 1
"""Each segment counts all values of a facet: with fewer, sums over segments would be guesses."""
_COLUMNS: Final = {Sort.NEWEST: "newest", Sort.OLDEST: "oldest", Sort.NAME: "name_order"}
_NAME_KEY: Final = re.compile(r"[0-9a-v]+")


class EmbeddedIndex:
    """A DatasetIndex in a folder, which is made if it is not there.

    Raises IndexOutdatedError if the folder holds an index of another layout, a damaged one or something else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        create_folder(folder)
        self._index = open_folder(folder)
        self._translator = Translator(self._index)
        self._reload_lock = Lock()
        self._seen: tuple[int, int, int] | None = None

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """As DatasetIndex.write."""
        with self._writing() as (index, writer):
            pending = iter(documents)
            written: dict[int, int] = {}
            while batch := list(islice(pending, _BATCH_SIZE)):
                entries = [to_entry(document) for document in batch]
                with _engine_errors():
                    _write_batch(index, writer, entries, written)

    def delete(self, ids: Iterable[int]) -> None:
        """As DatasetIndex.delete."""
        with self._writing() as (index, writer):
            _delete(index, writer, list(ids))

    def search(self, request: SearchRequest) -> SearchPage:
        """As DatasetIndex.search."""
        self.refresh()
        with _engine_errors():
            searcher = self._index.searcher()
            clause = self._translator.to_clause(request)
            facets = _count_facets(searcher, clause, request)
            if request.sort is Sort.RELEVANCE:
                return _page_by_score(searcher, clause, request, facets)
            return _page_by_key(self._index, searcher, clause, request, facets)

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As DatasetIndex.revisions."""
        self.refresh()
        above = Clause.range_query(self._index.schema, "id", FieldType.Unsigned, after_id, include_lower=False)
        return _read_revisions(self._index.searcher(), above, limit)

    def refresh(self) -> None:
        """As DatasetIndex.refresh; every search does it, too, at the cost of a stat."""
        with self._reload_lock:
            state = read_state(self._folder)
            if state != self._seen:
                with broken_as_outdated(self._folder):
                    self._index.reload()
                self._seen = state

    def close(self) -> None:
        """As DatasetIndex.close: the files are mapped, and let go of with the last searcher."""
        del self._translator, self._index

    @contextmanager
    def _writing(self) -> Iterator[tuple[Index, IndexWriter]]:
        """Hold the folder's one writer; commit at the end. What was not committed is dropped with the writer.

        The index is opened anew each time (a millisecond): tantivy reads its list of files to be cleared only then, and
        with a list from before another process wrote, cleared files would pile up. So would segments, one for each
        commit, if the merges were not waited for.
        """
        index = open_folder(self._folder)
        writer = self._take_writer(index)
        try:
            index.reload()
            yield index, writer
            with _engine_errors():
                writer.commit()
        finally:
            with _engine_errors():
                writer.wait_merging_threads()

    def _take_writer(self, index: Index) -> IndexWriter:
        try:
            return index.writer(_WRITER_MEMORY, 1)
        except ValueError as error:
            if "LockBusy" in str(error):
                raise IndexBusyError(str(self._folder)) from error
            raise UnavailableError(f"the index {self._folder} cannot be written: {error}") from error


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Turn what tantivy raises, ValueErrors and panics, into errors of ours.

    A panic passes every `except Exception` and would end the process.
    """
    try:
        yield
    except ValueError as error:
        if "max expansions" in str(error):
            raise InvalidQueryError("too many words begin like that: write more letters before the '*'") from error
        raise UnavailableError(f"the search engine failed: {error}") from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise UnavailableError(f"the search engine failed: {error}") from error
        raise


def _write_batch(index: Index, writer: IndexWriter, entries: list[dict[str, Any]], written: dict[int, int]) -> None:
    """Add the entries that are no older than what is in the index or was written before; note them in `written`."""
    known = _find_revisions(index, [entry["id"] for entry in entries]) | written
    for entry in entries:
        document_id, revision = entry["id"], entry["revision"]
        if document_id in known:
            if revision < known[document_id]:
                continue
            _delete(index, writer, [document_id])
        writer.add_json(msgspec.json.encode(entry).decode())
        known[document_id] = written[document_id] = revision


def _delete(index: Index, writer: IndexWriter, ids: list[int]) -> None:
    """Take the ids out; by query, since tantivy's deletion by term takes no unsigned number, and says nothing."""
    writer.delete_documents_by_query(Clause.term_set_query(index.schema, "id", ids))


def _find_revisions(index: Index, ids: list[int]) -> dict[int, int]:
    """Return the revisions of those of the ids that are in the index."""
    searcher = index.searcher()
    if searcher.num_docs == 0:
        return {}
    return dict(_read_revisions(searcher, Clause.term_set_query(index.schema, "id", ids), len(ids)))


def _read_revisions(searcher: Searcher, clause: Clause, limit: int) -> list[tuple[int, int]]:
    found = searcher.search(clause, limit, count=False, order_by_field="id", order=Order.Asc).hits
    return list(zip((int(key) for key, _ in found), _read_column(searcher, "revision", found), strict=True))


def _read_column(searcher: Searcher, column: str, found: list[tuple[Any, DocAddress]]) -> list[int]:
    return [int(value or 0) for value in searcher.fast_field_values(column, [address for _, address in found])]


def _count_facets(searcher: Searcher, clause: Clause, request: SearchRequest) -> dict[Noun, Facet]:
    """Count all facets in one pass over the whole result."""
    if not request.facets:
        return {}
    wanted = {
        facet.noun.value: {"terms": {"field": f"facet_{facet.noun}", "size": facet.size, "segment_size": _ALL_VALUES}}
        for facet in request.facets
    }
    counted = searcher.aggregate(clause, wanted)
    return {facet.noun: _to_facet(counted[facet.noun.value]) for facet in request.facets}


def _to_facet(counted: dict[str, Any]) -> Facet:
    values = [FacetValue(bucket["key"], bucket["doc_count"]) for bucket in counted["buckets"]]
    return Facet(tuple(sorted(values, key=lambda value: (-value.count, value.value))), counted["sum_other_doc_count"])


def _page_by_key(
    index: Index, searcher: Searcher, clause: Clause, request: SearchRequest, facets: dict[Noun, Facet]
) -> SearchPage:
    """Return the hits beyond the cursor's key in the order of a column that is different for every document."""
    column = _COLUMNS[request.sort]
    order = Order.Desc if request.sort is Sort.NEWEST else Order.Asc
    beyond = _beyond_cursor(index, request, column)
    bounded = clause if beyond is None else Clause.boolean_query([(Occur.Must, clause), (Occur.Must, beyond)])
    found = searcher.search(bounded, request.limit + 1, count=beyond is None, order_by_field=column, order=order)
    total = _get_count(found if beyond is None else searcher.search(clause, 1, order_by_field=column))
    shown = found.hits[: request.limit]
    following = to_cursor(request, shown[-1][0]) if len(found.hits) > request.limit else None
    return SearchPage(_to_hits(searcher, shown), total, facets, following)


def _beyond_cursor(index: Index, request: SearchRequest, column: str) -> Clause | None:
    if request.sort is Sort.NAME:
        name = from_cursor(request, str)
        if name is not None and not _NAME_KEY.fullmatch(name):
            raise InvalidQueryError(STALE_CURSOR)
        return None if name is None else index.parse_query(f"{column}:{{{name} TO *}}")
    key = from_cursor(request, int)
    if key is None:
        return None
    if not 0 <= key < 2**63:
        raise InvalidQueryError(STALE_CURSOR)
    if request.sort is Sort.NEWEST:
        return Clause.range_query(index.schema, column, FieldType.Unsigned, None, key, include_upper=False)
    return Clause.range_query(index.schema, column, FieldType.Unsigned, key, None, include_lower=False)


def _page_by_score(searcher: Searcher, clause: Clause, request: SearchRequest, facets: dict[Noun, Facet]) -> SearchPage:
    """Return hits by score from the cursor's place on, as far as MAX_RELEVANCE_DEPTH."""
    offset = from_cursor(request, int) or 0
    if not 0 <= offset < MAX_RELEVANCE_DEPTH:
        raise InvalidQueryError(STALE_CURSOR)
    limit = min(request.limit, MAX_RELEVANCE_DEPTH - offset)
    found = searcher.search(clause, limit, offset=offset)
    shown, total = found.hits, _get_count(found)
    end = offset + limit
    following = to_cursor(request, end) if end < min(total, MAX_RELEVANCE_DEPTH) else None
    return SearchPage(_to_hits(searcher, shown, scored=True), total, facets, following)


def _get_count(found: SearchResult) -> int:
    """Return how many were found; tantivy's stub does not know of the attribute."""
    return int(found.count)  # type: ignore[attr-defined]


def _to_hits(searcher: Searcher, found: list[tuple[Any, DocAddress]], *, scored: bool = False) -> tuple[Hit, ...]:
    ids, revisions = _read_column(searcher, "id", found), _read_column(searcher, "revision", found)
    scores = [float(key) for key, _ in found] if scored else [None] * len(found)
    return tuple(Hit(*hit) for hit in zip(ids, revisions, scores, strict=True))
