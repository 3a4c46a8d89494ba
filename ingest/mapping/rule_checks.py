"""What is wrong with a rule file, fault by fault, with what would do: by the schema, then by what the keys mean."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from ingest.catalogue.redaction import is_patient_group, is_patients
from ingest.catalogue.scan_fields import SCAN_FIELDS
from ingest.catalogue.units import DimensionError, convert
from ingest.catalogue.vocabulary import NUMBERED, find_parameter, load_vocabulary
from ingest.mapping.paths import PARTS, list_parts, to_path_form
from ingest.mapping.positions import to_position
from ingest.mapping.rule_schema import KINDS, Kind, RuleFile, Target
from ingest.mapping.rule_texts import RuleFault, find_line, find_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from ingest.mapping.rule_texts import Key, RuleText

_OF_KEYS: Final = "[key]"
"""How pydantic marks that a key itself is meant, not what stands there."""


class Finding(NamedTuple):
    """Something to say about a key of the merged table."""

    key: Key
    problem: str
    advice: str = ""


def to_findings(error: ValidationError) -> list[Finding]:
    """Return what the schema refuses, with what would do."""
    return [_to_finding(fault) for fault in error.errors(include_url=False)]


def find_faults(file: RuleFile) -> list[Finding]:
    """Return what keeps to the schema and still cannot be meant."""
    found: list[Finding] = []
    for field, target in file.targets.items():
        found += _check_scan_field(("targets", field), target)
    for name, target in file.parameters.items():
        found += _check_parameter(("parameters", name), target)
    for index, rule in enumerate(file.paths):
        try:
            to_path_form(rule.pattern, {**file.path_parts, **rule.parts})
        except re.error as error:
            found.append(Finding(("paths", index, "parts"), f"they are no parts of a pattern: {error}"))
    return found


def find_remarks(file: RuleFile) -> list[Finding]:
    """Return what does nothing, though nothing forbids it."""
    found = [
        Finding(("parameters", name), "it is never found: it has no sources", "write `sources`")
        for name, target in file.parameters.items()
        if not target.sources
    ]
    found += [
        Finding(("parameters", name), "what tells of a patient is not stored", 'say personal = "closed", or "public"')
        for name, target in file.parameters.items()
        if not target.personal and _asks_for_a_patient(target)
    ]
    for index, rule in enumerate(file.paths):
        unknown = [part for part in list_parts(rule.pattern) if part not in PARTS]
        found += [
            Finding(("paths", index, "pattern"), f"nothing is taken of {{{part}}}", _advise(part, PARTS))
            for part in unknown
        ]
    return found


def to_faults(chain: Sequence[RuleText], findings: Iterable[Finding]) -> list[RuleFault]:
    """Return the findings with the file and the line of each, in their order in the file."""
    faults = [_to_fault(chain, finding) for finding in findings]
    return sorted(faults, key=lambda fault: (fault.file != chain[0].source, fault.line or 0))


def _to_fault(chain: Sequence[RuleText], finding: Finding) -> RuleFault:
    text, key = find_place(chain, finding.key)
    said = ".".join(map(str, finding.key))
    return RuleFault(text.source, find_line(text.text, key), said, finding.problem, finding.advice)


def _to_finding(error: ErrorDetails) -> Finding:
    key = tuple(part for part in error["loc"] if part != _OF_KEYS)
    match error["type"]:
        case "extra_forbidden":
            return Finding(key, "there is no such key", _advise(str(key[-1]), _list_keys(key[:-1])))
        case "literal_error" if error["loc"][-1] == _OF_KEYS:
            return Finding(key, "a scan has no such field", _advise(str(key[-1]), SCAN_FIELDS))
        case "missing":
            return Finding(key, "it is missing", f"write `{key[-1]} = ...`")
        case "value_error":
            return Finding(key, error["msg"].removeprefix("Value error, "))
    return Finding(key, error["msg"])


def _advise(wrong: str, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(wrong.casefold(), names, n=3)
    if close:
        return f"write {' or '.join(close)}"
    return f"there are {', '.join(names)}" if names else ""


def _list_keys(key: Key) -> list[str]:
    """Return the keys that the schema knows in the table at this key."""
    kind: Any = RuleFile
    for part in key:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            kind = get_args(kind)[0]
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _check_scan_field(key: Key, target: Target) -> Iterator[Finding]:
    field = SCAN_FIELDS[str(key[-1])]
    kinds = KINDS[field.kind]
    if target.kind is not None and target.kind not in kinds:
        yield Finding((*key, "kind"), f"this field is no {target.kind}", f"write {' or '.join(kinds)}")
    elif target.personal:
        yield Finding((*key, "personal"), "a field of a scan is as public as its dataset", "make it a parameter")
    elif target.unit not in ("", field.unit):
        problem = f"this field is kept in {field.unit or 'no unit'}"
        yield Finding((*key, "unit"), problem, f"write {field.unit!r}; the file may have any unit of its kind")
    else:
        yield from _check_numbers(key, target, field.unit)


def _check_parameter(key: Key, target: Target) -> Iterator[Finding]:
    name = str(key[-1])
    known = load_vocabulary().get(name.replace(NUMBERED, "01"))
    if known is None and (target.kind is None or (target.kind is Kind.QUANTITY and not target.unit)):
        close = find_parameter(name)
        advice = f"write {close.name}, or" if close else ""
        yield Finding(
            key, "it is not in the vocabulary", f"{advice} say its kind and, for a quantity, its unit".strip()
        )
    elif known is not None and target.unit and target.unit != known.unit:
        problem = f"it is kept in {known.unit}, the rule says {target.unit}"
        yield Finding((*key, "unit"), problem, "leave the unit out; the file may have any unit of its kind")
    elif known is None or known.unit:
        yield from _check_numbers(key, target, known.unit if known else target.unit)


def _check_numbers(key: Key, target: Target, unit: str) -> Iterator[Finding]:
    if target.low is not None and target.high is not None and target.low >= target.high:
        yield Finding((*key, "low"), f"nothing lies between {target.low:g} and {target.high:g}", "write low below high")
    for index, bare in enumerate(target.bare):
        try:
            convert(1.0, bare.unit, unit)
        except DimensionError as error:
            yield Finding((*key, "bare", index, "unit"), str(error))


def _asks_for_a_patient(target: Target) -> bool:
    """Whether one of the places is one of which nothing is stored."""
    for source in target.sources:
        for position in map(to_position, source.at):
            in_sample = any(step.nx_class == "nxsample" for step in position.steps)
            if any(is_patient_group(step.name, in_sample) for step in position.steps):
                return True
            if any(is_patients(field.partition("@")[0], in_sample) for field in source.fields):
                return True
    return False
