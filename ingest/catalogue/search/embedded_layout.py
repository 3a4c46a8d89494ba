"""How a document lies in the tantivy index: its fields, and every name and number in the form that is safe there.

* Tokens of each noun in a field of its own (`words_sample`), split at blanks only: `folding` has made them.
* Whole folded values in `key` for filters; in `facet_*` for counts folded values and behind them those that are shown.
* The elements of each formula as one term (`elements`).
* Text parameters as tokens with the parameter's mark before each (`text`), so that a phrase cannot cross parameters.
* Numbers in one JSON field, `number.<key>.lowest` and the other parts of `Numbers`. They are whole numbers that sort
  as the floats do: tantivy 0.27 panics on a range over a JSON path with one whole and one fractional bound, and takes
  7.0 for whole. Whole numbers are of one kind. So a list, too, is exact: a two-sided range on `listed`.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from tantivy import Schema, SchemaBuilder

from ingest.catalogue.search.entries import (
    FACETS,
    ORDERS,
    PARAMETER_FACET,
    PARAMETER_WORDS,
    WORDS,
    list_numbers,
    to_parts,
    to_shared_entry,
)
from ingest.catalogue.search.keys import to_sortable
from ingest.catalogue.search.nouns import Instant

if TYPE_CHECKING:
    from ingest.catalogue.document import SearchDocument

LAYOUT_VERSION: Final = 12
"""Rises with every change of the schema or of what is put into it; an index of another version is refused."""

PERIODS: Final = tuple(f"{instant}_{period}" for instant in Instant for period in ("month", "day"))
_MAX_KEY_LENGTH: Final = 200
LOWEST: Final = -(2**63)
HIGHEST: Final = 2**63 - 1
"""Of signed whole numbers, as which numbers and dates lie in the columns."""
_SAFE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def make_schema() -> Schema:
    """Return the schema of this layout; nothing is stored, what a hit needs is read from columns."""
    builder = SchemaBuilder()
    builder.add_unsigned_field("id", indexed=True, fast=True)
    for name in ("revision", "newest", "oldest"):
        builder.add_unsigned_field(name, fast=True)
    for name in (*Instant, "visible_from", *PERIODS):
        builder.add_integer_field(name, fast=True)
    for order in ORDERS.values():
        builder.add_text_field(order, fast=True, tokenizer_name="raw", index_option="basic")
    for name in ("key", "elements"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for words in (*WORDS.values(), PARAMETER_WORDS):
        builder.add_text_field(words, tokenizer_name="whitespace")
    for facet in (*FACETS.values(), PARAMETER_FACET):
        builder.add_text_field(facet, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="whitespace")
    builder.add_json_field("number", fast=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


def to_entry(document: SearchDocument) -> dict[str, Any]:
    """Return the document in the layout, ready to be written as JSON."""
    numbers = {to_key(name): to_parts(each, to_sortable) for name, each in list_numbers(document).items()}
    return to_shared_entry(document) | {"number": numbers}


@lru_cache(maxsize=8192)
def to_key(name: str) -> str:
    """Return a parameter's name as a key of letters, digits, `_` and `-`, one to one.

    Whatever else is written as its code between dashes; a very long name becomes its digest.
    """
    key = "k" + "".join(letter if letter in _SAFE else f"-{ord(letter):x}-" for letter in name)
    if len(key) <= _MAX_KEY_LENGTH:
        return key
    return f"k--{blake2b(key.encode(), digest_size=16).hexdigest()}"


def to_column(name: str, part: str) -> str:
    """Return where that part of the numbers under this name lies."""
    return f"number.{to_key(name)}.{part}"
