"""Links to files that hold for a while, for whoever has them: what is signed, and what makes one worthless.

An HMAC-SHA256 (RFC 2104) over the method, the path, the expiry, for whom the link was made, and the number of the key.
The path is the one within the service, without what a proxy puts before it. All is signed as the text that it is: two
spellings of one number are two links.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self
from urllib.parse import urlencode

from ingest.catalogue.errors import CatalogueError

METHOD: Final = "GET"
"""A link is to read with; HEAD is the same without a body."""
NOBODY: Final = "none"
"""For whom a link was made that everybody may make."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,18}")


class LinkInvalidError(CatalogueError):
    """The link was not made here as it stands, or its key or the token it was made with is no longer there."""

    def __init__(self) -> None:
        super().__init__("this link was changed, or is no longer good: ask for a new one")


class LinkExpiredError(CatalogueError):
    """The link was good until `expires_at`."""

    def __init__(self, expires_at: datetime) -> None:
        self.expires_at = expires_at
        super().__init__(f"this link expired at {expires_at:%Y-%m-%d %H:%M:%S} UTC: ask for a new one")


@dataclass(frozen=True, slots=True)
class SignedLink:
    """What stands in the query string of a link, as text."""

    expires: str
    subject: str
    key: str
    signature: str

    @classmethod
    def from_query(cls, items: Iterable[tuple[str, str]]) -> Self | None:
        """Return the link that a query string holds; None: it holds nothing of one.

        Raises LinkInvalidError if a part is missing, stands there twice, or anything else stands beside them.
        """
        given = list(items)
        names = set(cls.__slots__)
        if names.isdisjoint(name for name, _ in given):
            return None
        if sorted(name for name, _ in given) != sorted(names):
            raise LinkInvalidError
        return cls(**dict(given))

    @property
    def key_id(self) -> int:
        """The number of the key; raises LinkInvalidError if it is none."""
        return _to_number(self.key)

    @property
    def token_id(self) -> int | None:
        """The number of the token it was made with, if any; raises LinkInvalidError if it is none."""
        return None if self.subject == NOBODY else _to_number(self.subject)

    def to_query(self) -> str:
        """Return the query string."""
        return urlencode({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs links for one subject, which all expire at the same second."""

    key_id: int
    secret: bytes
    token_id: int | None
    expires_at: datetime

    def sign_path(self, path: str) -> str:
        """Return the query string under which the path, not percent-encoded, may be had."""
        expires = str(int(self.expires_at.timestamp()))
        subject = NOBODY if self.token_id is None else str(self.token_id)
        link = SignedLink(expires, subject, str(self.key_id), signature="")
        return SignedLink(expires, subject, link.key, _to_signature(self.secret, path, link)).to_query()


def verify_link(link: SignedLink, secret: bytes, path: str, now: datetime) -> None:
    """Raise LinkInvalidError if the link was not signed for this path with this key, LinkExpiredError if it is over."""
    if not hmac.compare_digest(_to_signature(secret, path, link).encode(), link.signature.encode("utf-8", "replace")):
        raise LinkInvalidError
    expires_at = datetime.fromtimestamp(int(link.expires), UTC)
    if expires_at <= now:
        raise LinkExpiredError(expires_at)


def _to_signature(secret: bytes, path: str, link: SignedLink) -> str:
    # No part can hold a NUL: so no two links give the same bytes.
    parts = [METHOD, path, link.expires, link.subject, link.key]
    digest = hmac.digest(secret, "\0".join(parts).encode("utf-8", "backslashreplace"), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")


def _to_number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise LinkInvalidError
    return int(text)
