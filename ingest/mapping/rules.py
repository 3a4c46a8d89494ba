"""Rules: a rule file with what it extends, checked and made ready, and chosen for a record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from ingest.mapping.plan import Plan, to_plan
from ingest.mapping.recognising import Traits
from ingest.mapping.rule_checks import find_faults, to_faults, to_findings
from ingest.mapping.rule_schema import RuleFile
from ingest.mapping.rule_texts import RuleFileError, RuleText, Stamp, list_shipped, merge, read_chain, to_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.nexus.record import MasterRecord

DEFAULT_RULES: Final = "nexus"
RECOGNISED: Final = 10
"""The score from which on a file counts as a writer's."""


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """One rule file, ready to be applied. `version` is the declared one and a digest of all that it rests on."""

    name: str
    version: str
    file: RuleFile
    plan: Plan
    chain: tuple[RuleText, ...]
    """The rule file as it stands, and those that it rests on."""


_LOADED: Final[dict[str, tuple[Rules, dict[str, Stamp]]]] = {}
"""What was loaded, with the stamps of the files it was made of; what is shipped has none and stays."""


def load_rules(name_or_path: str) -> Rules:
    """Return the rules of that name, or of the TOML file at that path; they are read again when a file changed.

    A process that serves for weeks so works by the rules of today. Raises RuleFileError if there are none, or if they
    do not keep to the schema.
    """
    known = _LOADED.get(name_or_path)
    if known is not None and all(to_stamp(place) == stamp for place, stamp in known[1].items()):
        return known[0]
    # Stamps are taken before the files are read: a change in between is seen the next time.
    stamps: dict[str, Stamp] = {}
    rules = _load(name_or_path, read_chain(name_or_path, stamps))
    _LOADED[name_or_path] = rules, stamps
    return rules


def _load(name_or_path: str, chain: tuple[RuleText, ...]) -> Rules:
    table = merge(chain)
    try:
        file = RuleFile.model_validate(table)
        findings = find_faults(file)
    except ValidationError as error:
        raise RuleFileError(name_or_path, to_faults(chain, to_findings(error))) from error
    if findings:
        raise RuleFileError(name_or_path, to_faults(chain, findings))
    digest = hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:12]
    return Rules(file.name, f"{file.version}+{digest}", file, to_plan(file), chain)


def shipped_rules() -> tuple[Rules, ...]:
    """Return the rules that come with the package, the default last."""
    names = sorted(list_shipped(), key=lambda name: (name == DEFAULT_RULES, name))
    return tuple(load_rules(name) for name in names)


def choose_rules(record: MasterRecord, available: Iterable[Rules]) -> Rules:
    """Return the rules that recognise the file best, else the NeXus default."""
    traits = Traits(record)
    scored = [(traits.score(rules.file.recognise), rules) for rules in available]
    best, rules = max(scored, key=lambda pair: pair[0], default=(0, None))
    return rules if rules is not None and best >= RECOGNISED else load_rules(DEFAULT_RULES)
