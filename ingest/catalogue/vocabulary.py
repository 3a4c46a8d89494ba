"""The parameters that the catalogue knows by name: unit, kind, meaning, and what a person types for them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NUMBERED: Final = "{nn}"
"""Stands in a name for the number of a detector, 01 to 10, as ESRF's vocabulary counts them."""
HIGHEST_NUMBER: Final = 10


class ValueType(StrEnum):
    """ICAT's three kinds of parameter."""

    NUMERIC = "NUMERIC"
    STRING = "STRING"
    DATE_AND_TIME = "DATE_AND_TIME"


@dataclass(frozen=True, slots=True)
class KnownParameter:
    """One parameter: `unit` is empty for text and dates, and `1` for a bare number."""

    name: str
    unit: str
    description: str
    value_type: ValueType
    aliases: tuple[str, ...] = ()
    is_esrf: bool = True
    """Whether the name is one of ESRF's ICAT."""


@cache
def load_vocabulary() -> Mapping[str, KnownParameter]:
    """Return every known parameter by its name; numbered ones once for each number."""
    table = tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text(encoding="utf-8"))
    known = [parameter for name, row in table.items() for parameter in _expand(name, row)]
    return MappingProxyType({parameter.name: parameter for parameter in known})


def find_parameter(text: str) -> KnownParameter | None:
    """Return the parameter that a person means by its name or by one of its aliases, in any case of letters."""
    return _by_alias().get(text.strip().casefold().replace(" ", "_"))


@cache
def _by_alias() -> Mapping[str, KnownParameter]:
    known = load_vocabulary().values()
    by_alias = {alias.casefold(): parameter for parameter in known for alias in parameter.aliases}
    return by_alias | {parameter.name.casefold(): parameter for parameter in known}


def list_numbered(name: str) -> list[str]:
    """Return the names that a name with the mark stands for, in order; itself if it has none."""
    return list(dict.fromkeys(name.replace(NUMBERED, f"{number:02d}") for number in range(1, HIGHEST_NUMBER + 1)))


def _expand(name: str, row: dict[str, Any]) -> list[KnownParameter]:
    if NUMBERED not in name:
        return [_to_parameter(name, row, tuple(row.get("aliases", ())))]
    names = list_numbered(name)
    first = _to_parameter(names[0], row, tuple(row.get("aliases", ())))
    return [first, *(_to_parameter(other, row, ()) for other in names[1:])]


def _to_parameter(name: str, row: dict[str, Any], aliases: tuple[str, ...]) -> KnownParameter:
    return KnownParameter(
        name=name,
        unit=row.get("unit", ""),
        description=row["description"],
        value_type=ValueType(row["type"]),
        aliases=aliases,
        is_esrf=row.get("source") != "nxcat",
    )
