"""One entry of a master becomes one scan."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ingest.mapping.beam import find_beam
from ingest.mapping.channels import find_channels
from ingest.mapping.drafts import DetectorDraft, Moment, ScanDraft, Taken
from ingest.mapping.people import find_people
from ingest.mapping.readings import to_plain_text
from ingest.mapping.rule_schema import Kind
from ingest.mapping.scan_kinds import find_kind
from ingest.mapping.times import to_second_pass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

    from ingest.mapping.findings import Search
    from ingest.mapping.positions import Place
    from ingest.mapping.rule_schema import DetectorRule, RuleFile, ScanField
    from ingest.nexus.record import Group

_TEXTS: Final[tuple[ScanField, ...]] = (
    "title",
    "end_reason",
    "definition",
    "command",
    "instrument_name",
    "source_name",
    "source_type",
    "sample_name",
    "sample_formula",
    "sample_identifier",
    "experiment_identifier",
)
LONGEST_NAME: Final = 255
"""Characters of what is a name or an identifier: as long as ICAT lets those be. The original is kept beside it."""
_NAMES: Final[tuple[ScanField, ...]] = (
    *("end_reason", "instrument_name", "sample_name", "sample_formula", "sample_identifier", "experiment_identifier"),
)
_NUMBERED: Final = re.compile(r"(\d+)(?:\.(\d+))?$")
_WHOLE_NUMBER: Final = re.compile(r"(\d+)(?:\.(\d+))?")
_LONGEST_NUMBER: Final = 9
_OF_DATA: Final = frozenset({"signal", "interpretation"})
"""Attributes that only measured data have."""
_DAY_OF_TIME: Final = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d*)?)?")


def to_scan(search: Search, rules: RuleFile) -> ScanDraft:
    """Return all that the entry says of itself. What puzzles is added to the search's flags."""
    targets = search.plan.targets
    texts = {name: search.find_text(targets[name]) for name in _TEXTS if name in targets}
    texts |= {name: _to_short(texts[name]) for name in _NAMES if name in texts}
    probe = _to_short(search.find_text(targets["probe"])) if "probe" in targets else None
    energy, wavelength = find_beam(search, probe, texts.get("definition"))
    start, end = _find_times(search)
    channels = find_channels(search)
    kind, frames = find_kind(search, texts.get("title"), texts.get("command"))
    entry = search.index.entry.group
    return ScanDraft(
        entry=entry.path,
        number=_to_number(entry.name),
        start_time=start,
        end_time=end,
        point_count=_find_point_count(search),
        probe=probe,
        temperature=search.find_quantity(targets["temperature"]) if "temperature" in targets else None,
        incident_energy=energy,
        wavelength=wavelength,
        users=find_people(search, rules.users),
        detectors=_find_detectors(search, rules.detectors),
        motors=channels.motors,
        counters=channels.counters,
        positions=channels.positions,
        kind=kind,
        frames=frames,
        served_by=(),  # the others are not known yet
        ended=end is not None or not rules.end_required,
        **texts,
    )


def sort_key(scan: ScanDraft) -> tuple[int, int, str, str]:
    """Return the order of scans: by number, 2.1 before 10.1, then by start, then by name; those without number last."""
    major, minor = _to_numbers(scan.entry.rpartition("/")[2])
    start = scan.start_time.value.instant.isoformat() if scan.start_time else "~"
    return major, minor, start, scan.entry


def tell_hours_apart(scans: Iterable[ScanDraft], zone: ZoneInfo) -> list[ScanDraft]:
    """Return the scans, in their order; the order tells which of the two hours is meant when summer time ends."""
    told: list[ScanDraft] = []
    latest: datetime | None = None
    for scan in scans:
        start = scan.start_time
        if start is None:
            told.append(scan)
            continue
        if latest is not None and start.value.instant < latest:
            second = to_second_pass(start.value, zone)
            if second is not None and second.instant >= latest:
                start = replace(start, value=second)
        latest = start.value.instant if latest is None else max(latest, start.value.instant)
        told.append(replace(scan, start_time=start, end_time=_end_after(start, scan.end_time, zone)))
    return told


def _end_after(start: Taken[Moment], end: Taken[Moment] | None, zone: ZoneInfo) -> Taken[Moment] | None:
    if end is None or end.value.instant >= start.value.instant:
        return end
    second = to_second_pass(end.value, zone)
    return end if second is None else replace(end, value=second)


def _to_short(taken: Taken[str] | None) -> Taken[str] | None:
    is_long = taken is not None and len(taken.value) > LONGEST_NAME
    return replace(taken, value=taken.value[:LONGEST_NAME]) if taken is not None and is_long else taken


def _to_numbers(name: str) -> tuple[int, int]:
    match = _WHOLE_NUMBER.match(name) if name[:1].isdigit() else _NUMBERED.search(name)
    if match is None or len(match[1]) > _LONGEST_NUMBER:
        return 10**_LONGEST_NUMBER, 0
    return int(match[1]), int((match[2] or "0")[:_LONGEST_NUMBER])


def _to_number(name: str) -> float | None:
    major, minor = _to_numbers(name)
    return None if major == 10**_LONGEST_NUMBER else float(f"{major}.{minor}")


def _find_times(search: Search) -> tuple[Taken[Moment] | None, Taken[Moment] | None]:
    """Return start and end; an end that is only a time of day and lies before the start is the next day's."""
    targets = search.plan.targets
    start = search.find_time(targets["start_time"]) if "start_time" in targets else None
    end = search.find_time(targets["end_time"]) if "end_time" in targets else None
    if start is None or end is None or end.value.instant >= start.value.instant:
        return start, end
    second = to_second_pass(end.value, search.zone)
    if second is not None and second.instant >= start.value.instant:
        return start, replace(end, value=second)
    if _DAY_OF_TIME.match(end.original or ""):
        return start, replace(end, value=_next_day(end.value))
    search.flags.append(f"{end.path} ({end.original}) lies before {start.path} ({start.original})")
    return start, end


def _find_point_count(search: Search) -> Taken[int] | None:
    """Return how many points the scan has: a number that the file states, or the length of one of its arrays."""
    target = search.plan.targets.get("point_count")
    if target is None:
        return None
    return search.find_integer(target) if target.kind is Kind.INTEGER else search.find_length(target)


def _next_day(moment: Moment) -> Moment:
    day = timedelta(days=1)
    written = (datetime.fromisoformat(moment.written) + day).isoformat()
    return replace(moment, instant=moment.instant + day, written=written)


def _find_detectors(search: Search, rule: DetectorRule) -> tuple[DetectorDraft, ...]:
    places = [place for position in search.plan.detectors for place in search.index.find(position)]
    return tuple(
        DetectorDraft(
            place.group.name, place.group.path, _to_label(search, place.group, rule.label), _to_shape(place, rule.data)
        )
        for place in places
    )


def _to_shape(place: Place, data_fields: tuple[str, ...]) -> tuple[int, ...]:
    """Return the shape of the first array that is the detector's data, by name, else by its attributes."""
    named = (place.find_field(name) for name in data_fields)
    told = (field for field in place.group.fields if not field.attributes.keys().isdisjoint(_OF_DATA))
    return next((field.shape for field in (*named, *told) if field is not None and field.shape), ())


def _to_label(search: Search, group: Group, label_fields: tuple[str, ...]) -> str | None:
    by_name = {field.name.casefold(): field.value for field in group.fields}
    for name in label_fields:
        value = by_name.get(name)
        text = to_plain_text(value) if isinstance(value, str) else ""
        if text and text.casefold() not in search.plan.placeholders:
            return text
    return None
