"""A client's conditions as SQL, in one place: what a property is compared with, texts, and records that must be there.

LoopBack's memory connector says what is meant where its manual does not: nothing (null) is equal to nothing alone, and
is whatever another value is not. Related records that must be there are looked for from their end, once for the whole
statement, so that a rare one is found as fast among a million datasets as among ten; or, of a few records, beside each.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, false, func, literal_column, not_, or_, select, true, union_all

from ingest.catalogue.panosc.matching import is_ordered
from ingest.catalogue.panosc.parameters import ParameterTypes, to_parameter_condition
from ingest.catalogue.panosc.patterns import is_found, is_like
from ingest.catalogue.panosc.request import POSITIVE, Compare, Every, Filter, Operator, Some, Text, Where
from ingest.catalogue.panosc.schema import MODELS, Kind
from ingest.catalogue.panosc.sources import PATHS, Other, Path, Source, Words, make_source
from ingest.catalogue.panosc.terms import Techniques, are_terms, to_dataset_condition, to_technique_condition

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import FromClause
    from sqlalchemy.orm import Session

    from ingest.catalogue.panosc.request import Inclusion
    from ingest.catalogue.panosc.sources import Rows

_KEY: Final = re.compile(r"[1-9][0-9]{0,17}")
"""One of our own numbers, as it is written."""


@dataclass
class Context:
    """What one request is answered from."""

    session: Session
    now: datetime
    is_near: bool = False
    """Whether related records are looked for beside each record, which is fast where few records are looked at."""
    _sources: dict[str, Source] = field(default_factory=dict)

    def to_near(self) -> Context:
        """Return the same for conditions on few records; what is looked up is looked up once."""
        near = copy(self)
        near.__dict__ |= {"is_near": True, "types": self.types, "techniques": self.techniques}
        return near

    @cached_property
    def dialect(self) -> str:
        """The name of the database."""
        return self.session.get_bind().dialect.name

    @cached_property
    def types(self) -> ParameterTypes:
        """The parameter types, looked up if they are asked for."""
        return ParameterTypes(self.session)

    @cached_property
    def techniques(self) -> Techniques:
        """The techniques that an ontology knows, looked up if they are asked for."""
        return Techniques(self.session)

    def get_source(self, name: str) -> Source:
        """Return the source, as it is at this instant; made once."""
        if name not in self._sources:
            self._sources[name] = make_source(name, self.now, self.dialect)
        return self._sources[name]

    def open(self, name: str) -> FromClause:
        """Return the source, to be named once in a statement."""
        return self.get_source(name).statement.subquery()


def to_conditions(context: Context, source: str, rows: FromClause, asked: Filter) -> list[ColumnElement[bool]]:
    """Return what must hold of the rows of a source: the filter's own condition, and that what is required is there."""
    conditions = [] if asked.where is None else [to_condition(context, source, rows, asked.where)]
    model = context.get_source(source).model
    return conditions + [_requires(context, model, source, rows, each) for each in asked.include if each.is_required]


def to_condition(context: Context, source: str, rows: FromClause, where: Where) -> ColumnElement[bool]:
    """Return the condition on the rows of a source."""
    model = MODELS[context.get_source(source).model]
    if model.name == "Parameter":
        return to_parameter_condition(
            context.types, rows, where, lambda each: _compare(context, source, rows, each), is_near=context.is_near
        )
    match where:
        case Every(parts):
            return and_(true(), *(to_condition(context, source, rows, part) for part in parts))
        case Some(parts):
            return or_(false(), *(to_condition(context, source, rows, part) for part in parts))
        case Text(value):
            fields = [Compare(name, Operator.ILIKE, value, Kind.TEXT) for name in model.text]
            return or_(false(), *(_to_leaf(context, source, rows, each) for each in fields))
        case Compare():
            return _to_leaf(context, source, rows, where)


def _to_leaf(context: Context, source: str, rows: FromClause, asked: Compare) -> ColumnElement[bool]:
    if source != "technique":
        return _compare(context, source, rows, asked)
    return to_technique_condition(
        context.techniques, rows.c.key, asked, lambda each: _compare(context, source, rows, each)
    )


