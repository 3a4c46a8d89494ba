"""Values as a record holds them, made into clean texts and numbers: placeholders, logs and foreign units end here."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ingest.catalogue.units import convert
from ingest.mapping.drafts import Origin, Quantity, Taken
from ingest.mapping.plan import FieldName, Holder
from ingest.mapping.rule_schema import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.mapping.plan import Plan, SourcePlan, TargetPlan
    from ingest.mapping.positions import EntryIndex, Place
    from ingest.nexus.record import Field, Group, Value

_TRUTH: Final = {"true": "true", "1": "true", "1.0": "true", "false": "false", "0": "false", "0.0": "false"}
"""Truth values by how files write them."""
_NO_UNIT: Final = frozenset({"", "none", "nx_any", "any", "arbitrary", "a.u.", "arb", "unknown", "no unit", "null"})
_NUMBER: Final = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.{0,30})?")
LONGEST_ORIGINAL: Final = 1000
"""Characters; an original is there to be compared by eye."""
_BYTES: Final = re.compile(r"b(['\"])(.*)\1", re.DOTALL)
_UNINITIALISED: Final = 1e30
"""Nothing that is measured is larger; memory that nobody wrote to often is."""
_SAME: Final = 1e-9
"""Relative; numbers of a vector that differ by less are one value."""
_LOG_FIELDS: Final = ("value", "data", "raw_value")
_IDENTIFIER_FIELDS: Final = ("identifier", "service_id", "id", "name", "value")


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands at one place: a field, or a bare value such as an attribute, and how it was reached."""

    source: SourcePlan
    path: str
    value: Value | None
    field: Field | None = None

    @property
    def original_unit(self) -> str | None:
        """The unit as the file spells it, or None if it gives none worth the name."""
        unit = self.field.unit if self.field is not None else None
        return None if unit is None or unit.strip().casefold() in _NO_UNIT else unit.strip()


def read_candidates(index: EntryIndex, target: TargetPlan) -> Iterator[Reading]:
    """Yield what stands at the target's places, the most preferred first."""
    for source in target.sources:
        for position in source.positions:
            for place in index.find(position):
                if is_asked(place, source):
                    yield from read_place(place, source)


def is_asked(place: Place, source: SourcePlan) -> bool:
    """Whether the source wants to look into the group at all."""
    if source.names is not None and not place.has_any(source.names):
        return False
    if not is_named_so(place, source):
        return False
    if source.unless_named is not None and _is_named(place, source.unless_named):
        return False
    return all(_says(place, name, form) for name, form in source.where) and not any(
        _says(place, name, form) for name, form in source.unless
    )


def is_named_so(place: Place, source: SourcePlan) -> bool:
    """Whether the group has a name that the source asks for."""
    return source.named is None or source.named.search(place.name) is not None


def _says(place: Place, name: str, form: re.Pattern[str]) -> bool:
    field = place.find_field(name)
    return field is not None and isinstance(field.value, str) and form.search(field.value) is not None


def read_place(place: Place, source: SourcePlan) -> Iterator[Reading]:
    """Yield what the source's fields hold in one group, in their order."""
    for name in source.fields:
        reading = find_reading(place, name, source)
        if reading is not None:
            yield reading


def _is_named(place: Place, form: re.Pattern[str]) -> bool:
    return bool(form.search(place.name) or (place.parent is not None and form.search(place.parent.name)))


def find_reading(place: Place, name: FieldName, source: SourcePlan) -> Reading | None:
    """Return what one of the source's fields holds in the group; None if there is no such field."""
    if name.holder is Holder.GROUP_NAME:
        return Reading(source, place.group.path, place.group.name)
    if name.holder is Holder.GROUP_VALUE:
        return _to_group_reading(place.group, source)
    if name.holder is Holder.GROUP_ATTRIBUTE:
        value = place.group.attributes.get(name.attribute)
        return None if value is None else Reading(source, f"{place.group.path}@{name.attribute}", value)
    field = place.find_field(name.name)
    if field is None:
        return _find_in_group(place, name, source)
    path = place.group.path_of(field.name)
    if name.holder is Holder.FIELD_ATTRIBUTE:
        value = field.attributes.get(name.attribute)
        return None if value is None else Reading(source, f"{path}@{name.attribute}", value)
    return Reading(source, path, field.value, field)


