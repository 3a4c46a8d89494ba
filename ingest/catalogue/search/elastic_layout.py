"""How a document lies in Elasticsearch: a strict mapping that never grows with what files contain.

* Tokens of each noun in a field of its own (`words_sample`). The standard tokenizer, the one that every server has,
  splits at more than blanks; so what is not ASCII goes in as its code between underscores, at which it never splits.
* Whole folded values in `key` for filters; in `facet_*` for counts folded values and behind them those that are shown.
* The elements of each formula as one term (`elements`).
* Text parameters as tokens with the parameter's mark before each (`text`), so that a phrase cannot cross parameters.
* Numbers in fields of their own for the parameters of the vocabulary, in nested objects for others (`elastic_numbers`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.elastic_numbers import to_digest, to_numbers, to_properties
from ingest.catalogue.search.entries import (
    FACETS,
    ORDERS,
    PARAMETER_FACET,
    PARAMETER_WORDS,
    WORDS,
    list_numbers,
    to_shared_entry,
)
from ingest.catalogue.search.index import Hit
from ingest.catalogue.search.nouns import Instant

if TYPE_CHECKING:
    from ingest.catalogue.document import SearchDocument

_LAYOUT_VERSION: Final = 12
"""Rises with every change of the mapping or of what is put into it, but for the names that the vocabulary has."""

MAX_WINDOW: Final = 20_000
"""Hits that one request may reach to: a stretch of revisions, and the pages by relevance."""

HIT_COLUMNS: Final[dict[str, Any]] = {
    "stored_fields": "_none_",
    "docvalue_fields": [{"field": "id"}, {"field": "revision"}],
}
"""What a search asks of each hit."""

_WORDS: Final = {"type": "text", "analyzer": "tokens", "norms": True}
_FACET: Final = {"type": "keyword", "index": False}
_PERIOD: Final = {"type": "integer", "index": False}
_LONGEST_TOKEN: Final = 1000
"""A hundred characters, each of which may be written as its code."""


def to_layout() -> str:
    """Return the layout's version and the mark of the vocabulary's names; an index of another one is refused."""
    return f"{_LAYOUT_VERSION}-{to_digest()}"


def to_settings() -> dict[str, Any]:
    """Return the settings of an index: one shard, since counts over several are guesses.

    Documents lie in it the newest first, as they are mostly asked for: who wants twenty reads twenty of each segment.
    """
    return {
        "number_of_shards": 1,
        "sort.field": "newest",
        "sort.order": "desc",
        "auto_expand_replicas": "0-1",
        "max_result_window": MAX_WINDOW,
        "mapping.nested_objects.limit": 100_000,
        "mapping.total_fields.limit": 20_000,
        # A document that is taken away and comes back with an old revision is not refused for the sake of the old one.
        "gc_deletes": "0s",
        "analysis": {
            "tokenizer": {"tokens": {"type": "standard", "max_token_length": _LONGEST_TOKEN}},
            "analyzer": {"tokens": {"type": "custom", "tokenizer": "tokens"}},
        },
    }


def to_mapping() -> dict[str, Any]:
    """Return the mapping. Nothing is stored: what a hit needs is read from columns, and the database has the rest."""
    fields: dict[str, Any] = {
        "id": {"type": "long"},
        "revision": {"type": "long"},
        "newest": {"type": "long"},
        "oldest": {"type": "long"},
        "visible_from": {"type": "long"},
        "key": {"type": "keyword", "doc_values": False},
        "elements": {"type": "keyword", "doc_values": False},
        "text": _WORDS,
        PARAMETER_WORDS: _WORDS,
        PARAMETER_FACET: {"type": "keyword"},
    } | to_properties()
    fields |= {f"{instant}_{period}": _PERIOD for instant in Instant for period in ("month", "day")}
    fields |= {instant.value: {"type": "long"} for instant in Instant}
    fields |= {order: {"type": "keyword"} for order in ORDERS.values()}
    fields |= dict.fromkeys(FACETS.values(), _FACET) | dict.fromkeys(WORDS.values(), _WORDS)
    return {
        "_meta": {"layout": to_layout()},
        "_source": {"enabled": False},
        "dynamic": "strict",
        "properties": fields,
    }


def to_entry(document: SearchDocument) -> dict[str, Any]:
    """Return the document in the layout; raises ValueError if its id is too large."""
    return to_shared_entry(document) | to_numbers(list_numbers(document))


def to_hit(hit: dict[str, Any], score: float | None = None) -> Hit:
    """Return a hit of a search that asked for HIT_COLUMNS."""
    return Hit(hit["fields"]["id"][0], hit["fields"]["revision"][0], score)
