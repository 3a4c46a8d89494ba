"""Changing the keys that links are signed with; none is ever shown."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from ingest.catalogue.link_keys import list_link_keys
from ingest.catalogue.model import LinkKey
from ingest.catalogue.model.base import utc_now
from ingest.cli import main
from ingest.services import open_services

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_new_folder(data_folder: Path) -> None:
    assert not data_folder.exists()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(main, ["link-key", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def age(key_id: int, days: float) -> None:
    """Make a key look as if it was made that long ago."""
    with open_services() as services, services.write_sessions.begin() as session:
        values = {"created_at": utc_now() - timedelta(days=days)}
        session.execute(update(LinkKey).where(LinkKey.id == key_id).values(**values))


def test_list_tells_number_age_and_which_one_signs() -> None:
    assert "there is no key yet: the service makes one when it starts" in run("list")
    assert run_json("list") == []
    run("rotate")
    run("rotate")
    age(1, 0.5)
    newest, oldest = run_json("list")
    assert (newest["id"], newest["signs"], oldest["id"], oldest["signs"]) == (2, True, 1, False)
    assert oldest["age_days"] == pytest.approx(0.5, abs=0.01)
    assert newest.keys() == {"id", "created_at", "age_days", "signs"}
    lines = [line.split() for line in run("list").splitlines()]
    assert [words[0] for words in lines if words[-1:] == ["signs"]] == ["2"]
    assert [words[0] for words in lines if words[-1:] == ["checks"]] == ["1"]


def test_rotate_tells_what_signs_and_what_is_gone() -> None:
    assert "key 1 signs from now on" in run("rotate")
    assert "expired: none" in run("rotate")
    age(1, 3)
    age(2, 2)
    assert "key 3 signs from now on; deleted, since their links have all expired: 1" in run("rotate")
    age(3, 2)
    assert run_json("rotate") == {"key_id": 4, "deleted": [2]}
    assert [each["id"] for each in run_json("list")] == [4, 3]


def test_no_key_is_ever_shown() -> None:
    said = [run("rotate"), run("rotate", "--json"), run("list"), run("list", "--json")]
    with open_services() as services, services.read_sessions() as session:
        secrets = [key.secret for key in list_link_keys(session)]
    assert len(secrets) == 2
    for secret in secrets:
        for written in (secret.hex(), repr(secret)[2:-1]):
            assert not any(written in text for text in said)
