"""Times as files write them, made into instants; whether the zone was known is kept, it is never guessed silently."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ingest.mapping.drafts import Moment

ZONE_ATTRIBUTES: Final = ("time_zone", "timezone", "zone", "tz", "offset")
"""Attributes of a time field that may say its zone where the text does not."""

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d*))?)?"
_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\}?"
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?P<year>\d{{4}})[-/](?P<month>\d{{1,2}})[-/](?P<day>\d{{1,2}})(?:[T ]+{_CLOCK})?{_ZONE}",
        rf"(?P<day>\d{{1,2}})[- ](?P<month>[a-z]{{3,9}})[- ](?P<year>\d{{4}}|\d{{2}})(?:[T ]+{_CLOCK})?{_ZONE}",
        rf"(?:[a-z]{{3}},? +)?(?P<month>[a-z]{{3}}) +(?P<day>\d{{1,2}}) +{_CLOCK} +(?P<year>\d{{4}})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})T?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})" + _ZONE,
        _CLOCK + _ZONE,
    )
)
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH: Final = re.compile(r"\d{9,10}(?:\.\d*)?")
_FIRST_YEAR, _LAST_YEAR, _CENTURY_TURN = 1970, 2100, 70
_EPOCH_SECONDS: Final = (3e8, 4.1e9)
"""Numbers that are seconds since 1970, between 1979 and 2099; anything else is no time."""
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
    found = next((match for form in _FORMS if (match := form.fullmatch(text))), None)
    if found is None:
        return None
    parts = {name: part for name, part in found.groupdict().items() if part}
    try:
        naive = _to_naive(parts, day)
    except ValueError:
        return None
    if naive is None or not _FIRST_YEAR < naive.year < _LAST_YEAR:
        return None
    written = parts.get("zone") or zone_text
    known = _find_zone(written) if written else None
    instant = naive.replace(tzinfo=known or zone)
    return Moment(instant.astimezone(UTC), known is not None, _as_written(instant, known, parts))


def _to_naive(parts: dict[str, str], day: date | None) -> datetime | None:
    fraction = parts.get("fraction", "")[:6].ljust(6, "0")
    clock = time(int(parts.get("hour", 0)), int(parts.get("minute", 0)), int(parts.get("second", 0)), int(fraction))
    if "year" in parts:
        month = parts["month"]
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3].casefold()) + 1
        day = date(_to_year(parts["year"]), number, int(parts["day"]))
    return None if day is None else datetime.combine(day, clock)


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


def _from_epoch(seconds: float) -> Moment | None:
    first, last = _EPOCH_SECONDS
    if not first < seconds < last:
        return None
    instant = datetime.fromtimestamp(seconds, UTC)
    return Moment(instant, zone_known=True, written=instant.isoformat())


@lru_cache(maxsize=256)
def _find_zone(text: str) -> tzinfo | None:
    """Return the zone that an offset or a name says; a name is looked up only if it looks like one."""
    text = text.strip()
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    offset = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", text)
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
