"""What is asked of an Elasticsearch server: indices behind aliases, documents with external versions.

Errors of the client and of the server become ours here and nowhere else.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from elasticsearch import ApiError, Elasticsearch, NotFoundError, SerializationError, TransportError
from elasticsearch.exceptions import HTTP_EXCEPTIONS
from elasticsearch.helpers import streaming_bulk

from ingest.catalogue.errors import InvalidQueryError, UnavailableError
from ingest.catalogue.search.elastic_layout import MAX_WINDOW, to_entry, to_layout, to_mapping, to_settings
from ingest.catalogue.search.index import IndexBusyError, IndexOutdatedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingest.catalogue.document import SearchDocument

_FORGETTING_TRIES: Final = 50
_FORGETTING_SECONDS: Final = 0.1
"""A server knows the revision of a deleted document until its clock, which ticks five times a second, has gone on."""
KEPT: Final = "10m"
"""A point in time is kept for this long after it was last asked."""
_STRETCH: Final = 10_000
_CHUNK: Final = 500
_CHUNK_BYTES: Final = 20 << 20
_RETRIES: Final = 8
"""A server under load answers 429: asked again after 1, 2, 4 ... seconds, half a minute at most."""
_CONNECTIONS: Final = 40
"""As many as the web server has threads."""
_TOO_MANY: Final = ("maxClauseCount", "too many clauses")
"""What a server says that finds more words than it can look for at once, of the two places where it counts them."""


def make_client(url: str) -> Elasticsearch:
    """Return a client of the server at the address, which may hold user and password. Nothing is sent yet."""
    return Elasticsearch(
        url, request_timeout=60, retry_on_timeout=True, max_retries=2, connections_per_node=_CONNECTIONS
    )


@contextmanager
def engine_errors(location: str) -> Iterator[None]:
    """Turn what the client raises into errors of ours."""
    try:
        yield
    except NotFoundError as error:
        raise IndexOutdatedError(location, "is gone") from error
    except ApiError as error:
        if any(sign in str(error.body) for sign in _TOO_MANY):
            raise InvalidQueryError(
                "too many words are like that: write more letters beside '*' and '?', or leave the '~' out"
            ) from error
        raise UnavailableError(f"the search engine refused: {error.message} {_to_reason(error)}") from error
    except (TransportError, SerializationError) as error:
        raise UnavailableError(f"the search engine does not answer: {error.message}") from error


def ask_all(client: Elasticsearch, alias: str, searches: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the answers to searches that are sent together, worked off side by side; raises as each alone would."""
    parts = [part for search in searches for part in ({}, search)]
    if not parts:
        return []
    answer = client.msearch(index=alias, searches=parts)
    for each in answer["responses"]:
        if "error" in each:
            raise HTTP_EXCEPTIONS.get(each["status"], ApiError)(each["error"]["type"], answer.meta, each)
    answers: list[dict[str, Any]] = answer["responses"]
    return answers


