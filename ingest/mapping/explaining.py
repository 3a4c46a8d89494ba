"""Why a record says what it says: for each target which place gave the value, and what was passed over and why. Pure.

What is taken is asked of the mapping itself; here every other place is asked again why it is not that one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ingest.catalogue.units import DimensionError, UnknownUnitError
from ingest.mapping.drafts import Origin
from ingest.mapping.findings import Search
from ingest.mapping.parameters import find_parameters
from ingest.mapping.plan import Holder
from ingest.mapping.positions import EntryIndex
from ingest.mapping.readings import find_reading, is_asked, is_named_so, to_numbers, to_original, to_quantity, to_text
from ingest.mapping.rule_schema import Kind
from ingest.mapping.rule_texts import find_place
from ingest.mapping.scans import sort_key, to_scan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from zoneinfo import ZoneInfo

    from ingest.mapping.drafts import ScanDraft, Taken
    from ingest.mapping.plan import FieldName, SourcePlan, TargetPlan
    from ingest.mapping.positions import Position
    from ingest.mapping.readings import Numbers, Reading
    from ingest.mapping.rules import Rules
    from ingest.nexus.record import Group, MasterRecord


class Verdict(StrEnum):
    """What became of a place where a value might stand."""

    TAKEN = "taken"
    ABSENT = "absent"
    """Nothing stands there."""
    EXCLUDED = "excluded by its name"
    EMPTY = "empty, or not kept in the record"
    PLACEHOLDER = "placeholder"
    OTHER_FORM = "not of the form asked for"
    NO_NUMBER = "no number"
    NOT_KNOWN = "a number that means: not known"
    NO_UNIT = "no unit"
    UNIT_NOT_BELIEVED = "no unit, and none that the rules would believe"
    WRONG_UNIT = "wrong unit"
    OUT_OF_BOUNDS = "out of bounds"
    NO_TIME = "no time"
    LOWER = "lower in order"
    PARTNER_DECIDED = "its partner decided: energy and wavelength are one thing"


_EMPTY: Final[tuple[object, ...]] = (None, "", [])


class Candidate(NamedTuple):
    """One place of a target: by which rule it is looked at, and what stands there in the file."""

    rule: str
    place: str
    verdict: Verdict
    path: str | None = None
    original: str | None = None
    original_unit: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One target in one entry: what was taken, if anything, and all its places in their order."""

    name: str
    unit: str
    taken: tuple[Taken[Any], ...]
    """One, none, or of a numbered parameter one for each group."""
    candidates: tuple[Candidate, ...]

    @property
    def stands_somewhere(self) -> bool:
        """Whether the file says anything at one of the places."""
        return bool(self.taken) or any(each.path is not None for each in self.candidates)


def explain(
    record: MasterRecord, rules: Rules, timezone: ZoneInfo, names: Collection[str] = ()
) -> list[tuple[str, list[Explanation]]]:
    """Return for each entry, in the order of the scans, the targets of these names, or all."""
    explained = [_explain_entry(record, entry, rules, timezone, names) for entry in record.entries]
    return [(scan.entry, found) for scan, found in sorted(explained, key=lambda pair: sort_key(pair[0]))]


def _explain_entry(
    record: MasterRecord, entry: Group, rules: Rules, timezone: ZoneInfo, names: Collection[str]
) -> tuple[ScanDraft, list[Explanation]]:
    search = Search(EntryIndex(entry, record.root, rules.plan.classes), rules.plan, timezone)
    scan = to_scan(search, rules.file)
    parameters = find_parameters(search, scan)
    found = [
        _explain(search, rules, "targets", target, [value] if (value := getattr(scan, name)) is not None else [])
        for name, target in rules.plan.targets.items()
        if not names or name in names
    ]
    found += [
        _explain(search, rules, "parameters", target, [each.value for each in parameters if each.name == target.name])
        for target in rules.plan.parameters
        if not names or target.name in names
    ]
    return scan, found


def _explain(search: Search, rules: Rules, kind: str, target: TargetPlan, taken: list[Taken[Any]]) -> Explanation:
    # A group may stand at several positions: it is told of once, by the first.
    candidates: dict[tuple[str, Verdict], Candidate] = {}
    left = {value.path for value in taken if value.origin is not Origin.DERIVED}
    told: set[str] = set()
    for index, source in enumerate(target.sources):
        rule = _to_rule(rules, (kind, target.name, "sources", index))
        for slot in _list_slots(search, source):
            reading = slot.reading
            if reading is None:
                candidates.setdefault((slot.path or slot.place, slot.verdict), slot.to_candidate(rule))
                continue
            verdict = _judge(search, reading, target)
            # Of energy and wavelength, each tells the unit of the other one where that has none.
            if reading.path in left and verdict in (None, Verdict.UNIT_NOT_BELIEVED):
                left.discard(reading.path)
                verdict = Verdict.TAKEN
            elif verdict is None and reading.path in told:
                continue
            elif verdict is None:
                verdict = Verdict.LOWER if not left or target.is_numbered else _judge_partner(reading)
            told.add(reading.path)
            candidates.setdefault((reading.path, verdict), slot.to_candidate(rule, verdict))
    return Explanation(target.name, target.unit, tuple(taken), tuple(candidates.values()))


