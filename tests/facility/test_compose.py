"""docker-compose.yml, read as `make facility` reads it: what it promises of each service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from facility.compose import VariableMissingError, read_compose
from facility.setup import COMPOSE
from ingest.cli import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/compose.env.example"
WANTED = re.findall(r"^(NXCAT_\w+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
GIVEN = {name: f"given-{name.lower()}" for name in WANTED}
DOCUMENT: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
OURS = ("migrate", "api", "worker", "beat", "listener")


@pytest.mark.parametrize("name", WANTED)
def test_nothing_starts_without_what_the_example_asks_for(name: str) -> None:
    given = {other: value for other, value in GIVEN.items() if other != name}
    with pytest.raises(VariableMissingError, match=name):
        read_compose(COMPOSE, given)
    with pytest.raises(VariableMissingError, match=r"\.env"):
        read_compose(COMPOSE, {**given, name: ""})


def test_no_secret_has_a_default() -> None:
    text = COMPOSE.read_text(encoding="utf-8")
    for variable in re.findall(r"\$\{(\w*PASSWORD\w*[^}]*)\}", text):
        assert re.match(r"\w+:\?", variable), variable
    for value in re.findall(r"PASSWORD: (\S+)", text):
        assert value.startswith("${"), value


def test_what_is_given_stands_where_it_is_used() -> None:
    services = read_compose(COMPOSE, GIVEN)
    password = GIVEN["NXCAT_DATABASE_PASSWORD"]
    assert services["postgresql"].environment["POSTGRES_PASSWORD"] == password
    for name in OURS:
        address = services[name].environment["NXCAT_DATABASE_URL"]
        assert address == f"postgresql+psycopg://nxcat:{password}@postgresql:5432/nxcat"
        assert services[name].environment["NXCAT_API_PUBLIC_URL"] == "http://127.0.0.1:8000"


def test_dollar_and_default_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("services: {a: {command: [x, '$$HOME', '${B:-c d}', '${B:-}', '${C}', '${D:-e}']}}")
    service = read_compose(file, {"C": "c", "D": "given"})["a"]
    assert service.command == ("x", "$HOME", "c d", "", "c", "given")


@pytest.mark.parametrize("name", OURS)
def test_commands_of_our_services_are_there(name: str) -> None:
    program, *words = read_compose(COMPOSE, GIVEN)[name].command
    assert program == "nxcat"
    assert CliRunner().invoke(main, [words[0], "--help"]).exit_code == 0


@pytest.mark.parametrize("name", OURS)
def test_our_services_can_change_nothing_but_the_catalogue(name: str) -> None:
    service = DOCUMENT["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert [volume.endswith(":ro") for volume in service["volumes"]] == [True]
    assert "privileged" not in service


@pytest.mark.parametrize("name", DOCUMENT["services"])
def test_every_service_has_a_limit_and_is_reached_from_this_host_alone(name: str) -> None:
    service = DOCUMENT["services"][name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_settings_of_the_file_are_settings_of_ours() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = {name for ours in OURS for name in read_compose(COMPOSE, GIVEN)[ours].environment}
    assert not {name for name in settings if f"| `{name}` |" not in readme}


def test_image_runs_as_a_user_of_its_own() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER nxcat" in lines
    assert lines.index("USER nxcat") > max(number for number, line in enumerate(lines) if line.startswith("RUN"))
