"""Cursors: where the next page begins, opaque to whoever carries them.

A cursor holds the sort key of the last hit, not a number of pages, so page n costs what page 1 costs. It is bound to
its question by a digest. That is no secret: who forges one learns nothing that a search would not say, but an index
must take the key for what it is, text from outside.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from math import inf
from typing import TYPE_CHECKING, Final, TypeVar

from ingest.catalogue.errors import InvalidQueryError

if TYPE_CHECKING:
    from ingest.catalogue.search.index import SearchRequest

STALE_CURSOR: Final = "this cursor belongs to another search: begin again without a cursor"
_DIGEST_SIZE: Final = 8
_KEYS_END: Final = 2**63
_PLACE: Final = re.compile(r"(\d{1,10}):(-?\d[\d.e+-]{0,30}|[0-9a-v]+)?", re.ASCII)
_TEXT_KEY: Final = re.compile(r"[0-9a-v]+")

Key = TypeVar("Key", int, str)


def to_cursor(request: SearchRequest, key: int | str) -> str:
    """Return the cursor of the page that follows the hit with this sort key."""
    body = str(key).encode()
    return urlsafe_b64encode(_digest(request, body) + body).decode().rstrip("=")


def from_cursor(request: SearchRequest, kind: type[Key]) -> Key | None:
    """Return the sort key in the request's cursor; None if it has none.

    Raises InvalidQueryError if it was made for another question, or is no cursor at all.
    """
    if request.cursor is None:
        return None
    try:
        raw = urlsafe_b64decode(request.cursor.encode("ascii") + b"=" * (-len(request.cursor) % 4))
        digest, body = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
        if digest == _digest(request, body):
            return kind(body.decode())
    except ValueError:
        pass
    raise InvalidQueryError(STALE_CURSOR)


@dataclass(frozen=True, slots=True)
class Place:
    """The last hit of a page in the order of a field: its id, and its key in that order, None if it has none."""

    id: int
    key: str | None


def to_place_cursor(request: SearchRequest, place: Place) -> str:
    """Return the cursor of the page that follows the place."""
    return to_cursor(request, f"{place.id}:{'' if place.key is None else place.key}")


def from_place_cursor(request: SearchRequest, kind: type[int | float | str]) -> Place | None:
    """Return the place that the page follows; None for the first page.

    Raises InvalidQueryError for a cursor that is none of this search, or whose key is none of that kind.
    """
    body = from_cursor(request, str)
    if body is None:
        return None
    found = _PLACE.fullmatch(body)
    try:
        if found is not None and (found[2] is None or _is_key(kind(found[2]))):
            return Place(int(found[1]), found[2])
    except ValueError:
        pass
    raise InvalidQueryError(STALE_CURSOR)


def _is_key(key: float | str) -> bool:
    if isinstance(key, str):
        return _TEXT_KEY.fullmatch(key) is not None
    return abs(key) < (_KEYS_END - 1 if isinstance(key, int) else inf)


def check_key(key: int | None) -> None:
    """Raise InvalidQueryError if the sort key of a cursor is none that `keys` makes."""
    if key is not None and not 0 <= key < _KEYS_END:
        raise InvalidQueryError(STALE_CURSOR)


def _digest(request: SearchRequest, body: bytes) -> bytes:
    """Return the digest of what must stay the same from page to page: not the clock, the facets or the page size."""
    question = repr((request.query, request.filters, request.sort, request.visibility.sees_all))
    return blake2b(question.encode("utf-8", "replace") + body, digest_size=_DIGEST_SIZE).digest()
