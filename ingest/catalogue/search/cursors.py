"""Cursors: where the next page begins, opaque to whoever carries them.

A cursor holds the sort key of the last hit, not a number of pages, so page n costs what page 1 costs. It is bound to
its question by a digest. That is no secret: who forges one learns nothing that a search would not say.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeVar

from ingest.catalogue.errors import InvalidQueryError

if TYPE_CHECKING:
    from ingest.catalogue.search.index import SearchRequest

_MAX_LENGTH: Final = 2000
_DIGEST_SIZE: Final = 8

STALE_CURSOR: Final = "this cursor belongs to another search: begin again without a cursor"

Key = TypeVar("Key", int, str)


def to_cursor(request: SearchRequest, key: int | str) -> str:
    """Return the cursor of the page that follows the hit with this sort key."""
    body = json.dumps(key).encode()
    return urlsafe_b64encode(_digest(request, body) + body).decode().rstrip("=")


def from_cursor(request: SearchRequest, kind: type[Key]) -> Key | None:
    """Return the sort key in the request's cursor; None if it has none.

    Raises InvalidQueryError if it was made for another question, or is no cursor at all.
    """
    if request.cursor is None:
        return None
    try:
        padding = "=" * (-len(request.cursor) % 4)
        raw = urlsafe_b64decode(request.cursor[:_MAX_LENGTH].encode("ascii") + padding.encode())
        digest, body = raw[:_DIGEST_SIZE], raw[_DIGEST_SIZE:]
        key = json.loads(body) if digest == _digest(request, body) else None
    except (ValueError, binascii.Error):
        key = None
    if type(key) is not kind:
        raise InvalidQueryError(STALE_CURSOR)
    return key


def _digest(request: SearchRequest, body: bytes) -> bytes:
    """Return the digest of what must stay the same from page to page: not the clock, the facets or the page size."""
    question = repr((request.query, request.filters, request.sort, request.visibility.sees_all))
    return blake2b(question.encode("utf-8", "replace") + body, digest_size=_DIGEST_SIZE).digest()
