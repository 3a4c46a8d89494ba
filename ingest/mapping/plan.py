"""A rule file made ready: positions and patterns parsed once, so that a scan costs look-ups only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ingest.catalogue.scan_fields import SCAN_FIELDS
from ingest.catalogue.vocabulary import NUMBERED
from ingest.mapping.lookup import Lookup
from ingest.mapping.paths import to_path_form
from ingest.mapping.positions import ClassNames, Position, to_position

if TYPE_CHECKING:
    from ingest.mapping.rule_schema import (
        BareUnit,
        ChannelRule,
        Condition,
        Kind,
        RuleFile,
        ScanField,
        ScanKind,
        Source,
        Target,
        TechniqueRule,
        Usual,
    )

_NEVER: Final = re.compile(r"(?!)")


class Holder(Enum):
    """What holds the value that a rule names."""

    FIELD = auto()
    GROUP_ATTRIBUTE = auto()
    FIELD_ATTRIBUTE = auto()
    GROUP_NAME = auto()
    GROUP_VALUE = auto()
    """A group that stands for a value: a log, a sensor, an identifier."""


_WHOLE_GROUP: Final = {".": Holder.GROUP_NAME, "*": Holder.GROUP_VALUE}


@dataclass(frozen=True, slots=True)
class FieldName:
    """One entry of a source's `fields`, parsed; `name` in lower case."""

    holder: Holder
    name: str = ""
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source, parsed."""

    positions: tuple[Position, ...]
    fields: tuple[FieldName, ...]
    names: frozenset[str] | None
    """The names in `fields` if only members are asked for: a group with none of them needs no closer look."""
    named: re.Pattern[str] | None
    unless_named: re.Pattern[str] | None
    where: tuple[tuple[str, re.Pattern[str]], ...]
    unless: tuple[tuple[str, re.Pattern[str]], ...]
    matching: re.Pattern[str] | None
    needs_unit: bool
    own_unit: bool
    inferred: bool


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """One target, parsed. `name` is the scan field or the parameter."""

    name: str
    kind: Kind
    sources: tuple[SourcePlan, ...]
    unit: str
    bare: tuple[BareUnit, ...]
    low: float
    high: float
    never: frozenset[float]
    placeholders: frozenset[str]
    spellings: dict[str, str]
    is_list: bool
    separator: str
    parameter: str
    is_personal: bool
    is_public: bool
    day_from: tuple[str, ...]
    usual: tuple[Usual, ...]
    is_numbered: bool


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """Where motors and counters stand, parsed; names in lower case."""

    motors: tuple[Position, ...]
    values: frozenset[str]
    unless_named: re.Pattern[str]
    snapshots: tuple[Position, ...]
    axes: tuple[Position, ...]
    axis_names: frozenset[str]
    clocks: re.Pattern[str]
    do_axes_tell: bool
    measured: tuple[Position, ...]
    monitors: tuple[Position, ...]
    signals: tuple[Position, ...]


@dataclass(frozen=True, slots=True)
class TechniquePlan:
    """One rule for techniques, parsed; definitions in lower case."""

    rule: TechniqueRule
    definitions: frozenset[str]
    moved: re.Pattern[str]
    measured: tuple[re.Pattern[str], ...]
    present: tuple[SourcePlan, ...]


@dataclass(frozen=True, slots=True)
class FramesPlan:
    """Where keys of frames stand, parsed; names in lower case."""

    at: tuple[Position, ...]
    fields: tuple[str, ...]
    keys: dict[str, ScanKind]


@dataclass(frozen=True, slots=True)
class PathPlan:
    """One path pattern as a regular expression, with the text it was made from."""

    pattern: str
    form: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that `to_drafts` needs of a rule file."""

    targets: dict[ScanField, TargetPlan]
    parameters: tuple[TargetPlan, ...]
    lookup: Lookup
    """The parameters by what they ask for."""
    classes: ClassNames
    placeholders: frozenset[str]
    placeholder_form: re.Pattern[str]
    people: tuple[Position, ...]
    detectors: tuple[Position, ...]
    channels: ChannelPlan
    frames: FramesPlan
    scan_kinds: tuple[tuple[ScanKind, re.Pattern[str]], ...]
    paths: tuple[PathPlan, ...]
    techniques: tuple[TechniquePlan, ...]
    technique_sources: tuple[SourcePlan, ...]