def _requires(context: Context, model: str, source: str, rows: FromClause, inclusion: Inclusion) -> ColumnElement[bool]:
    """Return the condition that one of the related records, at least, is as the inclusion wants them."""
    where = inclusion.scope.where
    if inclusion.relation == "techniques" and where is not None and are_terms(where):

        def has(part: Where) -> ColumnElement[bool]:
            return _has_related(context, model, source, rows, inclusion.relation, replace(inclusion.scope, where=part))

        return to_dataset_condition(where, has)
    return _has_related(context, model, source, rows, inclusion.relation, inclusion.scope)


def _has_related(
    context: Context, model: str, source: str, rows: FromClause, relation: str, asked: Filter
) -> ColumnElement[bool]:
    paths = [path for path in PATHS[model, relation] if path.source == source]
    if not paths:
        return false()
    if context.is_near:
        return or_(*(_has_near(context, path, rows, asked) for path in paths))
    columns = {path.column for path in paths}
    if len(columns) == 1:
        found = [_select_parents(context, path, asked) for path in paths]
        return rows.c[columns.pop()].in_(union_all(*found) if len(found) > 1 else found[0])
    return or_(*(rows.c[path.column].in_(_select_parents(context, path, asked)) for path in paths))


def _select_parents(context: Context, path: Path, asked: Filter) -> Rows:
    """Select the values of the path's column of those that have such a record at its end."""
    target = context.open(path.target)
    conditions = to_conditions(context, path.target, target, asked)
    if path.link is None:
        return select(target.c[path.target_column]).where(*conditions, target.c[path.target_column].is_not(None))
    # Those at the end first, of which there are few: joined, a database that knows no sizes begins with the links.
    link = path.link.subquery()
    return select(link.c.parent).where(link.c.child.in_(select(target.c[path.target_column]).where(*conditions)))


def _has_near(context: Context, path: Path, rows: FromClause, asked: Filter) -> ColumnElement[bool]:
    """Return whether there is such a record at the path's end, looked for from the row."""
    target = context.open(path.target)
    conditions = to_conditions(context, path.target, target, asked)
    if path.link is None:
        tie, joined = target.c[path.target_column] == rows.c[path.column], target
    else:
        link = path.link.subquery()
        tie = link.c.parent == rows.c[path.column]
        joined = link.join(target, target.c[path.target_column] == link.c.child)
    return select(literal_column("1")).select_from(joined).where(tie, *conditions).correlate(rows).exists()


def _compare(context: Context, source: str, rows: FromClause, asked: Compare) -> ColumnElement[bool]:
    words = context.get_source(source).words.get(asked.name)
    if words is not None:
        return _compare_words(context, words, rows, asked)
    other = context.get_source(source).others.get(asked.name)
    if other is not None:
        return _compare_other(context, other, rows, asked)
    if (source, asked.name) == ("dataset", "pid") and asked.operator in (Operator.EQ, Operator.INQ):
        return _has_pid(rows, asked)
    column = rows.c.get(asked.name) if asked.kind is not None else None
    if column is None:
        return _compare_nothing(asked)
    return compare_column(column, asked, context.dialect)


def _has_pid(rows: FromClause, asked: Compare) -> ColumnElement[bool]:
    """Return whether the dataset is one of those: by two indexes, where all datasets would have to be looked at."""
    values = [value for value in (_values(asked) or (asked.value,)) if isinstance(value, str)]
    keys = [int(value) for value in values if _KEY.fullmatch(value)]
    by_doi = rows.c.doi.in_(values) if values else false()
    by_key = and_(rows.c.key.in_(keys), rows.c.doi.is_(None)) if keys else false()
    return or_(by_key, and_(rows.c.doi.is_not(None), by_doi))


