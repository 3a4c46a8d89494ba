"""The tree of a query as JSON: what `q` says as text, one object for each node.

What a clause means is settled by the language alone: it is written as text and read again, so that whatever can be
asked has an address, and the same limits.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from api.questions import NO_NUL, Absent, refuse_nul
from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.finding import parse_dates
from ingest.catalogue.formulas import find_symbol
from ingest.catalogue.search import (
    And,
    DateRange,
    Elements,
    FieldMatch,
    Instant,
    Match,
    Not,
    Noun,
    Or,
    ParameterRange,
    Phrase,
    Query,
    Word,
)
from ingest.catalogue.search.language import MAX_ELEMENTS, MAX_WORDS, to_surroundings
from ingest.catalogue.search.nouns import to_field

_KEYWORDS: Final = frozenset({"and", "or", "not"})
Said = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=1000), AfterValidator(refuse_nul), NO_NUL]
Manner = Annotated[
    Match, Field(description="`wildcard`: `*` stands for any letters, `?` for one; `fuzzy`: a word that is nearly so.")
]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class WithoutNulls(BaseModel):
    """A JSON object in which nothing may be null: what is not asked is left out."""

    @model_validator(mode="before")
    @classmethod
    def refuse_null(cls, given: Any) -> Any:
        """Return what was given; raises ValueError if a member of it is null."""
        if isinstance(given, dict) and (empty := next((name for name, value in given.items() if value is None), None)):
            raise ValueError(f"{str(empty)[:50]!r} is null: leave it out")
        return given


class Clause(WithoutNulls):
    """A part of a query."""

    model_config = ConfigDict(extra="forbid")

    def to_query(self) -> Query:
        """Return the node of the tree; raises InvalidQueryError for what is not asked in this way."""
        raise NotImplementedError


class AllClause(Clause):
    """All of the parts."""

    parts: list[QueryClause] = Field(alias="and", min_length=1, max_length=MAX_WORDS)

    def to_query(self) -> Query:
        """Return the parts, and-ed."""
        parts = tuple(part.to_query() for part in self.parts)
        return parts[0] if len(parts) == 1 else And(parts)


class AnyClause(Clause):
    """At least one of the parts."""

    parts: list[QueryClause] = Field(alias="or", min_length=1, max_length=MAX_WORDS)

    def to_query(self) -> Query:
        """Return the parts, or-ed."""
        parts = tuple(part.to_query() for part in self.parts)
        return parts[0] if len(parts) == 1 else Or(parts)


class NotClause(Clause):
    """What the part does not find."""

    part: QueryClause = Field(alias="not")

    def to_query(self) -> Query:
        """Return the part, negated."""
        return Not(self.part.to_query())


class TextClause(Clause):
    """Words one after the other, anywhere."""

    text: Said = Field(examples=["LaB6"])
    match: Manner = Match.WORDS

    def to_query(self) -> Query:
        """Return the word or the phrase."""
        if self.match is Match.WORDS and not (self.text.isalnum() and self.text.lower() not in _KEYWORDS):
            return Phrase(self.text)
        return Word(self.text, self.match)


class FieldClause(Clause):
    """Words one after the other in one field; a date or a period, where the field is one."""

    field: Said = Field(examples=["sample"])
    value: Said = Field(examples=["silver behenate"])
    match: Manner = Match.WORDS

    def to_query(self) -> Query:
        """Return the match of the field, or its dates."""
        name = to_field(self.field)
        if name in set(Instant):
            return _to_dates(Instant(name), self.value)
        return FieldMatch(name, self.value, self.match)


class RangeClause(Clause):
    """A range of a parameter: `low`, `high` or both, which are included; or one of `above`, `below`, `near`."""

    field: Said = Field(examples=["energy"])
    low: Number | Absent = Field(default=None, examples=[12])
    high: Number | Absent = Field(default=None, examples=[13])
    above: Number | Absent = None
    below: Number | Absent = None
    near: Number | Absent = Field(default=None, description="5 % of it to both sides.")
    unit: Said | Absent = Field(default=None, description="Without it the parameter's own.", examples=["keV"])

    def to_query(self) -> Query:
        """Return the range."""
        name = to_field(self.field)
        if name in {*Noun, *Instant}:
            raise InvalidQueryError(f"{name} is no number: ask for a value, or for dates from and to")
        is_span = self.low is not None or self.high is not None
        if is_span + sum(way is not None for way in (self.above, self.below, self.near)) != 1:
            raise InvalidQueryError(f"{name}: give low, high or both, or one of above, below and near")
        if self.near == 0:
            raise InvalidQueryError(f"{name}: nothing is near 0 by a part of it: give low and high")
        if self.near is not None:
            return ParameterRange(name, *to_surroundings(self.near), self.unit)
        if self.above is not None:
            return ParameterRange(name, self.above, None, self.unit, includes_low=False)
        if self.below is not None:
            return ParameterRange(name, None, self.below, self.unit, includes_high=False)
        return ParameterRange(name, self.low, self.high, self.unit)


class DatesClause(Clause):
    """From the beginning of one date or period to the end of another; one of them may be left out."""

    field: Instant
    first: Said | Absent = Field(default=None, alias="from", examples=["2025-01"])
    last: Said | Absent = Field(default=None, alias="to", examples=["2025-03"])

    def to_query(self) -> Query:
        """Return the dates."""
        return _to_dates(self.field, f"{self.first or ''}..{self.last or ''}")


class ElementsClause(Clause):
    """A sample's formula that holds all of these elements."""

    elements: list[Said] = Field(min_length=1, max_length=MAX_ELEMENTS, examples=[["Fe", "O"]])
    is_exact: bool = Field(default=False, strict=True, description="And no others.")

    def to_query(self) -> Query:
        """Return the elements; the language says which symbols there are."""
        return Elements(tuple(dict.fromkeys(find_symbol(each) or each for each in self.elements)), self.is_exact)


def _to_tag(given: Any) -> str | None:
    """Return which clause it is: told by the member that no other has."""
    if not isinstance(given, dict):
        return None
    for member, tag in _TAGS.items():
        if member in given:
            return tag
    return "range" if "field" in given else None


_TAGS: Final = {
    "and": "and",
    "or": "or",
    "not": "not",
    "text": "text",
    "elements": "elements",
    "value": "field",
    "from": "dates",
    "to": "dates",
}
QueryClause = Annotated[
    Annotated[AllClause, Tag("and")]
    | Annotated[AnyClause, Tag("or")]
    | Annotated[NotClause, Tag("not")]
    | Annotated[TextClause, Tag("text")]
    | Annotated[FieldClause, Tag("field")]
    | Annotated[RangeClause, Tag("range")]
    | Annotated[DatesClause, Tag("dates")]
    | Annotated[ElementsClause, Tag("elements")],
    Discriminator(
        _to_tag,
        custom_error_type="unknown_clause",
        custom_error_message=(
            "a part of a query has one of and, or, not, text, elements, or a field with value, from, to, low, high ..."
        ),
    ),
]

for clause in (AllClause, AnyClause, NotClause):
    clause.model_rebuild()


def _to_dates(field: Instant, text: str) -> DateRange:
    asked = parse_dates(field, text)
    return DateRange(field, asked.low, asked.high)
