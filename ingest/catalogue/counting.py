"""How many datasets that a viewer may find have what: asked of the index, which counts without reading them.

What is counted by name belongs to a facility; each facility is asked for by itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from ingest.catalogue.paging import Page, PageRequest, list_page
from ingest.catalogue.search import AnyOf, DatasetIndex, FacetRequest, Noun, SearchRequest
from ingest.catalogue.search.folding import fold
from ingest.catalogue.search.index import MAX_FACET_SIZE
from ingest.catalogue.visibility import Viewer, to_index_filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from ingest.catalogue.search import FacetValue


class CountedSort(StrEnum):
    """The order of a list of what datasets have: by name, or the most frequent first."""

    NAME = "name"
    COUNT = "count"


class Counted(Protocol):
    """What datasets have."""

    @property
    def id(self) -> int:
        """Its key."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def dataset_count(self) -> int:
        """How many datasets have it."""


C = TypeVar("C", bound=Counted)


def list_counted(name: str, request: PageRequest, found: Iterable[C], sort: CountedSort) -> Page[C]:
    """Return the page of all that was found."""
    if sort is CountedSort.COUNT:
        return list_page(name, request, found, lambda each: [-each.dataset_count, each.id], (int, int))
    return list_page(name, request, found, lambda each: [fold(each.name), each.id], (str, int))


def count_values(
    index: DatasetIndex, viewer: Viewer, now: datetime, noun: Noun, *filters: AnyOf
) -> tuple[FacetValue, ...]:
    """Return the values of the noun with their counts, the most frequent MAX_FACET_SIZE first."""
    request = SearchRequest(
        visibility=to_index_filter(viewer, now), filters=filters, facets=(FacetRequest(noun, MAX_FACET_SIZE),)
    )
    return index.count(request).facets[noun].values


def count_by_value(
    index: DatasetIndex, viewer: Viewer, now: datetime, noun: Noun, *filters: AnyOf
) -> Mapping[str, int]:
    """Return the counts by value."""
    return {found.value: found.count for found in count_values(index, viewer, now, noun, *filters)}


def of_facility(name: str) -> AnyOf:
    """Return the filter by a facility."""
    return AnyOf(Noun.FACILITY, (name,))
