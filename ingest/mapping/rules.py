"""Rule files: found by name or path, merged with what they extend, checked, and chosen for a record."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import ValidationError

from ingest.catalogue.errors import CatalogueError
from ingest.mapping.plan import Plan, to_plan
from ingest.mapping.rule_schema import Evidence, RuleFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ingest.nexus.record import MasterRecord

DEFAULT_RULES: Final = "nexus"
RECOGNISED: Final = 10
"""The score from which on a file counts as a writer's."""
_SHIPPED: Final = "ingest.mapping.rule_files"
_Stamp: TypeAlias = tuple[int, int, int] | None


class RuleFileError(CatalogueError):
    """A rule file is missing, is no TOML, or does not keep to the schema; `problems` has one line for each fault."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source, self.problems = source, tuple(problems)
        super().__init__(f"rule file {source}: {'; '.join(problems)} (docs/rule-files.md describes the schema)")


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """One rule file, ready to be applied. `version` is the declared one and a digest of all that it rests on."""

    name: str
    version: str
    file: RuleFile
    plan: Plan


_LOADED: Final[dict[str, tuple[Rules, dict[str, _Stamp]]]] = {}
"""What was loaded, with the stamps of the files it was made of; what is shipped has none and stays."""


def load_rules(name_or_path: str) -> Rules:
    """Return the rules of that name, or of the TOML file at that path; they are read again when a file changed.

    A process that serves for weeks so works by the rules of today. Raises RuleFileError if there are none, or if they
    do not keep to the schema.
    """
    known = _LOADED.get(name_or_path)
    if known is not None and all(_to_stamp(place) == stamp for place, stamp in known[1].items()):
        return known[0]
    # Stamps are taken before the files are read: a change in between is seen the next time.
    stamps: dict[str, _Stamp] = {}
    rules = _load(name_or_path, _read_merged(name_or_path, (), stamps))
    _LOADED[name_or_path] = rules, stamps
    return rules


def _load(name_or_path: str, table: dict[str, Any]) -> Rules:
    try:
        file = RuleFile.model_validate(table)
        plan = to_plan(file)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise RuleFileError(name_or_path, problems) from error
    except ValueError as error:
        raise RuleFileError(name_or_path, [str(error)]) from error
    digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:12]
    return Rules(file.name, f"{file.version}+{digest}", file, plan)


def shipped_rules() -> tuple[Rules, ...]:
    """Return the rules that come with the package, the default last."""
    names = [Path(item.name).stem for item in files(_SHIPPED).iterdir() if item.name.endswith(".toml")]
    return tuple(load_rules(name) for name in sorted(names, key=lambda name: (name == DEFAULT_RULES, name)))


def choose_rules(record: MasterRecord, available: Iterable[Rules]) -> Rules:
    """Return the rules that recognise the file best, else the NeXus default."""
    scored = [(score_of(record, rules.file.recognise), rules) for rules in available]
    best, rules = max(scored, key=lambda pair: pair[0], default=(0, None))
    return rules if rules is not None and best >= RECOGNISED else load_rules(DEFAULT_RULES)


def score_of(record: MasterRecord, evidence: Iterable[Evidence]) -> int:
    """Return the sum of the scores of the evidence that the record shows."""
    return sum(item.score for item in evidence if _shows(record, item))


def _shows(record: MasterRecord, evidence: Evidence) -> bool:
    if evidence.attribute:
        value = record.root.attributes.get(evidence.attribute)
        return value is not None and re.search(evidence.matching, str(value), re.IGNORECASE) is not None
    return bool(record.entries) and all(
        re.fullmatch(evidence.entry, entry.name, re.IGNORECASE) for entry in record.entries
    )


def _read_merged(name_or_path: str, above: tuple[str, ...], stamps: dict[str, _Stamp]) -> dict[str, Any]:
    """Return the table of a rule file on top of those that it extends, and note the stamp of each file."""
    if name_or_path in above:
        raise RuleFileError(name_or_path, [f"extends itself through {' -> '.join(above)}"])
    if name_or_path.endswith(".toml"):
        stamps[name_or_path] = _to_stamp(name_or_path)
    table = _read_table(name_or_path)
    extended = table.get("extends", "")
    if not isinstance(extended, str) or not extended:
        return table
    if extended.endswith(".toml"):
        extended = str(Path(name_or_path).parent / extended)
    return _merge(table, _read_merged(extended, (*above, name_or_path), stamps), own=("recognise",))


def _to_stamp(place: str) -> _Stamp:
    try:
        stat = Path(place).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _read_table(name_or_path: str) -> dict[str, Any]:
    is_path = name_or_path.endswith(".toml")
    place = Path(name_or_path) if is_path else files(_SHIPPED).joinpath(f"{Path(name_or_path).name}.toml")
    try:
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RuleFileError(name_or_path, ["there is no such file"]) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RuleFileError(name_or_path, [str(error)]) from error


def _merge(upper: dict[str, Any], lower: dict[str, Any], own: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the upper table over the lower: tables merge, lists come before the lower's, all else replaces it.

    A table that says `replace` gives nothing of the lower one away; the keys in `own` are never inherited.
    """
    if upper.get("replace"):
        return upper
    merged = {key: value for key, value in lower.items() if key not in own}
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(value, dict) and isinstance(below, dict):
            merged[key] = _merge(value, below)
        elif isinstance(value, list) and isinstance(below, list):
            merged[key] = [*value, *(item for item in below if item not in value)]
        else:
            merged[key] = value
    return merged
