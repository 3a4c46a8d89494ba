"""What both engines are given of a document, under the same names; each has its own way with numbers alone."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ingest.catalogue.search.folding import to_tokens
from ingest.catalogue.search.keys import (
    LATEST,
    check_id,
    to_elements_keys,
    to_facet_entry,
    to_facet_value,
    to_hill_keys,
    to_instants,
    to_mark,
    to_order,
    to_periods,
    to_safe,
    to_safe_text,
    to_text_key,
    to_value_key,
)
from ingest.catalogue.search.nouns import AMOUNT_UNITS, UNCOUNTED, Noun, to_amounts, to_sought_values, to_values
from ingest.catalogue.search.ranking import OTHER_STEP, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.catalogue.document import NumericEntry, SearchDocument

PARAMETER_WORDS: Final = "words_parameter"
PARAMETER_FACET: Final = "facet_parameter"
"""The field of the names under which a document holds anything, amounts among them."""
WORDS: Final[dict[Noun, str]] = {noun: f"words_{noun}" for noun in Noun if noun is not Noun.COMPLETE}
"""The field of each noun's tokens."""
FACETS: Final[dict[Noun, str]] = {noun: f"facet_{noun}" for noun in Noun if noun not in UNCOUNTED}
"""The field of the values that are counted."""
ORDERS: Final[dict[Noun, str]] = {noun: f"{noun}_order" for noun in Noun}
"""The field of the key that a document has in the order by a noun, where it has a value of it."""
WORD_STEPS: Final = {WORDS[noun]: STEPS.get(noun, OTHER_STEP) for noun in WORDS} | {PARAMETER_WORDS: OTHER_STEP}
"""Where words are sought that are asked for without a field, and what a hit there counts."""


def to_shared_entry(document: SearchDocument) -> dict[str, Any]:
    """Return all but the numbers of the parameters; raises ValueError if the id is too large."""
    check_id(document.id)
    return {
        "id": document.id,
        "revision": document.revision,
        "newest": to_order(document.start_date, document.id, missing=0),
        "oldest": to_order(document.start_date, document.id, missing=LATEST),
        "elements": to_elements_keys(document),
        PARAMETER_FACET: [to_facet_value(name) for name in dict.fromkeys([*AMOUNT_UNITS, *document.parameter_names])],
        **to_instants(document),
        **to_periods(document),
        **_to_nouns(document),
        **_to_texts(document),
    }


class Numbers(NamedTuple):
    """What a document holds under one name: the lowest number; of a list of several all, of a range the other end."""

    lowest: float
    listed: tuple[float, ...] = ()
    highest: float | None = None


def list_numbers(document: SearchDocument) -> dict[str, Numbers]:
    """Return all by which the document is found, by name: amounts, and parameters that are not called as one."""
    amounts = {name: Numbers(amount) for name, amount in to_amounts(document).items()}
    parameters = {number.name: held for number in document.numbers if (held := _to_numbers(number))}
    return parameters | amounts


def to_parts(numbers: Numbers, to_stored: Callable[[float], float]) -> dict[str, Any]:
    """Return the parts that there are by their names, each number as an engine stores it."""
    listed = {"listed": [to_stored(value) for value in numbers.listed]} if numbers.listed else {}
    highest = {} if numbers.highest is None else {"highest": to_stored(numbers.highest)}
    return {"lowest": to_stored(numbers.lowest), **listed, **highest}


def _to_numbers(entry: NumericEntry) -> Numbers | None:
    """Return the same without what is no number; None if nothing is left."""
    if entry.values or entry.low == entry.high:
        values = tuple(value for value in entry.values or (entry.low,) if not isnan(value))
        return Numbers(min(values), values if len(values) > 1 else ()) if values else None
    return None if isnan(entry.low) or isnan(entry.high) else Numbers(entry.low, highest=entry.high)


def _to_nouns(document: SearchDocument) -> dict[str, list[str] | str]:
    keys = to_hill_keys(document)
    entry: dict[str, list[str] | str] = {"key": keys}
    for noun in Noun:
        if values := to_values(document, noun):
            sought = to_sought_values(document, noun)
            keys += [to_value_key(noun, value) for value in sought]
            if order := to_text_key(values):
                entry[ORDERS[noun]] = order
            if noun in FACETS:
                entry[FACETS[noun]] = [to_facet_entry(value) for value in values]
            if noun in WORDS:
                entry[WORDS[noun]] = [to_safe_text(value) for value in sought]
    return entry


def _to_texts(document: SearchDocument) -> dict[str, list[str]]:
    marked = (
        " ".join(f"{to_mark(text.name)}{to_safe(token)}" for token in to_tokens(text.value)) for text in document.texts
    )
    return {PARAMETER_WORDS: [to_safe_text(text.value) for text in document.texts], "text": list(marked)}
