"""What the README documents exists, and what exists is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from api.settings import ApiSettings
from ingest.catalogue.settings import CatalogueSettings
from ingest.cli import main
from ingest.settings import IngestSettings, ListenerSettings, LogSettings, WorkSettings

if TYPE_CHECKING:
    from pydantic_settings import BaseSettings

ROOT = Path(__file__).parents[1]
SETTINGS: list[type[BaseSettings]] = [
    CatalogueSettings,
    IngestSettings,
    ListenerSettings,
    WorkSettings,
    LogSettings,
    ApiSettings,
]
CHOICES = {"doi_prefix": "10.4321", "log_format": "json"}
"""What else than a number a setting may be."""
README = (ROOT / "README.md").read_text(encoding="utf-8")


def list_commands(group: click.Group, prefix: str = "nxcat") -> list[str]:
    found = []
    for name, command in group.commands.items():
        inner = isinstance(command, click.Group)
        found += list_commands(command, f"{prefix} {name}") if inner else [f"{prefix} {name}"]
    return found


def list_settings() -> dict[str, object]:
    found: dict[str, object] = {}
    for settings in SETTINGS:
        prefix = settings.model_config["env_prefix"]
        found |= {f"{prefix}{name}".upper(): field.default for name, field in settings.model_fields.items()}
    return found


def test_the_readme_has_every_command_and_no_other() -> None:
    documented = {re.sub(r" [A-Z.]+$", "", name) for name in re.findall(r"^\| `(nxcat [^`]+)`", README, re.MULTILINE)}
    assert documented == set(list_commands(main))


def test_the_readme_has_every_setting_with_its_default_and_no_other() -> None:
    documented = dict(re.findall(r"^\| `(NXCAT_\w+)` \| `?([^|`]+?)`? \|", README, re.MULTILINE))
    settings = list_settings()
    assert set(documented) == set(settings)
    for name, default in settings.items():
        if default not in (None, ""):
            assert (
                documented[name] == f"{default:g}" if isinstance(default, float) else documented[name] == str(default)
            )


@pytest.mark.parametrize("command", list_commands(main))
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [*command.split()[1:], "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert any(line.rstrip().endswith(".") for line in result.output.splitlines()[2:5])


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("settings", SETTINGS)
def test_every_setting_is_taken_from_the_environment(
    settings: type[BaseSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: CHOICES.get(name, "4321") for name in settings.model_fields}
    for name, text in given.items():
        monkeypatch.setenv(f"{settings.model_config['env_prefix']}{name}".upper(), text)
    found = {name: str(value).removesuffix(".0") for name, value in settings().model_dump().items()}
    assert found == given
