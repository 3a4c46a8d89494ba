"""Values as they go over the wire."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any


def to_wire(value: Any) -> Any:
    """Return the value as JSON has it."""
    return to_wire_date(value) if isinstance(value, datetime) else value


def to_wire_date(date: datetime) -> str:
    """Return the instant as JavaScript writes it, in UTC and to the millisecond."""
    return date.strftime("%Y-%m-%dT%H:%M:%S.") + f"{date.microsecond // 1000:03}Z"


def to_wire_number(number: float) -> float | int | str:
    """Return the number as JSON has it: whole ones without a point, and those that are none as text."""
    if not math.isfinite(number):
        return str(number)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
