"""Where numbers lie in Elasticsearch, and how they are asked for there.

Amounts and the parameters of the vocabulary have fields of their own, `parameter.<name>.lowest`. Whatever else files
contain is a nested object of its name and the same fields (`number.lowest`): a field for each such name would be a
mapping that grows, and that one file with ten thousand names breaks.
"""

from __future__ import annotations

import sys
from functools import cache
from hashlib import blake2b
from math import copysign, inf
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.entries import Numbers, to_parts
from ingest.catalogue.search.keys import to_facet_value
from ingest.catalogue.search.nouns import AMOUNT_UNITS
from ingest.catalogue.vocabulary import ValueType, load_vocabulary

if TYPE_CHECKING:
    from ingest.catalogue.search.query import ParameterRange

Clause = dict[str, Any]

NESTED: Final = "number"
"""Where the numbers lie of parameters that the vocabulary has not."""
_FIELDS: Final = "parameter"
_PARTS: Final = {part: {"type": "double"} for part in Numbers._fields}


@cache
def list_known() -> frozenset[str]:
    """Return the names that have fields of their own: the same for every index of this release."""
    numeric = (each.name for each in load_vocabulary().values() if each.value_type is ValueType.NUMERIC)
    return frozenset({*AMOUNT_UNITS, *numeric})


@cache
def to_digest() -> str:
    """Return what tells these names from those of another release."""
    return blake2b("\n".join(sorted(list_known())).encode(), digest_size=4).hexdigest()


def to_properties() -> dict[str, Any]:
    """Return the part of the mapping that holds numbers."""
    return {
        _FIELDS: {"properties": {name: {"properties": _PARTS} for name in sorted(list_known())}},
        NESTED: {"type": "nested", "properties": {"name": {"type": "keyword"}} | _PARTS},
    }


def to_numbers(numbers: dict[str, Numbers]) -> dict[str, Any]:
    """Return the part of an entry that holds numbers."""
    held = {name: to_parts(each, to_number) for name, each in numbers.items()}
    return {
        _FIELDS: {name: parts for name, parts in held.items() if name in list_known()},
        NESTED: [{"name": to_facet_value(name)} | parts for name, parts in held.items() if name not in list_known()],
    }


def to_number(value: float) -> float:
    """Return the number within what JSON can say: infinity is the largest one."""
    # 0.0, since Lucene sorts -0.0 before it.
    return min(max(value, -sys.float_info.max), sys.float_info.max) + 0.0


def from_number(value: float) -> float:
    """Return the number that `to_number` wrote."""
    return copysign(inf, value) if abs(value) == sys.float_info.max else value


def to_path(name: str, part: str) -> str:
    """Return the field where that part of the parameter's numbers lies."""
    return f"{_FIELDS}.{name}.{part}" if name in list_known() else f"{NESTED}.{part}"


def having_number(name: str, part: str = "lowest") -> Clause:
    """Return the clause of the documents that have that part of a number under this name."""
    return _within(name, {"exists": {"field": to_path(name, part)}})


def in_range(asked: ParameterRange) -> Clause:
    """Return the clause of documents with a value inside or a range that overlaps; it is not for empty ranges."""
    above: dict[str, float] = {}
    below: dict[str, float] = {}
    if asked.low is not None:
        above["gte" if asked.includes_low else "gt"] = to_number(asked.low)
    if asked.high is not None:
        below["lte" if asked.includes_high else "lt"] = to_number(asked.high)
    if not above | below:
        return having_number(asked.name)
    lowest, listed, highest = (to_path(asked.name, part) for part in _PARTS)
    shoulds: list[Clause] = [{"range": {lowest: above | below}}]
    if above:
        overlap: list[Clause] = [{"range": {highest: above}}, {"range": {lowest: below}}]
        shoulds += [{"range": {listed: above | below}}, {"bool": {"filter": overlap if below else overlap[:1]}}]
    return _within(asked.name, {"bool": {"should": shoulds, "minimum_should_match": 1}})


def order_by(name: str, part: str, order: str) -> dict[str, Any]:
    """Return the order of hits by that part of the numbers under this name."""
    nested = {} if name in list_known() else {"nested": {"path": NESTED, "filter": _to_name(name)}}
    return {to_path(name, part): {"order": order, **nested}}


def wrap_aggregations(name: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """Return what counts the numbers under this name alone; `unwrap_aggregations` takes it off the answer."""
    if name in list_known():
        return wanted
    named = {"filter": _to_name(name), "aggs": wanted}
    return {"numbers": {"nested": {"path": NESTED}, "aggs": {"named": named}}}


def unwrap_aggregations(name: str, answered: dict[str, Any]) -> dict[str, Any]:
    """Return the answers to what was wrapped."""
    found: dict[str, Any] = answered if name in list_known() else answered["numbers"]["named"]
    return found


def _within(name: str, clause: Clause) -> Clause:
    """Return the clause of the documents of which the numbers under this name fulfil that one."""
    if name in list_known():
        return clause
    query = {"bool": {"filter": [_to_name(name), clause]}}
    return {"nested": {"path": NESTED, "query": query, "score_mode": "none"}}


def _to_name(name: str) -> Clause:
    return {"term": {f"{NESTED}.name": to_facet_value(name)}}
