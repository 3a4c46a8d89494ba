"""A new index beside the one that is searched on a server, under an alias by which an unfinished one is found."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.catalogue.search.elastic_client import (
    check_layout,
    create_index,
    delete_documents,
    engine_errors,
    find_index,
    list_revisions,
    make_client,
    write_documents,
)
from ingest.catalogue.search.elastic_lease import Lease, unblock
from ingest.catalogue.search.index import IndexOutdatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from elasticsearch import Elasticsearch

    from ingest.catalogue.document import SearchDocument


class ElasticRebuild:
    """An IndexRebuild behind an alias of a server."""

    def __init__(self, url: str, alias: str) -> None:
        self._client, self._alias, self._filled = make_client(url), alias, f"{alias}-rebuild"
        self._is_closed = False
        with engine_errors(alias):
            self._lease = Lease(self._client, alias)
            # Nobody finishes now: who kept writers out was killed.
            unblock(self._client, alias)
            _remove_unusable(self._client, self._filled)
            self._begin_if_none()

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """As IndexRebuild.write."""
        with self._holding() as client:
            write_documents(client, self._filled, documents)

    def delete(self, ids: Iterable[int]) -> None:
        """As IndexRebuild.delete."""
        with self._holding() as client:
            delete_documents(client, self._filled, ids)

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As IndexRebuild.revisions."""
        with self._holding() as client:
            return list_revisions(client, self._filled, after_id, limit)

    def finish(self, catch_up: Callable[[], object]) -> None:
        """As IndexRebuild.finish."""
        with self._holding() as client:
            old = find_index(client, self._alias)
            if old is not None:
                client.indices.add_block(index=old, block="write")
        try:
            catch_up()
            with self._holding() as client:
                client.indices.update_aliases(actions=self._to_change(old))
        except BaseException:
            with engine_errors(self._alias):
                unblock(self._client, self._alias)
            raise

    def close(self) -> None:
        """As IndexRebuild.close."""
        if not self._is_closed:
            self._is_closed = True
            with engine_errors(self._alias):
                self._lease.end()
            self._client.close()

    @contextmanager
    def _holding(self) -> Iterator[Elasticsearch]:
        with engine_errors(self._alias):
            self._lease.renew()
            yield self._client

    def _begin_if_none(self) -> None:
        if find_index(self._client, self._filled) is None:
            name = f"{self._alias}-{datetime.now(UTC):%Y%m%dt%H%M%S%f}"
            create_index(self._client, name, self._filled)

    def _to_change(self, old: str | None) -> list[dict[str, Any]]:
        new = find_index(self._client, self._filled)
        changes: list[dict[str, Any]] = [
            {"add": {"index": new, "alias": self._alias}},
            {"remove": {"index": new, "alias": self._filled}},
        ]
        return changes if old is None else [*changes, {"remove_index": {"index": old}}]


def _remove_unusable(client: Elasticsearch, alias: str) -> None:
    """Remove the unfinished index behind the alias if it is of another layout."""
    index = find_index(client, alias)
    if index is None:
        return
    try:
        check_layout(client, alias)
    except IndexOutdatedError:
        client.indices.delete(index=index)
