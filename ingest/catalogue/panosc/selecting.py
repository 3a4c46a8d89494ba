"""Which records are as asked, and in which order: their keys, of one page or beside each of their parents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import ColumnElement, String, and_, cast, func, literal, null, select, union_all

from ingest.catalogue.panosc.conditions import Context, to_conditions
from ingest.catalogue.panosc.request import MAX_LIMIT, Filter
from ingest.catalogue.panosc.sources import list_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import FromClause, Label

    from ingest.catalogue.panosc.sources import Path, Rows

Key: TypeAlias = tuple[str, Any]
"""A record: the name of its source, and its key there."""
Narrowing: TypeAlias = "Callable[[Context, str, FromClause], ColumnElement[bool]]"
"""A further condition on the rows of a source."""
_NEAR: Final = {"Dataset": (10, 200), "Document": (3,)}
"""How many times as many records as are wanted are looked at before one looks for all that are as asked."""
_NEAREST: Final = 5000


def list_keys(
    context: Context, model: str, asked: Filter, narrowing: Narrowing | None = None, *, is_broad: bool = True
) -> list[Key]:
    """Return the page of those that are as asked; `is_broad` unless the narrowing leaves only a few."""
    windows = _to_windows(model, asked, narrowing) if is_broad else []
    for window in windows:
        found = _read_page(context, _select_near(context, model, asked, narrowing, window), asked)
        if len(found) == (asked.limit or MAX_LIMIT):
            return found
    is_rare = bool(windows) and (_is_required(asked) or narrowing is not None)
    return _read_page(context, _select(context, model, asked, narrowing, is_rare=is_rare), asked)


def _read_page(context: Context, page: Rows, asked: Filter) -> list[Key]:
    limited = page.limit(asked.limit or MAX_LIMIT).offset(asked.skip)
    return [(row.source, row.key) for row in context.session.execute(limited)]


def _to_windows(model: str, asked: Filter, narrowing: Narrowing | None) -> list[int]:
    """Return among how many records, the first in order, the page is looked for before all are looked at.

    What many are like is found there at once; for what is rare it was in vain, and cost some milliseconds.
    """
    is_asked = _is_required(asked) or (model == "Dataset" and (asked.where is not None or narrowing is not None))
    is_walked = all(name == "creationDate" for name, _ in asked.order[:1])
    if not is_asked or not is_walked:
        return []
    wanted = asked.skip + (asked.limit or MAX_LIMIT)
    first, *more = [wanted * times for times in _NEAR.get(model, (_NEAREST,))]
    return [first, *(min(each, _NEAREST) for each in more)] if first <= _NEAREST else []


def _is_required(asked: Filter) -> bool:
    return any(each.is_required for each in asked.include)


def _select_near(context: Context, model: str, asked: Filter, narrowing: Narrowing | None, window: int) -> Rows:
    first = _select(context, model, Filter(order=asked.order)).limit(window).subquery()
    return _select(context.to_near(), model, asked, partial(_is_among, first, narrowing))


def _is_among(
    first: FromClause, narrowing: Narrowing | None, context: Context, source: str, rows: FromClause
) -> ColumnElement[bool]:
    is_first = rows.c.key.in_(select(first.c.key).where(first.c.source == source))
    return is_first if narrowing is None else and_(is_first, narrowing(context, source, rows))


def _select(
    context: Context, model: str, asked: Filter, narrowing: Narrowing | None = None, *, is_rare: bool = False
) -> Rows:
    """Select source and key of the records, in order: of an only source by its own columns, as an index may have it.

    What `is_rare` is to be found first and ordered then: nobody shall walk through all in the hope of filling a page.
    """
    statements, orders = [], []
    for source in list_sources(model):
        rows = context.open(source)
        found = select(literal(source).label("source"), rows.c.key.label("key"))
        statements.append(found.where(*_to_conditions(context, source, rows, asked, narrowing)))
        orders.append(_to_order_columns(context, rows, asked))
    if len(statements) == 1 and not is_rare:
        own = {column.name: column.element for column in orders[0]}
        return statements[0].order_by(*_to_order(context, own, asked))
    each = [found.add_columns(*order) for found, order in zip(statements, orders, strict=True)]
    records = (union_all(*each) if len(each) > 1 else each[0].offset(0)).subquery()
    return select(records).order_by(*_to_order(context, dict(records.c.items()), asked))


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
    order = _to_order_columns(context, target, asked)
    conditions = to_conditions(context.to_near(), path.target, target, asked)
    if path.link is None:
        parent, joined = target.c[path.target_column], target
    else:
        # Narrowed within: what is repeated is told apart for these alone.
        own = path.link.where(path.link.selected_columns.parent.in_(values))
        link = (own.distinct() if path.is_repeated else own).subquery()
        parent, joined = link.c.parent, link.join(target, target.c[path.target_column] == link.c.child)
    found = (
        select(parent.label("parent"), target.c.key.label("key"), *order)
        .select_from(joined)
        .where(parent.in_(values), *conditions)
        .subquery()
    )
    within = func.row_number().over(
        partition_by=found.c.parent, order_by=_to_order(context, dict(found.c.items()), asked)
    )
    placed = select(found, within.label("place")).subquery()
    last = asked.skip + (asked.limit or MAX_LIMIT)
    return list(context.session.execute(select(placed).where(placed.c.place <= last).order_by(placed.c.place)))


def is_linked(links: Rows, value: Any, context: Context, _source: str, rows: FromClause) -> ColumnElement[bool]:
    """Return whether the links tie the row to the value."""
    link = links.subquery()
    own = select(link.c.child).where(link.c.parent == value)
    if not context.is_near:
        return rows.c.key.in_(own)
    return own.where(link.c.child == rows.c.key).correlate(rows).exists()


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
    return conditions if narrowing is None else [*conditions, narrowing(context, source, rows)]


def _to_order_columns(context: Context, rows: FromClause, asked: Filter) -> list[Label[Any]]:
    """Return the columns that records are ordered by, the last one what identifies them."""
    columns = [
        _to_order_column(context, rows, name).label(f"order{place}") for place, (name, _) in enumerate(asked.order)
    ]
    identity = rows.c.pid if "pid" in rows.c else rows.c.id
    return [*columns, identity.label("identity")]


def _to_order_column(context: Context, rows: FromClause, name: str) -> ColumnElement[Any]:
    if name == "panetId":
        return context.techniques.to_panet_ids(rows.c.key)
    column: ColumnElement[Any] = rows.c.get(name, cast(null(), String))
    return column


def _to_order(context: Context, columns: Mapping[str, ColumnElement[Any]], asked: Filter) -> list[ColumnElement[Any]]:
    """Return the order: nothing comes first, and letters go by their code, as in JavaScript."""
    order = []
    for place, (_, is_falling) in enumerate(asked.order):
        column = _by_code(context, columns[f"order{place}"])
        order.append(column.desc().nulls_last() if is_falling else column.asc().nulls_first())
    return [*order, _by_code(context, columns["identity"]).asc()]


def _by_code(context: Context, column: ColumnElement[Any]) -> ColumnElement[Any]:
    is_text = isinstance(column.type, String) and context.dialect == "postgresql"
    return column.collate("C") if is_text else column