def aggregate(client: Elasticsearch, alias: str, query: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the answers to aggregations, by their names, over all that the query finds."""
    answer = client.search(index=alias, query=query, aggs=wanted, size=0, track_total_hits=False)
    found: dict[str, Any] = answer["aggregations"]
    return found


def create_index(client: Elasticsearch, name: str, alias: str) -> None:
    """Leave an index of that name behind the alias: an empty one if it was not there."""
    try:
        client.indices.create(index=name, settings=to_settings(), mappings=to_mapping(), aliases={alias: {}})
    except ApiError as error:
        # Of several first users one makes it, and the others find it.
        if error.message != "resource_already_exists_exception":
            raise
        client.indices.put_alias(index=name, name=alias)


def find_index(client: Elasticsearch, alias: str) -> str | None:
    """Return the index behind the alias; None if there is none."""
    found = client.options(ignore_status=HTTPStatus.NOT_FOUND).indices.get_alias(name=alias)
    return None if found.meta.status == HTTPStatus.NOT_FOUND else next(iter(found.body), None)


def check_layout(client: Elasticsearch, alias: str) -> None:
    """Raise IndexOutdatedError if the index behind the alias is of another layout."""
    mappings = client.indices.get_mapping(index=alias).body
    found = next(iter(mappings.values()))["mappings"].get("_meta", {}).get("layout")
    if found != to_layout():
        raise IndexOutdatedError(alias, f"has layout {found}, this release needs {to_layout()}")


def write_documents(client: Elasticsearch, alias: str, documents: Iterable[SearchDocument]) -> None:
    """Hold the documents, each unless a newer revision is there; raises IndexBusyError if the index is blocked."""
    # All of them are made before the first is sent: one that cannot be made leaves the index as it was.
    actions = [_to_action(document) for document in documents]
    for _ in range(_FORGETTING_TRIES):
        refused = _send(client, alias, actions)
        if not refused:
            return
        held = find_revisions(client, alias, map(int, refused))
        actions = [action for action in actions if action["_id"] in refused and int(action["_id"]) not in held]
        if not actions:
            return
        time.sleep(_FORGETTING_SECONDS)
    raise UnavailableError(f"the search engine remembers {len(actions)} deleted documents, and refuses older ones")


def delete_documents(client: Elasticsearch, alias: str, ids: Iterable[int]) -> None:
    """Hold none of these ids; raises IndexBusyError if the index is blocked."""
    _send(client, alias, [{"_op_type": "delete", "_id": str(number)} for number in ids])


def list_revisions(client: Elasticsearch, alias: str, after_id: int, limit: int) -> list[tuple[int, int]]:
    """Return (id, revision) of up to `limit` documents with a greater id, rising."""
    found: list[tuple[int, int]] = []
    while len(found) < limit:
        size = min(limit - len(found), MAX_WINDOW)
        beyond = {"range": {"id": {"gt": found[-1][0] if found else after_id}}}
        hits = _search_revisions(client, alias, beyond, size)
        found += hits
        if len(hits) < size:
            break
    return found


def find_revisions(client: Elasticsearch, alias: str, ids: Iterable[int]) -> dict[int, int]:
    """Return the revisions, by id, of those of the ids that are held."""
    wanted, found = list(ids), dict[int, int]()
    for start in range(0, len(wanted), MAX_WINDOW):
        part = wanted[start : start + MAX_WINDOW]
        found |= _search_revisions(client, alias, {"terms": {"id": part}}, len(part))
    return found


def walk_on(client: Elasticsearch, kept: str, clause: dict[str, Any], after: list[Any] | None) -> dict[str, Any]:
    """Return the next stretch of hits of a point in time by their ids, which are all that is told of them."""
    answer: dict[str, Any] = client.search(
        pit={"id": kept, "keep_alive": KEPT},
        query=clause,
        sort=[{"id": "asc"}],
        size=_STRETCH,
        search_after=after,
        stored_fields="_none_",
        track_total_hits=False,
    ).body
    return answer


def _search_revisions(client: Elasticsearch, alias: str, clause: dict[str, Any], size: int) -> list[tuple[int, int]]:
    """Return (id, revision) as the columns say: no document is opened."""
    answer = client.search(
        index=alias,
        query={"bool": {"filter": clause}},
        sort=[{"id": "asc"}, {"revision": "asc"}],
        size=size,
        stored_fields="_none_",
        track_total_hits=False,
    )
    return [(hit["sort"][0], hit["sort"][1]) for hit in answer["hits"]["hits"]]


def _to_action(document: SearchDocument) -> dict[str, Any]:
    return {
        "_op_type": "index",
        "_id": str(document.id),
        "version": document.revision,
        "version_type": "external_gte",
        "_source": to_entry(document),
    }


def _send(client: Elasticsearch, alias: str, actions: list[dict[str, Any]]) -> set[str]:
    """Return the ids of the documents of which a newer revision is there, or was."""
    if not actions:
        return set()
    results = streaming_bulk(
        client,
        actions,
        index=alias,
        chunk_size=_CHUNK,
        max_chunk_bytes=_CHUNK_BYTES,
        max_retries=_RETRIES,
        initial_backoff=1,
        max_backoff=30,
        raise_on_error=False,
        require_alias=True,
    )
    refused = [next(iter(item.values())) for is_done, item in results if not is_done]
    # What is to be deleted and is not there answers 404 without an error.
    errors = [answer for answer in refused if "error" in answer]
    kinds = {answer["error"]["type"] for answer in errors}
    if "cluster_block_exception" in kinds:
        raise IndexBusyError(alias)
    if "index_not_found_exception" in kinds:
        raise IndexOutdatedError(alias, "is gone")
    client.indices.refresh(index=alias)
    lost = [answer["error"] for answer in errors if answer["status"] != HTTPStatus.CONFLICT]
    if lost:
        raise UnavailableError(f"the search engine did not take {len(lost)} documents: {str(lost[0])[:1000]}")
    return {answer["_id"] for answer in errors}


def _to_reason(error: ApiError) -> str:
    """Return the first cause that the server names, in one line."""
    causes = error.body.get("error", {}).get("root_cause", ()) if isinstance(error.body, dict) else ()
    return next((f"({cause.get('reason')})" for cause in causes), "")
