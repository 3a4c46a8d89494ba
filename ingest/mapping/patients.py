"""What tells of a patient is left out of a record, but for what a rule file asks for with `personal`. Pure.

The reader cannot know the rules, so it is left out after reading and before anything is stored.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from ingest.catalogue.redaction import is_patient_group, is_patients
from ingest.mapping.positions import EntryIndex
from ingest.mapping.readings import read_candidates

if TYPE_CHECKING:
    from collections.abc import Container

    from ingest.mapping.plan import Plan
    from ingest.nexus.record import Field, Group, MasterRecord, Value

PATIENT: Final = "patient"
"""Under this name a record counts what was left out, beside the caps of the reader."""
_SAMPLE: Final = "nxsample"


def to_kept(record: MasterRecord, plan: Plan) -> MasterRecord:
    """Return the record as it may be stored by these rules: itself, if it tells of no patient."""
    bare = _Sieve(())
    root, entries = bare.sift(record.root), tuple(map(bare.sift, record.entries))
    if not bare.left_out:
        return record
    sieve = _Sieve(_list_asked(record, plan))
    root, entries = sieve.sift(record.root), tuple(map(sieve.sift, record.entries))
    if not sieve.left_out:
        return record
    left_out = record.truncated.get(PATIENT, 0) + sieve.left_out
    return replace(record, root=root, entries=entries, truncated={**record.truncated, PATIENT: left_out})


def _list_asked(record: MasterRecord, plan: Plan) -> frozenset[str]:
    """Return the paths that the rules ask for as somebody's personal data."""
    targets = [target for target in plan.parameters if target.is_personal]
    indexes = [EntryIndex(entry, record.root, plan.classes) for entry in record.entries] if targets else []
    return frozenset(
        reading.path for index in indexes for target in targets for reading in read_candidates(index, target)
    )


class _Place(NamedTuple):
    """What a group lies in, itself included."""

    in_sample: bool = False
    in_patient: bool = False

    def enter(self, group: Group) -> _Place:
        """Return the place of the group's members."""
        is_sample = group.nx_class.casefold() == _SAMPLE or group.name.casefold().startswith("sample")
        in_sample = self.in_sample or is_sample
        return _Place(in_sample, self.in_patient or is_patient_group(group.name, in_sample))

    def holds(self, name: str) -> bool:
        """Whether a member of that name tells of a patient."""
        return self.in_patient or is_patients(name, self.in_sample)


class _Sieve:
    """Leaves out what tells of a patient, but for these paths, and counts it."""

    def __init__(self, asked: Container[str]) -> None:
        self._asked = asked
        self.left_out = 0

    def sift(self, group: Group, outside: _Place = _Place()) -> Group:  # noqa: B008 (frozen)
        """Return the group; itself, if nothing is left out of it."""
        before, place = self.left_out, outside.enter(group)
        fields = tuple(each for field in group.fields if (each := self._sift_field(group, field, place)) is not None)
        attributes = self._sift_attributes(group.attributes, group.path, place)
        groups = tuple(self.sift(inner, place) for inner in group.groups)
        if self.left_out == before:
            return group
        return replace(group, fields=fields, attributes=attributes, groups=groups)

    def _sift_field(self, group: Group, field: Field, place: _Place) -> Field | None:
        path = group.path_of(field.name)
        if place.holds(field.name) and not self._asks(path, field):
            self.left_out += 1
            return None
        # Those of a field that is asked for belong to its value, such as the zone of a time.
        attributes = self._sift_attributes(field.attributes, path, _Place(place.in_sample))
        return field if attributes == field.attributes else replace(field, attributes=attributes)

    def _asks(self, path: str, field: Field) -> bool:
        return path in self._asked or any(f"{path}@{name}" in self._asked for name in field.attributes)

    def _sift_attributes(self, attributes: dict[str, Value], path: str, place: _Place) -> dict[str, Value]:
        if not any(map(place.holds, attributes)):
            return attributes
        kept = {
            name: value
            for name, value in attributes.items()
            if f"{path}@{name}" in self._asked or not place.holds(name)
        }
        self.left_out += len(attributes) - len(kept)
        return kept
