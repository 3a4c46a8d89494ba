"""Whether a request is to be carried out at all: RFC 9110, section 13, for GET and HEAD."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from starlette.datastructures import Headers

from ingest.catalogue.errors import CatalogueError

_ENTITY_TAG: Final = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_STRONG_AFTER: Final = timedelta(seconds=1)
"""A date tells nothing of what changed twice within its second (RFC 9110, 8.8.2.2)."""


class PreconditionFailedError(CatalogueError):
    """What is there now is not what the request was made for."""

    def __init__(self, header: str) -> None:
        self.header = header
        super().__init__(f"it has changed: {header} does not hold")


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a thing from another: a strong entity tag, and the second of its last change, if known.

    `now` is when the request was made.
    """

    etag: str
    modified: datetime | None
    now: datetime

    def to_headers(self) -> dict[str, str]:
        """Return them as an answer tells them."""
        known = {} if self.modified is None else {"Last-Modified": format_datetime(self.modified, usegmt=True)}
        return {"ETag": self.etag, **known}


def is_known(headers: Headers, validators: Validators) -> bool:
    """Return whether who asks has this state already: the answer is 304. In the order of RFC 9110, 13.2.2.

    Raises PreconditionFailedError if the request was made for another state.
    """
    if (wanted := _find(headers, "if-match")) is not None:
        if not _names(wanted, validators.etag, weakly=False):
            raise PreconditionFailedError("If-Match")
    elif (limit := _find_instant(headers, "if-unmodified-since")) and _is_later(validators, limit):
        raise PreconditionFailedError("If-Unmodified-Since")
    if (known := _find(headers, "if-none-match")) is not None:
        return _names(known, validators.etag, weakly=True)
    since = _find_instant(headers, "if-modified-since")
    return since is not None and validators.modified is not None and validators.modified <= since


def find_range(headers: Headers, validators: Validators) -> str | None:
    """Return the value of Range, if there is one and it was meant for this state (RFC 9110, 13.1.5)."""
    wanted = headers.getlist("range")
    if len(wanted) != 1:
        return None
    state = _find(headers, "if-range")
    return wanted[0] if state is None or _is_this(state.strip(), validators) else None


def _is_this(state: str, validators: Validators) -> bool:
    if '"' in state:
        return state == validators.etag
    modified = validators.modified
    is_strong = modified is not None and modified + _STRONG_AFTER <= validators.now
    return is_strong and to_instant(state) == modified


def _is_later(validators: Validators, limit: datetime) -> bool:
    return validators.modified is not None and validators.modified > limit


def _names(header: str, etag: str, *, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    return any(tag == etag and (weakly or not weak) for weak, tag in _ENTITY_TAG.findall(header))


def _find(headers: Headers, name: str) -> str | None:
    values = headers.getlist(name)
    return ", ".join(values) if values else None


def _find_instant(headers: Headers, name: str) -> datetime | None:
    values = headers.getlist(name)
    return to_instant(values[0]) if len(values) == 1 else None


def to_instant(text: str) -> datetime | None:
    """Return the instant of an HTTP date in any of its three forms (RFC 9110, 5.6.7); None if it is none."""
    try:
        instant = parsedate_to_datetime(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
