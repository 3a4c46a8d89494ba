"""The query tree in tantivy's terms.

Scores are the steps of `ranking`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from tantivy import FieldType, Occur
from tantivy import Query as Clause

from ingest.catalogue.search.embedded_layout import HIGHEST, LOWEST, to_column
from ingest.catalogue.search.entries import WORD_STEPS, WORDS, Numbers
from ingest.catalogue.search.folding import to_tokens
from ingest.catalogue.search.fuzzy import to_distance
from ingest.catalogue.search.index import AnyOf, SearchRequest, Sort
from ingest.catalogue.search.keys import (
    to_elements_key,
    to_elements_pattern,
    to_hill_key,
    to_mark,
    to_microseconds,
    to_safe,
    to_sortable,
    to_value_key,
)
from ingest.catalogue.search.nouns import MAX_VALUE_LENGTH, Noun
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
from ingest.catalogue.search.wildcards import to_asked_tokens, to_regex

if TYPE_CHECKING:
    from tantivy import Index


_FEW_VALUED: Final = {WORDS[noun]: noun for noun in (Noun.TECHNIQUE, Noun.FACILITY, Noun.INSTRUMENT, Noun.PROBE)}
"""The words of nouns that have few values, each shared by many documents."""


@dataclass(frozen=True, slots=True)
class Translator:
    """Makes clauses for one open index. Text reaches tantivy as terms; its parser is given digits and keys only."""

    index: Index

    def to_clause(self, request: SearchRequest) -> Clause:
        """Return the clause of what the request finds for its viewer: query, filters and visibility."""
        musts = [self._translate(request.query), *(self._translate_filter(part) for part in request.filters)]
        if not request.visibility.sees_all:
            now = to_microseconds(request.visibility.now)
            musts.append(self._integers("visible_from", None, now))
        if request.sort is Sort.RELEVANCE:
            return self._rank(all_of(musts), request.query)
        return all_of(musts)

    def _translate(self, query: Query) -> Clause:
        match query:
            case And(parts):
                return self._combine(parts)
            case Or(parts):
                return Clause.boolean_query([(Occur.Should, self._translate(part)) for part in parts])
            case Not():
                return self._combine((query,))
            case _:
                return self._translate_leaf(query)

    def _translate_leaf(self, query: Leaf) -> Clause:
        match query:
            case All():
                return _unscored(Clause.all_query())
            case Word(text) | Phrase(text):
                return self._anywhere(to_asked_tokens(text, query.match), query.match)
            case FieldMatch(field, value):
                return self._in_field(field, value, query.match)
            case ParameterRange():
                return _unscored(self._in_range(query))
            case DateRange(instant, low, high):
                first = None if low is None else to_microseconds(low)
                last = None if high is None else to_microseconds(high) - 1
                return self._integers(instant.value, first, last)
            case Elements(symbols, is_exact):
                return _unscored(self._of_elements(symbols, is_exact))

    def _combine(self, parts: tuple[Query, ...]) -> Clause:
        """Return all of the parts; those that are negated are taken away from the others, or from all."""
        clauses = [(Occur.MustNot, self._translate(part.part)) for part in parts if isinstance(part, Not)]
        musts = [(Occur.Must, self._translate(part)) for part in parts if not isinstance(part, Not)]
        return Clause.boolean_query([*(musts or [(Occur.Must, _unscored(Clause.all_query()))]), *clauses])

    def _translate_filter(self, wanted: AnyOf | DateRange) -> Clause:
        if isinstance(wanted, DateRange):
            return self._translate(wanted)
        keys = [to_value_key(wanted.noun, value) for value in wanted.values]
        return _unscored(Clause.term_set_query(self.index.schema, "key", keys))

    def _anywhere(self, tokens: list[str], match: Match) -> Clause:
        """Return the tokens in sequence in any noun, scored by the best one."""
        steps = [
            clause for field, step in WORD_STEPS.items() for clause in self._list_steps(field, tokens, match, step)
        ]
        return Clause.disjunction_max_query(steps)

    def _list_steps(self, field: str, tokens: list[str], match: Match, step: float, mark: str = "") -> list[Clause]:
        return [
            Clause.const_score_query(self._sequence(field, tokens, each, mark), score)
            for each, score in to_matches(match, step)
        ]

    def _in_field(self, field: str, value: str, match: Match) -> Clause:
        if field == Noun.COMPLETE:
            return _unscored(Clause.term_query(self.index.schema, "key", to_value_key(Noun.COMPLETE, value)))
        tokens = to_asked_tokens(value, match)
        if field in set(Noun):
            words = WORDS[Noun(field)]
            step = WORD_STEPS[words]
            steps = self._list_steps(words, tokens, match, step)
            if field == Noun.FORMULA and match is Match.WORDS and (key := to_hill_key(value)):
                steps.append(Clause.const_score_query(Clause.term_query(self.index.schema, "key", key), step))
        else:
            steps = self._list_steps("text", tokens, match, OTHER_STEP, to_mark(field))
        return Clause.disjunction_max_query(steps)

    def _of_elements(self, symbols: tuple[str, ...], is_exact: bool) -> Clause:
        """Return documents with a formula of these elements."""
        if is_exact:
            return Clause.term_query(self.index.schema, "elements", to_elements_key(symbols))
        return Clause.regex_query(self.index.schema, "elements", to_elements_pattern(symbols))

    def _sequence(self, field: str, tokens: list[str], match: Match, mark: str = "") -> Clause:
        """Return the tokens, or tokens like the patterns, one after the other in one value."""
        if match is Match.WILDCARD:
            return self._like(field, [mark + to_regex(pattern) for pattern in tokens])
        schema = self.index.schema
        safe = [mark + to_safe(token) for token in tokens]
        if not safe:
            return Clause.empty_query()
        if match is Match.FUZZY and (distance := to_distance(tokens)):
            return Clause.fuzzy_term_query(schema, field, safe[0], distance, transposition_cost_one=True)
        if len(safe) == 1:
            return Clause.term_query(schema, field, safe[0])
        keys = self._find_keys(_FEW_VALUED[field], tokens) if field in _FEW_VALUED else None
        if keys is None:
            return Clause.phrase_query(schema, field, list(safe))
        return Clause.term_set_query(schema, "key", keys)

    def _find_keys(self, noun: Noun, tokens: list[str]) -> list[str] | None:
        """Return the keys of all values that hold the tokens one after the other; None if some are too long to tell.

        To look through the values takes a fraction of a millisecond, and documents by their keys an eighth of the time
        that the words of each one take.
        """
        beginning, sought = to_value_key(noun, ""), f" {' '.join(tokens)} "
        keys = [key for key, _ in self.index.searcher().terms_with_prefix("key", beginning)]
        if any(len(key) - len(beginning) >= MAX_VALUE_LENGTH for key in keys):
            return None
        return [key for key in keys if sought in f" {' '.join(to_tokens(key.removeprefix(beginning)))} "]

    def _like(self, field: str, patterns: list[str]) -> Clause:
        """Return words like these patterns one after the other in one value.

        No prefix phrase of tantivy: it tries 50 endings and leaves the others out without a word.
        """
        if not patterns:
            return Clause.empty_query()
        if len(patterns) == 1:
            return Clause.regex_query(self.index.schema, field, patterns[0])
        return Clause.regex_phrase_query(self.index.schema, field, list(patterns))

    def _in_range(self, asked: ParameterRange) -> Clause:
        """Return documents with a value inside or a range that overlaps."""
        if asked.is_empty:
            return Clause.empty_query()
        first = to_sortable(-inf if asked.low is None else asked.low) + (0 if asked.includes_low else 1)
        last = to_sortable(inf if asked.high is None else asked.high) - (0 if asked.includes_high else 1)
        lowest, listed, highest = (to_column(asked.name, part) for part in Numbers._fields)
        inside = f"{lowest}:[{first} TO {last}]"
        if asked.low is None:
            return self.index.parse_query(inside)
        overlap = f"({highest}:[{first} TO {HIGHEST}] AND {lowest}:[{LOWEST} TO {last}])"
        return self.index.parse_query(f"{inside} OR {listed}:[{first} TO {last}] OR {overlap}")

    def _integers(self, field: str, first: int | None, last: int | None) -> Clause:
        """Return documents whose column lies in the bounds, both included; none where it is empty."""
        lowest = LOWEST if first is None else first
        return _unscored(Clause.range_query(self.index.schema, field, FieldType.Integer, lowest, last))

    def _rank(self, found: Clause, query: Query) -> Clause:
        """Return the same hits, those whose value is the whole query before all others."""
        schema, text = self.index.schema, to_whole_text(query)
        tokens = to_tokens(text)
        if not tokens:
            return found
        exact = [
            Clause.const_score_query(Clause.term_query(schema, "key", to_value_key(noun, text)), step)
            for noun, step in EXACT_STEPS.items()
        ]
        nuances = [
            Clause.const_score_query(Clause.term_query(schema, WORDS[noun], token), NUANCE)
            for noun in NUANCED
            for token in map(to_safe, tokens)
        ]
        shoulds = [Clause.disjunction_max_query(exact), *nuances]
        return Clause.boolean_query([(Occur.Must, found), *((Occur.Should, should) for should in shoulds)])


def above(index: Index, column: str, number: int) -> Clause:
    """Return the documents with a greater number in a column without signs."""
    return Clause.range_query(index.schema, column, FieldType.Unsigned, number, include_lower=False)


def below(index: Index, column: str, number: int) -> Clause:
    """Return the documents with a smaller number in a column without signs."""
    return Clause.range_query(index.schema, column, FieldType.Unsigned, upper_bound=number, include_upper=False)


def all_of(clauses: list[Clause]) -> Clause:
    """Return what all of the clauses find."""
    return Clause.boolean_query([(Occur.Must, clause) for clause in clauses])


def _unscored(clause: Clause) -> Clause:
    return Clause.const_score_query(clause, 0.0)
