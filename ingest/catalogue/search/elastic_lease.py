"""Who rebuilds the index of a server: one at a time, told by a document that says until when.

The holder says so anew with all it does. One that was killed is waited for until its time is over; one that slept
longer finds that another has taken its place, and does nothing more. The clocks of hosts may differ by some seconds.
"""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from elasticsearch import ConflictError

from ingest.catalogue.search.elastic_client import find_index
from ingest.catalogue.search.index import IndexRebuildingError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

LEASE_SECONDS: Final = 120
"""Longer than the longest call that the holder waits for."""
_DOCUMENT: Final = "rebuild"


class Lease:
    """The right to rebuild the index behind the alias; raises IndexRebuildingError if another process has it."""

    def __init__(self, client: Elasticsearch, alias: str) -> None:
        self._client, self._alias, self._place = client, alias, f"{alias}-lease"
        self._holder = uuid4().hex
        client.options(ignore_status=HTTPStatus.BAD_REQUEST).indices.create(
            index=self._place,
            settings={"number_of_shards": 1, "auto_expand_replicas": "0-1"},
            mappings={"dynamic": False},
        )
        found = self._read()
        if found.get("found") and time.time() < found["_source"]["until"]:
            raise IndexRebuildingError(alias)
        self._seen: dict[str, int] = _to_seen(found) if found.get("found") else {}
        self.renew()

    def renew(self) -> None:
        """Hold it for LEASE_SECONDS from now; raises IndexRebuildingError if another process took it."""
        self._note(time.time() + LEASE_SECONDS)

    def end(self) -> None:
        """Let it go."""
        self._note(0.0)

    def _note(self, until: float) -> None:
        condition: Any = self._seen or {"op_type": "create"}
        said = {"holder": self._holder, "until": until}
        try:
            answer = self._client.index(index=self._place, id=_DOCUMENT, document=said, **condition)
        except ConflictError as error:
            # An answer that was lost on its way is asked for again, and meets what it wrote itself.
            found = self._read()
            if found.get("_source") != said:
                raise IndexRebuildingError(self._alias) from error
            self._seen = _to_seen(found)
        else:
            self._seen = _to_seen(answer.body)

    def _read(self) -> dict[str, Any]:
        found = self._client.options(ignore_status=HTTPStatus.NOT_FOUND).get(index=self._place, id=_DOCUMENT)
        return dict(found.body)


def heal_block(client: Elasticsearch, alias: str) -> bool:
    """Let writers in again whom a killed rebuild kept out; return whether nobody rebuilds now, and they are."""
    try:
        lease = Lease(client, alias)
    except IndexRebuildingError:
        return False
    unblock(client, alias)
    lease.end()
    return True


def unblock(client: Elasticsearch, alias: str) -> None:
    """Let writers into the index behind the alias, if there is one."""
    index = find_index(client, alias)
    if index is not None:
        client.indices.put_settings(index=index, settings={"index.blocks.write": None})


def _to_seen(answer: dict[str, Any]) -> dict[str, int]:
    return {"if_seq_no": answer["_seq_no"], "if_primary_term": answer["_primary_term"]}
