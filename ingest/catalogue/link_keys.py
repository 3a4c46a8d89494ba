"""The keys that links to files are signed with. Functions over a Session; none commits.

The newest key signs. An older one still checks what it signed, until the last of its links has expired.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.model import LinkKey
from ingest.catalogue.paging import to_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

LONGEST_LIFE: Final = timedelta(days=1)
"""No link lives longer."""
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Rotation:
    """The key that signs from now on, and those that are gone."""

    key_id: int
    deleted: tuple[int, ...]


def ensure_link_key(session: Session, now: datetime) -> None:
    """Leave at least one key there. Of two processes that begin at once both may make one: both are known to all."""
    if session.scalar(select(LinkKey.id).limit(1)) is None:
        _add_key(session, now)


def rotate_link_keys(session: Session, now: datetime) -> Rotation:
    """Leave a new key signing, and those gone whose links have all expired: they ceased to sign long enough ago."""
    keys = list_link_keys(session)[::-1]
    expired = [old for old, successor in pairwise(keys) if successor.created_at + LONGEST_LIFE <= now]
    for key in expired:
        session.delete(key)
    return Rotation(_add_key(session, now), tuple(key.id for key in expired))


def list_link_keys(session: Session) -> Sequence[LinkKey]:
    """Return all keys, the one that signs first."""
    return session.scalars(select(LinkKey).order_by(LinkKey.id.desc())).all()


def get_signing_key(session: Session) -> LinkKey:
    """Return the newest key; raises UnavailableError if there is none."""
    key = session.scalar(select(LinkKey).order_by(LinkKey.id.desc()).limit(1))
    if key is None:
        raise UnavailableError("there is no key to sign links with: 'nxcat link-key rotate' makes one")
    return key


def find_link_key(session: Session, key_id: int, now: datetime) -> LinkKey | None:
    """Return the key of that number, if it is there and one of its links may still be good.

    That ends a day after the next one was made, whether it was deleted or not: who has a copy of it could sign links
    that are to hold for ever.
    """
    key = session.get(LinkKey, to_key(key_id))
    replaced_at = session.scalar(select(func.min(LinkKey.created_at)).where(LinkKey.id > to_key(key_id)))
    return None if replaced_at is not None and replaced_at + LONGEST_LIFE <= now else key


def _add_key(session: Session, now: datetime) -> int:
    key = LinkKey(secret=secrets.token_bytes(SECRET_BYTES), created_at=now)
    session.add(key)
    session.flush()
    return key.id
