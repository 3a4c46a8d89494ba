"""What comes first when hits are sorted by relevance: steps that every index gives alike.

For each written word the best noun it is found in counts; on top comes a value that is the whole query: a scientist who
types the name of a dataset, a sample or a proposal means that one. How frequent a word is counts for nothing, as it
would with BM25: it tells of datasets that who asks may not see.
"""

from __future__ import annotations

from typing import Final

from ingest.catalogue.search.nouns import Noun
from ingest.catalogue.search.query import And, Match, Phrase, Query, Word

STEPS: Final = {
    Noun.NAME: 8.0,
    Noun.TITLE: 4.0,
    Noun.SAMPLE: 3.0,
    Noun.FORMULA: 3.0,
    Noun.TECHNIQUE: 2.0,
    Noun.KEYWORD: 2.0,
    Noun.ABSTRACT: 1.5,
}
OTHER_STEP: Final = 1.0

NUANCED: Final = (Noun.NAME, Noun.TITLE, Noun.SAMPLE)
NUANCE: Final = 0.01
"""What each word of the query adds in each of these nouns: among hits of one step, those that hold more come first."""

NEAR_SHARE: Final = 0.5
"""A word that is only nearly the one that was asked for counts this part of its step."""

EXACT_STEPS: Final = {
    Noun.NAME: 1000.0,
    Noun.DOI: 1000.0,
    Noun.INVESTIGATION: 500.0,
    Noun.PROPOSAL: 500.0,
    Noun.SAMPLE: 500.0,
    Noun.TITLE: 500.0,
}


def to_matches(match: Match, step: float) -> list[tuple[Match, float]]:
    """Return how a word is sought in a noun, with the step of each way: as it is written comes first."""
    if match is Match.FUZZY:
        return [(Match.WORDS, step), (match, step * NEAR_SHARE)]
    return [(match, step)]


def to_whole_text(query: Query) -> str:
    """Return the words and phrases that all must be found, as they were written one after the other; "" if none."""
    parts = query.parts if isinstance(query, And) else (query,)
    return " ".join(part.text for part in parts if isinstance(part, Word | Phrase) and part.match is Match.WORDS)
