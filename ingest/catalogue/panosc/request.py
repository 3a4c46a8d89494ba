"""What a client asks, parsed once: a filter of LoopBack 3, which PaNOSC's search API takes over.

https://loopback.io/doc/en/lb3/Querying-data.html. Values are turned into what their property holds, so that what
comes after compares like with like. All is bounded: depth, numbers of conditions and of inclusions, lengths.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeAlias

from ingest.catalogue.panosc.errors import InvalidFilterError
from ingest.catalogue.panosc.patterns import check_like, check_regexp
from ingest.catalogue.panosc.schema import MODELS, Kind, Model

MAX_LIMIT: Final = 1000
"""The most records of a list, and what is given where nobody says how many."""
MAX_SKIP: Final = 2**31
MAX_DEPTH: Final = 32
MAX_CONDITIONS: Final = 256
MAX_INCLUSIONS: Final = 32
MAX_VALUES: Final = 1000
"""Of one list of values."""
_BOUNDS: Final = 2
_SHOWN: Final = 200
"""Characters of what was wrong, to know it by."""
_LARGEST: Final = 1e300
_SPACES: Final = re.compile(r"[\s,]+")


class Operator(StrEnum):
    """How a property is compared with a value."""

    EQ = "eq"
    NEQ = "neq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    INQ = "inq"
    NIN = "nin"
    LIKE = "like"
    NLIKE = "nlike"
    ILIKE = "ilike"
    NILIKE = "nilike"
    REGEXP = "regexp"


LISTED: Final = frozenset({Operator.INQ, Operator.NIN, Operator.BETWEEN})
PATTERNS: Final = frozenset({Operator.LIKE, Operator.NLIKE, Operator.ILIKE, Operator.NILIKE})
POSITIVE: Final = {
    Operator.NEQ: Operator.EQ,
    Operator.NIN: Operator.INQ,
    Operator.NLIKE: Operator.LIKE,
    Operator.NILIKE: Operator.ILIKE,
}
"""What each operator denies that finds whatever another one does not."""

Value: TypeAlias = "str | float | int | bool | datetime | tuple[Any, ...] | None"


@dataclass(frozen=True, slots=True)
class Compare:
    """A property compared with a value; `kind` is None for one that the model does not have: nothing stands there."""

    name: str
    operator: Operator
    value: Value
    kind: Kind | None
    ignores_case: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one of the model's text properties, without regard to case; `%` and `_` stand for anything."""

    value: str


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts."""

    parts: tuple[Where, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the parts."""

    parts: tuple[Where, ...]


Where: TypeAlias = Compare | Text | Every | Some


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Related records that are wanted, too. Where it `is_required`, a record without any of them is left out."""

    relation: str
    scope: Filter
    is_required: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked of the records of one model. `fields` are those to show; None: all."""

    where: Where | None = None
    include: tuple[Inclusion, ...] = ()
    limit: int | None = None
    skip: int = 0
    order: tuple[tuple[str, bool], ...] = ()
    """Properties, and whether they fall."""
    fields: frozenset[str] | None = None
    query: str = ""


NOTHING_ASKED: Final = Filter()


def parse_filter(text: str | None, model: str) -> Filter:
    """Return what the JSON asks; raises InvalidFilterError."""
    return to_filter(_load(text), model)


def parse_where(text: str | None, model: str) -> Where | None:
    """Return what the JSON asks; raises InvalidFilterError."""
    return to_where(_load(text), model)


def to_filter(written: Any, model: str) -> Filter:
    """Return what a filter asks that is read already; raises InvalidFilterError."""
    return NOTHING_ASKED if written is None else _Parser().to_filter(written, MODELS[model], 0)


def to_where(written: Any, model: str) -> Where | None:
    """Return what a condition asks that is read already; raises InvalidFilterError."""
    return None if written is None else _Parser().to_where(written, MODELS[model], 0)


