"""One open field or its attributes, made plain: what it is, where its values lie, and its value if it is metadata."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest.catalogue.redaction import is_kept_of_a_user, is_personal, names_somebody, to_person_text, to_redacted
from ingest.nexus.classes import TALLIED_NAMES, Reading, is_payload
from ingest.nexus.library import MEMBER_ERRORS, raise_if_out_of_reach, raise_if_starved
from ingest.nexus.record import Field
from ingest.nexus.values import to_extremes, to_tally, to_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.nexus.budget import Budget
    from ingest.nexus.opened import Head, OpenAttribute, OpenField, OpenObject
    from ingest.nexus.record import LinkKind, Value


@dataclass(frozen=True, slots=True)
class Scope:
    """What the group says about its fields: how they are read, within which budget, whom to tell of other files."""

    reading: Reading
    of_a_user: bool
    """Something of a person may stand there."""
    is_user: bool
    """It is an NXuser, or lies in one: who it is and in which role is kept, and no more."""
    budget: Budget
    add_link: Callable[[str, LinkKind, str, str], None]
    """Called with the member's name, the kind of link, the other file and the target in it."""


def _holds_back(name: str, scope: Scope) -> bool:
    return not is_kept_of_a_user(name) if scope.is_user else is_personal(name, scope.of_a_user)


def _to_kept(name: str, value: Value | None) -> Value | None:
    """Return what is kept of a value in an NXuser: of a name the name alone."""
    if not names_somebody(name):
        return value
    if isinstance(value, list):
        return [to_person_text(each) if isinstance(each, str) else each for each in value]
    return to_person_text(value) or None if isinstance(value, str) else value


def read_attributes(opened: OpenObject, budget: Budget, of_a_user: bool = False) -> tuple[dict[str, Value], int]:
    """Return an object's attributes by name, personal ones left out, and how many were unreadable or too many."""
    attributes: dict[str, Value] = {}
    lost = max(0, opened.attribute_count - budget.attributes)
    for index in range(opened.attribute_count - lost):
        try:
            attribute = opened.open_attribute(index)
        except MEMBER_ERRORS as error:
            raise_if_out_of_reach(error)
            # libhdf5 reads all attributes of an object to give one: with a gigabyte among them not even the class of a
            # group is known, and what is known without it is false.
            raise_if_starved(error)
            lost += 1
            continue
        name = to_redacted(attribute.name) if "@" in attribute.name else attribute.name
        if len(name) > budget.name_bytes:
            lost += 1
            continue
        try:
            value = None if is_personal(name, of_a_user) else _read_attribute(attribute, budget)
        except MEMBER_ERRORS as error:
            raise_if_out_of_reach(error)
            # Damage claims gigabytes for one text. Who has room for any that is kept is not short of memory.
            bytearray(budget.read_bytes)
            lost += 1
            continue
        if value is not None:
            attributes[name] = value
    return attributes, lost


def _read_attribute(attribute: OpenAttribute, budget: Budget) -> Value | None:
    head = attribute.head
    if not 0 < head.size <= budget.array_values or head.kind.item_size * head.size > budget.read_bytes:
        return None
    return to_value(attribute.read_items(), head.kind.text, budget)


def read_field(opened: OpenField, name: str, scope: Scope) -> Field:
    """Return one field, its value where it is small metadata stored in this very file.

    Values outside the file (external storage, virtual) are never read: they would escape the allowed folders.
    """
    head, storage = opened.head, opened.storage
    attributes, _ = read_attributes(opened, scope.budget, scope.of_a_user)
    for source in storage.sources:
        scope.add_link(name, *source)
    unit = attributes.pop("units", None)
    value: dict[str, Any] = {}
    if not storage.foreign and not _holds_back(name, scope):
        points = _points_to_read(head, name, attributes, scope)
        value = _read_value(opened, points, scope.budget, is_tallied=name.lower() in TALLIED_NAMES)
    if scope.is_user and "value" in value:
        value["value"] = _to_kept(name, value["value"])
    if not value:
        value = {"chunks": storage.chunks, "filters": storage.filters}
    return Field(
        name=name,
        dtype=head.kind.name,
        shape=head.shape,
        unit=unit if isinstance(unit, str) else None,
        attributes=attributes,
        **value,
    )


def _points_to_read(head: Head, name: str, attributes: dict[str, Value], scope: Scope) -> int:
    """Return how long a field may be for its values to be read: one, few, or as many as a scan has points."""
    if head.size <= 1 or scope.reading is Reading.HEADS or is_payload(name, attributes, scope.reading):
        return 1
    if name.lower() in TALLIED_NAMES and head.kind.numeric:
        return scope.budget.tallied_points
    if scope.reading is Reading.SMALL or not head.kind.numeric or len(head.shape) > 1:
        return scope.budget.array_values
    return scope.budget.vector_points


def _read_value(opened: OpenField, points: int, budget: Budget, *, is_tallied: bool = False) -> dict[str, Any]:
    """Return the value or the extremes as keywords of Field; nothing where it is too large or cannot be read."""
    head, chunk = opened.head, math.prod(opened.storage.chunks)
    if not 0 < head.size <= points or head.kind.item_size * max(head.size, chunk) > budget.read_bytes:
        return {}
    try:
        items = opened.read_items()
    except MEMBER_ERRORS as error:
        raise_if_out_of_reach(error)
        return {}  # a filter that is not installed, a damaged chunk: the field is there, its value is not
    if head.size > budget.array_values:
        return {**to_extremes(items), **({"tally": tally} if is_tallied and (tally := to_tally(items)) else {})}
    value = to_value(items, head.kind.text, budget)
    if value is None:
        return dict(to_extremes(items)) if head.kind.numeric and head.size > 1 else {}
    return {"value": value}
