"""What `nxcat link-key` does: it changes the keys that links to files are signed with, and never shows one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingest import console
from ingest.catalogue.link_keys import list_link_keys, rotate_link_keys
from ingest.catalogue.model.base import utc_now
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ingest.catalogue.model import LinkKey


def list_all(*, is_json: bool) -> None:
    """Print the number and the age of each key, the one that signs first."""
    with open_services() as services, services.read_sessions() as session:
        keys = list_link_keys(session)
    facts = _to_facts(keys, utc_now())
    if is_json:
        console.print_json(facts)
    elif facts:
        rows = [(each["id"], f"{each['age_days']:.1f}", "signs" if each["signs"] else "checks") for each in facts]
        console.print_table("", ("id", "days old", "what it does"), rows)
    else:
        click.echo("there is no key yet: the service makes one when it starts")


def rotate(*, is_json: bool) -> None:
    """Make a new key, delete those whose links have all expired, and say so. Running services use it at once."""
    with open_services() as services, services.write_sessions.begin() as session:
        rotation = rotate_link_keys(session, utc_now())
    if is_json:
        console.print_json(rotation)
        return
    gone = ", ".join(map(str, rotation.deleted)) or "none"
    click.echo(f"key {rotation.key_id} signs from now on; deleted, since their links have all expired: {gone}")


def _to_facts(keys: Sequence[LinkKey], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": key.id,
            "created_at": key.created_at,
            "age_days": (now - key.created_at).total_seconds() / 86_400,
            "signs": key is keys[0],
        }
        for key in keys
    ]
