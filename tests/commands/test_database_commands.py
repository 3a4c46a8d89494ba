"""The commands on either database, and with an address where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.commands.test_commands import root, run, run_json
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["root"]


@on_both_databases
def test_every_command_finds_the_same(root: Path) -> None:
    assert "the database is at schema" in run("migrate")
    assert run_json("crawl", root, "--release", "immediately")["masters"] == {"ingested": 2, "quarantined": 1}
    assert run_json("search", "energy:7..8 keV")["total"] == 1
    assert run_json("status")["dataset_count"] == 2
    assert "Fe2O3" in run("show", "2") + run("show", "1")
    assert "all its 2 datasets" in run("verify")
    assert run_json("reindex") == {"datasets": 2, "written": 2, "kept": 0}
    assert "all its 2 datasets" in run("verify")
    assert "nothing to map" in run("remap")
    assert "signs from now on" in run("link-key", "rotate")
    token = run_json("token", "create", "night shift", "--scope", "read")
    assert f"token {token['id']} (night shift) revoked" in run("token", "revoke", str(token["id"]))
    assert run_json("quarantine", "list")[0]["path"] == str(root / "hc1234/notes.h5")
    published = ("--title", "LaB6 standard", "--licence", "CC-BY-4.0", "--creator", "Example, Ada")
    assert "published as 10.5072/" in run("publish", "1", "2", *published)
    assert "notice 1" in run("notify", root / "hc1234/one.h5")
    assert "1 ingested" in run("crawl", root)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("no address", "NXCAT_DATABASE_URL must be of the form"),
        ("mysql://nxcat:secret@127.0.0.1/nxcat", "NXCAT_DATABASE_URL must be of the form"),
        ("postgresql+psycopg://nxcat:secret@127.0.0.1:1/nxcat", "see that it runs, and that NXCAT_DATABASE_URL names"),
    ],
)
@pytest.mark.usefixtures("data_folder")
def test_a_database_that_cannot_be_had_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, address: str, told: str
) -> None:
    monkeypatch.setenv("NXCAT_DATABASE_URL", address)
    output = run("status", status=1)
    assert output.startswith("Error: ")
    assert output.count("\n") == 1
    assert told in output
    assert "secret" not in output


def test_a_password_that_is_wrong_is_told_without_it(
    monkeypatch: pytest.MonkeyPatch, postgresql_url: str, data_folder: Path
) -> None:
    assert not data_folder.exists()
    user, _, rest = postgresql_url.partition("nxcat:")
    monkeypatch.setenv("NXCAT_DATABASE_URL", f"{user}nxcat:mistaken@{rest.partition('@')[2]}")
    output = run("status", status=1)
    assert "password authentication failed" in output
    assert output.count("\n") == 1
    assert "mistaken" not in output
