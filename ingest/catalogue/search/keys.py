"""How values are compared, ordered and bounded, in every index alike."""

from __future__ import annotations

import struct
from base64 import b32hexencode
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from math import isfinite
from typing import TYPE_CHECKING, Final

from ingest.catalogue.formulas import find_composition
from ingest.catalogue.search.folding import fold, to_clean, to_tokens
from ingest.catalogue.search.nouns import MAX_VALUE_LENGTH, Instant, Noun

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.catalogue.document import SearchDocument

MAX_ID: Final = 2**30 - 1
"""The order of hits by date and id is one number of 63 bits, of which the id has 30."""
LATEST: Final = 2**33 - 1
"""Stands for the second of a date that is not known, where that comes last."""
ALWAYS: Final = -(2**63)

_FLOAT: Final = struct.Struct("<d")
_WHOLE: Final = struct.Struct("<q")
_EDGE_STEP: Final = 1 << 10
_DIGITS: Final = 12
_FACET_END: Final = "\0"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ORDER_EPOCH: Final = datetime(1900, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=8192)
def to_value_key(noun: Noun, value: str) -> str:
    """Return what a filter compares: the noun and the folded value."""
    return f"{noun}\x1f{fold(value)[:MAX_VALUE_LENGTH]}"


@lru_cache(maxsize=8192)
def to_mark(name: str) -> str:
    """Return what stands before each token of a text parameter: of one length, and far from that of any other name."""
    return f"{blake2b(name.encode('utf-8', 'replace'), digest_size=8).hexdigest()}_"


def to_safe(token: str) -> str:
    """Return the token in ASCII; its beginnings stay beginnings.

    A letter outside ASCII is its code between three underscores, which no other token has: so it is at least three
    edits away from whatever is asked for fuzzily, and no tokenizer splits at it.
    """
    if token.isascii():
        return token
    return "".join(letter if letter.isascii() else f"__{ord(letter):x}_" for letter in token)


@lru_cache(maxsize=8192)
def to_safe_text(text: str) -> str:
    """Return the tokens of a text with a blank between them: what an engine is given, that splits at blanks only."""
    return " ".join(map(to_safe, to_tokens(text)))


def to_hill_key(formula: str) -> str | None:
    """Return what formulas of the same numbers of atoms have in common, or None if this is no such formula."""
    composition = find_composition(formula)
    return None if composition is None or composition.hill is None else f"hill\x1f{composition.hill}"


def to_hill_keys(document: SearchDocument) -> list[str]:
    """Return the keys of the document's formulas, of those that can be read."""
    return [key for formula in document.formulas if (key := to_hill_key(formula))]


def to_elements_key(symbols: Iterable[str]) -> str:
    """Return the elements of one formula as one term: `_b_la_`."""
    return f"_{'_'.join(sorted({symbol.lower() for symbol in symbols}))}_"


def to_elements_keys(document: SearchDocument) -> list[str]:
    """Return the elements of each of the document's formulas, of those that can be read."""
    compositions = map(find_composition, document.formulas)
    return [to_elements_key(composition.elements) for composition in compositions if composition]


def to_elements_pattern(symbols: Iterable[str]) -> str:
    """Return the pattern of all terms that hold these elements and perhaps others, in both engines' language.

    No dots: each is a dozen states of tantivy's, which takes 1,000.
    """
    others = "[a-z_]*_"
    return others + f"_({others})?".join(sorted({symbol.lower() for symbol in symbols})) + "_[a-z_]*"


def to_facet_value(text: str) -> str:
    """Return what is counted and shown of a text that may hold anything."""
    return to_clean(text)[:MAX_VALUE_LENGTH]


def to_facet_entry(text: str) -> str:
    """Return what the column of a facet holds: the folded text, by which values are sought, and the text as shown."""
    return f"{fold(text)[:MAX_VALUE_LENGTH]}{_FACET_END}{to_facet_value(text)}"


