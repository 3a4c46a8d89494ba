"""Times as files write them, made into instants; whether the zone was known is kept, it is never guessed silently."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ingest.mapping.drafts import Moment

ZONE_ATTRIBUTES: Final = ("time_zone", "timezone", "zone", "tz", "offset")
"""Attributes of a time field that may say its zone where the text does not."""

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d*))?)?"
_OFFSET = r"[+-](?:\d{2}(?::?\d{2})?|\d:\d{2})"
_ZONE = (
    rf"\s*(?:(?P<zone>Z|(?:UTC|GMT)?{_OFFSET}|\[?[A-Z]\w+(?:/\w+)+\]?)|(?P<short>[A-Z]{{3,4}}))?(?:\[[\w/+-]+\])?\}}?"
)
"""An offset, which Java has followed by the name of its zone, such a name alone, or an abbreviation."""
_NO_MONTH = r"(?:1[3-9]|2\d|3[01])"
_DAY_MONTH_YEAR = r"(?P<day>\d{1,2})[- ](?P<month>[a-z]{3,9})[- ](?P<year>\d{4}|\d{2})"
_FORMS: Final = (
    rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?:[T ]+{_CLOCK})?{_ZONE}",
    rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}})(?:[T ]+{_CLOCK})?{_ZONE}",
    # With strokes only where one of the two can be no month: 04/05 may be either.
    rf"(?P<day>{_NO_MONTH})/(?P<month>\d{{1,2}})/(?P<year>\d{{4}})(?:[T ]+{_CLOCK})?{_ZONE}",
    rf"(?P<month>\d{{1,2}})/(?P<day>{_NO_MONTH})/(?P<year>\d{{4}})(?:[T ]+{_CLOCK})?{_ZONE}",
    rf"(?:[a-z]{{3}},? +)?{_DAY_MONTH_YEAR}(?:[T ]+{_CLOCK})?{_ZONE}",
    rf"(?:[a-z]{{3}},? +)?(?P<month>[a-z]{{3}}) +(?P<day>\d{{1,2}}) +{_CLOCK}{_ZONE} +(?P<year>\d{{4}})",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})" + _ZONE,
    _CLOCK + _ZONE,
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH: Final = re.compile(r"\d{9,10}(?:\.\d*)?|\d{12,13}|\d{15,16}|\d{18,19}")
_FIRST_YEAR, _LAST_YEAR, _CENTURY_TURN = 1970, 2100, 70
_EPOCH_SECONDS: Final = (3e8, 2.8e9)
"""Numbers that are seconds since 1970, between 1979 and 2058. What is larger counts from 1904, as LabVIEW does, and is
no time here, or is a finer count: milliseconds, microseconds or nanoseconds, which lie a factor of a thousand apart."""
_FINER: Final = (1, 1_000, 1_000_000, 1_000_000_000)
_LEAP_SECOND: Final = "60"
_LONGEST_ZONE_NAME = 40


def to_moment(
    original: str | float, zone: ZoneInfo, *, day: date | None = None, zone_text: str | None = None
) -> Moment | None:
    """Return the instant that a file means, or None if the text is no time.

    `zone` is applied, and marked as not known, where neither the text nor `zone_text` (an attribute of the field)
    says one. A time of day alone needs `day`. Epoch numbers are UTC by definition.
    """
    if not isinstance(original, str):
        return _from_epoch(float(original))
    text = original.strip()
    if _EPOCH.fullmatch(text):
        return _from_epoch(float(text))
    parts = _to_parts(text)
    naive = _to_naive(parts, day)
    if naive is None or not _FIRST_YEAR < naive.year < _LAST_YEAR:
        return None
    if "short" in parts:
        return _from_abbreviation(naive, parts, zone)
    written = parts.get("zone") or zone_text
    known = _find_zone(written) if written else None
    instant = naive.replace(tzinfo=known or zone)
    return Moment(instant.astimezone(UTC), known is not None, _as_written(instant, known, parts))


@cache
def _compile(form: str) -> re.Pattern[str]:
    """Return the form compiled, each when it is first tried: all take 60 ms, at every start of the command."""
    return re.compile(form, re.IGNORECASE)


def _to_parts(text: str) -> dict[str, str]:
    """Return the parts of the first form that the text has; none if it has none."""
    found = next((match for form in _FORMS if (match := _compile(form).fullmatch(text))), None)
    return {} if found is None else {name: part for name, part in found.groupdict().items() if part}


def to_second_pass(moment: Moment, zone: ZoneInfo) -> Moment | None:
    """Return the instant an hour later if the clock showed that time twice, when summer time ended; None if not.

    Only where the file says no zone: then the first pass was taken.
    """
    if moment.zone_known or "T" not in moment.written:
        return None
    later = datetime.fromisoformat(moment.written).replace(tzinfo=zone, fold=1).astimezone(UTC)
    return replace(moment, instant=later) if later > moment.instant else None


def _from_abbreviation(naive: datetime, parts: dict[str, str], zone: ZoneInfo) -> Moment | None:
    """Return the instant if the abbreviation is one that the zone uses then; others mean several zones.

    It also tells which of the two hours is meant when summer time ends.
    """
    for fold in (0, 1):
        instant = naive.replace(tzinfo=zone, fold=fold)
        if instant.tzname() == parts["short"].upper():
            return Moment(instant.astimezone(UTC), zone_known=True, written=instant.isoformat())
    if parts["short"].upper() in {"UTC", "GMT"}:
        instant = naive.replace(tzinfo=UTC)
        return Moment(instant, zone_known=True, written=instant.isoformat())
    return None


def _to_naive(parts: dict[str, str], day: date | None) -> datetime | None:
    fraction = parts.get("fraction", "")[:6].ljust(6, "0")
    second = parts.get("second", "0")
    # A clock shows 23:59:60 in a leap second; counted without leap seconds that is the next minute's first.
    leap = timedelta(seconds=1) if second == _LEAP_SECOND else timedelta()
    try:
        clock = time(int(parts.get("hour", 0)), int(parts.get("minute", 0)), 59 if leap else int(second), int(fraction))
        if "year" in parts:
            month = parts["month"]
            number = int(month) if month.isdigit() else _MONTHS.index(month[:3].casefold()) + 1
            day = date(_to_year(parts["year"]), number, int(parts["day"]))
        return None if day is None or not parts else datetime.combine(day, clock) + leap
    except (ValueError, OverflowError):
        return None


def _to_year(text: str) -> int:
    year = int(text)
    if len(text) > 2:  # noqa: PLR2004 - four digits
        return year
    return year + (1900 if year >= _CENTURY_TURN else 2000)


def _as_written(instant: datetime, known: tzinfo | None, parts: dict[str, str]) -> str:
    """Return ISO 8601 in the file's own zone, without one where the file has none; a date alone stays a date."""
    if "hour" not in parts:
        return instant.date().isoformat()
    return (instant if known else instant.replace(tzinfo=None)).isoformat()


def _from_epoch(number: float) -> Moment | None:
    first, last = _EPOCH_SECONDS
    seconds = next((number / finer for finer in _FINER if first < number / finer < last), None)
    if seconds is None:
        return None
    instant = datetime.fromtimestamp(seconds, UTC)
    return Moment(instant, zone_known=True, written=instant.isoformat())


@lru_cache(maxsize=256)
def _find_zone(text: str) -> tzinfo | None:
    """Return the zone that an offset or a name says; a name is looked up only if it looks like one."""
    text = text.strip().strip("[]")
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    text = re.sub(r"^(?:UTC|GMT)(?=[+-])", "", text, flags=re.IGNORECASE)
    offset = re.fullmatch(r"([+-])(\d{2}|\d(?=:)):?(\d{2})?", text)
    if offset:
        return _from_offset(offset[1], int(offset[2]), int(offset[3] or 0))
    if len(text) > _LONGEST_ZONE_NAME or not re.fullmatch(r"[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_]+)+", text):
        return None
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return None


def _from_offset(sign: str, hours: int, minutes: int) -> tzinfo | None:
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if sign == "-" else delta) if delta < timedelta(hours=24) else None
