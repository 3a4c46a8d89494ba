"""Records with what is related to them, read for a whole page at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from ingest.catalogue.panosc.errors import InvalidFilterError
from ingest.catalogue.panosc.parameters import Shown, to_parameter, to_shown
from ingest.catalogue.panosc.request import Filter, Inclusion, Some
from ingest.catalogue.panosc.schema import MODELS, Kind
from ingest.catalogue.panosc.selecting import Key, is_linked, list_children, list_keys, sort_children
from ingest.catalogue.panosc.sources import PATHS
from ingest.catalogue.panosc.terms import are_terms, find_panet_id, to_wanted
from ingest.catalogue.panosc.values import to_wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ingest.catalogue.panosc.conditions import Context

Record = dict[str, Any]

MAX_RELATED: Final = 50_000
"""The most records that one answer includes along one relation."""
_BATCH: Final = 500


def load_records(
    context: Context,
    model: str,
    keys: Sequence[Key],
    asked: Filter,
    shown: Mapping[int, Shown] | None = None,
    *,
    shows_all_parameters: bool = False,
) -> dict[Key, Record]:
    """Return the records by key, in the order of the keys, with what they are to include.

    `shows_all_parameters` where parameters that are asked for choose datasets, and do not choose among their
    parameters. Raises InvalidFilterError where more would be included than one answer holds.
    """
    rows = _load_rows(context, keys)
    records = {key: _to_record(context, model, rows[key], shown or {}) for key in keys if key in rows}
    _add_words(context, model, records)
    if asked.fields is not None:
        records = {key: {name: each[name] for name in each if name in asked.fields} for key, each in records.items()}
    for inclusions in _by_relation(asked.include):
        _include(context, model, rows, records, inclusions, shows_all_parameters=shows_all_parameters)
    return records


def _load_rows(context: Context, keys: Sequence[Key]) -> dict[Key, Any]:
    by_source: dict[str, list[Any]] = defaultdict(list)
    for source, key in keys:
        by_source[source].append(key)
    found: dict[Key, Any] = {}
    for source, own in by_source.items():
        rows = context.open(source)
        for batch in _to_batches(own):
            for row in context.session.execute(select(rows).where(rows.c.key.in_(batch))):
                found[source, row.key] = row
    return found


def _to_batches(values: list[Any]) -> Iterable[list[Any]]:
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


def _to_record(context: Context, model: str, row: Any, shown: Mapping[int, Shown]) -> Record:
    """Return the record; what nobody knows of it is left out."""
    if model == "Parameter":
        return to_parameter(row, context.types, shown)
    known = {name: getattr(row, name, None) for name in MODELS[model].properties}
    if model == "Technique":
        known["panetId"] = find_panet_id(row.name, row.pid)
    return {name: to_wire(value) for name, value in known.items() if value is not None}


def _add_words(context: Context, model: str, records: Mapping[Key, Record]) -> None:
    names = [name for name, kind in MODELS[model].properties.items() if kind is Kind.WORDS]
    for name in names:
        for source in {source for source, _ in records}:
            words = context.get_source(source).words[name]
            owners = [key for own, key in records if own == source]
            for batch in _to_batches(owners):
                statement = select(words.owner, words.text).where(words.owner.in_(batch), words.condition)
                for owner, text in context.session.execute(statement.order_by(words.text)):
                    records[source, owner].setdefault(name, []).append(text)


def _by_relation(inclusions: tuple[Inclusion, ...]) -> list[list[Inclusion]]:
    grouped: dict[str, list[Inclusion]] = defaultdict(list)
    for each in inclusions:
        grouped[each.relation].append(each)
    return list(grouped.values())


def _include(
    context: Context,
    model: str,
    rows: Mapping[Key, Any],
    records: Mapping[Key, Record],
    inclusions: list[Inclusion],
    *,
    shows_all_parameters: bool,
) -> None:
    """Leave the records with what they are related to; to many as a list, to one as itself if there is one."""
    name = inclusions[0].relation
    relation = MODELS[model].relations[name]
    wheres = [each.scope.where for each in inclusions if each.scope.where is not None]
    shown = to_shown(context.types, wheres) if relation.model == "Parameter" and wheres else {}
    scope = _merge(inclusions)
    if shows_all_parameters and relation.model == "Parameter":
        scope = replace(scope, where=None)
    if name == "techniques" and scope.where is not None and are_terms(scope.where):
        scope = replace(scope, where=to_wanted(scope.where))
    children = _list_children(context, model, name, rows, scope)
    unique = list(dict.fromkeys(key for own in children.values() for key in own))
    if len(unique) > MAX_RELATED:
        raise InvalidFilterError(f"More than {MAX_RELATED} {name} are to be included: give limits, or ask for fewer")
    related = load_records(context, relation.model, unique, scope, shown)
    for key, record in records.items():
        own = [related[each] for each in children.get(key, []) if each in related]
        if relation.is_many:
            record[name] = own
        elif own:
            record[name] = own[0]


def _merge(inclusions: list[Inclusion]) -> Filter:
    """Return what several inclusions of one relation want to see: what one of them wants."""
    first = inclusions[0].scope
    if len(inclusions) == 1:
        return first
    scopes = [each.scope for each in inclusions]
    wheres = tuple(scope.where for scope in scopes if scope.where is not None)
    return replace(
        first,
        where=Some(wheres) if len(wheres) == len(scopes) else None,
        include=tuple(each for scope in scopes for each in scope.include),
    )


def _list_children(
    context: Context, model: str, name: str, rows: Mapping[Key, Any], scope: Filter
) -> dict[Key, list[Key]]:
    """Return the keys of what each record is related to, in order."""
    found: dict[Key, list[tuple[Key, Any]]] = defaultdict(list)
    for path in PATHS[model, name]:
        if path.is_broad and path.link is not None:
            # One at a time, each as a list of its own: all together they are nearly all there are.
            target = MODELS[model].relations[name].model
            linked = {key: partial(is_linked, path.link, getattr(row, path.column)) for key, row in rows.items()}
            return {key: list_keys(context, target, scope, narrowing) for key, narrowing in linked.items()}
        parents: dict[Any, list[Key]] = defaultdict(list)
        for key, row in rows.items():
            value = getattr(row, path.column) if key[0] == path.source else None
            if value is not None:
                parents[value].append(key)
        for batch in _to_batches(list(parents)):
            for child in list_children(context, path, batch, scope):
                for parent in parents[child.parent]:
                    found[parent].append(((path.target, child.key), child))
    return {parent: sort_children(children, scope) for parent, children in found.items()}