def _compare_other(context: Context, other: Other, rows: FromClause, asked: Compare) -> ColumnElement[bool]:
    """Return the condition on what another table says: asked there, of some hundreds, and not for each of the rows."""
    if asked.operator in POSITIVE:
        return _deny(_compare_other(context, other, rows, replace(asked, operator=POSITIVE[asked.operator])))
    values = _values(asked) if asked.operator is Operator.INQ else (asked.value,)
    is_none_asked = asked.operator in (Operator.EQ, Operator.INQ) and None in values
    if asked.operator is Operator.INQ:
        asked = replace(asked, value=tuple(value for value in values if value is not None))
    keys = select(other.key).where(compare_column(other.value, asked, context.dialect))
    column = rows.c[other.column]
    has_one = rows.c.key.in_(other.far(keys)) if other.far is not None and not context.is_near else column.in_(keys)
    return or_(has_one, column.is_(None)) if is_none_asked else has_one


def _compare_words(context: Context, words: Words, rows: FromClause, asked: Compare) -> ColumnElement[bool]:
    """Return the condition that one of the words is as asked, or there is none and nothing is as asked."""
    own = select(words.owner).where(words.owner == rows.c.key, words.condition).correlate(rows)
    has_one = own.where(compare_column(words.text, asked, context.dialect)).exists()
    return or_(has_one, and_(_compare_nothing(asked), not_(own.exists())))


def _compare_nothing(asked: Compare) -> ColumnElement[bool]:
    """Return whether nothing is as asked."""
    match asked.operator:
        case Operator.EQ:
            return true() if asked.value is None else false()
        case Operator.NEQ:
            return false() if asked.value is None else true()
        case Operator.INQ:
            return true() if None in _values(asked) else false()
        case Operator.NIN:
            return false() if None in _values(asked) else true()
        case Operator.NLIKE | Operator.NILIKE:
            return true()
    return false()


def compare_column(column: ColumnElement[Any], asked: Compare, dialect: str) -> ColumnElement[bool]:
    """Return the condition on a column: bare, so that an index may answer it, and null where it holds nothing."""
    if asked.operator in POSITIVE:
        positive = Compare(asked.name, POSITIVE[asked.operator], asked.value, asked.kind, asked.ignores_case)
        return _deny(compare_column(column, positive, dialect))
    match asked.operator:
        case Operator.EQ:
            return column.is_(None) if asked.value is None else _is_one_of(column, (asked.value,), asked.kind)
        case Operator.INQ:
            values = tuple(value for value in _values(asked) if value is not None)
            found = _is_one_of(column, values, asked.kind)
            return or_(found, column.is_(None)) if None in _values(asked) else found
        case Operator.LIKE | Operator.ILIKE:
            is_folded = asked.ignores_case or asked.operator is Operator.ILIKE
            return is_like(column, str(asked.value), dialect, ignores_case=is_folded)
        case Operator.REGEXP:
            return is_found(column, str(asked.value), dialect, ignores_case=asked.ignores_case)
    return _is_ordered(column, asked)


def _deny(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the opposite; what is neither true nor false is not true."""
    return not_(func.coalesce(condition, false()))


def _is_one_of(column: ColumnElement[Any], values: tuple[Any, ...], kind: Kind | None) -> ColumnElement[bool]:
    """Return whether it is one of the values; a text is no number, and so equal to none."""
    fitting = [value for value in values if not (kind is Kind.NUMBER and isinstance(value, str))]
    if not fitting:
        return false()
    if kind is Kind.BOOLEAN:
        return or_(*(column.is_(bool(value)) for value in set(fitting)))
    return column.in_(fitting) if len(fitting) > 1 else column == fitting[0]


def _is_ordered(column: ColumnElement[Any], asked: Compare) -> ColumnElement[bool]:
    values = _values(asked) if asked.operator is Operator.BETWEEN else (asked.value,)
    is_mixed = asked.kind is Kind.NUMBER and any(isinstance(value, str) for value in values)
    if is_mixed or any(value is None for value in values):
        return false()
    if asked.kind is Kind.BOOLEAN:
        return or_(false(), *(column.is_(truth) for truth in (False, True) if is_ordered(truth, asked)))
    found: ColumnElement[bool] = is_ordered(column, asked)
    return found


def _values(asked: Compare) -> tuple[Any, ...]:
    return asked.value if isinstance(asked.value, tuple) else ()
