"""What `nxcat token` does: it gives tokens to the API out, lists them, and takes them back."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from api.settings import ApiSettings
from ingest import console
from ingest.catalogue.access import Scope, create_token, list_tokens, revoke_token
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.model.base import utc_now
from ingest.services import open_services

if TYPE_CHECKING:
    from ingest.catalogue.model import Token

DEFAULT_DAYS: Final = 90
LONGEST_NAME: Final = 255
NEVER: Final = "never"
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")


class TokenSettingError(CatalogueError):
    """What was said about a new token cannot be."""

    def __init__(self, name: str, text: str, advice: str) -> None:
        self.name, self.text = name, text
        super().__init__(f"{name} {text!r}: {advice}")


def create(name: str, scopes: tuple[str, ...], expires: str | None, *, is_json: bool) -> None:
    """Give a token out and print it: the only time that its text is shown."""
    now = utc_now()
    called = to_name(name)
    allowed = to_scopes(scopes)
    expires_at = to_expiry(expires, now)
    with open_services() as services, services.write_sessions.begin() as session:
        token = create_token(session, called, allowed, now, expires_at)
    if is_json:
        facts = {"id": token.id, "name": called, "scopes": sorted(set(allowed)), "expires_at": expires_at}
        console.print_json(facts | {"token": token.text})
        return
    chosen = f" ({DEFAULT_DAYS} days, as --expires is not given)" if expires is None else ""
    click.echo(f"token {token.id} may {' and '.join(sorted(set(allowed)))}, {_to_end(expires_at)}{chosen}; keep it:")
    click.echo(f"it is shown only now. Use it as  curl -H 'Authorization: Bearer TOKEN' {_to_address()}")
    click.echo(token.text)


def list_all(*, is_json: bool) -> None:
    """Print the tokens that were given out, without their texts, which are not known."""
    with open_services() as services, services.read_sessions() as session:
        found = list_tokens(session)
    now = utc_now()
    if is_json:
        console.print_json([_to_facts(token, now) for token in found])
    elif found:
        rows = [
            (each.id, each.name, ", ".join(each.scopes), f"{each.created_at:%Y-%m-%d}", _to_state(each, now))
            for each in found
        ]
        console.print_table("", ("id", "name", "scopes", "given out", "state"), rows)
    else:
        click.echo("no token was given out")


def revoke(token_id: int, *, is_json: bool) -> None:
    """Leave the token worthless, and say so."""
    now = utc_now()
    with open_services() as services, services.write_sessions.begin() as session:
        token = revoke_token(session, token_id, now)
        facts = _to_facts(token, now)
        line = f"token {token.id} ({console.to_plain_text(token.name)}) {_to_state(token, now)}"
    if is_json:
        console.print_json(facts)
    else:
        click.echo(line)


def to_name(text: str) -> str:
    """Return for whom or what a token is; raises TokenSettingError for a name that says nothing or is too long."""
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or "\0" in name:
        raise TokenSettingError("name", text, f"say in 1 to {LONGEST_NAME} characters whom or what the token is for")
    return name


def to_scopes(names: tuple[str, ...]) -> list[Scope]:
    """Return what a token allows; raises TokenSettingError for a scope that does not exist, and for none at all."""
    known = ", ".join(Scope)
    if not names:
        raise TokenSettingError("scope", "", f"say with --scope what the token allows: {known}")
    for name in names:
        if name not in tuple(Scope):
            raise TokenSettingError("scope", name, f"there are {known}")
    return [Scope(name) for name in names]


def to_expiry(text: str | None, now: datetime) -> datetime | None:
    """Return the instant from which a token is worthless; None: it never expires of itself.

    Raises TokenSettingError for what is neither a number of days, nor a day to come, nor `never`.
    """
    if text == NEVER:
        return None
    if text is None:
        return now + timedelta(days=DEFAULT_DAYS)
    if found := _DAYS.fullmatch(text):
        return now + timedelta(days=int(found[1]))
    try:
        end = datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
    except (ValueError, OverflowError):
        end = now
    if end <= now:
        raise TokenSettingError("expires", text, "say 90d for days, a day to come such as 2030-12-31, or never")
    return end


def _to_facts(token: Token, now: datetime) -> dict[str, Any]:
    names = ("id", "name", "scopes", "created_at", "expires_at", "revoked_at")
    return {name: getattr(token, name) for name in names} | {"is_live": _is_live(token, now)}


def _is_live(token: Token, now: datetime) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def _to_state(token: Token, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked {token.revoked_at:%Y-%m-%d %H:%M} UTC"
    return _to_end(token.expires_at) if _is_live(token, now) else f"expired {token.expires_at:%Y-%m-%d %H:%M} UTC"


def _to_end(expires_at: datetime | None) -> str:
    return "never expires" if expires_at is None else f"expires {expires_at:%Y-%m-%d %H:%M} UTC"


def _to_address() -> str:
    settings = ApiSettings()
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return f"{base}/api/v1/datasets"
