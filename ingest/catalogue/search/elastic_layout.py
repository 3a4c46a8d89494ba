"""How a document lies in Elasticsearch: a strict mapping that never grows with what files contain.

* Tokens of each noun in a field of its own (`words_sample`). The standard tokenizer, the one that every server has,
  splits at more than blanks; so what is not ASCII goes in as its code between underscores, at which it never splits.
* Whole folded values in `key` for filters; in `facet_*` for counts folded values and behind them those that are shown.
* The elements of each formula as one term (`elements`).
* Text parameters as tokens with the parameter's mark before each (`text`), so that a phrase cannot cross parameters.
* Numbers as nested objects of name, values or extremes, and the lowest of them, whatever the names: a field for each
  name would be a mapping that grows, and that one file with ten thousand names breaks.
"""

from __future__ import annotations

import sys
from math import isnan
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.search.entries import FACETS, ORDERS, PARAMETER_FACET, PARAMETER_WORDS, WORDS, to_shared_entry
from ingest.catalogue.search.index import Hit
from ingest.catalogue.search.keys import to_facet_value
from ingest.catalogue.search.nouns import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.catalogue.document import NumericEntry, SearchDocument

LAYOUT_VERSION: Final = 11
"""Rises with every change of the mapping or of what is put into it; an index of another version is refused."""

MAX_WINDOW: Final = 20_000
"""Hits that one request may reach to: a stretch of revisions, and the pages by relevance."""

HIT_COLUMNS: Final[dict[str, Any]] = {
    "stored_fields": "_none_",
    "docvalue_fields": [{"field": "id"}, {"field": "revision"}],
}
"""What a search asks of each hit."""

_WORDS: Final = {"type": "text", "analyzer": "tokens", "norms": True}
_FACET: Final = {"type": "keyword", "index": False}
_NUMBER: Final = {"type": "double"}
_PERIOD: Final = {"type": "integer", "index": False}
_LONGEST_TOKEN: Final = 1000
"""A hundred characters, each of which may be written as its code."""


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
        "file_size": {"type": "long", "index": False},
        "key": {"type": "keyword", "doc_values": False},
        "elements": {"type": "keyword", "doc_values": False},
        "text": _WORDS,
        PARAMETER_WORDS: _WORDS,
        PARAMETER_FACET: {"type": "keyword"},
        "number": {
            "type": "nested",
            "properties": {"name": {"type": "keyword"}} | dict.fromkeys(("value", "low", "high", "lowest"), _NUMBER),
        },
    }
    fields |= {f"{instant}_{period}": _PERIOD for instant in Instant for period in ("month", "day")}
    fields |= {instant.value: {"type": "long"} for instant in Instant}
    fields |= {order: {"type": "keyword"} for order in ORDERS.values()}
    fields |= dict.fromkeys(FACETS.values(), _FACET) | dict.fromkeys(WORDS.values(), _WORDS)
    return {
        "_meta": {"layout": LAYOUT_VERSION},
        "_source": {"enabled": False},
        "dynamic": "strict",
        "properties": fields,
    }


def to_entry(document: SearchDocument) -> dict[str, Any]:
    """Return the document in the layout; raises ValueError if its id is too large."""
    return to_shared_entry(document) | {"number": list(_to_numbers(document.numbers))}


def to_hit(hit: dict[str, Any], score: float | None = None) -> Hit:
    """Return a hit of a search that asked for HIT_COLUMNS."""
    return Hit(hit["fields"]["id"][0], hit["fields"]["revision"][0], score)


def to_number(value: float) -> float:
    """Return the number within what JSON can say: infinity is the largest one."""
    # 0.0, since Lucene sorts -0.0 before it.
    return min(max(value, -sys.float_info.max), sys.float_info.max) + 0.0


def _to_numbers(numbers: tuple[NumericEntry, ...]) -> Iterable[dict[str, Any]]:
    """Yield values and ranges, one object for each entry. What is no number is left out."""
    for number in numbers:
        name = to_facet_value(number.name)
        if number.values or number.low == number.high:
            values = [to_number(value) for value in number.values or (number.low,) if not isnan(value)]
            if values:
                yield {"name": name, "value": values, "lowest": min(values)}
        elif not (isnan(number.low) or isnan(number.high)):
            low, high = to_number(number.low), to_number(number.high)
            yield {"name": name, "low": low, "high": high, "lowest": low}