class _Slot(NamedTuple):
    """A place as a rule writes it, with what stands there, or why nothing is looked at."""

    place: str
    reading: Reading | None = None
    verdict: Verdict = Verdict.ABSENT
    path: str | None = None

    def to_candidate(self, rule: str, verdict: Verdict | None = None) -> Candidate:
        """Return it as it is told of."""
        if self.reading is None or verdict is None:
            return Candidate(rule, self.place, self.verdict, self.path)
        reading = self.reading
        return Candidate(rule, self.place, verdict, reading.path, to_original(reading.value), reading.original_unit)


def _list_slots(search: Search, source: SourcePlan) -> Iterator[_Slot]:
    fields = ", ".join(map(_to_text, source.fields))
    for position in source.positions:
        is_empty = True
        for slot in _list_places(search, source, position):
            is_empty = False
            yield slot
        if is_empty:
            yield _Slot(f"{position.text}: {fields}")


def _list_places(search: Search, source: SourcePlan, position: Position) -> Iterator[_Slot]:
    for place in search.index.find(position):
        if not is_named_so(place, source):
            continue
        is_looked_at = is_asked(place, source)
        for field in source.fields:
            reading = find_reading(place, field, source)
            if reading is not None:
                shown = f"{position.text}: {_to_text(field)}"
                yield _Slot(shown, reading) if is_looked_at else _Slot(shown, None, Verdict.EXCLUDED, reading.path)


_HOLDERS: Final = {Holder.GROUP_NAME: ".", Holder.GROUP_VALUE: "*"}


def _to_text(field: FieldName) -> str:
    """Return a field as a rule writes it."""
    return _HOLDERS.get(field.holder) or f"{field.name}@{field.attribute}".removesuffix("@")


def _to_rule(rules: Rules, key: tuple[str | int, ...]) -> str:
    text, place = find_place(rules.chain, key)
    return f"{text.source} {'.'.join(map(str, place))}"


def _judge(search: Search, reading: Reading, target: TargetPlan) -> Verdict | None:
    """Return why a reading cannot be taken; None if it can."""
    match target.kind:
        case Kind.TEXT | Kind.BOOLEAN:
            return _judge_text(search, reading, target)
        case Kind.TIME:
            is_empty = reading.value in _EMPTY
            return Verdict.EMPTY if is_empty else None if search.find_moment(reading, target) else Verdict.NO_TIME
        case Kind.LENGTH:
            return None if reading.field is not None and reading.field.shape else Verdict.NO_NUMBER
    numbers = to_numbers(reading, target)
    if numbers is None:
        return _judge_unknown(reading)
    if target.kind is Kind.INTEGER:
        return None if len(numbers.values) == 1 and numbers.values[0] >= 1 else Verdict.NO_NUMBER
    return _judge_quantity(search, reading, numbers, target)


def _judge_text(search: Search, reading: Reading, target: TargetPlan) -> Verdict | None:
    if reading.value in _EMPTY:
        return Verdict.EMPTY
    if to_text(reading, target, search.plan) is not None:
        return None
    in_any_form = replace(reading, source=replace(reading.source, matching=None))
    return Verdict.OTHER_FORM if to_text(in_any_form, target, search.plan) is not None else Verdict.PLACEHOLDER


def _judge_unknown(reading: Reading) -> Verdict:
    """Return why a reading gives no numbers."""
    value, field = reading.value, reading.field
    if value in _EMPTY and (field is None or field.minimum is None):
        return Verdict.EMPTY
    items = value if isinstance(value, list) else [value]
    is_text = all(isinstance(item, str | bool) for item in items)
    return Verdict.NO_NUMBER if is_text and not any(map(_begins_with_digit, items)) else Verdict.NOT_KNOWN


def _begins_with_digit(item: object) -> bool:
    return isinstance(item, str) and item.strip().lstrip("+-.")[:1].isdigit()


def _judge_quantity(search: Search, reading: Reading, numbers: Numbers, target: TargetPlan) -> Verdict | None:
    if numbers.unit is None and reading.source.needs_unit:
        return Verdict.NO_UNIT
    unit = search.find_unit(numbers, target, reading.source)
    if unit is None:
        return Verdict.UNIT_NOT_BELIEVED
    try:
        return None if to_quantity(reading, numbers, target, unit) is not None else Verdict.OUT_OF_BOUNDS
    except (UnknownUnitError, DimensionError):
        return Verdict.WRONG_UNIT


def _judge_partner(reading: Reading) -> Verdict:
    """Return why energy or wavelength stands there, could be taken, and was not."""
    return Verdict.NO_UNIT if reading.original_unit is None else Verdict.PARTNER_DECIDED