def to_plan(file: RuleFile) -> Plan:
    """Return the rule file, parsed; the schema has checked it."""
    parameters = tuple(
        _to_target(name, target, file.kind_of(name), file.unit_of(name)) for name, target in file.parameters.items()
    )
    return Plan(
        targets={
            name: _to_target(name, target, file.scan_kind_of(name), SCAN_FIELDS[name].unit)
            for name, target in file.targets.items()
        },
        parameters=parameters,
        lookup=Lookup(parameters),
        classes=ClassNames(file.class_names, file.class_equals),
        placeholders=frozenset(text.casefold() for text in file.placeholders),
        placeholder_form=_join(file.placeholder_patterns),
        people=tuple(map(to_position, file.users.at)),
        detectors=tuple(map(to_position, file.detectors.at)),
        channels=_to_channels(file.channels),
        frames=FramesPlan(
            at=tuple(map(to_position, file.frames.at)),
            fields=tuple(name.casefold() for name in file.frames.fields),
            keys=file.frames.keys,
        ),
        scan_kinds=tuple((kind, re.compile(form, re.IGNORECASE)) for kind, form in file.scan_kinds.items()),
        paths=tuple(
            PathPlan(rule.pattern, to_path_form(rule.pattern, {**file.path_parts, **rule.parts})) for rule in file.paths
        ),
        techniques=tuple(map(_to_technique, file.techniques)),
        technique_sources=tuple(map(to_source, file.technique_sources)),
    )


def _to_technique(rule: TechniqueRule) -> TechniquePlan:
    definitions = (rule.definition,) if isinstance(rule.definition, str) else rule.definition
    return TechniquePlan(
        rule=rule,
        definitions=frozenset(text.casefold() for text in definitions),
        moved=_join((rule.moved.named,) if rule.moved is not None else ()),
        measured=tuple(re.compile(pattern, re.IGNORECASE) for pattern in rule.measured),
        present=tuple(map(to_source, rule.present)),
    )


def _to_target(name: str, target: Target, kind: Kind, unit: str = "") -> TargetPlan:
    return TargetPlan(
        name=name,
        kind=kind,
        sources=tuple(map(to_source, target.sources)),
        unit=unit or target.unit,
        bare=target.bare,
        low=float("-inf") if target.low is None else target.low,
        high=float("inf") if target.high is None else target.high,
        never=frozenset(target.never),
        placeholders=frozenset(text.casefold() for text in target.placeholders),
        spellings=target.spellings,
        is_list=target.many == "list",
        separator=target.separator,
        parameter=target.parameter,
        is_personal=bool(target.personal),
        is_public=target.personal != "closed",
        day_from=target.day_from,
        usual=target.usual,
        is_numbered=NUMBERED in name,
    )


def _to_channels(rule: ChannelRule) -> ChannelPlan:
    return ChannelPlan(
        motors=tuple(map(to_position, rule.motors)),
        values=frozenset(name.casefold() for name in rule.values),
        unless_named=_join((rule.unless_named,) if rule.unless_named else ()),
        snapshots=tuple(map(to_position, rule.snapshots)),
        axes=tuple(map(to_position, rule.axes)),
        axis_names=frozenset(name.casefold() for name in rule.axis_names),
        clocks=_join((rule.clocks,) if rule.clocks else ()),
        do_axes_tell=rule.axes_tell,
        measured=tuple(map(to_position, rule.measured)),
        monitors=tuple(map(to_position, rule.monitors)),
        signals=tuple(map(to_position, rule.signals)),
    )


@lru_cache(maxsize=4096)
def to_source(source: Source) -> SourcePlan:
    """Return one source, parsed."""
    fields = tuple(map(_to_field_name, source.fields))
    return SourcePlan(
        positions=tuple(map(to_position, source.at)),
        fields=fields,
        names=frozenset(field.name for field in fields) if all(field.name for field in fields) else None,
        named=re.compile(source.named, re.IGNORECASE) if source.named else None,
        unless_named=re.compile(source.unless_named, re.IGNORECASE) if source.unless_named else None,
        where=_to_conditions(source.where),
        unless=_to_conditions(source.unless),
        matching=re.compile(source.matching, re.IGNORECASE) if source.matching else None,
        needs_unit=source.needs_unit,
        own_unit=source.own_unit,
        inferred=source.inferred,
    )


def _to_conditions(conditions: tuple[Condition, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((each.field.casefold(), re.compile(each.matching, re.IGNORECASE)) for each in conditions)


def _to_field_name(text: str) -> FieldName:
    if text in _WHOLE_GROUP:
        return FieldName(_WHOLE_GROUP[text])
    name, at, attribute = text.partition("@")
    if not at:
        return FieldName(Holder.FIELD, name.casefold())
    if not name:
        return FieldName(Holder.GROUP_ATTRIBUTE, attribute=attribute)
    return FieldName(Holder.FIELD_ATTRIBUTE, name.casefold(), attribute)


def _join(patterns: tuple[str, ...]) -> re.Pattern[str]:
    if not patterns:
        return _NEVER
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
