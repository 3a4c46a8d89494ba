"""The query tree in Elasticsearch's terms: pure.

Scores are the steps of `ranking`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingest.catalogue.search.elastic_numbers import Clause, in_range
from ingest.catalogue.search.entries import WORD_STEPS, WORDS
from ingest.catalogue.search.folding import to_tokens
from ingest.catalogue.search.fuzzy import to_distance
from ingest.catalogue.search.index import AnyOf, SearchRequest, Sort, VisibilityFilter
from ingest.catalogue.search.keys import (
    to_elements_key,
    to_elements_pattern,
    to_hill_key,
    to_mark,
    to_microseconds,
    to_safe,
    to_value_key,
)
from ingest.catalogue.search.nouns import Noun
from ingest.catalogue.search.query import (
    All,
    And,
    DateRange,
    Elements,
    FieldMatch,
    Leaf,
    Match,
    Not,
    Or,
    ParameterRange,
    Phrase,
    Query,
    Word,
)
from ingest.catalogue.search.ranking import (
    EXACT_STEPS,
    NUANCE,
    NUANCED,
    OTHER_STEP,
    to_matches,
    to_whole_text,
)
from ingest.catalogue.search.wildcards import get_beginning, has_wildcards, to_asked_tokens, to_regex

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOTHING: Final[Clause] = {"match_none": {}}


def to_clause(request: SearchRequest) -> Clause:
    """Return the clause of what the request finds for its viewer: query, filters and visibility."""
    filters = to_filters(request.visibility, request.filters)
    if request.sort is not Sort.RELEVANCE:
        return {"bool": {"filter": [_translate(request.query), *filters]}}
    ranked = {"bool": {"must": [_translate(request.query)], "filter": filters}}
    return _rank(ranked, request.query)


def to_filters(visibility: VisibilityFilter, filters: Sequence[AnyOf | DateRange]) -> list[Clause]:
    """Return the clauses that count nothing in the score: the filters, and the rule of who may find what."""
    clauses = [_translate_filter(part) for part in filters]
    if not visibility.sees_all:
        clauses.append({"range": {"visible_from": {"lte": to_microseconds(visibility.now)}}})
    return clauses


def _translate(query: Query) -> Clause:
    match query:
        case And(parts):
            return _combine(parts)
        case Or(parts):
            return {"bool": {"should": [_translate(part) for part in parts], "minimum_should_match": 1}}
        case Not():
            return _combine((query,))
        case _:
            return _translate_leaf(query)


def _translate_leaf(query: Leaf) -> Clause:
    match query:
        case All():
            return {"match_all": {"boost": 0.0}}
        case Word(text) | Phrase(text):
            return _anywhere(to_asked_tokens(text, query.match), query.match)
        case FieldMatch(field, value):
            return _in_field(field, value, query.match)
        case ParameterRange():
            return _NOTHING if query.is_empty else _unscored(in_range(query))
        case DateRange():
            return _unscored(_in_dates(query))
        case Elements(symbols, is_exact):
            return _unscored(_of_elements(symbols, is_exact))


def _combine(parts: tuple[Query, ...]) -> Clause:
    """Return all of the parts; those that are negated are taken away from the others, or from all."""
    musts = [_translate(part) for part in parts if not isinstance(part, Not)]
    nots = [_translate(part.part) for part in parts if isinstance(part, Not)]
    return {"bool": {"must": musts or [{"match_all": {"boost": 0.0}}], "must_not": nots}}


def _translate_filter(wanted: AnyOf | DateRange) -> Clause:
    if isinstance(wanted, DateRange):
        return _in_dates(wanted)
    return {"terms": {"key": [to_value_key(wanted.noun, value) for value in wanted.values]}}


def _in_dates(asked: DateRange) -> Clause:
    bounds = {}
    if asked.low is not None:
        bounds["gte"] = to_microseconds(asked.low)
    if asked.high is not None:
        bounds["lt"] = to_microseconds(asked.high)
    return {"range": {asked.field.value: bounds}} if bounds else {"exists": {"field": asked.field.value}}


def _anywhere(tokens: list[str], match: Match) -> Clause:
    """Return the tokens in sequence in any noun, scored by the best one."""
    steps = [clause for field, step in WORD_STEPS.items() for clause in _list_steps(field, tokens, match, step)]
    return {"dis_max": {"queries": steps}}


def _list_steps(field: str, tokens: list[str], match: Match, step: float, mark: str = "") -> list[Clause]:
    return [_scored(_sequence(field, tokens, each, mark), score) for each, score in to_matches(match, step)]


def _in_field(field: str, value: str, match: Match) -> Clause:
    if field == Noun.COMPLETE:
        return _unscored({"term": {"key": to_value_key(Noun.COMPLETE, value)}})
    tokens = to_asked_tokens(value, match)
    if field in set(Noun):
        words = WORDS[Noun(field)]
        step = WORD_STEPS[words]
        steps = _list_steps(words, tokens, match, step)
        if field == Noun.FORMULA and match is Match.WORDS and (key := to_hill_key(value)):
            steps.append(_scored({"term": {"key": key}}, step))
    else:
        steps = _list_steps("text", tokens, match, OTHER_STEP, to_mark(field))
    return {"dis_max": {"queries": steps}}


def _of_elements(symbols: tuple[str, ...], is_exact: bool) -> Clause:
    """Return documents with a formula of these elements; all terms that fit, however many."""
    if is_exact:
        return {"term": {"elements": to_elements_key(symbols)}}
    return {"regexp": {"elements": {"value": to_elements_pattern(symbols), "rewrite": "constant_score"}}}


def _sequence(field: str, tokens: list[str], match: Match, mark: str = "") -> Clause:
    """Return the tokens, or tokens like the patterns, one after the other in one value."""
    if match is Match.WILDCARD:
        return _like(field, tokens, mark)
    safe = [mark + to_safe(token) for token in tokens]
    if not safe:
        return _NOTHING
    if match is Match.FUZZY and (distance := to_distance(tokens)):
        return _nearly(field, safe[0], distance)
    if len(safe) == 1:
        return {"term": {field: safe[0]}}
    return {"match_phrase": {field: " ".join(safe)}}


def _like(field: str, patterns: list[str], mark: str) -> Clause:
    """Return words like these patterns one after the other in one value.

    Several are spans: a phrase with a prefix would try 50 endings and leave the others out.
    """
    if not patterns:
        return _NOTHING
    clauses = [_like_one(field, pattern, mark) for pattern in patterns]
    if len(clauses) == 1:
        return clauses[0]
    spans = [
        {"span_multi": {"match": clause}} if has_wildcards(pattern) else {"span_term": clause["term"]}
        for pattern, clause in zip(patterns, clauses, strict=True)
    ]
    return {"span_near": {"clauses": spans, "slop": 0, "in_order": True}}


def _like_one(field: str, pattern: str, mark: str) -> Clause:
    if not has_wildcards(pattern):
        return {"term": {field: mark + to_safe(pattern)}}
    if (beginning := get_beginning(pattern)) is not None:
        return {"prefix": {field: mark + to_safe(beginning)}}
    return {"regexp": {field: mark + to_regex(pattern)}}


def _nearly(field: str, token: str, distance: int) -> Clause:
    """Return all tokens within the distance; left to itself the server takes 50 of them.

    They are looked for before the search: within it, each segment would make the automaton of each field anew, at a
    millisecond each. If they are too many for the server's memory, it says so.
    """
    near = {"value": token, "fuzziness": distance, "transpositions": True, "rewrite": "constant_score_boolean"}
    return {"fuzzy": {field: near}}


def _rank(found: Clause, query: Query) -> Clause:
    """Return the same hits, those whose value is the whole query before all others."""
    text = to_whole_text(query)
    tokens = [to_safe(token) for token in to_tokens(text)]
    if not tokens:
        return found
    exact = [_scored({"term": {"key": to_value_key(noun, text)}}, step) for noun, step in EXACT_STEPS.items()]
    nuances = [_scored({"term": {WORDS[noun]: token}}, NUANCE) for noun in NUANCED for token in tokens]
    return {"bool": {"must": [found], "should": [{"dis_max": {"queries": exact}}, *nuances]}}


def _scored(clause: Clause, step: float) -> Clause:
    return {"constant_score": {"filter": clause, "boost": step}}


def _unscored(clause: Clause) -> Clause:
    return {"constant_score": {"filter": clause, "boost": 0.0}}
