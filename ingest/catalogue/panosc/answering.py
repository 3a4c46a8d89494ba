"""Answers of PaNOSC's search API: lists, counts and single records of what is public, with what is related to them.

Functions over a Session and an index that only read. The keys of a page are one statement, and one for each source and
relation reads what is on it; nothing depends on how much there is besides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DataError

from ingest.catalogue.panosc.conditions import Context
from ingest.catalogue.panosc.errors import InvalidFilterError, UnknownRecordError
from ingest.catalogue.panosc.loading import Record, load_records
from ingest.catalogue.panosc.patterns import register_regexp
from ingest.catalogue.panosc.request import MAX_LIMIT, Compare, Filter, Operator, Where
from ingest.catalogue.panosc.schema import Kind
from ingest.catalogue.panosc.scoring import UNASKED, find_scores, to_words
from ingest.catalogue.panosc.selecting import Key, Narrowing, count_keys, list_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.search import DatasetIndex

T = TypeVar("T")


def list_records(session: Session, index: DatasetIndex, now: datetime, model: str, asked: Filter) -> list[Record]:
    """Return the records that are as asked, at most MAX_LIMIT, each with its score.

    The best come first where words are asked for, else they go by what identifies them, unless another order is asked
    for. Raises InvalidFilterError.
    """
    context = Context(session, now)
    return _told(session, lambda: _list_records(context, index, model, asked))


def count_records(session: Session, now: datetime, model: str, where: Where | None) -> int:
    """Return how many records are as asked. Raises InvalidFilterError."""
    context = Context(session, now)
    return _told(session, lambda: count_keys(context, model, Filter(where=where)))


def get_record(session: Session, now: datetime, model: str, pid: str, asked: Filter) -> Record:
    """Return the record; of the filter counts only what is to be shown and included.

    Raises UnknownRecordError if there is none, or it is not public, and InvalidFilterError.
    """
    context = Context(session, now)
    key = _get_key(context, model, pid)
    shown = Filter(include=asked.include, fields=asked.fields)
    return _told(session, lambda: load_records(context, model, [key], shown)[key])


def list_files(session: Session, now: datetime, pid: str, asked: Filter) -> list[Record]:
    """Return the files of a dataset, none where they are not open. Raises as `get_record`."""
    context = Context(session, now)
    own = _is_of_dataset(_get_key(context, "Dataset", pid))

    def answer() -> list[Record]:
        keys = list_keys(context, "File", asked, own, is_broad=False)
        return list(load_records(context, "File", keys, asked).values())

    return _told(session, answer)


def count_files(session: Session, now: datetime, pid: str, where: Where | None) -> int:
    """Return how many files of a dataset are as asked. Raises as `get_record`."""
    context = Context(session, now)
    own = _is_of_dataset(_get_key(context, "Dataset", pid))
    return _told(session, lambda: count_keys(context, "File", Filter(where=where), own))


def _told(session: Session, answer: Callable[[], T]) -> T:
    """Return the answer; what a database cannot make of what was asked is told as wrong, not as a mistake of ours."""
    register_regexp(session)
    try:
        return answer()
    except DataError as error:
        raise InvalidFilterError("The filter holds what the database cannot compare with") from error


def _get_key(context: Context, model: str, pid: str) -> Key:
    """Return the record of that identifier; raises UnknownRecordError."""
    is_it = Compare("pid", Operator.EQ, pid, Kind.TEXT)
    keys = [] if "\x00" in pid else list_keys(context, model, Filter(where=is_it, limit=1), is_broad=False)
    if not keys:
        raise UnknownRecordError(model, pid)
    return keys[0]


def _is_of_dataset(key: Key) -> Narrowing:
    return lambda _context, _source, rows: rows.c.dataset_key == key[1]


def _list_records(context: Context, index: DatasetIndex, model: str, asked: Filter) -> list[Record]:
    scores: dict[Key, float] = {}
    if asked.query:
        scores = find_scores(context, index, model, to_words(asked.query))
        keys = _list_best(context, model, asked, scores)
    else:
        keys = list_keys(context, model, asked)
    records = load_records(context, model, keys, asked, shows_all_parameters=model == "Dataset")
    return [{**records[key], "score": scores.get(key, UNASKED)} for key in keys if key in records]


def _list_best(context: Context, model: str, asked: Filter, scores: dict[Key, float]) -> list[Key]:
    """Return the page of those that have a score: the best first, or in the order that is asked for."""
    wanted = asked.skip + (asked.limit or MAX_LIMIT)
    everything = replace(asked, limit=None, skip=0)
    known = sorted(scores, key=lambda key: (-scores[key], *key))
    found: list[Key] = []
    for start in range(0, len(known), MAX_LIMIT):
        batch = known[start : start + MAX_LIMIT]
        own = set(list_keys(context, model, everything, _is_one_of(batch), is_broad=False))
        found += [key for key in batch if key in own]
        if len(found) >= wanted and not asked.order:
            break
    if asked.order:
        return list_keys(context, model, asked, _is_one_of(found), is_broad=False)
    return found[asked.skip : wanted]


def _is_one_of(keys: list[Key]) -> Narrowing:
    return lambda _context, source, rows: rows.c.key.in_([key for name, key in keys if name == source])
