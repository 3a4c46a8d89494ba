"""How a page writes numbers, sizes and times; and text out of files, so that it does nothing but be read."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from markupsafe import Markup, escape

from ingest.catalogue.views import ParameterView

_SIZES: Final = ("kB", "MB", "GB", "TB", "PB", "EB")
_THOUSAND: Final = 1000
# Controls but for tab and line ends; marks that turn the direction of writing, or that nobody sees (Unicode 16, 23.2);
# lone surrogates, which cannot be sent.
_UNSEEN: Final = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def to_visible(value: Any) -> Any:
    r"""Return text with each character that would act or hide, instead of being seen, as its number: `\u202e`.

    A name cannot turn the text beside it around, or look like another one. Everything else is returned as it is, and so
    is text that a template has marked as safe.
    """
    if type(value) is not str or (value.isascii() and value.isprintable()):
        return value
    return _UNSEEN.sub(_to_number, value)


def to_breakable(text: str, behind: str = "/") -> Markup:
    """Return a path or a long name in HTML that may go on in the next line behind each slash, or each other sign."""
    return escape(to_visible(text)).replace(behind, Markup(f"{behind}<wbr>"))  # noqa: S704 (a sign out of a template)


def to_count(number: int, noun: str) -> str:
    """Return how many there are: `1 file`, `1,250,000 files`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def to_size(size: int) -> str:
    """Return the size in units of 1000 (IEC 80000-13), three digits: `73.4 MB`."""
    if size < _THOUSAND:
        return to_count(size, "byte")
    amount, unit = float(size), ""
    for unit in _SIZES:  # noqa: B007 (the one at which it ends)
        amount /= _THOUSAND
        if amount < _THOUSAND - 0.5:
            break
    return f"{amount:.3g} {unit}"


def to_day(instant: datetime) -> str:
    """Return the day in UTC: `2026-11-01`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d")


def to_second(instant: datetime) -> str:
    """Return the time to the second in UTC, for people: `2026-11-01 10:00:05 UTC`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def to_period(start: datetime, end: datetime | None) -> str:
    """Return both times in UTC, the day of the end only if it is another one: `2026-11-01 10:00:05 to 10:01:00 UTC`."""
    if end is None or end == start:
        return to_second(start)
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} to {until} UTC"


def to_amount(parameter: ParameterView) -> str:
    """Return a parameter's value with its unit; ten digits hide what the conversion of a unit leaves behind."""
    counted = ""
    if parameter.values:
        text = ", ".join(f"{number:.10g}" for number in parameter.values)
    elif parameter.range_bottom is not None and parameter.range_top is not None:
        text = f"{parameter.range_bottom:.10g} to {parameter.range_top:.10g}"
        counted = f" ({parameter.value_count} values)" if parameter.value_count else ""
    elif parameter.numeric_value is not None:
        text = f"{parameter.numeric_value:.10g}"
    elif parameter.date_time_value is not None:
        return to_second(parameter.date_time_value)
    else:
        return parameter.string_value or ""
    if parameter.error is not None:
        text = f"{text} ± {parameter.error:.3g}"
    return (text if parameter.unit in {"", "1"} else f"{text} {parameter.unit}") + counted


def _to_number(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"  # noqa: PLR2004 (two digits end here)
