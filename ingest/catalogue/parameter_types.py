"""What parameters mean, as far as datasets that a viewer may find have them. Functions that only read.

There are some thousands at most, so a list is read whole; counts and extents come from the index, extents for the rows
of a page alone. So are examples of texts, out of the newest datasets that the index names for each of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from itertools import islice
from math import isfinite
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, select, true

from ingest.catalogue.counting import CountedSort, list_counted, of_facility
from ingest.catalogue.errors import InvalidQueryError, NotFoundError
from ingest.catalogue.matching import MAX_WORDS, is_one_of
from ingest.catalogue.model import Dataset, DatasetParameter, Facility, ParameterType
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, to_key, to_list_name
from ingest.catalogue.search import DatasetIndex, Extent, FieldMatch, Instant, Noun, to_text
from ingest.catalogue.search.folding import fold, list_tokens
from ingest.catalogue.search.nouns import SYNONYMS
from ingest.catalogue.units import DimensionError, UnknownUnitError, convert, parse_unit
from ingest.catalogue.visibility import Viewer, may_find, to_index_filter
from ingest.catalogue.vocabulary import ValueType, load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

_UNITLESS: Final = {"", "1"}
_NOUNS: Final = {*Noun, *Instant}
"""What a query takes for a noun, quoted or not."""
_TAKEN: Final = {*_NOUNS, *SYNONYMS}
_EXAMPLE_VALUES: Final = 3
_EXAMPLE_WORDS: Final = 3
_EXAMPLE_LENGTH: Final = 200
"""Letters of a value that are shown."""
_EXAMPLE_DATASETS: Final = 20
_EXAMPLE_ROWS: Final = 100
"""Of these datasets' rows that are read: a text may stand in each of ten thousand scans."""
_PLAIN_NAME: Final = re.compile(r'[^\s()":<>*]+')
_PLAIN_UNIT: Final = re.compile(r'(1/)?[^\W\d_][^\s()":<>.]*|%')


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterTypeQuestion:
    """What parameter types are asked for; all that is given must hold.

    `text` is words of name, short names or meaning; of a `unit` all of its kind are found.
    """

    text: str = ""
    unit: str = ""
    value_types: tuple[ValueType, ...] = ()
    facilities: tuple[str, ...] = ()
    sort: CountedSort = CountedSort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterTypeView:
    """The meaning of a parameter. `smallest` and `largest` are in `unit`, over the datasets that may be found.

    `aliases` are what the query language knows it by besides its name, `example` is a query that finds some of them.
    `example_values` are texts and times that some of the newest have, each once; numbers have an extent instead.
    """

    id: int
    name: str
    description: str | None
    value_type: str
    unit: str
    facility: str
    pid: str | None
    aliases: tuple[str, ...]
    dataset_count: int
    smallest: float | None = None
    largest: float | None = None
    example_values: tuple[str, ...] = ()
    example: str | None = None


def list_parameter_types(
    session: Session,
    index: DatasetIndex,
    viewer: Viewer,
    now: datetime,
    question: ParameterTypeQuestion,
    request: PageRequest = FIRST_PAGE,
) -> Page[ParameterTypeView]:
    """Return a page of the parameter types that match and that the viewer may know of.

    Raises InvalidQueryError for an unknown unit and for too many words.
    """
    of_facilities = is_one_of(question.facilities, Facility.name) if question.facilities else true()
    of_types = ParameterType.value_type.in_(question.value_types) if question.value_types else true()
    found = _load(session, index, viewer, now, and_(of_facilities, of_types))
    found = _with_unit(question.unit, _with_words(question.text, found))
    page = list_counted(to_list_name("parameter types", question), request, found, question.sort)
    return replace(page, items=_exemplify(session, index, viewer, now, page.items))


def get_parameter_type(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, type_id: int
) -> ParameterTypeView:
    """Return the parameter type; raises NotFoundError if there is none, or none that the viewer may know of."""
    found = _load(session, index, viewer, now, ParameterType.id == to_key(type_id))
    if not found:
        raise NotFoundError("parameter type", type_id)
    return _exemplify(session, index, viewer, now, found)[0]


def _load(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, condition: ColumnElement[bool]
) -> Sequence[ParameterTypeView]:
    statement = select(ParameterType, Facility.name).join(Facility, Facility.id == ParameterType.facility_id)
    rows = session.execute(statement.where(condition)).all()
    seen = to_index_filter(viewer, now)
    counts = {each: index.count_parameters(seen, (of_facility(each),)) for each in {facility for _, facility in rows}}
    return [
        _to_view(row, facility, counts[facility][row.name]) for row, facility in rows if row.name in counts[facility]
    ]


def _to_view(row: ParameterType, facility: str, count: int) -> ParameterTypeView:
    known = load_vocabulary().get(row.name)
    return ParameterTypeView(
        id=row.id,
        name=row.name,
        description=row.description or (known.description if known else None),
        value_type=row.value_type,
        unit=row.units,
        facility=facility,
        pid=row.pid,
        aliases=known.aliases if known else (),
        dataset_count=count,
    )


def _with_words(text: str, found: Sequence[ParameterTypeView]) -> Sequence[ParameterTypeView]:
    words = [fold(word) for word in text.split()]
    if len(words) > MAX_WORDS:
        raise InvalidQueryError(f"{len(words)} words are given, {MAX_WORDS} are the most")
    if not words:
        return found
    texts = [fold(" ".join((view.name, *view.aliases, view.description or ""))) for view in found]
    return [view for view, known in zip(found, texts, strict=True) if all(word in known for word in words)]


