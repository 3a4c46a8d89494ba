"""Giving tokens out, listing them, and taking them back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from ingest.catalogue.access import InvalidTokenError, get_viewer_of_text
from ingest.cli import main
from ingest.services import open_services
from ingest.token_commands import TokenSettingError, to_expiry

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.catalogue.visibility import Viewer

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_new_folder(data_folder: Path) -> None:
    assert not data_folder.exists()


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["token", *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result.output


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def find_viewer(text: str, now: datetime | None = None) -> Viewer:
    with open_services() as services, services.read_sessions() as session:
        return get_viewer_of_text(session, text, now or datetime.now(UTC))


def test_token_is_shown_once_and_opens_what_it_was_made_for() -> None:
    output = run("create", "night shift", "--scope", "read", "--scope", "operate")
    (text,) = re.findall(r"^nxcat_\S{43}$", output, re.MULTILINE)
    assert "curl -H 'Authorization: Bearer TOKEN' http://127.0.0.1:8000/api/v1/datasets" in output
    assert "90 days, as --expires is not given" in output
    viewer = find_viewer(text)
    assert viewer.sees_all
    assert viewer.scopes == {"read", "operate"}
    for later in (run("list"), run("list", "--json"), run("revoke", "1"), run("revoke", "1", "--json")):
        assert text not in later


def test_operator_without_read_sees_no_more_than_everybody() -> None:
    viewer = find_viewer(run_json("create", "watcher", "--scope", "operate")["token"])
    assert (viewer.sees_all, viewer.scopes) == (False, {"operate"})


def test_example_names_the_address_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_API_PUBLIC_URL", "https://data.example.org/catalogue/")
    assert "TOKEN' https://data.example.org/catalogue/api/v1/datasets" in run("create", "a", "--scope", "read")


def test_text_of_a_token_lies_nowhere_on_disk(data_folder: Path) -> None:
    text = run_json("create", "night shift", "--scope", "read")["token"]
    written = b"".join(file.read_bytes() for file in data_folder.rglob("*") if file.is_file())
    assert b"night shift" in written
    assert text.encode() not in written
    assert text.removeprefix("nxcat_").encode() not in written


def test_new_token_as_json() -> None:
    made = run_json("create", " night shift ", "--scope", "read", "--scope", "read", "--expires", "never")
    assert made.pop("token").startswith("nxcat_")
    assert made == {"id": 1, "name": "night shift", "scopes": ["read"], "expires_at": None}
    assert "never expires; keep it" in run("create", "other", "--scope", "operate", "--expires", "never")


def test_list_tells_what_holds_the_newest_first() -> None:
    assert "no token was given out" in run("list")
    run("create", "first", "--scope", "read", "--expires", "never")
    run("create", "second\x1b[2J", "--scope", "operate", "--expires", "2999-12-31")
    run("revoke", "1")
    second, first = run_json("list")
    assert (first["name"], first["is_live"], first["scopes"]) == ("first", False, ["read"])
    assert (second["is_live"], second["revoked_at"]) == (True, None)
    assert second["expires_at"].startswith("3000-01-01T00:00")
    assert first.keys() == {"id", "name", "scopes", "created_at", "expires_at", "revoked_at", "is_live"}
    output = run("list")
    assert "expires 3000-01-01 00:00 UTC" in output
    assert "revoked 20" in output
    assert "\x1b[2J" not in output


def test_revoked_token_is_worth_nothing_and_stays_so() -> None:
    text = run_json("create", "first", "--scope", "read")["token"]
    assert "token 1 (first) revoked" in run("revoke", "1")
    with pytest.raises(InvalidTokenError):
        find_viewer(text)
    assert run_json("revoke", "1") == run_json("revoke", "1")
    assert "no token 2" in run("revoke", "2", status=1)
    assert "no token 9999999999999999999999" in run("revoke", "9999999999999999999999", status=1)


def test_expired_token_is_worth_nothing() -> None:
    text = run_json("create", "first", "--scope", "read", "--expires", "1d")["token"]
    assert find_viewer(text).sees_all
    with pytest.raises(InvalidTokenError):
        find_viewer(text, datetime.now(UTC) + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, NOW + timedelta(days=90)),
        ("never", None),
        ("1d", NOW + timedelta(days=1)),
        ("99999d", NOW + timedelta(days=99999)),
        ("2026-11-21", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2027-02-28", datetime(2027, 3, 1, tzinfo=UTC)),
    ],
)
def test_end_is_a_number_of_days_the_last_day_or_never(text: str | None, expected: datetime | None) -> None:
    assert to_expiry(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "0d", "-1d", "100000d", "soon", "2026-11-20", "2026-02-30", "9999-12-31", "90"])
def test_end_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(TokenSettingError, match="say 90d for days, a day to come"):
        to_expiry(text, NOW)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("create", "a"), "say with --scope what the token allows: read, notify, edit, operate"),
        (("create", "a", "--scope", "write"), "scope 'write': there are read, notify, edit, operate"),
        (("create", "a", "--scope", "read", "--scope", "READ"), "scope 'READ': there are read, notify, edit, operate"),
        (("create", "  ", "--scope", "read"), "say in 1 to 255 characters"),
        (("create", "a" * 256, "--scope", "read"), "say in 1 to 255 characters"),
        (("create", "a", "--scope", "read", "--expires", "soon"), "expires 'soon': say 90d"),
    ],
)
def test_token_that_cannot_be_is_refused_and_not_made(arguments: tuple[str, ...], reason: str) -> None:
    assert reason in run(*arguments, status=1)
    assert run_json("list") == []
