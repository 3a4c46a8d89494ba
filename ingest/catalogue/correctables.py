"""What a person may correct, and what is written made into a value: pure. Whatever will not do is told with what would.

Fields are the dataset's title and description, the name and the formula of its sample, and every parameter, by its name
or by what a person types for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.redaction import to_redacted
from ingest.catalogue.scan_fields import SCAN_FIELDS
from ingest.catalogue.units import DimensionError, UnknownUnitError, convert
from ingest.catalogue.vocabulary import ValueType, find_parameter, load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SAMPLE_NAME: Final = "sample_name"
TEXT_FIELDS: Final = {"title": 4000, "description": 4000, SAMPLE_NAME: 255, "sample_formula": 255}
"""Fields of the dataset that are no parameters, with how many characters each may have."""
LONGEST_TEXT: Final = 4000
"""ICAT's length of a text."""
LONGEST_LIST: Final = 32
_NUMBER: Final = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
_AMOUNT: Final = re.compile(
    rf"(?P<first>{_NUMBER})(?:\s*\.\.\s*(?P<top>{_NUMBER})|(?P<more>(?:\s*,\s*{_NUMBER})+))?\s*(?P<unit>(?:\D|1/).{{0,60}})?"
)


class CorrectionError(CatalogueError):
    """A correction cannot be made; `field` is as it was written."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        super().__init__(f"{field}: {problem}")


class UnknownFieldError(CorrectionError):
    """There is no field of that name that a person may correct."""


class UnfitValueError(CorrectionError):
    """The value is none of that field's."""


@dataclass(frozen=True, slots=True)
class Correctable:
    """A field that may be corrected, as it was written; of a parameter `kind` is its type and `unit` its one unit."""

    name: str
    written: str
    is_parameter: bool
    kind: ValueType = ValueType.STRING
    unit: str = ""


def find_correctable(written: str, stored: Mapping[str, tuple[str, str]]) -> Correctable:
    """Return the field that a person means; `stored` has unit and kind of the facility's own parameter types by name.

    Raises UnknownFieldError with the closest names.
    """
    name = written.strip()
    if name in TEXT_FIELDS:
        return Correctable(name, written, is_parameter=False)
    known = load_vocabulary().get(name) or (None if name in stored else find_parameter(name))
    if known is not None:
        unit, kind = stored.get(known.name, (known.unit, known.value_type))
        return Correctable(known.name, written, is_parameter=True, kind=ValueType(kind), unit=unit)
    if name in stored:
        unit, kind = stored[name]
        return Correctable(name, written, is_parameter=True, kind=ValueType(kind), unit=unit)
    raise UnknownFieldError(written, _advise(name, stored))


def to_value(field: Correctable, text: str, unit: str | None = None) -> dict[str, Any]:
    """Return what is written as a value of the field; `unit` where it does not stand in the text.

    Members: `text`, `instant`, `number`, `bottom` and `top`, or `values`, with `unit`, and what was written as
    `original` and `original_unit`. Raises UnfitValueError.
    """
    written = text.strip()
    if not written:
        raise UnfitValueError(field.written, "nothing is said: to say that there is none, remove it")
    if "\0" in written or to_redacted(written) != written:
        raise UnfitValueError(field.written, "no e-mail address, telephone number or NUL is ever kept: leave it out")
    if field.kind is ValueType.NUMERIC:
        return _to_amount(field, written, unit)
    if unit:
        raise UnfitValueError(field.written, f"it has no unit: leave {unit!r} out")
    if field.kind is ValueType.DATE_AND_TIME:
        return {"instant": _to_instant(field, written), "original": written}
    longest = TEXT_FIELDS.get(field.name, LONGEST_TEXT)
    if len(written) > longest:
        raise UnfitValueError(field.written, f"it has {len(written)} characters: write {longest} at most")
    return {"text": written, "original": written}


def to_columns(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value as columns of a parameter."""
    listed = value.get("values")
    instant = value.get("instant")
    return {
        "numeric_value": value.get("number"),
        "range_bottom": min(listed) if listed else value.get("bottom"),
        "range_top": max(listed) if listed else value.get("top"),
        "values": listed,
        "string_value": value.get("text"),
        "date_time_value": None if instant is None else datetime.fromisoformat(instant),
        "original_value": value["original"],
        "original_unit": value.get("original_unit"),
    }


def _to_amount(field: Correctable, written: str, given: str | None) -> dict[str, Any]:
    found = _AMOUNT.fullmatch(written)
    if found is None:
        raise UnfitValueError(field.written, f"{written!r} is no number: write {_show(field)}")
    stated = {each.strip() for each in (found["unit"], given) if each and each.strip()}
    if len(stated) > 1:
        raise UnfitValueError(field.written, f"two units are given, {' and '.join(sorted(stated))}: write one")
    unit = min(stated, default="")
    further = [found["top"]] if found["top"] else (found["more"] or "").split(",")[1:]
    numbers = [_convert(field, float(text), unit) for text in (found["first"], *further)]
    original = written[: found.start("unit")] if found["unit"] else written
    said = {"unit": field.unit, "original": original.strip(), "original_unit": unit or None}
    if found["top"]:
        bottom, top = numbers
        if bottom > top:
            raise UnfitValueError(field.written, f"{written!r} ends before it begins: write the lower number first")
        return {"bottom": bottom, "top": top, **said}
    if found["more"]:
        if len(numbers) > LONGEST_LIST:
            raise UnfitValueError(field.written, f"{len(numbers)} numbers: write {LONGEST_LIST} at most, or a range")
        return {"values": numbers, **said}
    return {"number": numbers[0], **said}


def _convert(field: Correctable, number: float, unit: str) -> float:
    if field.unit in ("", "1") and not unit:
        converted = number
    elif not unit:
        raise UnfitValueError(field.written, f"it has no unit: write {_show(field)}, or another unit of its kind")
    elif not field.unit:
        raise UnfitValueError(field.written, f"it has no unit: leave {unit!r} out")
    else:
        try:
            converted = convert(number, unit, field.unit)
        except (UnknownUnitError, DimensionError) as error:
            raise UnfitValueError(field.written, str(error)) from error
    if not isfinite(converted):
        raise UnfitValueError(field.written, "the number is too large")
    return converted


def _to_instant(field: Correctable, written: str) -> str:
    try:
        instant = datetime.fromisoformat(written)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise UnfitValueError(
            field.written, f"{written!r} is no time with its zone: write it as 2026-11-01T10:00:00+01:00"
        )
    try:
        return instant.astimezone(UTC).isoformat()
    except OverflowError as error:
        raise UnfitValueError(field.written, "there is no such time") from error


def _show(field: Correctable) -> str:
    """Return a value as it may be written."""
    return "12.4" if field.unit in ("", "1") else f"12.4 {field.unit}"


def _advise(name: str, stored: Iterable[str]) -> str:
    if name in SCAN_FIELDS and find_parameter(name) is None:
        return "what the file says of it is changed by a rule file, not here: see docs/rule-files.md"
    vocabulary = load_vocabulary()
    spellings = {alias: alias for parameter in vocabulary.values() for alias in (parameter.name, *parameter.aliases)}
    names = {each.casefold(): each for each in (*TEXT_FIELDS, *spellings, *stored)}
    close = get_close_matches(name.casefold(), names, n=3, cutoff=0.6)
    known = f"write {' or '.join(names[each] for each in close)}" if close else "docs/fields.md lists the parameters"
    return f"there is no such field: {known}"