def _with_unit(unit: str, found: Sequence[ParameterTypeView]) -> Sequence[ParameterTypeView]:
    if not unit:
        return found
    if unit not in _UNITLESS and parse_unit(unit) is None:
        raise InvalidQueryError(f"{unit!r} is not a known unit (case matters: meV is not MeV)", 0, unit)
    fitting = {each for each in {view.unit for view in found} if _is_of_one_kind(unit, each)}
    return [view for view in found if view.unit in fitting]


def _is_of_one_kind(unit: str, other: str) -> bool:
    if unit in _UNITLESS or other in _UNITLESS:
        return unit == other
    try:
        convert(1.0, unit, other)
    except (DimensionError, UnknownUnitError):
        return False
    return True


def _exemplify(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, views: Iterable[ParameterTypeView]
) -> tuple[ParameterTypeView, ...]:
    """Return the same with what shows where their values lie."""
    views = tuple(views)
    extents = _load_extents(index, viewer, now, [view for view in views if view.value_type == ValueType.NUMERIC])
    values = _load_values(session, index, viewer, now, [v for v in views if v.value_type != ValueType.NUMERIC])
    return tuple(_with_examples(view, extents.get(view.id), values.get(view.id, ())) for view in views)


def _load_extents(
    index: DatasetIndex, viewer: Viewer, now: datetime, views: Iterable[ParameterTypeView]
) -> Mapping[int, Extent]:
    seen = to_index_filter(viewer, now)
    loaded: dict[int, Extent] = {}
    for facility, ids in _by_facility(views):
        extents = index.measure_parameters(seen, ids, (of_facility(facility),))
        loaded |= {ids[name]: extent for name, extent in extents.items()}
    return loaded


def _load_values(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, views: Iterable[ParameterTypeView]
) -> Mapping[int, tuple[str, ...]]:
    seen = to_index_filter(viewer, now)
    loaded: dict[int, tuple[str, ...]] = {}
    for facility, ids in _by_facility(views):
        newest = index.list_newest(seen, ids, _EXAMPLE_DATASETS, (of_facility(facility),))
        loaded |= {ids[name]: _read_values(session, viewer, now, ids[name], found) for name, found in newest.items()}
    return loaded


def _by_facility(views: Iterable[ParameterTypeView]) -> Iterable[tuple[str, dict[str, int]]]:
    """Return the ids by the names that they have in each facility."""
    ids: dict[str, dict[str, int]] = {}
    for view in views:
        ids.setdefault(view.facility, {})[view.name] = view.id
    return ids.items()


def _read_values(
    session: Session, viewer: Viewer, now: datetime, type_id: int, dataset_ids: Sequence[int]
) -> tuple[str, ...]:
    """Return some values that the datasets have, those of the first ones first; the database is asked the rule, too."""
    shown = and_(DatasetParameter.is_shown.is_(True), DatasetParameter.is_public.is_(True), may_find(viewer, now))
    text = func.substr(DatasetParameter.string_value, 1, _EXAMPLE_LENGTH)
    found = session.execute(
        select(DatasetParameter.dataset_id, DatasetParameter.id, text, DatasetParameter.date_time_value)
        .join(Dataset, Dataset.id == DatasetParameter.dataset_id)
        .where(DatasetParameter.type_id == type_id, DatasetParameter.dataset_id.in_(dataset_ids), shown)
        .order_by(DatasetParameter.dataset_id.desc())
        .limit(_EXAMPLE_ROWS)
    )
    places = {dataset_id: place for place, dataset_id in enumerate(dataset_ids)}
    rows = sorted(found, key=lambda row: (places[row.dataset_id], row.id))
    values = (_to_value(text, instant) for _, _, text, instant in rows)
    return tuple(islice(dict.fromkeys(value for value in values if value), _EXAMPLE_VALUES))


def _to_value(text: str | None, instant: datetime | None) -> str | None:
    return text if instant is None else instant.isoformat().replace("+00:00", "Z")


def _with_examples(view: ParameterTypeView, extent: Extent | None, values: tuple[str, ...]) -> ParameterTypeView:
    known = replace(view, example_values=values)
    measured = known if extent is None else replace(known, smallest=extent.low, largest=extent.high)
    return replace(measured, example=_to_example(measured))


def _to_example(view: ParameterTypeView) -> str | None:
    """Return a query that finds datasets by this parameter, under the shortest name that means it alone."""
    name = next((alias for alias in view.aliases if alias not in _TAKEN), view.name)
    if name.lower() in _NOUNS:
        return None
    if view.value_type == ValueType.STRING:
        return next(filter(None, (_to_match(name, value) for value in view.example_values)), None)
    if view.smallest is None or view.largest is None or not isfinite(view.largest - view.smallest):
        return None
    unit = f" {view.unit}" if _PLAIN_UNIT.fullmatch(view.unit) else ""
    return f"{_quote(name)}:{_shorten(view.smallest, ROUND_FLOOR)}..{_shorten(view.largest, ROUND_CEILING)}{unit}"


def _to_match(name: str, value: str) -> str | None:
    """Return a query for the first words of the value; None if it has none, or what is shown of it breaks one off."""
    words = [word for word in list_tokens(value)[:_EXAMPLE_WORDS] if word[2] < _EXAMPLE_LENGTH]
    if not words:
        return None
    try:
        return to_text(FieldMatch(name, value[words[0][1] : words[-1][2]]))
    except InvalidQueryError:
        return None


def _quote(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and name.lower() not in _TAKEN:
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _shorten(number: float, rounding: str) -> str:
    """Return the number in three digits that still reaches as far."""
    return f"{Context(prec=3, rounding=rounding).create_decimal_from_float(number):g}".lower()