def _find_in_group(place: Place, name: FieldName, source: SourcePlan) -> Reading | None:
    """Return what a group says that stands where a field is expected."""
    group = place.find_group(name.name) if name.holder is Holder.FIELD else None
    return None if group is None else _to_group_reading(group, source)


def _to_group_reading(group: Group, source: SourcePlan) -> Reading | None:
    """Return the value of a log, a sensor or an identifier."""
    fields = {field.name.casefold(): field for field in group.fields}
    inner = next((fields[known] for known in (*_LOG_FIELDS, *_IDENTIFIER_FIELDS) if known in fields), None)
    summary = _to_summary(group, fields, inner)
    return None if summary is None else Reading(source, group.path_of(summary.name), summary.value, summary)


def _to_summary(group: Group, fields: dict[str, Field], inner: Field | None) -> Field | None:
    """Return the field of a log to take: its values, else its stated extremes or average; an empty log has none.

    An empty log often says `average_value = 0.0` beside, which is no measurement.
    """
    if inner is not None and 0 in inner.shape:
        return None
    if inner is not None and (inner.value is not None or inner.minimum is not None):
        return inner
    low, high = fields.get("minimum_value"), fields.get("maximum_value")
    if low is not None and high is not None and _is_number(low.value) and _is_number(high.value):
        unit = low.unit or (inner.unit if inner is not None else None) or _unit_of(group)
        return replace(low, value=None, minimum=float(low.value), maximum=float(high.value), unit=unit)  # type: ignore[arg-type]
    average = fields.get("average_value")
    if average is None or not _is_number(average.value):
        return None
    return replace(average, unit=average.unit or (inner.unit if inner is not None else None) or _unit_of(group))


def _unit_of(group: Group) -> str | None:
    unit = group.attributes.get("units")
    return unit if isinstance(unit, str) else None


def _is_number(value: Value | None) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_text(reading: Reading, target: TargetPlan, plan: Plan) -> Taken[str] | None:
    """Return the text that was found, or None if it is blank, a placeholder or not of the form asked for."""
    text = _to_joined(_items(reading.value), target, plan)
    if reading.source.matching is not None and text:
        match = reading.source.matching.search(text)
        text = "" if match is None else match[match.lastindex or 0] if match.re.groups else text
    if not text:
        return None
    value = target.spellings.get(text.casefold(), text)
    return Taken(value, reading.path, to_original(reading.value), origin=_origin(reading))


def _to_joined(items: list[bool | int | float | str], target: TargetPlan, plan: Plan) -> str:
    """Return the items as one text, empty if none of them means anything."""
    cleaned = [_to_clean(item, target, plan) for item in items]
    parts = [part for part in cleaned if part]
    if target.separator and parts:
        # One that means nothing keeps its place: another list may go with this one, part by part.
        return target.separator.join(part or str(item) for part, item in zip(cleaned, items, strict=True))
    # Names may stand there twice; the indices of a reflection (1 1 1) are three.
    return ", ".join(dict.fromkeys(parts)) if any(isinstance(item, str) for item in items) else " ".join(parts)


def _items(value: Value | None) -> list[bool | int | float | str]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _to_clean(item: bool | float | str, target: TargetPlan, plan: Plan) -> str:
    """Return the item as text, empty if it means nothing."""
    if target.kind is Kind.BOOLEAN:
        return _TRUTH.get(str(item).casefold(), "")
    if isinstance(item, bool):
        return ""
    if isinstance(item, float):
        item = int(item) if item.is_integer() else item
    text = to_plain_text(str(item))
    lowered = text.casefold()
    if lowered in plan.placeholders or lowered in target.placeholders or plan.placeholder_form.fullmatch(text):
        return ""
    return text


