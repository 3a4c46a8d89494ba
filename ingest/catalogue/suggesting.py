"""What somebody may mean who is still typing, or has mistyped: out of what the viewer may find and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from ingest.catalogue.finding import to_request
from ingest.catalogue.model import ParameterType
from ingest.catalogue.search import DatasetIndex, Facet, FacetRequest, Noun
from ingest.catalogue.search.folding import fold, to_tokens
from ingest.catalogue.search.fuzzy import count_edits, to_distance
from ingest.catalogue.search.index import MAX_SOUGHT, SearchRequest
from ingest.catalogue.search.query import FieldMatch, Match, Word, join_all
from ingest.catalogue.visibility import to_index_filter
from ingest.catalogue.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.finding import SearchQuestion
    from ingest.catalogue.search import Query, VisibilityFilter
    from ingest.catalogue.visibility import Viewer

SUGGESTED: Final = (
    Noun.SAMPLE,
    Noun.TECHNIQUE,
    Noun.INSTRUMENT,
    Noun.PROPOSAL,
    Noun.FORMULA,
    Noun.KEYWORD,
    Noun.DEFINITION,
    Noun.DETECTOR,
    Noun.USER,
)
"""Nouns whose values are suggested, in this order where as many datasets have them."""
MAX_SUGGESTIONS: Final = 50
LEAST_LETTERS: Final = 2
"""With one letter alone half of the catalogue would be counted."""
_AT_A_TIME: Final = 50
_SEEN_VALUES: Final = 200
_MOST_WORDS: Final = 8
_PLAIN: Final = re.compile(r"\w[\w.-]*")
_OPERATORS: Final = {"and", "or", "not"}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value of a noun, or the name of a parameter, and how many datasets have it; `query` is how to ask for it.

    That of a parameter is still to be ended, by a number or a word.
    """

    kind: str
    value: str
    count: int
    query: str


def list_values(
    session: Session,
    index: DatasetIndex,
    viewer: Viewer,
    now: datetime,
    question: SearchQuestion,
    facet: FacetRequest,
) -> Facet:
    """Return the values of a noun that hold the letters, within what the question finds."""
    request = replace(to_request(session, viewer, now, replace(question, facets=())), facets=(facet,))
    return index.count(request).facets[facet.noun]


def suggest(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, text: str, limit: int = 10
) -> tuple[Suggestion, ...]:
    """Return values and parameters of which a word begins with what was typed last, the most frequent first.

    The cost is that of a search for words that begin so, and does not grow with the values there are. Looking through
    the values of a noun costs most: only those nouns are asked that have such a word.
    """
    letters = text.strip()[:MAX_SOUGHT]
    if len(fold(letters)) < LEAST_LETTERS:
        return ()
    seen = to_index_filter(viewer, now)
    facets = [FacetRequest(noun, limit, letters, at_word=True) for noun in SUGGESTED]
    wanted = [SearchRequest(seen, _to_begun(facet.noun, letters), facets=(facet,)) for facet in facets]
    begun = index.count_all([replace(request, facets=()) for request in wanted])
    asked = [request for request, counts in zip(wanted, begun, strict=True) if counts.total]
    found = [
        Suggestion(noun.value, each.value, each.count, f"{noun}:{_quote(each.value)}")
        for counts in index.count_all(asked)
        for noun, facet in counts.facets.items()
        for each in facet.values
    ]
    found += _suggest_parameters(session, index, viewer, now, letters, limit)
    return tuple(sorted(found, key=lambda each: -each.count)[:limit])


def find_meant(index: DatasetIndex, viewer: Viewer, now: datetime, text: str) -> str | None:
    """Return the text, each word that nothing has replaced by the nearest that something has; None if all is as it was.

    Nearest is by edits, then by how many datasets have it. Only words out of values are known, and only those of data
    that the viewer may find.
    """
    words = text.split()
    if not 0 < len(words) <= _MOST_WORDS or not all(word.isalnum() for word in words):
        return None
    seen = to_index_filter(viewer, now)
    meant = [_find_nearest(index, seen, word) for word in words]
    better = [new or word for new, word in zip(meant, words, strict=True)]
    return " ".join(better) if better != words else None


def _to_begun(noun: Noun, letters: str) -> Query:
    """Return what finds all datasets with such a value: it has the words, in whatever order, which is asked sooner."""
    *words, last = to_tokens(letters) or [""]
    return join_all(*(FieldMatch(noun, word) for word in words), FieldMatch(noun, last and f"{last}*", Match.WILDCARD))


def _suggest_parameters(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, letters: str, limit: int
) -> list[Suggestion]:
    """Return parameters of that name, short names first, as many as were asked for; some are counted at a time."""
    seen, found = to_index_filter(viewer, now), list[Suggestion]()
    begun = iter(_list_begun(session, letters))
    while len(found) < limit and (batch := dict(islice(begun, _AT_A_TIME))):
        counts = index.count_parameters(seen, names=batch)
        found += [
            Suggestion("parameter", shown, counts[name], f"{_quote(shown)}:")
            for name, shown in batch.items()
            if name in counts
        ]
    return found[:limit]


def _list_begun(session: Session, letters: str) -> Iterator[tuple[str, str]]:
    """Yield name, and what to call it, of parameters with a name or short name of which a word begins so."""
    pattern = re.compile(rf"(?:^|[^a-z0-9]){re.escape(fold(letters))}")
    vocabulary = load_vocabulary()
    for name in sorted(set(session.scalars(select(ParameterType.name))), key=lambda name: (len(name), name)):
        aliases = vocabulary[name].aliases if name in vocabulary else ()
        shown = next((each for each in (*aliases, name) if pattern.search(fold(each))), None)
        if shown is not None:
            yield name, shown


def _find_nearest(index: DatasetIndex, seen: VisibilityFilter, word: str) -> str | None:
    """Return the nearest word to one that nothing has; None if something has it, or if none is near."""
    if index.count(SearchRequest(seen, Word(word))).total:
        return None
    tokens = to_tokens(word)
    distance = to_distance(tokens)
    facets = tuple(FacetRequest(noun, _SEEN_VALUES) for noun in SUGGESTED)
    found = index.count(SearchRequest(seen, Word(word, Match.FUZZY), facets=facets))
    counts = Counter[str]()
    for each in (value for facet in found.facets.values() for value in facet.values):
        counts.update(dict.fromkeys(to_tokens(each.value), each.count))
    edits = {token: count_edits(tokens[0], token) for token in counts if distance}
    near = [token for token, number in edits.items() if number <= distance]
    return min(near, key=lambda token: (edits[token], -counts[token], token), default=None)


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return value if _PLAIN.fullmatch(value) and value.lower() not in _OPERATORS else f'"{escaped}"'
