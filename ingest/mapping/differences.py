"""What two mappings of one master say differently, field by field, and how often that is so over many: pure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EXAMPLES = 2
"""Kept of each field: enough to see what a rule did."""


class Field(NamedTuple):
    """A name under which something is said of a dataset, or of each of its scans."""

    scope: Literal["dataset", "scan"]
    kind: Literal["attribute", "parameter"]
    name: str


class Said(NamedTuple):
    """A value as a person reads it, where in the file it stands, and what else is kept of it."""

    text: str
    path: str | None = None
    remark: str = ""


Statement: TypeAlias = "Mapping[Field, Mapping[str, Said]]"
"""All that is said of one dataset: of each field by scan, or by item where there are several, such as flags."""


class Change(NamedTuple):
    """What became of one field of one dataset, shown at the first place where it differs."""

    field: Field
    kind: Literal["gained", "lost", "changed"]
    place: str
    before: Said | None
    after: Said | None


def find_changes(before: Statement, after: Statement) -> list[Change]:
    """Return what differs, one change for each field; a field is gained or lost as a whole, else it changed."""
    found = (_find_change(name, before.get(name, {}), after.get(name, {})) for name in sorted({*before, *after}))
    return [change for change in found if change is not None]


def _find_change(name: Field, old: Mapping[str, Said], new: Mapping[str, Said]) -> Change | None:
    places = sorted(place for place in {*old, *new} if old.get(place) != new.get(place))
    if not places:
        return None
    kind: Literal["gained", "lost", "changed"] = "changed" if old and new else "gained" if new else "lost"
    gone, come = (next((place for place in places if place not in other), None) for other in (new, old))
    if name.scope == "dataset" and gone is not None and come is not None:
        # One instrument in place of another.
        return Change(name, kind, come, old[gone], new[come])
    return Change(name, kind, places[0], old.get(places[0]), new.get(places[0]))


@dataclass(frozen=True, slots=True)
class Example:
    """One change of one dataset."""

    dataset_id: int
    place: str
    before: Said | None
    after: Said | None


@dataclass(slots=True)
class FieldChanges:
    """How many datasets gained a field, lost it, or have it otherwise."""

    field: Field
    gained: int = 0
    lost: int = 0
    changed: int = 0
    examples: list[Example] = dataclasses.field(default_factory=list)


class ChangeTable:
    """The changes of many datasets, counted by field: as long as there are fields, however many datasets there are."""

    def __init__(self) -> None:
        self._by_field: dict[Field, FieldChanges] = {}

    def add(self, dataset_id: int, changes: Iterable[Change]) -> None:
        """Count the changes of one dataset."""
        for change in changes:
            row = self._by_field.setdefault(change.field, FieldChanges(change.field))
            setattr(row, change.kind, getattr(row, change.kind) + 1)
            if len(row.examples) < EXAMPLES:
                row.examples.append(Example(dataset_id, change.place, change.before, change.after))

    def to_rows(self) -> list[FieldChanges]:
        """Return what was counted, in the order of the fields."""
        return [self._by_field[name] for name in sorted(self._by_field)]
