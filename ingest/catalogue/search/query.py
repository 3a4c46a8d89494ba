"""What is asked, as a tree of frozen values: the one form that every door makes and every index translates.

`parse_query` makes it from text, `resolve` settles parameter names and units, a `DatasetIndex` answers it. What each
node finds is written here and is what the conformance tests check; docs/query-language.md says it for people.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from ingest.catalogue.search.nouns import Instant


class Match(StrEnum):
    """How a document holds the words that are asked for: as they are, like their wildcards, or nearly."""

    WORDS = "words"
    WILDCARD = "wildcard"
    FUZZY = "fuzzy"


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which text a node was written, for errors that come later."""

    position: int = 0
    text: str = ""


_NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class All:
    """Every document."""


@dataclass(frozen=True, slots=True)
class Word:
    """One written word in any noun or text parameter.

    A word of several tokens (`20-BM`) is found where they follow each other; with WILDCARD tokens like those of
    `wildcards.to_patterns`. With FUZZY tokens within the distance of `fuzzy.to_distance` are found as well.
    """

    text: str
    match: Match = Match.WORDS


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens that follow each other in one value of any noun or text parameter."""

    text: str

    @property
    def match(self) -> Match:
        """How it is held."""
        return Match.WORDS


@dataclass(frozen=True, slots=True)
class FieldMatch:
    """Tokens that follow each other in one value of a noun, or of a text parameter of that name; as in `Word`.

    With WORDS a chemical formula finds equal ones in the noun `formula`, however they are written.
    """

    field: str
    value: str
    match: Match = Match.WORDS
    place: Place = dataclasses.field(default=_NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ParameterRange:
    """A numeric parameter inside the bounds; None is unbounded.

    A single value and each value of a list is inside or not; a range (of a scan) is found if it overlaps. `unit` is
    what was asked in; None is the parameter's own. After `resolve` it is always None.
    """

    name: str
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    includes_low: bool = True
    includes_high: bool = True
    place: Place = dataclasses.field(default=_NOWHERE, compare=False, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether no number can be inside: the bounds cross, or one of them is no number."""
        low, high = -inf if self.low is None else self.low, inf if self.high is None else self.high
        return not (low <= high if self.includes_low and self.includes_high else low < high)


@dataclass(frozen=True, slots=True)
class DateRange:
    """A date from `low` on and before `high`; None is unbounded. A document without that date is never found."""

    field: Instant
    low: datetime | None = None
    high: datetime | None = None


@dataclass(frozen=True, slots=True)
class Elements:
    """A sample's formula that holds all of these elements, by their symbols; with `is_exact` no others."""

    symbols: tuple[str, ...]
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the parts."""

    parts: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Every document that the part does not find."""

    part: Query


Leaf: TypeAlias = All | Word | Phrase | FieldMatch | ParameterRange | DateRange | Elements


def join_all(*queries: Query) -> Query:
    """Return what all of the queries find, flat: words side by side at the top are what relevance is measured by."""
    parts = [part for query in queries for part in (query.parts if isinstance(query, And) else (query,))]
    kept = tuple(part for part in parts if part != All())
    return And(kept) if len(kept) > 1 else (*kept, All())[0]


Query: TypeAlias = Leaf | And | Or | Not