def _load(text: str | None) -> Any:
    if text is None or not text.strip():
        return None
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidFilterError("Value is not an object.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class _Parser:
    """One request; counts what is asked over all its levels."""

    def __init__(self) -> None:
        self._conditions = 0
        self._inclusions = 0

    def to_filter(self, written: Any, model: Model, depth: int) -> Filter:
        if not isinstance(written, dict):
            raise InvalidFilterError(f"The query filter {_show(written)} is not an object")
        _check_depth(depth)
        where = written.get("where")
        return Filter(
            where=None if where is None else self.to_where(where, model, depth + 1),
            include=tuple(self._to_inclusions(written.get("include"), model, depth + 1)),
            limit=_to_limit(written.get("limit")),
            skip=_to_skip(written.get("skip" if _is_something(written.get("skip")) else "offset")),
            order=_to_order(written.get("order"), model),
            fields=_to_fields(written.get("fields"), model),
            query=_to_words(written.get("query")),
        )

    def to_where(self, written: Any, model: Model, depth: int) -> Where:
        if not isinstance(written, dict):
            raise InvalidFilterError(f"The where clause {_show(written)} is not an object")
        _check_depth(depth)
        parts = [self._to_part(name, value, model, depth + 1) for name, value in written.items()]
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _to_part(self, name: str, value: Any, model: Model, depth: int) -> Where:
        self._conditions += 1
        if self._conditions > MAX_CONDITIONS:
            raise InvalidFilterError(f"A request has at most {MAX_CONDITIONS} conditions")
        if name in ("and", "or"):
            clauses = _to_list(value)
            if clauses is None:
                raise InvalidFilterError(
                    f"The {name} operator has invalid clauses {_show(value)}: Value is not an array"
                )
            parts = tuple(self.to_where(each, model, depth) for each in clauses)
            return Every(parts) if name == "and" else Some(parts)
        if name == "text" and name not in model.properties and isinstance(value, str):
            return Text(check_like(_to_text(value)))
        return _to_condition(name, value, model.properties.get(name))

    def _to_inclusions(self, written: Any, model: Model, depth: int) -> list[Inclusion]:
        _check_depth(depth)
        match written:
            case None:
                return []
            case str():
                return [self._to_inclusion(written, None, model, depth)]
            case list():
                return [each for item in written for each in self._to_inclusions(item, model, depth)]
            case dict() if (items := _to_list(written)) is not None:
                return self._to_inclusions(items, model, depth)
            case {"relation": str(name)} | {"rel": str(name)}:
                return [self._to_inclusion(name, written.get("scope"), model, depth)]
            case dict():
                return [self._to_inclusion(name, {"include": inner}, model, depth) for name, inner in written.items()]
        raise InvalidFilterError(f"The include {_show(written)} is neither a relation nor a list of them")

    def _to_inclusion(self, name: str, scope: Any, model: Model, depth: int) -> Inclusion:
        self._inclusions += 1
        if self._inclusions > MAX_INCLUSIONS:
            raise InvalidFilterError(f"A request has at most {MAX_INCLUSIONS} inclusions")
        relation = model.relations.get(name)
        if relation is None:
            known = ", ".join(model.relations) or "none"
            raise InvalidFilterError(
                f"Relation {_show(name)} is not defined for {model.name} model: its relations are {known}"
            )
        inner = NOTHING_ASKED if scope is None else self.to_filter(scope, MODELS[relation.model], depth + 1)
        is_required = inner.where is not None or any(each.is_required for each in inner.include)
        return Inclusion(name, inner, is_required)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidFilterError(f"A filter is at most {MAX_DEPTH} levels deep")


def _to_condition(name: str, written: Any, kind: Kind | None) -> Where:
    """Return the condition on one property; of several operators each must hold."""
    _to_text(name)
    if not isinstance(written, dict):
        return Compare(name, Operator.EQ, _to_value(name, Operator.EQ, written, kind), kind)
    options = written.get("options")
    operators = [key for key in written if key != "options"]
    if not operators or not set(operators) <= set(Operator):
        raise InvalidFilterError(
            f"The {name} property has invalid clause {_show(written)}: expected one of {', '.join(Operator)}"
        )
    ignores_case = isinstance(options, str) and "i" in options
    parts = [_to_compare(name, Operator(each), written[each], kind, ignores_case) for each in operators]
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def _to_compare(name: str, operator: Operator, given: Any, kind: Kind | None, ignores_case: bool) -> Compare:
    if operator is Operator.REGEXP:
        pattern, has_flag = check_regexp(name, given)
        return Compare(name, operator, pattern, kind, ignores_case or has_flag)
    return Compare(name, operator, _to_value(name, operator, given, kind), kind, ignores_case)


def _to_value(name: str, operator: Operator, written: Any, kind: Kind | None) -> Value:
    if operator in LISTED:
        values = _to_list(written)
        if values is None:
            raise InvalidFilterError(f"The {name} property has invalid clause {_show(written)}: Value is not an array")
        if operator is Operator.BETWEEN and len(values) != _BOUNDS:
            raise InvalidFilterError(
                f"The {name} property has invalid clause {_show(written)}: "
                f"Expected precisely 2 values, received {len(values)}"
            )
        if len(values) > MAX_VALUES:
            raise InvalidFilterError(f"The {name} property is given {len(values)} values, {MAX_VALUES} are the most")
        return tuple(to_comparable(name, each, kind) for each in values)
    if operator in PATTERNS:
        if not isinstance(written, str):
            raise InvalidFilterError(f"The {name} property has invalid clause {_show(written)}: Expected a string")
        return check_like(_to_text(written))
    return to_comparable(name, written, kind)


def to_comparable(name: str, written: Any, kind: Kind | None) -> Value:
    """Return the value as one of that kind; what can be none stays what it is, and is equal to none.

    Raises InvalidFilterError for what is no date where one is asked for.
    """
    if written is None:
        return None
    if isinstance(written, dict):
        raise InvalidFilterError(f"The {name} property has invalid clause {_show(written)}")
    if isinstance(written, list):
        written = ",".join("" if each is None else _write(each) for each in written)
    match kind:
        case Kind.TEXT | Kind.WORDS:
            return _to_text(_write(written))
        case Kind.NUMBER:
            number = to_number(written)
            return _to_text(_write(written)) if number is None else number
        case Kind.BOOLEAN:
            return {"true": True, "1": True, "false": False, "0": False}.get(_write(written), bool(written))
        case Kind.DATE:
            date = to_date(written)
            if date is None:
                raise InvalidFilterError(f"Invalid date: {_show(written)} of the {name} property")
            return date
        case _:
            return _to_text(written) if isinstance(written, str) else _to_finite(written)


def to_number(written: Any) -> float | None:
    """Return the number that is written, None if it is none."""
    if isinstance(written, str):
        if not written.strip():
            return 0.0
        try:
            number = float(written)
        except ValueError:
            return None
        written = None if math.isnan(number) or "_" in written else number
    return None if written is None else float(_to_finite(written))


def to_date(written: Any) -> datetime | None:
    """Return the instant: as ISO 8601 has it, in UTC where no zone is said, or milliseconds since 1970."""
    try:
        if isinstance(written, str):
            text = written.strip()
            date = datetime.fromisoformat({4: f"{text}-01-01", 7: f"{text}-01"}.get(len(text), text))
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
        return datetime.fromtimestamp(float(written) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _to_finite(number: Any) -> Any:
    """Return a number that every database takes; beyond it there is none to compare with."""
    if isinstance(number, bool):
        return number
    try:
        return max(-_LARGEST, min(_LARGEST, float(number)))
    except OverflowError:
        return -_LARGEST if number < 0 else _LARGEST


def _to_text(written: str) -> str:
    """Return the text; raises InvalidFilterError for what no database holds."""
    if "\x00" in written or any("\ud800" <= letter <= "\udfff" for letter in written):
        raise InvalidFilterError("A text holds a character that is none")
    return written


def _write(value: Any) -> str:
    """Return the value as JavaScript writes it, and so compares it with a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def _to_list(written: Any) -> list[Any] | None:
    """Return the list, also of an object with the keys 0, 1 ..., which LoopBack takes for one; None if it is none."""
    if isinstance(written, list):
        return written
    if isinstance(written, dict) and written and set(written) == {str(place) for place in range(len(written))}:
        return [written[str(place)] for place in range(len(written))]
    return None


def _is_something(written: Any) -> bool:
    """Return whether it is true as JavaScript has it, where an empty list or object is."""
    return bool(written) or isinstance(written, list | dict)


def _to_limit(written: Any) -> int | None:
    """Return the limit, None if there is none: 0 says so, too."""
    if not _is_something(written):
        return None
    limit = None if isinstance(written, list | dict) else to_number(written)
    if limit is None or limit <= 0 or not limit.is_integer():
        raise InvalidFilterError(f"The limit parameter {_show(written)} is not valid")
    return min(int(limit), MAX_LIMIT)


def _to_skip(written: Any) -> int:
    if not _is_something(written):
        return 0
    skip = None if isinstance(written, list | dict) else to_number(written)
    if skip is None or skip < 0 or not skip.is_integer():
        raise InvalidFilterError(f"The offset/skip parameter {_show(written)} is not valid")
    return min(int(skip), MAX_SKIP)


def _to_order(written: Any, model: Model) -> tuple[tuple[str, bool], ...]:
    """Return the properties to order by; one that the model does not have orders nothing."""
    if not _is_something(written):
        return ()
    order: list[tuple[str, bool]] = []
    for each in written if isinstance(written, list) else [written]:
        if not isinstance(each, str):
            raise InvalidFilterError(f"The order {_show(each)} is not valid")
        for token in filter(None, re.split(r"\s*,\s*", each.strip())):
            name, *direction = token.split()
            if direction and direction[0].upper() not in ("ASC", "DESC"):
                raise InvalidFilterError(f"The order {_show(token)} has invalid direction")
            if name in model.properties:
                order.append((name, bool(direction) and direction[0].upper() == "DESC"))
    if len(order) > MAX_INCLUSIONS:
        raise InvalidFilterError("The order has too many properties")
    return tuple(order)


def _to_fields(written: Any, model: Model) -> frozenset[str] | None:
    """Return the properties to show: those that are named, or all but those that are denied; None for all."""
    if not written:
        return None
    if isinstance(written, str):
        written = _SPACES.split(written)
    if isinstance(written, list):
        return frozenset(each for each in written if isinstance(each, str))
    if not isinstance(written, dict):
        raise InvalidFilterError(f"The fields {_show(written)} are neither a list nor an object")
    shown = {name for name, is_shown in written.items() if is_shown}
    return frozenset(shown or set(model.properties) - set(written))


def _to_words(written: Any) -> str:
    if written is None:
        return ""
    if not isinstance(written, str):
        raise InvalidFilterError(f"The query {_show(written)} is not a text")
    return _to_text(written).strip()


def _show(written: Any) -> str:
    text = json.dumps(written, ensure_ascii=True)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
