"""The same search in plain Python over a list: what every index must find, count and sort."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.catalogue.document import NumericEntry
from ingest.catalogue.formulas import find_composition
from ingest.catalogue.search import (
    All,
    And,
    AnyOf,
    DateRange,
    Elements,
    FacetRequest,
    FieldMatch,
    Match,
    Not,
    Noun,
    Or,
    ParameterRange,
    Phrase,
    Query,
    SearchRequest,
    Sort,
    TextSort,
    Word,
)
from ingest.catalogue.search.folding import fold, to_tokens
from ingest.catalogue.search.fuzzy import to_distance
from ingest.catalogue.search.nouns import AMOUNT_UNITS, to_sought_values, to_values
from ingest.catalogue.search.wildcards import to_asked_tokens

if TYPE_CHECKING:
    from ingest.catalogue.document import SearchDocument


def find(documents: list[SearchDocument], request: SearchRequest) -> list[SearchDocument]:
    """Return what the request finds, sorted but for relevance; all pages."""
    found = [document for document in documents if _is_seen(document, request) and matches(document, request.query)]
    for wanted in request.filters:
        found = [document for document in found if _passes(document, wanted)]
    return _sort(found, request.sort)


def count_values(found: list[SearchDocument], facet: FacetRequest) -> Counter[str]:
    return Counter(value for document in found for value in set(to_values(document, facet.noun)))


def count_parameters(found: list[SearchDocument]) -> Counter[str]:
    return Counter(name for document in found for name in document.parameter_names if name not in AMOUNT_UNITS)


def measure_parameters(found: list[SearchDocument]) -> dict[str, tuple[float, float]]:
    reached: dict[str, list[float]] = {}
    for number in (number for document in found for number in list_numbers(document)):
        values = number.values or (number.low, number.high)
        is_range = not number.values and number.low != number.high
        if is_range and any(map(math.isnan, values)):
            continue
        reached.setdefault(number.name, []).extend(value for value in values if not math.isnan(value))
    return {name: (min(values), max(values)) for name, values in reached.items() if values}


def list_numbers(document: SearchDocument) -> list[NumericEntry]:
    amounts = {"file_size": document.file_size, "file_count": document.file_count}
    named = [NumericEntry(name, amount, amount) for name, amount in amounts.items()]
    return named + [number for number in document.numbers if number.name not in amounts]


def matches(document: SearchDocument, query: Query) -> bool:
    match query:
        case And(parts):
            return all(matches(document, part) for part in parts)
        case Or(parts):
            return any(matches(document, part) for part in parts)
        case Not(part):
            return not matches(document, part)
        case _:
            return _matches_leaf(document, query)


def _matches_leaf(document: SearchDocument, query: Query) -> bool:
    match query:
        case All():
            return True
        case Word(text) | Phrase(text):
            return any(_follows(value, text, query.match) for value in _all_texts(document))
        case FieldMatch(field, value):
            found = any(_follows(held, value, query.match) for held in _texts_of(document, field))
            return found or (field == Noun.FORMULA and query.match is Match.WORDS and _has_formula(document, value))
        case ParameterRange():
            numbers = [number for number in list_numbers(document) if number.name == query.name]
            return not query.is_empty and any(_overlaps(number, query) for number in numbers)
        case DateRange(instant, low, high):
            date = getattr(document, instant)
            return date is not None and (low is None or low <= date) and (high is None or date < high)
        case Elements(symbols, is_exact):
            return any(held == set(symbols) if is_exact else held >= set(symbols) for held in _elements_of(document))
    raise AssertionError(query)


def _all_texts(document: SearchDocument) -> list[str]:
    nouns = [value for noun in Noun if noun is not Noun.COMPLETE for value in to_sought_values(document, noun)]
    return nouns + [text.value for text in document.texts]


def _texts_of(document: SearchDocument, field: str) -> list[str]:
    if field in set(Noun):
        return list(to_sought_values(document, Noun(field)))
    return [text.value for text in document.texts if text.name == field]


def _elements_of(document: SearchDocument) -> list[frozenset[str]]:
    return [found.elements for formula in document.formulas if (found := find_composition(formula))]


def _has_formula(document: SearchDocument, formula: str) -> bool:
    asked, held = find_composition(formula), map(find_composition, document.formulas)
    return asked is not None and asked.hill is not None and any(each and each.hill == asked.hill for each in held)


def _follows(value: str, text: str, match: Match) -> bool:
    held, asked = to_tokens(value), to_asked_tokens(text, match)
    if not asked:
        return False
    if match is Match.FUZZY and (distance := to_distance(asked)):
        return any(token.isascii() and count_edits(asked[0], token) <= distance for token in held)
    windows = (held[start : start + len(asked)] for start in range(len(held) - len(asked) + 1))
    return any(all(map(is_like, window, asked)) for window in windows)


def is_like(token: str, pattern: str) -> bool:
    """Return whether the pattern, in which `*` is any letters and `?` is one, stands for the whole token."""
    if not pattern:
        return not token
    if pattern[0] == "*":
        return any(is_like(token[start:], pattern[1:]) for start in range(len(token) + 1))
    return bool(token) and pattern[0] in ("?", token[0]) and is_like(token[1:], pattern[1:])


def count_edits(first: str, second: str) -> int:
    """Return the optimal string alignment of two words: letters more, less, changed, or swapped with the next one."""
    counts = {(row, 0): row for row in range(len(first) + 1)} | {
        (0, column): column for column in range(len(second) + 1)
    }
    for row, column in itertools.product(range(1, len(first) + 1), range(1, len(second) + 1)):
        changed = counts[row - 1, column - 1] + (first[row - 1] != second[column - 1])
        counts[row, column] = min(counts[row - 1, column] + 1, counts[row, column - 1] + 1, changed)
        if first[row - 2 : row] == second[column - 2 : column][::-1] and row > 1 and column > 1:
            counts[row, column] = min(counts[row, column], counts[row - 2, column - 2] + 1)
    return counts[len(first), len(second)]


def _overlaps(number: NumericEntry, asked: ParameterRange) -> bool:
    if number.values:
        return any(_reaches(value, asked) and _stays_below(value, asked) for value in number.values)
    return _reaches(number.high, asked) and _stays_below(number.low, asked)


def _reaches(value: float, asked: ParameterRange) -> bool:
    if asked.low is None:
        return True
    return value >= asked.low if asked.includes_low else value > asked.low


def _stays_below(value: float, asked: ParameterRange) -> bool:
    if asked.high is None:
        return True
    return value <= asked.high if asked.includes_high else value < asked.high


def _passes(document: SearchDocument, wanted: AnyOf | DateRange) -> bool:
    if isinstance(wanted, DateRange):
        return matches(document, wanted)
    held = {fold(value) for value in to_sought_values(document, wanted.noun)}
    return bool(held & {fold(value) for value in wanted.values})


def _is_seen(document: SearchDocument, request: SearchRequest) -> bool:
    if request.visibility.sees_all:
        return True
    released = document.release_date is not None and document.release_date <= request.visibility.now
    return not document.is_secret and (released or document.is_metadata_public)


def _sort(found: list[SearchDocument], sort: Sort) -> list[SearchDocument]:
    if sort is Sort.NEWEST:
        return sorted(found, key=lambda document: (_seconds(document, missing=-1.0), document.id), reverse=True)
    if sort is Sort.OLDEST:
        return sorted(found, key=lambda document: (_seconds(document, missing=1e12), document.id))
    if sort is Sort.NAME:
        return order_by_text(found, TextSort(Noun.NAME))
    return found


def order_by_text(found: list[SearchDocument], sort: TextSort) -> list[SearchDocument]:
    by_id = sorted(found, key=lambda each: -each.id)
    texts = {each.id: min(values) for each in by_id if (values := _list_folded(each, sort.noun))}
    having = sorted((e for e in by_id if e.id in texts), key=lambda e: texts[e.id], reverse=sort.is_falling)
    return having + [each for each in by_id if each.id not in texts]


def _list_folded(document: SearchDocument, noun: Noun) -> list[str]:
    return [folded for value in to_values(document, noun) if (folded := fold(value))]


def _seconds(document: SearchDocument, missing: float) -> float:
    if document.start_date is None:
        return missing
    return (document.start_date - datetime(1900, 1, 1, tzinfo=UTC)).total_seconds() // 1
