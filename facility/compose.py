"""What docker-compose.yml says of each service, its variables filled in (https://docs.docker.com/compose/compose-file)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VARIABLE: Final = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<said>[^{}]*))?\})")


class VariableMissingError(Exception):
    """The file asks for a variable that is not given."""

    def __init__(self, name: str, said: str) -> None:
        self.name = name
        super().__init__(f"{name} is not set: {said}")


@dataclass(frozen=True, slots=True)
class Service:
    """One service of the file; which others it waits for, by their names and until what."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    profiles: tuple[str, ...]
    healthcheck: tuple[str, ...]
    depends_on: Mapping[str, str]

    def read_options(self, mark: str) -> dict[str, str]:
        """Return the settings in an engine's command, `-c name=value` or `--name value`, by the mark before each."""
        words = self.command[1:]
        if mark == "-c":
            return dict(word.split("=", 1) for word in words if word != mark)
        return {name.removeprefix(mark): value for name, value in zip(words[::2], words[1::2], strict=True)}


def read_compose(path: Path, variables: Mapping[str, str]) -> dict[str, Service]:
    """Return the services by their names, in the order of the file; raises VariableMissingError."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: _to_service(name, _fill(said, variables)) for name, said in document["services"].items()}


def _to_service(name: str, said: Mapping[str, Any]) -> Service:
    return Service(
        name=name,
        command=tuple(said.get("command", ())),
        environment=dict(said.get("environment", {})),
        profiles=tuple(said.get("profiles", ())),
        healthcheck=tuple(said.get("healthcheck", {}).get("test", ())),
        depends_on={other: condition["condition"] for other, condition in said.get("depends_on", {}).items()},
    )


def _fill(said: Any, variables: Mapping[str, str]) -> Any:
    """Return the same, the variables in its texts replaced by their values."""
    match said:
        case dict():
            return {name: _fill(value, variables) for name, value in said.items()}
        case list():
            return [_fill(value, variables) for value in said]
        case str():
            return _VARIABLE.sub(lambda found: _find_value(found, variables), said)
        case _:
            return said


def _find_value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    value = variables.get(found["name"], "")
    if not value and found["kind"] == "?":
        raise VariableMissingError(found["name"], found["said"])
    return value or (found["said"] or "")
