"""Which records are as asked, and in which order: their keys, of one page or beside each of their parents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, String, cast, func, literal, null, select, union_all

from ingest.catalogue.panosc.conditions import Context, to_conditions
from ingest.catalogue.panosc.request import MAX_LIMIT, Filter
from ingest.catalogue.panosc.sources import list_sources

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import FromClause

    from ingest.catalogue.panosc.sources import Path, Rows

Key: TypeAlias = tuple[str, Any]
"""A record: the name of its source, and its key there."""
Narrowing: TypeAlias = "Callable[[str, FromClause], ColumnElement[bool]]"
"""A further condition on the rows of a source."""


def list_keys(context: Context, model: str, asked: Filter, narrowing: Narrowing | None = None) -> list[Key]:
    """Return the page of those that are as asked."""
    statements = []
    for source in list_sources(model):
        rows = context.open(source)
        columns = (literal(source).label("source"), rows.c.key.label("key"), *_to_order_columns(rows, asked))
        statements.append(select(*columns).where(*_to_conditions(context, source, rows, asked, narrowing)))
    page = _to_ordered(statements, context, asked)
    limited = page.limit(asked.limit or MAX_LIMIT).offset(asked.skip)
    return [(row.source, row.key) for row in context.session.execute(limited)]


def count_keys(context: Context, model: str, asked: Filter, narrowing: Narrowing | None = None) -> int:
    """Return how many are as asked."""
    count = 0
    for source in list_sources(model):
        rows = context.open(source)
        conditions = _to_conditions(context, source, rows, asked, narrowing)
        count += context.session.scalar(select(func.count()).select_from(rows).where(*conditions)) or 0
    return count


def list_children(context: Context, path: Path, values: list[Any], asked: Filter) -> list[Any]:
    """Return rows of parent (a value of the path's column), source, key and what they are ordered by.

    They are as asked, as far as each parent's page reaches.
    """
    target = context.open(path.target)
    order = _to_order_columns(target, asked)
    conditions = to_conditions(context, path.target, target, asked)
    if path.link is None:
        parent, joined = target.c[path.target_column], target
    else:
        link = path.link.subquery()
        parent, joined = link.c.parent, link.join(target, target.c[path.target_column] == link.c.child)
    found = (
        select(parent.label("parent"), target.c.key.label("key"), *order)
        .select_from(joined)
        .where(parent.in_(values), *conditions)
        .subquery()
    )
    within = func.row_number().over(partition_by=found.c.parent, order_by=_to_order(context, found, asked))
    placed = select(found, within.label("place")).subquery()
    last = asked.skip + (asked.limit or MAX_LIMIT)
    return list(context.session.execute(select(placed).where(placed.c.place <= last).order_by(placed.c.place)))


def sort_children(rows: list[tuple[Key, Any]], asked: Filter) -> list[Key]:
    """Return the page of one parent's children that came along several paths: pairs of key and row."""
    rows.sort(key=lambda pair: pair[1].identity)
    for place, (_, is_falling) in reversed(list(enumerate(asked.order))):
        rows.sort(key=_to_sort_key(f"order{place}"), reverse=is_falling)
    keys = list(dict.fromkeys(key for key, _ in rows))
    return keys[asked.skip : asked.skip + (asked.limit or MAX_LIMIT)]


def _to_sort_key(name: str) -> Callable[[tuple[Key, Any]], Any]:
    def key(pair: tuple[Key, Any]) -> Any:
        value = getattr(pair[1], name)
        return (value is not None, value)

    return key


def _to_conditions(
    context: Context, source: str, rows: FromClause, asked: Filter, narrowing: Narrowing | None
) -> list[ColumnElement[bool]]:
    conditions = to_conditions(context, source, rows, asked)
    return conditions if narrowing is None else [*conditions, narrowing(source, rows)]


def _to_order_columns(rows: FromClause, asked: Filter) -> list[ColumnElement[Any]]:
    """Return the columns that records are ordered by, the last one what identifies them."""
    names = [name for name, _ in asked.order]
    columns = [rows.c.get(name, cast(null(), String)).label(f"order{place}") for place, name in enumerate(names)]
    identity = rows.c.pid if "pid" in rows.c else rows.c.id
    return [*columns, identity.label("identity")]


def _to_ordered(statements: list[Rows], context: Context, asked: Filter) -> Rows:
    """Return the records of all sources in order."""
    found = (statements[0] if len(statements) == 1 else union_all(*statements)).subquery()
    return select(found).order_by(*_to_order(context, found, asked))


def _to_order(context: Context, found: FromClause, asked: Filter) -> list[ColumnElement[Any]]:
    """Return the order: nothing comes first, and letters go by their code, as in JavaScript."""
    order = []
    for place, (_, is_falling) in enumerate(asked.order):
        column = _by_code(context, found.c[f"order{place}"])
        order.append(column.desc().nulls_last() if is_falling else column.asc().nulls_first())
    return [*order, _by_code(context, found.c.identity).asc()]


def _by_code(context: Context, column: ColumnElement[Any]) -> ColumnElement[Any]:
    is_text = isinstance(column.type, String) and context.dialect == "postgresql"
    return column.collate("C") if is_text else column