def to_plain_text(text: str) -> str:
    """Return a text without padding, and without what Python's `str` puts around bytes, as some writers leave it."""
    text = text.replace("\0", "").strip()
    written = _BYTES.fullmatch(text)
    return written[2].strip() if written else text


@dataclass(frozen=True, slots=True)
class Numbers:
    """The usable numbers of a reading; `is_span` where only the two ends of many are known."""

    values: tuple[float, ...]
    is_span: bool
    count: int | None
    """How many there are."""
    unit: str | None
    """As the file spells it; None if it gives none."""


def to_numbers(reading: Reading, target: TargetPlan) -> Numbers | None:
    """Return the numbers that were found, or None if there are none or the file marks them as not known."""
    field, value, unit = reading.field, reading.value, reading.original_unit
    is_span = value is None and field is not None and field.minimum is not None and field.maximum is not None
    if field is not None and is_span:
        items: list[bool | int | float | str] = [field.minimum or 0.0, field.maximum or 0.0]
    elif isinstance(value, str):
        items, stated = _to_listed(value) if target.separator else _to_single(value)
        unit = unit or stated
    else:
        items = _items(value)
    numbers = [float(item) for item in items if isinstance(item, int | float) and not isinstance(item, bool)]
    known = tuple(number for number in numbers if abs(number) < _UNINITIALISED and number not in target.never)
    if not known or (is_span and len(known) < len(items)):
        return None
    count = field.count if field is not None and is_span else len(known)
    return Numbers(known, is_span, count, unit)


def _to_single(text: str) -> tuple[list[bool | int | float | str], str | None]:
    """Return the number that a text is, with the unit behind it; none, if it is no number."""
    match = _NUMBER.fullmatch(text.strip())
    return ([float(match[1])], match[2]) if match else ([], None)


def _to_listed(text: str) -> tuple[list[bool | int | float | str], str | None]:
    """Return the numbers of a list that is one text, else the number that it is."""
    found = [_NUMBER.fullmatch(part) for part in text.replace(",", " ").split()]
    if len(found) > 1 and all(each and not each[2] for each in found):
        return [float(each[1]) for each in found if each], None
    return _to_single(text)


def to_quantity(reading: Reading, numbers: Numbers, target: TargetPlan, unit: str) -> Taken[Quantity] | None:
    """Return the numbers in the target's unit, or None if they are not believable there.

    `unit` is the one they are in: the file's, or the one that is believed. Raises UnknownUnitError if nobody knows
    it, DimensionError if it measures something else.
    """
    converted = [convert(number, unit, target.unit) for number in numbers.values]
    kept = [number for number in converted if target.low < number <= target.high]
    if not kept or (numbers.is_span and len(kept) < len(converted)):
        return None
    is_stated = numbers.unit is not None or target.unit == "1"
    origin = Origin.READ if is_stated and not reading.source.inferred else Origin.INFERRED
    quantity = _to_quantity(kept, target, numbers.is_span, numbers.count if numbers.is_span else len(kept))
    return Taken(quantity, reading.path, _original_number(reading), numbers.unit, origin)


def _to_quantity(numbers: list[float], target: TargetPlan, is_span: bool, count: int | None) -> Quantity:
    low, high = min(numbers), max(numbers)
    if target.is_list and len(numbers) > 1 and not is_span:
        return Quantity(target.unit, values=tuple(numbers))
    if high - low <= _SAME * max(abs(low), abs(high)):
        return Quantity(target.unit, value=numbers[0])
    return Quantity(target.unit, bottom=low, top=high, count=count)


def to_original(value: Value | None) -> str | None:
    """Return what the file said, as text of bearable length."""
    if value is None:
        return None
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_ORIGINAL else f"{text[:LONGEST_ORIGINAL]}..."


def _original_number(reading: Reading) -> str | None:
    field = reading.field
    if reading.value is None and field is not None:
        count = f" ({field.count} values)" if field.count is not None else ""
        return f"{field.minimum} ... {field.maximum}{count}"
    return to_original(reading.value)


def _origin(reading: Reading) -> Origin:
    return Origin.INFERRED if reading.source.inferred else Origin.READ
