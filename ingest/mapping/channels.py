"""What an entry moved and what it measured: its motors and counters, by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from ingest.mapping.drafts import CounterDraft, MotorDraft, PositionDraft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.mapping.findings import Search
    from ingest.mapping.plan import ChannelPlan
    from ingest.mapping.positions import Place, Position
    from ingest.nexus.record import Field

_NUMBERS: Final = ("int", "uint", "float")
_SAME: Final = 1e-9
"""Relative; positions that differ by less are one: the motor stood still."""
LONGEST_NAME: Final = 255
"""Characters; a longer name is no name of a motor or a channel."""
LONGEST_TEXT: Final = 64
"""Characters of a position that has a name, such as that of a filter wheel."""
_NOT_NAMES: Final = frozenset({"data", "value", "signal", "counts", "image", "spectrum"})
"""What a channel's field may be called without telling which channel it is: then its group has the name."""


@dataclass(frozen=True, slots=True)
class Channels:
    """What one entry tells: motors that it moved, counters, and where motors stood."""

    motors: tuple[MotorDraft, ...] = ()
    counters: tuple[CounterDraft, ...] = ()
    positions: tuple[PositionDraft, ...] = ()


def find_channels(search: Search) -> Channels:
    """Return the motors and the counters of the entry, each name once.

    Where the file says along which axes it was measured (`axes` of an NXdata, `primary` of a field) and the rules
    believe it, those motors alone have moved: others were only read along.
    """
    plan = search.plan.channels
    axes = _list_axes(search, plan)
    fields = _list_motor_fields(search, plan, axes)
    vectors = {name: found for name, found in fields.items() if _is_vector(found.field)}
    told = {name for name, found in vectors.items() if name in axes or "primary" in found.field.attributes}
    moved = told if told and plan.do_axes_tell else set(vectors)
    motors = (_to_motor(name, vectors[name]) for name in vectors if name in moved)
    positions = (_to_position(name, found) for name, found in fields.items() if not found.is_axis)
    return Channels(
        motors=tuple(motor for motor in motors if not _stands_still(motor)),
        counters=tuple(_list_counters(search, plan, moved)),
        positions=tuple(position for position in positions if position is not None),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """A field that holds a motor's positions; `is_axis`: or the place of something that has no motor."""

    path: str
    field: Field
    is_axis: bool = False


def _list_motor_fields(search: Search, plan: ChannelPlan, axes: frozenset[str]) -> dict[str, _Found]:
    """Return the fields that hold positions, by the motor's name; of several the one that was read, vectors first."""
    found: dict[str, _Found] = {}
    for name, one in chain(_walk_motors(search, plan), _walk_snapshots(search, plan), _walk_axes(search, plan)):
        known = found.get(name)
        if not plan.clocks.search(name) and (known is None or _to_worth(one.field) > _to_worth(known.field)):
            found[name] = one
    # Of a plot's axis only the shape is read: that it is a motor at all, its position elsewhere tells.
    for place in _list_places(search, plan.signals):
        for field in place.group.fields:
            if field.name in axes and field.name in found and _is_vector(field) and _is_position(field):
                found[field.name] = max(
                    found[field.name],
                    _Found(place.group.path_of(field.name), field),
                    key=lambda one: _to_worth(one.field),
                )
    return found


def _list_places(search: Search, positions: tuple[Position, ...]) -> Iterator[Place]:
    return (place for position in positions for place in search.index.find(position))


def _to_worth(field: Field) -> tuple[bool, bool]:
    return _is_vector(field), field.value is not None or field.minimum is not None


def _walk_motors(search: Search, plan: ChannelPlan) -> Iterator[tuple[str, _Found]]:
    for place in _list_places(search, plan.motors):
        for field in place.group.fields:
            name = _to_motor_name(place, field, plan)
            if name is not None and _is_position(field):
                yield name, _Found(place.group.path_of(field.name), field)


def _walk_snapshots(search: Search, plan: ChannelPlan) -> Iterator[tuple[str, _Found]]:
    for place in _list_places(search, plan.snapshots):
        for field in place.group.fields:
            if _is_position(field) and len(field.name) <= LONGEST_NAME:
                yield field.name, _Found(place.group.path_of(field.name), field)


def _walk_axes(search: Search, plan: ChannelPlan) -> Iterator[tuple[str, _Found]]:
    for place in _list_places(search, plan.axes):
        for field in place.group.fields:
            is_axis = "transformation_type" in field.attributes or field.name.casefold() in plan.axis_names
            if is_axis and _is_position(field) and len(field.name) <= LONGEST_NAME:
                yield field.name, _Found(place.group.path_of(field.name), field, is_axis=True)


def _to_motor_name(place: Place, field: Field, plan: ChannelPlan) -> str | None:
    """Return the name of the motor whose position the field of its group is; None if it is something else of it."""
    if field.name.casefold() in plan.values:
        return place.group.name if len(place.group.name) <= LONGEST_NAME else None
    if plan.unless_named.search(field.name) or len(field.name) > LONGEST_NAME:
        return None
    is_named_so = field.name.casefold() in {place.name, place.name.rpartition("_")[2]}
    return field.name if is_named_so or _is_vector(field) else None


def _is_position(field: Field) -> bool:
    is_number = field.dtype.rstrip("0123456789") in _NUMBERS
    return is_number or (field.dtype == "string" and not field.shape)


def _is_vector(field: Field) -> bool:
    return math.prod(field.shape) > 1


def _list_axes(search: Search, plan: ChannelPlan) -> frozenset[str]:
    """Return what the entry's NXdata call their axes, by the names of the fields that those are."""
    names: set[str] = set()
    for place in _list_places(search, plan.signals):
        said = _to_names(place.group.attributes.get("axes"))
        names.update(said)
        # What an axis is called there may be a link to a field of another name.
        targets = (str(f.attributes.get("target", "")) for f in place.group.fields if f.name in said)
        for target in filter(None, targets):
            parts = target.split("/")
            names.update(parts[-2:] if parts[-1].casefold() in plan.values else parts[-1:])
    return frozenset(names)


def _to_names(value: object) -> list[str]:
    """Return the names in an attribute of an NXdata: a list, or in older files one text with commas or colons."""
    texts = value if isinstance(value, list) else [value]
    parts = (part for text in texts if isinstance(text, str) for part in text.replace(":", ",").strip("[]").split(","))
    return [name for part in parts if (name := part.strip()) and name != "."]


def _to_motor(name: str, found: _Found) -> MotorDraft:
    field = found.field
    motor = MotorDraft(name, found.path, _to_unit(field), point_count=math.prod(field.shape))
    if isinstance(field.value, list):
        numbers = [float(item) for item in field.value if not isinstance(item, str)]
        if numbers:
            return replace(motor, first=numbers[0], last=numbers[-1], low=min(numbers), high=max(numbers))
    return replace(motor, first=field.first, last=field.last, low=field.minimum, high=field.maximum)


def _stands_still(motor: MotorDraft) -> bool:
    if motor.low is None or motor.high is None:
        return False
    return motor.high - motor.low <= _SAME * max(abs(motor.low), abs(motor.high))


def _to_position(name: str, found: _Found) -> PositionDraft | None:
    """Return where the motor stood; of one that moved, where it was first."""
    value = found.field.value[0] if isinstance(found.field.value, list) and found.field.value else found.field.value
    if isinstance(value, bool | list):
        return None
    if isinstance(value, str):
        return PositionDraft(name, found.path, value) if value and len(value) <= LONGEST_TEXT else None
    number = found.field.first if value is None else float(value)
    return None if number is None else PositionDraft(name, found.path, number, _to_unit(found.field))


def _list_counters(search: Search, plan: ChannelPlan, moved: set[str]) -> Iterator[CounterDraft]:
    seen = set(moved)
    for counter in _walk_counters(search, plan):
        if counter.name not in seen and len(counter.name) <= LONGEST_NAME:
            seen.add(counter.name)
            yield counter


def _walk_counters(search: Search, plan: ChannelPlan) -> Iterator[CounterDraft]:
    for place in _list_places(search, plan.measured):
        yield from (_to_counter(place, field, field.name) for field in place.group.fields if field.shape)
    for place in _list_places(search, plan.monitors):
        data = next(
            (field for field in place.group.fields if field.name.casefold() in _NOT_NAMES and field.shape), None
        )
        if data is not None:
            yield _to_counter(place, data, place.group.name)
    for place in _list_places(search, plan.signals):
        said = {
            *_to_names(place.group.attributes.get("signal")),
            *_to_names(place.group.attributes.get("auxiliary_signals")),
        }
        for field in place.group.fields:
            name = _to_signal_name(place, field)
            if field.shape and name is not None and (field.name in said or "signal" in field.attributes):
                yield _to_counter(place, field, name)


def _to_signal_name(place: Place, field: Field) -> str | None:
    """Return what a signal is called: by itself, by the group that it is linked from, or by its own group."""
    if field.name.casefold() not in _NOT_NAMES:
        return field.name
    owner = str(field.attributes.get("target", "")).rpartition("/")[0].rpartition("/")[2]
    name = owner or place.group.name
    return None if name.casefold() in _NOT_NAMES else name


def _to_counter(place: Place, field: Field, name: str) -> CounterDraft:
    return CounterDraft(name, place.group.path_of(field.name), field.shape, _to_unit(field))


def _to_unit(field: Field) -> str | None:
    return field.unit.strip()[:LONGEST_TEXT] or None if field.unit is not None else None
