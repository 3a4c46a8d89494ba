"""What both engines take and give of a facet: the regular expression that its values are sought by, and counts.

What a facet's column holds is the folded value, a NUL, and the value as it is shown (`keys.to_facet_entry`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingest.catalogue.search.folding import fold
from ingest.catalogue.search.index import Facet, FacetValue
from ingest.catalogue.search.keys import from_facet_entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.catalogue.search.index import FacetRequest


def to_pattern(facet: FacetRequest, escape: Callable[[str], str]) -> str:
    """Return the pattern of the entries that the facet counts, which they fit as a whole.

    A word begins behind anything but a letter from a to z or a digit. `escape` returns what means just a sign to the
    engine.
    """
    letters = "".join(each if each.isalnum() or not each.isascii() else escape(each) for each in fold(facet.contains))
    before = "([^\0]*[^\0a-z0-9])?" if facet.at_word else "[^\0]*"
    return f"{before}{letters}[^\0]*\0[^\0]*"


def to_facet(counted: dict[str, Any]) -> Facet:
    """Return the facet out of an aggregation by terms, as the engines answer it: the most frequent values first."""
    values = [FacetValue(from_facet_entry(bucket["key"]), bucket["doc_count"]) for bucket in counted["buckets"]]
    return Facet(tuple(sorted(values, key=lambda value: (-value.count, value.value))), counted["sum_other_doc_count"])
