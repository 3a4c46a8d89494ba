"""One generation of the embedded index: a tantivy index in its folder, read by many, written by one.

Who may write is settled by its callers' locks: `embedded` for the current generation, `embedded_rebuild` for the one
that is filled.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tantivy import Index, IndexWriter, Order
from tantivy import Query as Clause

from ingest.catalogue.errors import InvalidQueryError, UnavailableError
from ingest.catalogue.search.embedded_folder import broken_as_outdated, open_generation, read_state
from ingest.catalogue.search.embedded_layout import to_entry
from ingest.catalogue.search.embedded_query import Translator, above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tantivy import DocAddress, Searcher, SearchResult

    from ingest.catalogue.document import SearchDocument

_WRITER_MEMORY: Final = 128_000_000
"""Bytes; a batch that fits becomes one segment."""
_BATCH_SIZE: Final = 1000


class Generation:
    """A generation as its last commit left it when it was last reloaded.

    Raises IndexOutdatedError if it has another layout, is damaged or gone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = open_generation(folder)
        self.translator = Translator(self.index)
        self._seen: tuple[int, int, int] | None = None

    def reload(self) -> None:
        """See the last commit, whoever made it, at the cost of a stat."""
        state = read_state(self.folder)
        if state != self._seen:
            with broken_as_outdated(self.folder):
                self.index.reload()
            self._seen = state

    def revisions(self, after_id: int, limit: int) -> list[tuple[int, int]]:
        """As DatasetIndex.revisions."""
        with engine_errors():
            return read_revisions(self.index.searcher(), above(self.index, "id", after_id), limit)

    def revisions_of(self, ids: Iterable[int]) -> dict[int, int]:
        """As DatasetIndex.revisions_of."""
        with engine_errors():
            return _find_revisions(self.index, list(ids))


def write_documents(folder: Path, documents: Iterable[SearchDocument]) -> None:
    """Leave the generation in the folder holding the documents, as DatasetIndex.write says it, in one commit."""
    with writing(folder) as (index, writer):
        pending = iter(documents)
        written: dict[int, int] = {}
        while batch := list(islice(pending, _BATCH_SIZE)):
            entries = [to_entry(document) for document in batch]
            with engine_errors():
                _write_batch(index, writer, entries, written)


def delete_documents(folder: Path, ids: Iterable[int]) -> None:
    """Leave the generation in the folder holding none of the ids."""
    with writing(folder) as (index, writer):
        _delete(index, writer, list(ids))


@contextmanager
def writing(folder: Path) -> Iterator[tuple[Index, IndexWriter]]:
    """Hold the folder's one writer; commit at the end. What was not committed is dropped with the writer.

    The index is opened anew each time (a millisecond): tantivy reads its list of files to be cleared only then, and
    with a list from before another process wrote, cleared files would pile up. So would segments, one for each
    commit, if the merges were not waited for.
    """
    index = open_generation(folder)
    try:
        writer = index.writer(_WRITER_MEMORY, 1)
    except ValueError as error:
        raise UnavailableError(f"the index {folder} cannot be written: {error}") from error
    try:
        yield index, writer
        with engine_errors():
            writer.commit()
    finally:
        with engine_errors():
            writer.wait_merging_threads()


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn what tantivy raises, ValueErrors and panics, into errors of ours.

    A panic passes every `except Exception` and would end the process.
    """
    try:
        yield
    except ValueError as error:
        if "max expansions" in str(error):
            raise InvalidQueryError("too many words are like that: write more letters beside '*' and '?'") from error
        raise UnavailableError(f"the search engine failed: {error}") from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise UnavailableError(f"the search engine failed: {error}") from error
        raise


def read_column(searcher: Searcher, column: str, found: list[tuple[Any, DocAddress]]) -> list[int]:
    """Return the numbers of the found documents in a column; 0 for those without."""
    return [int(value or 0) for value in searcher.fast_field_values(column, [address for _, address in found])]


def get_count(found: SearchResult) -> int:
    """Return how many were found; tantivy's stub does not know of the attribute."""
    return int(found.count)  # type: ignore[attr-defined]


def count_found(searcher: Searcher, clause: Clause) -> int:
    """Return how many documents there are; by score it would take longer."""
    return get_count(searcher.search(clause, 1, order_by_field="newest"))


def read_revisions(searcher: Searcher, clause: Clause, limit: int, order: Order = Order.Asc) -> list[tuple[int, int]]:
    """Return (id, revision) of the first documents by id."""
    found = searcher.search(clause, limit, count=False, order_by_field="id", order=order).hits
    return list(zip((int(key) for key, _ in found), read_column(searcher, "revision", found), strict=True))


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
    if searcher.num_docs == 0 or not ids:
        return {}
    return dict(read_revisions(searcher, Clause.term_set_query(index.schema, "id", ids), len(ids)))
