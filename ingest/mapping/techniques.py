"""Techniques of a scan: those that the file states by their terms, then what rules conclude of what it shows."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from ingest.catalogue.technique_terms import ancestors, find_technique, to_pid
from ingest.catalogue.units import DimensionError, UnknownUnitError, convert, find_probe
from ingest.mapping.drafts import Origin, TechniqueDraft
from ingest.mapping.readings import is_asked, read_place, to_original

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ingest.mapping.drafts import MotorDraft, ScanDraft
    from ingest.mapping.findings import Search
    from ingest.mapping.plan import SourcePlan, TechniquePlan
    from ingest.mapping.readings import Reading
    from ingest.mapping.rule_schema import Movement

_SEPARATORS: Final = (re.compile(r"[,;|\n]+"), re.compile(r"[,;|\s]+"))
"""What stands between several techniques in one text; a name may hold blanks, identifiers and abbreviations do not."""
_LONGEST_TEXT: Final = 2000
"""Characters: more is prose."""
_BEFORE_EDGE: Final = 10.0
_BEHIND_EDGE: Final = 20.0
"""Electronvolts that a scan over an edge covers at least before and behind it."""
_ELEMENT: Final = re.compile(r"[A-Z][a-z]?")


def find_techniques(search: Search, scan: ScanDraft) -> list[TechniqueDraft]:
    """Return the techniques of the scan, each once: stated ones, then inferred ones."""
    return merge_techniques([*_list_stated(search), *_infer(search, scan)])


def merge_techniques(drafts: Iterable[TechniqueDraft]) -> list[TechniqueDraft]:
    """Return each technique once, as it is stated if it is; what is inferred and says less than another is left out."""
    ordered = sorted(drafts, key=lambda draft: draft.origin is not Origin.READ)
    by_name = {draft.value: draft for draft in reversed(ordered)}
    said = {above.pid for draft in ordered if draft.pid for above in ancestors(draft.pid)}
    kept = (by_name[name] for name in dict.fromkeys(draft.value for draft in ordered))
    return [draft for draft in kept if draft.origin is Origin.READ or draft.pid not in said]


def to_stated(text: str) -> list[tuple[str, str]]:
    """Return name and identifier of each technique that a text states, by identifier, label or abbreviation.

    An identifier in PaNET or ESRFET that is not known, of a newer release, is its own name; other texts are nothing.
    """
    if len(text) > _LONGEST_TEXT:
        return []
    whole = _to_term(text)
    if whole is not None:
        return [whole]
    for separator in _SEPARATORS:
        parts = [part for part in separator.split(text.strip()) if part]
        terms = [term for part in parts if (term := _to_term(part)) is not None]
        if len(parts) > 1 and len(terms) == len(parts):
            return terms
    return []


def _to_term(text: str) -> tuple[str, str] | None:
    term = find_technique(text)
    if term is not None:
        return term.label, term.pid
    pid = to_pid(text)
    return None if pid is None else (re.split(r"[#/]", pid)[-1], pid)


def _list_stated(search: Search) -> Iterator[TechniqueDraft]:
    for source in search.plan.technique_sources:
        for reading in _read(search, source):
            items = reading.value if isinstance(reading.value, list) else [reading.value]
            origin = Origin.INFERRED if source.inferred else Origin.READ
            for text in (item for item in items if isinstance(item, str)):
                for name, pid in to_stated(text):
                    yield TechniqueDraft(name, reading.path, to_original(text), origin=origin, pid=pid)


def _read(search: Search, source: SourcePlan) -> Iterator[Reading]:
    for position in source.positions:
        for place in search.index.find(position):
            if is_asked(place, source):
                yield from read_place(place, source)


def _infer(search: Search, scan: ScanDraft) -> Iterator[TechniqueDraft]:
    """Yield what the rules conclude, with the path and the text of what tells it."""
    probe = find_probe(scan.probe.value) if scan.probe is not None else None
    said = re.split(r"[\s,;]+", scan.definition.value.casefold()) if scan.definition is not None else ()
    for plan in search.plan.techniques:
        rule = plan.rule
        is_other_probe = rule.probe not in {None, probe} or (probe is not None and rule.unless_probe is probe)
        if is_other_probe or (plan.definitions and plan.definitions.isdisjoint(said)):
            continue
        motor = _find_moved(plan, scan)
        if (rule.moved is not None and motor is None) or not _has_counters(plan, scan):
            continue
        present = [_find_present(search, source) for source in plan.present]
        if None in present:
            continue
        path, original = _to_evidence(plan, scan, motor, present[0] if present else None)
        yield TechniqueDraft(rule.name, path, original, origin=Origin.INFERRED, pid=rule.pid)


def _find_present(search: Search, source: SourcePlan) -> Reading | None:
    """Return the first thing that stands there, and contains what the source asks for."""
    form = source.matching
    found = _read(search, source)
    return next((each for each in found if form is None or form.search(to_original(each.value) or "")), None)


def _to_evidence(
    plan: TechniquePlan, scan: ScanDraft, motor: MotorDraft | None, reading: Reading | None
) -> tuple[str | None, str | None]:
    if motor is not None:
        return motor.path, f"{motor.low} ... {motor.high}"
    if plan.definitions and scan.definition is not None:
        return scan.definition.path, scan.definition.value
    return (None, None) if reading is None else (reading.path, to_original(reading.value))


def _has_counters(plan: TechniquePlan, scan: ScanDraft) -> bool:
    return all(any(form.search(counter.name) for counter in scan.counters) for form in plan.measured)


def _find_moved(plan: TechniquePlan, scan: ScanDraft) -> MotorDraft | None:
    """Return the motor that the rule asks for; None if it asks for none, or none went as it asks."""
    moved = plan.rule.moved
    if moved is None:
        return None
    formula = scan.sample_formula.value if scan.sample_formula is not None else ""
    fitting = (motor for motor in scan.motors if plan.moved.search(motor.name))
    return next((motor for motor in fitting if _is_far_enough(motor, moved, formula)), None)


def _is_far_enough(motor: MotorDraft, moved: Movement, formula: str) -> bool:
    if motor.low is None or motor.high is None or motor.unit is None or (motor.point_count or 0) < moved.points:
        return False
    try:
        span = convert(motor.high - motor.low, motor.unit, moved.unit)
        ends = [convert(end, motor.unit, "eV") for end in (motor.low, motor.high)] if moved.over_edge else None
    except (UnknownUnitError, DimensionError):
        return False
    return moved.span <= span <= moved.longest and (ends is None or is_over_edge(ends[0], ends[1], formula))


def is_over_edge(low: float, high: float, formula: str = "") -> bool:
    """Whether a K, L1, L2 or L3 edge lies between the two energies in eV, with something before and behind it.

    Of one of the formula's elements, if it has some that are elements.
    """
    edges = load_edges()
    wanted = [symbol for symbol in _ELEMENT.findall(formula) if symbol in edges] or list(edges)
    return any(low + _BEFORE_EDGE <= edge <= high - _BEHIND_EDGE for symbol in wanted for edge in edges[symbol])


@cache
def load_edges() -> Mapping[str, tuple[float, ...]]:
    """Return the absorption edges of each element in eV."""
    lines = files(__package__).joinpath("absorption_edges.tsv").read_text(encoding="utf-8").splitlines()
    edges: dict[str, tuple[float, ...]] = {}
    for symbol, _, energy in (line.split("\t") for line in lines if not line.startswith("#")):
        edges[symbol] = (*edges.get(symbol, ()), float(energy))
    return edges
