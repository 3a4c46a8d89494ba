"""Techniques that are asked for by terms of an ontology: what is narrower is found, too.

https://github.com/panosc-eu/search-api, doc/dataset-techniques-requirements.md, says what is meant. A condition on a
technique's name or identifier stands for the term and all that fall under it. Where all conditions name terms, they
are on the dataset: each of several must be met by one of its techniques, and what is denied by none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from sqlalchemy import ColumnElement, String, and_, case, cast, false, func, not_, null, or_, select, true

from ingest.catalogue.model import Technique
from ingest.catalogue.panosc.matching import matches
from ingest.catalogue.panosc.request import POSITIVE, Compare, Every, Operator, Some, Where
from ingest.catalogue.technique_terms import PANET, ancestors, find_technique, load_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from ingest.catalogue.technique_terms import TechniqueTerm

_NAMED: Final = frozenset({Operator.EQ, Operator.INQ})
_PATTERNS: Final = frozenset({Operator.LIKE, Operator.ILIKE, Operator.REGEXP})
_NAMES: Final = frozenset({"name", "pid", "panetId"})


@dataclass(frozen=True, slots=True)
class _Known:
    """A technique of the catalogue; `terms` are its own and all broader ones, none if no ontology has it."""

    id: int
    panet_id: str | None
    terms: frozenset[str]


class Techniques:
    """The techniques of the catalogue, read once for a request: some hundreds at most."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def all(self) -> tuple[_Known, ...]:
        """All of them."""
        rows = self._session.execute(select(Technique.id, Technique.name, Technique.pid))
        return tuple(_to_known(row.id, row.name, row.pid) for row in rows)

    def list_ids(self, terms: set[str]) -> list[int]:
        """Return the techniques that are one of the terms, or fall under one."""
        return [known.id for known in self.all if known.terms & terms]

    def list_by_panet_id(self, asked: Compare) -> list[int]:
        """Return the techniques whose PaNET identifier is as asked."""
        is_none_asked = asked.value is None or (isinstance(asked.value, tuple) and None in asked.value)
        is_none_asked = is_none_asked and asked.operator in _NAMED
        return [
            known.id
            for known in self.all
            if (is_none_asked if known.panet_id is None else asked.value is not None and matches(known.panet_id, asked))
        ]

    def to_panet_ids(self, key: ColumnElement[int]) -> ColumnElement[str | None]:
        """Return the PaNET identifier of the technique of that key as SQL: no column has it."""
        ids = {known.id: known.panet_id for known in self.all if known.panet_id is not None}
        return case(ids, value=key) if ids else cast(null(), String)


def to_technique_condition(
    techniques: Techniques,
    key: ColumnElement[int],
    asked: Compare,
    compare: Callable[[Compare], ColumnElement[bool]],
) -> ColumnElement[bool]:
    """Return the condition on a technique of that key; `compare` makes the one that knows of no terms."""
    if asked.operator in POSITIVE:
        return not_(func.coalesce(to_technique_condition(techniques, key, _to_positive(asked), compare), false()))
    terms = _find_terms(asked)
    plain = key.in_(techniques.list_by_panet_id(asked)) if asked.name == "panetId" else compare(asked)
    return or_(plain, key.in_(techniques.list_ids(terms))) if terms else plain


def find_panet_id(name: str, pid: str | None) -> str | None:
    """Return the PaNET term of a technique of that name and identifier, None if there is none."""
    term = _find_term(name, pid)
    return term.pid if term is not None and term.pid.startswith(PANET) else None


def _find_term(name: str, pid: str | None) -> TechniqueTerm | None:
    return (find_technique(pid) if pid else None) or find_technique(name)


def _to_known(technique_id: int, name: str, pid: str | None) -> _Known:
    term = _find_term(name, pid)
    terms = () if term is None else (term.pid, *(above.pid for above in ancestors(term.pid)))
    return _Known(technique_id, find_panet_id(name, pid), frozenset(terms))


def are_terms(where: Where) -> bool:
    """Return whether all conditions name terms."""
    return all(_names_terms(leaf) for leaf in _walk(where))


def to_dataset_condition(where: Where, has: Callable[[Where], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the condition on a dataset; `has` makes the one that it has such a technique."""
    match where:
        case Every(parts):
            return and_(true(), *(to_dataset_condition(part, has) for part in parts))
        case Some(parts):
            return or_(false(), *(to_dataset_condition(part, has) for part in parts))
        case Compare() if where.operator in POSITIVE:
            return not_(has(_to_positive(where)))
    return has(where)


def to_wanted(where: Where) -> Where | None:
    """Return which techniques of a dataset that was found are what was asked for; None for all."""
    wanted = tuple(leaf for leaf in _walk(where) if isinstance(leaf, Compare) and leaf.operator not in POSITIVE)
    return Some(wanted) if wanted else None


def _walk(where: Where) -> Iterator[Where]:
    if isinstance(where, Every | Some):
        for part in where.parts:
            yield from _walk(part)
    else:
        yield where


def _to_positive(asked: Compare) -> Compare:
    return replace(asked, operator=POSITIVE[asked.operator])


def _names_terms(leaf: Where) -> bool:
    if not isinstance(leaf, Compare) or leaf.name not in _NAMES:
        return False
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    is_named = POSITIVE.get(leaf.operator, leaf.operator) in _NAMED
    return is_named and bool(values) and all(isinstance(each, str) and find_technique(each) for each in values)


def _find_terms(asked: Compare) -> set[str]:
    """Return the terms that are named, or whose names are like what is asked."""
    if asked.name not in _NAMES:
        return set()
    if asked.operator in _NAMED:
        values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
        found = (find_technique(each) for each in values if isinstance(each, str))
        return {term.pid for term in found if term is not None}
    if asked.operator in _PATTERNS and asked.name == "name":
        return {term.pid for term in load_terms().values() if matches(term.label, asked)}
    return set()
