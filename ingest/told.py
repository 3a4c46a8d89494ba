"""From what a notice says to the columns of parameters: pure. Its values are texts, in the units of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.store import WantedType
from ingest.catalogue.vocabulary import ValueType, load_vocabulary
from ingest.mapping.beam import DISAGREE
from ingest.mapping.drafts import Origin, Quantity, TechniqueDraft
from ingest.mapping.findings import is_alike, to_span
from ingest.mapping.techniques import merge_techniques, to_stated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.catalogue.notices import ToldDataset
    from ingest.mapping.drafts import DatasetDraft, Taken

PLACES: Final = frozenset(
    {"proposal", "beamlineID", "datasetName", "location", "startDate", "endDate", "Sample_name", "folder_path"}
)
"""What says where a dataset belongs, and is stored there."""
_CLOCKS_APART: Final = timedelta(hours=1)
"""The clocks of an instrument and of what tells of it are seldom further apart, unless a zone is wrong."""
LONGEST_LIST: Final = 32
"""As many values of a list are kept as of one in a file; of a longer one its extremes."""
LONGEST_TEXT: Final = 4000
"""ICAT's length of a text."""


@dataclass(frozen=True, slots=True)
class ToldParameter:
    """A value in the layer of notices: its type, and the columns that depend on no other row."""

    wanted: WantedType
    columns: dict[str, Any]


def to_told_parameters(parameters: Mapping[str, str], stored: Mapping[str, tuple[str, str]]) -> list[ToldParameter]:
    """Return the values by the types that the catalogue has, else by the vocabulary's; what neither knows is text.

    `stored` has unit and kind of a type by its name. A value that is none of its kind stays the text that it is.
    """
    told = []
    for name, text in parameters.items():
        if name in PLACES or not text.strip():
            continue
        wanted = _to_wanted(name, stored)
        columns = _to_columns(text.strip(), wanted.value_type)
        told.append(ToldParameter(wanted, {**_EMPTY, **columns, "original_value": text[:LONGEST_TEXT]}))
    return told


def to_told_techniques(parameters: Mapping[str, str]) -> list[TechniqueDraft]:
    """Return the techniques that a notice names as ESRF's do: by identifiers, else by abbreviations, with blanks."""
    for name in ("technique_pid", "definition"):
        text = parameters.get(name, "")
        if stated := to_stated(text):
            return merge_techniques(TechniqueDraft(term, None, text[:LONGEST_TEXT], pid=pid) for term, pid in stated)
    return []


def list_contradictions(draft: DatasetDraft, told: ToldDataset | None) -> list[str]:
    """Return, in words, where the notice and the file say different things of the sample, the time or a number."""
    if told is None:
        return []
    found = [_compare_samples(draft, told.sample_name), _compare_times(draft, told)]
    known = {parameter.name: parameter.value for parameter in draft.parameters if parameter.entry is None}
    found += [_compare_numbers(name, text, known[name]) for name, text in told.parameters.items() if name in known]
    return [flag for flag in found if flag]


def _compare_samples(draft: DatasetDraft, name: str | None) -> str:
    samples = [scan.sample_name for scan in draft.scans if scan.sample_name is not None]
    if not name or not samples or name.casefold() in {sample.value.casefold() for sample in samples}:
        return ""
    return f"the notice says that the sample is {name}, {samples[0].path} says {samples[0].value}"


def _compare_times(draft: DatasetDraft, told: ToldDataset) -> str:
    starts = [scan.start_time for scan in draft.scans if scan.start_time is not None]
    if not starts or told.start_date is None or told.end_date is None:
        return ""
    first = min(starts, key=lambda start: start.value.instant)
    if told.start_date - _CLOCKS_APART <= first.value.instant <= told.end_date + _CLOCKS_APART:
        return ""
    period = f"{told.start_date.isoformat()} to {told.end_date.isoformat()}"
    return f"the notice says that it was measured from {period}, {first.path} says {first.original}"


def _compare_numbers(name: str, text: str, taken: Taken[Any]) -> str:
    """Compare what is a number on both sides; both are in the unit of the vocabulary."""
    numbers = _find_numbers(text)
    parameter = load_vocabulary().get(name)
    quantity = taken.value
    if not isinstance(quantity, Quantity) or not numbers or parameter is None or parameter.unit != quantity.unit:
        return ""
    told = Quantity(quantity.unit, bottom=min(numbers), top=max(numbers))
    if is_alike(told, quantity, DISAGREE):
        return ""
    low, high = to_span(quantity)
    held = f"{low:.6g}" if low == high else f"{low:.6g} to {high:.6g}"
    return f"the notice says that {name} is {text[:100]} {quantity.unit}, {taken.path or 'the file'} says {held}"


_EMPTY: Final[dict[str, Any]] = {
    **dict.fromkeys(("scan_id", "numeric_value", "range_bottom", "range_top", "values", "value_count")),
    **dict.fromkeys(("string_value", "date_time_value", "source_path", "original_unit")),
    "origin": str(Origin.READ),
}


def _to_wanted(name: str, stored: Mapping[str, tuple[str, str]]) -> WantedType:
    known = load_vocabulary().get(name)
    if name in stored:
        unit, kind = stored[name]
        return WantedType(name, unit, ValueType(kind), known.description if known else None)
    if known is not None:
        return WantedType(name, known.unit, known.value_type, known.description)
    return WantedType(name, "", ValueType.STRING, None)


def _to_columns(text: str, kind: str) -> dict[str, Any]:
    instant = _find_instant(text) if kind == ValueType.DATE_AND_TIME else None
    if instant is not None:
        return {"date_time_value": instant}
    numbers = _find_numbers(text) if kind == ValueType.NUMERIC else None
    if not numbers:
        return {"string_value": text[:LONGEST_TEXT]}
    if len(numbers) == 1:
        return {"numeric_value": numbers[0]}
    values = numbers if len(numbers) <= LONGEST_LIST else None
    count = None if values else len(numbers)
    return {"range_bottom": min(numbers), "range_top": max(numbers), "values": values, "value_count": count}


def _find_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo is not None else None
    except (ValueError, OverflowError):  # the first hours of year 1 have no UTC
        return None


def _find_numbers(text: str) -> list[float] | None:
    """Return the numbers that stand there, with blanks or commas between them."""
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        return None
    return numbers if all(map(isfinite, numbers)) else None
