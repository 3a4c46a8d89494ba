"""Values as they come out of HDF5, made plain: text, numbers, lists, extremes.

Pure functions that never raise on odd content: what has no plain value is None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.catalogue.redaction import to_redacted

if TYPE_CHECKING:
    from ingest.nexus.budget import Budget
    from ingest.nexus.record import Scalar, Value

LARGEST = 1e60
"""Beyond any physical magnitude: 7e+78 and 1e+300 are what uninitialised memory looks like."""
MOST_KEYS = 16
"""Different numbers past which an array is none of keys."""
_SMALLEST = 1e-300
_AT_SIGNS: tuple[Any, ...] = (64, "@", b"@")
_LAST_LETTER = 0x250
"""Codes from here on are no letters of a Latin script."""


def to_name(raw: bytes) -> str:
    """Return a member's name or path as text, whatever its bytes; nobody's address stands in it."""
    text = raw.decode("utf-8", "replace")
    return "/".join(map(to_redacted, text.split("/"))) if "@" in text else text


def to_text(raw: bytes | str, characters: int) -> str:
    """Return stored text as UTF-8, else Latin-1, without NULs, padding and personal data, cut at `characters`.

    It is redacted before it is cut: half an e-mail address would no longer look like one.
    """
    if isinstance(raw, bytes):
        raw = raw.strip(b"\0").partition(b"\0")[0]
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            text = raw.decode("latin-1")
    else:
        text = raw.partition("\0")[0].encode("utf-8", "replace").decode("utf-8")
    return to_redacted(text[: 4 * characters].strip())[:characters]


def to_number(raw: Any) -> bool | int | float | None:
    """Return a plain number, or None where it is not finite, absurdly large or a denormal left in memory."""
    if isinstance(raw, float):
        return raw if raw == 0 or _SMALLEST < abs(raw) < LARGEST else None
    return raw if isinstance(raw, bool | int) else None


def to_value(items: list[Any], text: bool, budget: Budget) -> Value | None:
    """Return items as one scalar or a list; None if there are none, all are blank or one is no number.

    One item is a scalar whatever the shape it had: writers store titles as `[["none"]]`.
    """
    if len(items) > 1 and _spells_an_address(items):
        return None
    if text:
        texts: list[Scalar] = [to_text(item, budget.string_characters) if item else "" for item in items]
        return None if not any(texts) else texts[0] if len(texts) == 1 else texts
    numbers: list[Scalar] = [number for number in map(to_number, items) if number is not None]
    return None if not numbers or len(numbers) < len(items) else numbers[0] if len(numbers) == 1 else numbers


def _spells_an_address(items: list[Any]) -> bool:
    """Whether single characters, or their codes as MATLAB keeps text, spell somebody's address."""
    if not any(item in _AT_SIGNS for item in items):
        return False
    if all(isinstance(item, int) and 0 < item < _LAST_LETTER for item in items):
        spelled = "".join(map(chr, items))
    else:
        spelled = "".join(_to_letter(item) for item in items)
    return to_redacted(spelled) != spelled


def _to_letter(item: Any) -> str:
    """Return a single character as text; empty if it is none."""
    letter = item.decode("latin-1") if isinstance(item, bytes) else item
    return letter if isinstance(letter, str) and len(letter) == 1 else ""


def to_extremes(items: list[Any]) -> dict[str, float | int]:
    """Return minimum, maximum, mean, count, first and last of the numbers that are numbers; nothing if none is."""
    numbers = np.asarray(items, np.float64)
    magnitude = np.abs(numbers)
    numbers = numbers[(magnitude < LARGEST) & ((magnitude > _SMALLEST) | (magnitude == 0))]
    if not numbers.size:
        return {}
    lowest, highest, mean = float(numbers.min()), float(numbers.max()), float(numbers.mean())
    ends = {"first": float(numbers[0]), "last": float(numbers[-1])}
    return {"minimum": lowest, "maximum": highest, "mean": mean, "count": int(numbers.size), **ends}


def to_tally(items: list[Any]) -> dict[str, int]:
    """Return how often each whole number stands there, by size; nothing if others do, or too many different ones."""
    numbers, counts = np.unique(np.asarray(items, np.float64), return_counts=True)
    if numbers.size > MOST_KEYS or not np.all(np.isfinite(numbers)) or np.any(numbers != np.floor(numbers)):
        return {}
    return {str(int(number)): int(count) for number, count in zip(numbers, counts, strict=True)}
