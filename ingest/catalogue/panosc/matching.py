"""Whether a text in memory is as asked: for names of terms and of parameters, of which there are some thousands."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Final, cast

from ingest.catalogue.panosc.patterns import matches_like, matches_regexp
from ingest.catalogue.panosc.request import POSITIVE, Compare, Operator

if TYPE_CHECKING:
    from collections.abc import Callable

_ORDERS: Final[dict[Operator, Callable[[Any, Any], Any]]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


def matches(text: str, asked: Compare) -> bool:
    """Return whether the text is as asked."""
    if asked.operator in POSITIVE:
        positive = Compare(asked.name, POSITIVE[asked.operator], asked.value, asked.kind, asked.ignores_case)
        return not matches(text, positive)
    value: Any = asked.value
    match asked.operator:
        case Operator.EQ:
            return bool(text == value)
        case Operator.INQ:
            return text in value
        case Operator.LIKE | Operator.ILIKE:
            return matches_like(text, value, ignores_case=asked.ignores_case or asked.operator is Operator.ILIKE)
        case Operator.REGEXP:
            return matches_regexp(text, value, ignores_case=asked.ignores_case)
    values = value if isinstance(value, tuple) else (value,)
    return None not in values and bool(is_ordered(text, asked))


def is_ordered(value: Any, asked: Compare) -> Any:
    """Return whether the value, or a column, lies as asked; the values that are asked for are of its kind."""
    if asked.operator is Operator.BETWEEN:
        low, high = cast("tuple[Any, Any]", asked.value)
        return (value >= low) & (value <= high)
    return _ORDERS[asked.operator](value, asked.value)
