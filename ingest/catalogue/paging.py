"""Pages of lists in the database: where the next one begins, opaque to whoever carries it.

A cursor holds the key of the last row, not a number of pages, so page n costs what page 1 costs; and the name of its
list, so that another list refuses it. Search has cursors of its own.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from ingest.catalogue.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_LIMIT: Final = 1000
DEFAULT_LIMIT: Final = 100
LARGEST_KEY: Final = 2**63 - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ANOTHER_LIST: Final = "this cursor belongs to another list: begin again without a cursor"

Key: TypeAlias = list[Annotated[int, msgspec.Meta(ge=-LARGEST_KEY, le=LARGEST_KEY)] | str]
T = TypeVar("T")
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list; `next_cursor` is None where nothing follows."""

    items: tuple[T, ...]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many items, and behind which cursor.

    Raises InvalidQueryError for a page larger than MAX_LIMIT.
    """

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidQueryError(f"a page has 1 to {MAX_LIMIT} items, not {self.limit}")


FIRST_PAGE: Final = PageRequest()


def to_key(number: int) -> int:
    """Return the number if a key can have it, else one that no row has: databases refuse larger ones."""
    return number if 0 < number <= LARGEST_KEY else 0


def to_page(
    name: str, request: PageRequest, rows: Sequence[Row], key: Callable[[Row], Key], to_item: Callable[[Row], T]
) -> Page[T]:
    """Return the page of a list out of its rows, of which one more than the limit was asked for."""
    shown = rows[: request.limit]
    following = _to_cursor(name, key(shown[-1])) if len(rows) > request.limit else None
    return Page(tuple(to_item(row) for row in shown), following)


def from_cursor(name: str, request: PageRequest, kinds: tuple[type, ...]) -> list[Any] | None:
    """Return the key of the row that the page follows, its parts of these kinds; None for the first page.

    Raises InvalidQueryError if the cursor was made for another list, or is none at all.
    """
    if request.cursor is None:
        return None
    try:
        text = request.cursor.encode("ascii")
        raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        found, key = msgspec.json.decode(raw, type=tuple[str, Key])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        found, key = "", []
    is_sound = found == name and [type(part) for part in key] == list(kinds) and "\0" not in "".join(map(str, key))
    if not is_sound:
        raise InvalidQueryError(_ANOTHER_LIST)
    return list(key)


def to_list_name(name: str, *bounds: object) -> str:
    """Return the name of a list within these bounds, such as its filters: a cursor of another one is refused."""
    return f"{name} {blake2b(repr(bounds).encode(), digest_size=8).hexdigest()}"


def to_key_of_instant(instant: datetime) -> int:
    """Return the instant as part of a key: microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_key_of_instant(key: int) -> datetime:
    """Return the instant of `to_key_of_instant`; raises InvalidQueryError where there is none."""
    try:
        return _EPOCH + timedelta(microseconds=key)
    except OverflowError as error:
        raise InvalidQueryError(_ANOTHER_LIST) from error


def list_page(
    name: str, request: PageRequest, rows: Iterable[Row], key: Callable[[Row], Key], kinds: tuple[type, ...]
) -> Page[Row]:
    """Return the page out of all rows of a list that is short enough to be held, in the order of their keys."""
    after = from_cursor(name, request, kinds)
    ordered = sorted((row for row in rows if after is None or key(row) > after), key=key)
    return to_page(name, request, ordered, key, lambda row: row)


def _to_cursor(name: str, key: Key) -> str:
    return urlsafe_b64encode(msgspec.json.encode((name, key))).decode().rstrip("=")
