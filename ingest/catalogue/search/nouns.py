"""The catalogue's nouns that one searches, filters and counts by, and where a document keeps them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ingest.catalogue.search.folding import to_clean

if TYPE_CHECKING:
    from ingest.catalogue.document import SearchDocument


class Noun(StrEnum):
    """What a document holds as text, each with its values."""

    NAME = "name"
    TITLE = "title"
    SAMPLE = "sample"
    FORMULA = "formula"
    TECHNIQUE = "technique"
    KEYWORD = "keyword"
    ABSTRACT = "abstract"
    DOI = "doi"
    INVESTIGATION = "investigation"
    PROPOSAL = "proposal"
    INSTRUMENT = "instrument"
    FACILITY = "facility"
    DEFINITION = "definition"
    DETECTOR = "detector"
    MOTOR = "motor"
    COUNTER = "counter"
    SCAN_KIND = "scan_kind"
    LINKED_FILE = "linked_file"
    PROBE = "probe"
    USER = "user"
    COMPLETE = "complete"


UNCOUNTED: Final = frozenset({Noun.NAME, Noun.TITLE, Noun.ABSTRACT})
"""Nouns without facets: nearly each dataset has its own, or a whole text."""


class Instant(StrEnum):
    """What a document holds as a date."""

    START = "start_date"
    END = "end_date"
    RELEASE = "release_date"


class Amount(StrEnum):
    """What a document holds as a number that is no parameter; it is asked for as a parameter of that name would be."""

    FILE_SIZE = "file_size"
    FILE_COUNT = "file_count"


AMOUNT_UNITS: Final = {Amount.FILE_SIZE.value: "byte", Amount.FILE_COUNT.value: "1"}
"""The unit of each amount. A parameter that is called as one is not searched for."""

AMOUNT_ALIASES: Final = {"size": Amount.FILE_SIZE.value}
"""Short words for amounts, as parameters have them."""

ELEMENTS: Final = "elements"
"""The field by which one asks for chemical elements, which are read from the formulas."""

SYNONYMS: Final = {
    "beamline": Noun.INSTRUMENT.value,
    "date": Instant.START.value,
    "element": ELEMENTS,
    "dataset": Noun.NAME.value,
    "visit": Noun.INVESTIGATION.value,
}
"""Words that people use for a noun. A parameter type with one of these names is reached in quotes only by its own."""


_ATTRIBUTES: Final = {
    noun: noun.value if noun in {Noun.NAME, Noun.INVESTIGATION, Noun.PROPOSAL, Noun.FACILITY} else f"{noun.value}s"
    for noun in Noun
}

MAX_VALUE_LENGTH: Final = 1000
"""Filters and facets know the beginning of a longer value."""


def to_field(written: str) -> str:
    """Return the field as the tree names it: what people call a noun is that noun."""
    name = SYNONYMS.get(written.lower(), written)
    return name.lower() if name.lower() in {*Noun, *Instant, *Amount} else name


def to_values(document: SearchDocument, noun: Noun) -> tuple[str, ...]:
    """Return the document's values of this noun as they are shown and counted; empty texts are none."""
    if noun is Noun.COMPLETE:
        return ("true" if document.complete else "false",)
    held = getattr(document, _ATTRIBUTES[noun])
    values = (held,) if isinstance(held, str) else held
    return tuple([to_clean(value) for value in values if value])


def to_amounts(document: SearchDocument) -> dict[str, float]:
    """Return the document's amounts by their names."""
    return {amount.value: float(getattr(document, amount)) for amount in Amount}


def to_sought_values(document: SearchDocument, noun: Noun) -> tuple[str, ...]:
    """Return all that finds the document by this noun: its values, and what these are called elsewhere."""
    values = to_values(document, noun)
    return values + document.technique_names if noun is Noun.TECHNIQUE and values else values
