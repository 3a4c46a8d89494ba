"""A new generation of the embedded index, filled while the current one is searched and written."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from ingest.catalogue.search.embedded_folder import (
    CURRENT,
    REBUILD_LOCK,
    REBUILDING,
    WRITER_LOCK,
    find_generation,
    locked,
    make_generation,
    remove_others,
    switch,
    write_name,
)
from ingest.catalogue.search.embedded_generation import Generation, delete_documents, write_documents
from ingest.catalogue.search.index import IndexOutdatedError, IndexRebuildingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from ingest.catalogue.document import SearchDocument


class EmbeddedRebuild:
    """An IndexRebuild in the folder of an embedded index."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        with ExitStack() as held:
            held.enter_context(locked(folder / REBUILD_LOCK, IndexRebuildingError(str(folder))))
            self._filled = _find_unfinished(folder) or _begin(folder)
            remove_others(folder)
            self._held = held.pop_all()

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """As IndexRebuild.write."""
        write_documents(self._filled.folder, documents)

    def delete(self, ids: Iterable[int]) -> None:
        """As IndexRebuild.delete."""
        delete_documents(self._filled.folder, ids)

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As IndexRebuild.revisions."""
        self._filled.reload()
        return self._filled.revisions(after_id, limit)

    def finish(self, catch_up: Callable[[], object]) -> None:
        """As IndexRebuild.finish."""
        with locked(self._folder / WRITER_LOCK):
            catch_up()
            switch(self._folder)
        remove_others(self._folder)

    def close(self) -> None:
        """As IndexRebuild.close."""
        self._held.close()


def _find_unfinished(folder: Path) -> Generation | None:
    found = find_generation(folder, REBUILDING)
    if found is None or found == find_generation(folder, CURRENT):
        return None
    try:
        generation = Generation(found)
        generation.reload()
    except IndexOutdatedError:
        return None
    return generation


def _begin(folder: Path) -> Generation:
    generation = make_generation(folder)
    write_name(folder / REBUILDING, generation)
    return Generation(generation)