def from_facet_entry(entry: str) -> str:
    """Return the text as it is shown; no text has the NUL that stands before it."""
    return entry.partition(_FACET_END)[2]


def to_sortable(number: float) -> int:
    """Return the signed 64-bit whole number that sorts among others as the float does among floats; 0.0 is -0.0."""
    bits: int = _WHOLE.unpack(_FLOAT.pack(number + 0.0))[0]
    return bits if bits >= 0 else bits ^ 0x7FFF_FFFF_FFFF_FFFF


def from_sortable(sortable: int) -> float:
    """Return the float that `to_sortable` made the whole number of."""
    bits = sortable if sortable >= 0 else sortable ^ 0x7FFF_FFFF_FFFF_FFFF
    number: float = _FLOAT.unpack(_WHOLE.pack(bits))[0]
    return number


def to_told(number: float) -> float:
    """Return the number in twelve digits, which is what every engine can tell of an extreme."""
    return float(f"{number:.{_DIGITS}g}") if isfinite(number) else number


def to_edge(number: float) -> float:
    """Return the edge of a bin at this number: the next one below that keeps its place in a float64 of `to_sortable`.

    It is less by one part in 10**12 at most; every engine counts exactly on either side of it.
    """
    return from_sortable(to_sortable(number) // _EDGE_STEP * _EDGE_STEP)


def to_month(instant: datetime) -> int:
    """Return the month in UTC as one number that rises by one from month to month."""
    utc = instant.astimezone(UTC)
    return utc.year * 12 + utc.month - 1


def to_day(instant: datetime) -> int:
    """Return the day in UTC as one number that rises by one from day to day."""
    return instant.astimezone(UTC).toordinal()


def to_microseconds(instant: datetime) -> int:
    """Return microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def to_order(instant: datetime | None, document_id: int, missing: int) -> int:
    """Return a number, different for every document, that sorts by the second since 1900 and then by id.

    Dates before 1900 and after 2171 sort as those years' ends.
    """
    seconds = missing if instant is None else (instant - _ORDER_EPOCH) // timedelta(seconds=1)
    if instant is not None:
        seconds = min(max(seconds, 1), LATEST - 1)
    return seconds << 30 | document_id


def to_text_key(values: Iterable[str]) -> str:
    """Return digits and letters that sort as the first of the folded values does; none if there is no value."""
    return _to_sortable_text(min((folded for value in values if (folded := fold(value))), default=""))


@lru_cache(maxsize=8192)
def _to_sortable_text(text: str) -> str:
    return b32hexencode(text.encode("utf-8")[:MAX_VALUE_LENGTH]).decode("ascii").rstrip("=").lower()


def check_id(document_id: int) -> None:
    """Raise ValueError if the order of hits has no room for that id."""
    if not 0 <= document_id <= MAX_ID:
        raise ValueError(f"an index holds ids up to {MAX_ID}, not {document_id}")


def to_periods(document: SearchDocument) -> dict[str, int]:
    """Return month and day of the document's dates, those it has: what histograms count."""
    known = _to_dates(document)
    months = {f"{name}_month": to_month(date) for name, date in known.items()}
    return months | {f"{name}_day": to_day(date) for name, date in known.items()}


def to_instants(document: SearchDocument) -> dict[str, int]:
    """Return the document's dates in microseconds, those it has, and from when on everybody may find it, if ever."""
    instants = {name: to_microseconds(date) for name, date in _to_dates(document).items()}
    if document.is_secret:
        return instants
    if document.is_metadata_public:
        return instants | {"visible_from": ALWAYS}
    return instants | ({"visible_from": instants[Instant.RELEASE]} if Instant.RELEASE in instants else {})


def _to_dates(document: SearchDocument) -> dict[str, datetime]:
    """Return the document's dates, those it has, by the name that each has there as well."""
    dates = {instant.value: getattr(document, instant) for instant in Instant}
    return {name: date for name, date in dates.items() if date is not None}
