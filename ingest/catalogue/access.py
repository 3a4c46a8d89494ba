"""Tokens: who carries one sees and does more than everybody. Functions over a Session; none commits.

A token is 256 random bits. Its SHA-256 is what is kept and looked up: against guessing such a number no slower digest
helps, and a digest that is looked up whole tells no stranger how close a guess came.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from sqlalchemy import ColumnElement, and_, or_, select

from ingest.catalogue.errors import CatalogueError, NotFoundError
from ingest.catalogue.model import Token
from ingest.catalogue.paging import to_key
from ingest.catalogue.visibility import Viewer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

PREFIX: Final = "nxcat_"
"""By which people and scanners for leaked secrets know what it is."""


class Scope(StrEnum):
    """What a token allows beyond what everybody may."""

    READ = "read"
    """See all datasets, closed ones too, with their files and their places on the server."""
    NOTIFY = "notify"
    """Tell that datasets are closed, and ask what became of them."""
    EDIT = "edit"
    """Correct what is said of the datasets that its bearer may see."""
    OPERATE = "operate"
    """See what waits and what failed, and have it tried again."""


class InvalidTokenError(CatalogueError):
    """The token is unknown, has expired or was revoked, or there is none where one should be."""

    def __init__(
        self, message: str = "this token is unknown, has expired or was revoked: ask the operator for another one"
    ) -> None:
        super().__init__(message)


class MissingTokenError(CatalogueError):
    """Whoever asks carries no token, and this needs one with that scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"this needs a token with the scope {scope}: send it as 'Authorization: Bearer TOKEN'")


class MissingScopeError(CatalogueError):
    """The token does not allow this; `scope` is what it would need."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__(f"this needs a token with the scope {scope}: ask the operator for one")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made: the only time that its text is known."""

    id: int
    text: str


def create_token(
    session: Session, name: str, scopes: Iterable[Scope], now: datetime, expires_at: datetime | None
) -> NewToken:
    """Make a token for whom or what the name says; `expires_at` None: it holds until it is revoked."""
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        name=name,
        digest=_to_digest(text),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=expires_at,
    )
    session.add(token)
    session.flush()
    return NewToken(token.id, text)


def list_tokens(session: Session) -> Sequence[Token]:
    """Return all tokens that were given out, the newest first."""
    return session.scalars(select(Token).order_by(Token.id.desc())).all()


def revoke_token(session: Session, token_id: int, now: datetime) -> Token:
    """Leave the token worthless from now on; raises NotFoundError if there is none of that number."""
    token = session.get(Token, to_key(token_id))
    if token is None:
        raise NotFoundError("token", token_id)
    token.revoked_at = token.revoked_at or now
    return token


def get_viewer_of_text(session: Session, text: str, now: datetime) -> Viewer:
    """Return who carries this token; raises InvalidTokenError if it is worth nothing now."""
    return _get_viewer(session.scalar(select(Token).where(Token.digest == _to_digest(text), _is_live(now))))


def get_viewer_of_id(session: Session, token_id: int, now: datetime) -> Viewer:
    """Return who carries the token of that number, for what was promised to it before; raises InvalidTokenError."""
    return _get_viewer(session.scalar(select(Token).where(Token.id == token_id, _is_live(now))))


def check_scope(viewer: Viewer, scope: Scope) -> None:
    """Raise MissingTokenError or MissingScopeError if the viewer may not do what needs this scope."""
    if viewer.token_id is None:
        raise MissingTokenError(scope)
    if scope not in viewer.scopes:
        raise MissingScopeError(scope)


def _get_viewer(token: Token | None) -> Viewer:
    if token is None:
        raise InvalidTokenError
    scopes = frozenset(Scope(scope) for scope in token.scopes)
    return Viewer(sees_all=Scope.READ in scopes, token_id=token.id, scopes=scopes)


def _is_live(now: datetime) -> ColumnElement[bool]:
    return and_(Token.revoked_at.is_(None), or_(Token.expires_at.is_(None), Token.expires_at > now))


def _to_digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
