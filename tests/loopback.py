"""LoopBack 3's filters over records in memory, as its memory connector and PaNOSC's reference server answer them.

Written apart from the catalogue's own, and plainly, to compare the two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from ingest.catalogue.panosc.schema import MODELS, Kind

Record = dict[str, Any]
World = dict[str, list[Record]]
"""All records by model. A relation holds the identifiers of what is related."""


def find(world: World, model: str, asked: dict[str, Any]) -> list[Record]:
    """Return the records as they are answered, without scores."""
    found = [each for each in world[model] if is_as_asked(world, model, each, asked)]
    found = to_page(model, found, asked)
    return [show(world, model, each, asked, is_top=True) for each in found]


def count(world: World, model: str, where: dict[str, Any]) -> int:
    return sum(holds(model, each, where) for each in world[model])


def is_as_asked(world: World, model: str, record: Record, asked: dict[str, Any]) -> bool:
    """Return whether the filter's condition holds, and what must be related to it is."""
    if asked.get("where") is not None and not holds(model, record, asked["where"]):
        return False
    for inclusion in asked.get("include", []):
        scope = inclusion.get("scope", {})
        if is_required(scope) and not list_related(world, model, record, inclusion["relation"], scope):
            return False
    return True


def is_required(scope: dict[str, Any]) -> bool:
    return scope.get("where") is not None or any(
        is_required(each.get("scope", {})) for each in scope.get("include", [])
    )


def list_related(world: World, model: str, record: Record, relation: str, scope: dict[str, Any]) -> list[Record]:
    target = MODELS[model].relations[relation].model
    name = identity(target)
    related = [each for each in world[target] if each[name] in record[f"#{relation}"]]
    return [each for each in related if is_as_asked(world, target, each, scope)]


def identity(model: str) -> str:
    return "pid" if "pid" in MODELS[model].properties else "id"


def to_page(model: str, found: list[Record], asked: dict[str, Any]) -> list[Record]:
    order = asked.get("order", [])
    found = sorted(found, key=lambda each: each[identity(model)])
    for each in reversed([order] if isinstance(order, str) else order):
        name, direction = each.split()

        def key(record: Record, name: str = name) -> Any:
            return (record.get(name) is not None, record.get(name))

        found.sort(key=key, reverse=direction == "DESC")
    skip = asked.get("skip", 0)
    return found[skip : skip + (asked.get("limit") or len(found))]


def show(world: World, model: str, record: Record, asked: dict[str, Any], *, is_top: bool = False) -> Record:
    """Return the record with what is included; of a found dataset all parameters, whichever found it."""
    shown = {name: value for name, value in record.items() if not name.startswith("#")}
    for inclusion in asked.get("include", []):
        relation, scope = inclusion["relation"], inclusion.get("scope", {})
        if is_top and model == "Dataset" and relation == "parameters":
            scope = {}
        target = MODELS[model].relations[relation]
        related = to_page(target.model, list_related(world, model, record, relation, scope), scope)
        answers = [show(world, target.model, each, scope) for each in related]
        if target.is_many:
            shown[relation] = answers
        elif answers:
            shown[relation] = answers[0]
    return shown


def holds(model: str, record: Record, where: dict[str, Any]) -> bool:
    return all(_holds_part(model, record, name, value) for name, value in where.items())


def _holds_part(model: str, record: Record, name: str, asked: Any) -> bool:
    if name == "and":
        return all(holds(model, record, each) for each in asked)
    if name == "or":
        return any(holds(model, record, each) for each in asked)
    if name == "text":
        return any(matches(record.get(each), {"ilike": f"%{asked}%"}) for each in MODELS[model].text)
    kind = MODELS[model].properties.get(name)
    value = record.get(name)
    if isinstance(value, list):
        return any(matches(each, asked, kind) for each in value)
    return matches(value, asked, kind)


POSITIVE = {"neq": "eq", "nin": "inq", "nlike": "like", "nilike": "ilike"}


def matches(value: Any, asked: Any, kind: Kind | None = None) -> bool:
    """Return whether a value is as asked; None is nothing."""
    if not isinstance(asked, dict):
        asked = {"eq": asked}
    ((operator, wanted),) = asked.items()
    if operator in POSITIVE:
        return not matches(value, {POSITIVE[operator]: wanted}, kind)
    if operator in ("like", "ilike", "regexp"):
        return value is not None and _is_like(value, operator, wanted)
    if operator == "inq":
        return any(matches(value, each, kind) for each in wanted)
    if operator == "between":
        return matches(value, {"gte": wanted[0]}, kind) and matches(value, {"lte": wanted[1]}, kind)
    return _compares(operator, _coerce(value, kind), _coerce(wanted, kind))


def _compares(operator: str, known: Any, wanted: Any) -> bool:
    if operator == "eq":
        return bool(known == wanted) or (isinstance(wanted, str) and _is_number(known, wanted))
    if known is None or wanted is None or isinstance(known, str) != isinstance(wanted, str):
        return False
    orders = {"gt": known > wanted, "gte": known >= wanted, "lt": known < wanted, "lte": known <= wanted}
    return bool(orders[operator])


def _is_number(known: Any, wanted: Any) -> bool:
    """Return whether what is known is a number, and the text writes it."""
    try:
        return not isinstance(known, str) and float(known) == float(wanted)
    except (TypeError, ValueError):
        return False


def _is_like(value: Any, operator: str, wanted: str) -> bool:
    if operator == "regexp":
        return isinstance(value, str) and re.search(wanted, value) is not None
    signs = re.findall(r"\\.|.", wanted, re.DOTALL)
    pattern = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign[-1])) for sign in signs)
    return re.search(pattern, str(value), re.IGNORECASE if operator == "ilike" else 0) is not None


def _coerce(value: Any, kind: Kind | None) -> Any:
    if value is None:
        return None
    if kind is Kind.NUMBER and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    if kind is Kind.DATE:
        date = datetime.fromisoformat(value)
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    if kind in (Kind.TEXT, Kind.WORDS) and not isinstance(value, str):
        return str(value)
    return value
