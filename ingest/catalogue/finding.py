"""Searching the datasets: what is asked is parsed once, answered by the index, and shown from the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy import and_, bindparam, exists, select

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.highlights import to_highlights
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import Dataset, DatasetParameter, ParameterType
from ingest.catalogue.search import (
    And,
    AnyOf,
    Column,
    ColumnSort,
    DatasetIndex,
    DateRange,
    Elements,
    FacetRequest,
    FieldMatch,
    FieldSort,
    Instant,
    Not,
    Noun,
    NumberSort,
    Or,
    ParameterRange,
    Phrase,
    Query,
    SearchRequest,
    Sort,
    TextSort,
    Word,
    parse_query,
    resolve,
)
from ingest.catalogue.search.folding import fold
from ingest.catalogue.search.nouns import AMOUNT_ALIASES, AMOUNT_UNITS, to_field
from ingest.catalogue.search.query import Place, join_all
from ingest.catalogue.search.resolve import find_by_alias, get_parameter_name
from ingest.catalogue.summaries import load_summaries
from ingest.catalogue.units import DimensionError, UnknownUnitError, convert
from ingest.catalogue.views import DatasetPage, Hit
from ingest.catalogue.visibility import Viewer, may_find, to_index_filter
from ingest.catalogue.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

Node = TypeVar("Node", ParameterRange, DateRange, Elements)
_UNITS: Final = select(ParameterType.id, ParameterType.name, ParameterType.units)
_UNITS_BY_NAME: Final = _UNITS.where(ParameterType.name.in_(bindparam("names", expanding=True)))
_ORDERS: Final = (*Noun, *Column)
_EXAMPLES: Final[dict[type[Query], str]] = {
    ParameterRange: "energy:12..13 keV",
    DateRange: "2025-01..2025-03",
    Elements: "Fe,O",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuestion:
    """What a person asks; all parts are and-ed.

    `filters` name values of a noun, compared whole, one of which is enough. `parameters` are ranges as text,
    `energy:12..13 keV`; `elements` are symbols by commas, `Fe,O`, behind a `=` no others; `dates` are dates, periods or
    spans as text, `2025-03..`. No `sort`: by relevance if there are words, else the newest first.
    """

    text: str = ""
    filters: Mapping[Noun, tuple[str, ...]] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    elements: str = ""
    dates: Mapping[Instant, str] = field(default_factory=dict)
    facets: tuple[Noun, ...] = ()
    facets_ignore_own: bool = False
    """Each facet counts what would be found without the filters by its own noun."""
    highlights: bool = False
    """Each hit tells which of its values hold the words."""
    sort: Sort | None = None
    order_by: str = ""
    """Instead of `sort`: a column, a noun or a numeric parameter, with `-` before it falling."""
    limit: int = 20
    cursor: str | None = None


def search_datasets(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, question: SearchQuestion
) -> DatasetPage:
    """Return one page of the datasets that match and that the viewer may know of.

    The rule is asked twice: of the index, for the total and the facets, and of the database, for what is shown. Raises
    InvalidQueryError for what cannot be understood, with its position in the text.
    """
    request = to_request(session, viewer, now, question)
    page = index.search(request)
    summaries = load_summaries(session, viewer, now, [hit.id for hit in page.hits])
    shown = load_documents(session, list(summaries)) if question.highlights else []
    lights = {document.id: to_highlights(request.query, document) for document in shown}
    hits = tuple(Hit(summaries[hit.id], hit.score, lights.get(hit.id, ())) for hit in page.hits if hit.id in summaries)
    sort = request.sort if isinstance(request.sort, Sort) else None
    return DatasetPage(hits, page.total, page.facets, sort, page.next_cursor, question.order_by)


def to_request(session: Session, viewer: Viewer, now: datetime, question: SearchQuestion) -> SearchRequest:
    """Return what the index is asked for the viewer; raises InvalidQueryError as `search_datasets`."""
    query = _to_query(session, viewer, now, question)
    return SearchRequest(
        visibility=to_index_filter(viewer, now),
        query=query,
        filters=_to_filters(question),
        facets=tuple(FacetRequest(noun, ignores_own=question.facets_ignore_own) for noun in question.facets),
        sort=_to_sort(session, viewer, now, question) or _to_default_sort(query),
        limit=question.limit,
        cursor=question.cursor,
    )


def resolve_parameter(
    session: Session, viewer: Viewer, now: datetime, name: str, beside: Iterable[str] = ()
) -> tuple[str, str]:
    """Return the stored name and the unit of what a person calls a parameter.

    Raises InvalidQueryError, with the nearest names, of those `beside` parameters, too, if there is none, or none that
    the viewer may know of.
    """
    units = _load_parameter_units(session, viewer, now, {name})
    stored = get_parameter_name(name, units, _load_aliases(), Place(0, name), beside=beside)
    return stored, units[stored]


def settle_unit(asked: str, stored: str, written: str) -> str:
    """Return the unit that is wanted: the stored one if none is asked for.

    Raises InvalidQueryError, about what was written, if one cannot be converted to the other. Both ways are tried: the
    first refuses with the units of what is stored, and a letter may mean such a unit on one side alone.
    """
    unit = asked or stored
    try:
        convert(1.0, unit, stored)
        convert(1.0, stored, unit)
    except (UnknownUnitError, DimensionError) as error:
        raise InvalidQueryError(str(error), 0, written) from error
    return unit


def _to_query(session: Session, viewer: Viewer, now: datetime, question: SearchQuestion) -> Query:
    text = parse_query(question.text)
    ranges = tuple(_parse_part("parameter", "", written, ParameterRange) for written in question.parameters)
    elements = (_parse_part("elements", "elements:", question.elements, Elements),) if question.elements else ()
    query = join_all(text, *ranges, *elements)
    names = {name for leaf in _walk(query) if (name := _find_parameter_name(leaf))}
    if not names:
        return query
    return resolve(query, _load_parameter_units(session, viewer, now, names), _load_aliases())


def _to_filters(question: SearchQuestion) -> tuple[AnyOf | DateRange, ...]:
    values = [AnyOf(noun, values) for noun, values in question.filters.items() if values]
    dates = [_parse_part(instant, f"{instant}:", text, DateRange) for instant, text in question.dates.items()]
    return (*values, *dates)


def parse_dates(name: str, text: str) -> DateRange:
    """Return the dates of a parameter of that name: a date, a period or a span of them.

    Raises InvalidQueryError with the position in the text.
    """
    return _parse_part(name, f"{Instant.START}:", text, DateRange)


def _parse_part(name: str, prefix: str, text: str, kind: type[Node]) -> Node:
    """Return the one node that the text is; raises InvalidQueryError, positions counted in the text."""
    try:
        node = parse_query(prefix + text)
    except InvalidQueryError as error:
        position = max(error.position - len(prefix), 0)
        raise InvalidQueryError(f"{name}: {error.message}", position, text) from error
    if not isinstance(node, kind):
        raise InvalidQueryError(f"{name}: {text!r} is not of the form {_EXAMPLES[kind]}", 0, text)
    return node


def _to_sort(session: Session, viewer: Viewer, now: datetime, question: SearchQuestion) -> Sort | FieldSort | None:
    if not question.order_by:
        return question.sort
    if question.sort is not None:
        raise InvalidQueryError("give either sort or order_by, not both")
    is_falling = question.order_by.startswith("-")
    name = question.order_by.removeprefix("-")
    field = to_field(name).lower()
    if field in set(Column):
        return ColumnSort(Column(field), is_falling)
    if field in set(Noun):
        return TextSort(Noun(field), is_falling)
    return NumberSort(resolve_parameter(session, viewer, now, name, _ORDERS)[0], is_falling)


def _to_default_sort(query: Query) -> Sort:
    has_words = any(isinstance(leaf, Word | Phrase) for leaf in _walk(query))
    return Sort.RELEVANCE if has_words else Sort.NEWEST


def _walk(query: Query) -> Iterator[Query]:
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _walk(part)
        case Not(part):
            yield from _walk(part)
        case _:
            yield query


def _find_parameter_name(leaf: Query) -> str | None:
    if isinstance(leaf, ParameterRange):
        return leaf.name
    return leaf.field if isinstance(leaf, FieldMatch) and leaf.field not in set(Noun) else None


def _load_parameter_units(session: Session, viewer: Viewer, now: datetime, names: set[str]) -> Mapping[str, str]:
    """Return the unit of each parameter that the viewer may mean by the names, by its stored name.

    Those of the vocabulary everybody knows. Of the others, only what is asked for by its name and stands in a dataset
    that the viewer may find: neither an answer nor the names that a refusal offers tell what only closed data have.
    """
    meant = {name: find_by_alias(name, _load_aliases()) or name for name in names}
    stored = session.execute(_UNITS_BY_NAME, {"names": [*{*names, *meant.values()}]}).all()
    exact = _select_known(session, viewer, now, names, stored)
    if all(name in exact or meant[name] in exact for name in names):
        return exact
    # One of them is written otherwise, or is none: all are asked, thousands, for what it may be or is nearly.
    return _select_known(session, viewer, now, names, session.execute(_UNITS).all())


def _select_known(
    session: Session, viewer: Viewer, now: datetime, names: set[str], stored: Sequence[Any]
) -> Mapping[str, str]:
    vocabulary = _load_vocabulary_units()
    if not viewer.sees_all:
        asked = {fold(name) for name in names}
        own = [row.id for row in stored if row.name not in vocabulary and fold(row.name) in asked]
        visible = _find_visible_types(session, viewer, now, own) if own else set()
        stored = [row for row in stored if row.name in vocabulary or row.id in visible]
    return {**vocabulary, **{row.name: row.units for row in stored}, **AMOUNT_UNITS}


def _find_visible_types(session: Session, viewer: Viewer, now: datetime, type_ids: list[int]) -> set[int]:
    """Return those of the types that a findable dataset has; one that only closed data have is read to its end."""
    of_type = and_(DatasetParameter.type_id == ParameterType.id, DatasetParameter.dataset_id == Dataset.id)
    is_used = exists().where(of_type, may_find(viewer, now))
    return set(session.scalars(select(ParameterType.id).where(ParameterType.id.in_(type_ids), is_used)))


@cache
def _load_vocabulary_units() -> Mapping[str, str]:
    return {name: known.unit for name, known in load_vocabulary().items()}


@cache
def _load_aliases() -> Mapping[str, str]:
    return AMOUNT_ALIASES | {alias: known.name for known in load_vocabulary().values() for alias in known.aliases}
