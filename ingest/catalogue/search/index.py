"""What every search index does: the protocol, its requests and its answers. docs/index-protocol.md is for implementers.

The same conformance tests (tests/catalogue/search) run against every implementation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from ingest.catalogue.errors import InvalidQueryError, UnavailableError
from ingest.catalogue.search.nouns import UNCOUNTED, Instant, Noun
from ingest.catalogue.search.query import All, DateRange, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ingest.catalogue.document import SearchDocument

MAX_LIMIT: Final = 1000
"""The most hits on a page."""
MAX_FACET_SIZE: Final = 1000
"""The most values of a facet."""
MAX_SOUGHT: Final = 100
"""The most letters by which values of a facet are sought."""
MAX_BINS: Final = 1000
"""The most bins in which the numbers of a parameter are counted."""
MAX_RELEVANCE_DEPTH: Final = 10_000
"""How far one pages by relevance; the other orders have no end."""


class IndexBusyError(UnavailableError):
    """Another process writes to this index now. It indexes all that lags, so nobody needs to wait for it."""

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(f"another process is writing to the index {location}")


class IndexOutdatedError(UnavailableError):
    """The index cannot be read by this release: another layout, or damaged. The database still has all it held."""

    def __init__(self, location: str, reason: str) -> None:
        self.location, self.reason = location, reason
        super().__init__(f"the index {location} {reason}: 'nxcat reindex' builds a new one from the database")


class IndexRebuildingError(UnavailableError):
    """Another process fills a new index for this place now."""

    def __init__(self, location: str) -> None:
        self.location = location
        super().__init__(f"another process is rebuilding the index {location} now: let it end")


@dataclass(frozen=True, slots=True)
class VisibilityFilter:
    """For whom is searched.

    Who does not see all finds a document if and only if it is not secret, and it is released at `now` or its metadata
    are public.
    """

    sees_all: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Documents with one of the values of a noun, each compared whole, without case and accents."""

    noun: Noun
    values: tuple[str, ...]


class Sort(StrEnum):
    """The order of hits. Those without a start date come last in both directions.

    `newest` and `oldest` go by the second in which they started, then by id (falling, rising); `name` is the rising
    TextSort of that noun; `relevance` goes by the score.
    """

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    RELEVANCE = "relevance"


class Column(StrEnum):
    """What documents are ordered by besides texts and numbers."""

    ID = "id"
    START = "start_date"
    END = "end_date"
    RELEASE = "release_date"


@dataclass(frozen=True, slots=True)
class ColumnSort:
    """By a column, then by falling id. Documents without it come last, rising or falling, by falling id."""

    column: Column
    is_falling: bool = False


@dataclass(frozen=True, slots=True)
class NumberSort:
    """By the lowest number of a parameter or by an amount, then by falling id.

    Documents without one come last, by falling id.
    """

    name: str
    is_falling: bool = False


@dataclass(frozen=True, slots=True)
class TextSort:
    """By the first of a noun's folded values, then by falling id. Documents without one come last, by falling id."""

    noun: Noun
    is_falling: bool = False


FieldSort = ColumnSort | NumberSort | TextSort


@dataclass(frozen=True, slots=True)
class FacetRequest:
    """Count the values of a noun; the `size` most frequent are named.

    Only those values are counted that hold the letters of `contains`, without case and accents, and with `at_word` at
    the beginning of a word. With `ignores_own` the request's filters by this very noun count for nothing.
    """

    noun: Noun
    size: int = 10
    contains: str = ""
    at_word: bool = False
    ignores_own: bool = False


class Interval(StrEnum):
    """How long the periods are in which dates are counted, in UTC."""

    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One search. The visibility has no default: nobody searches without saying for whom.

    `query` is resolved (`resolve`): parameters under stored names, ranges in their types' units. `filters` are and-ed
    with it. Raises InvalidQueryError for a page or a facet larger than allowed, and for a noun without facet.
    """

    visibility: VisibilityFilter
    query: Query = field(default_factory=All)
    filters: tuple[AnyOf | DateRange, ...] = ()
    facets: tuple[FacetRequest, ...] = ()
    sort: Sort | FieldSort = Sort.NEWEST
    limit: int = 20
    cursor: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise InvalidQueryError(f"a page has 1 to {MAX_LIMIT} hits, not {self.limit}")
        for facet in self.facets:
            if not 1 <= facet.size <= MAX_FACET_SIZE:
                raise InvalidQueryError(f"a facet has 1 to {MAX_FACET_SIZE} values, not {facet.size}")
            if facet.noun in UNCOUNTED:
                raise InvalidQueryError(f"{facet.noun} has no facet: nearly each dataset has its own")
            if len(facet.contains) > MAX_SOUGHT:
                raise InvalidQueryError(f"values are sought by {MAX_SOUGHT} letters at most")

    @property
    def field_sort(self) -> FieldSort | None:
        """The field that hits are ordered by, if they are by one."""
        if self.sort is Sort.NAME:
            return TextSort(Noun.NAME)
        return None if isinstance(self.sort, Sort) else self.sort

    def without(self, own: Noun | Instant) -> SearchRequest:
        """Return the same request without its filters by this noun or date."""
        kept = tuple(part for part in self.filters if own != (part.noun if isinstance(part, AnyOf) else part.field))
        return self if kept == self.filters else replace(self, filters=kept)

    def find_wider(self, facet: FacetRequest) -> SearchRequest | None:
        """Return the request that the facet counts by, if it ignores a filter of this one; else None."""
        wider = self.without(facet.noun) if facet.ignores_own else self
        return None if wider is self else wider


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found; the score only where hits are sorted by it."""

    id: int
    revision: int
    score: float | None = None


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value as it is shown, and how many of the found documents have it."""

    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Facet:
    """The most frequent values, those of equal count by name; `others` is the sum of the counts of all the rest."""

    values: tuple[FacetValue, ...]
    others: int = 0


@dataclass(frozen=True, slots=True)
class Extent:
    """The smallest and the largest value of a parameter, in twelve significant digits."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits; total and facets are of the whole result, whatever the page.

    `next_cursor` is None where nothing follows.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[Noun, Facet]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many documents are found, and the facets of all of them."""

    total: int
    facets: Mapping[Noun, Facet]


class DatasetIndex(Protocol):
    """An index of SearchDocuments. Any thread may call; the database is the truth and can fill it again."""

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """Hold these documents, found by every search that begins afterwards, in this process.

        By id: one with a higher revision stays, an equal or a lower one is replaced. All or nothing for one call; some
        thousands of documents a call are fastest. Raises IndexBusyError at once if another process is writing.
        """

    def delete(self, ids: Iterable[int]) -> None:
        """Hold none of these ids; those it never had are no error. Raises IndexBusyError as `write`."""

    def search(self, request: SearchRequest) -> SearchPage:
        """Return one page of what matches and may be seen.

        Raises InvalidQueryError for a cursor that did not come from the page before.
        """

    def count(self, request: SearchRequest) -> Counts:
        """Return total and facets as `search` does. The order, limit and cursor of the request count for nothing."""

    def count_all(self, requests: Sequence[SearchRequest]) -> list[Counts]:
        """Return what `count` does of each request; they are asked together."""

    def count_parameters(
        self,
        visibility: VisibilityFilter,
        filters: tuple[AnyOf | DateRange, ...] = (),
        names: Iterable[str] | None = None,
    ) -> dict[str, int]:
        """Return how many of the documents that may be seen, and pass the filters, have each parameter, by its name.

        With `names` only those are counted, in less time.
        """

    def measure_parameters(
        self, visibility: VisibilityFilter, names: Iterable[str], filters: tuple[AnyOf | DateRange, ...] = ()
    ) -> dict[str, Extent]:
        """Return what the numbers under these names reach from and to, in the same documents; none for mere texts."""

    def list_newest(
        self,
        visibility: VisibilityFilter,
        names: Iterable[str],
        limit: int,
        filters: tuple[AnyOf | DateRange, ...] = (),
    ) -> dict[str, list[int]]:
        """Return the ids of up to `limit` of the same documents that have each parameter, by its name, newest first.

        None for a name that none of them has.
        """

    def walk(self, request: SearchRequest) -> Iterator[list[int]]:
        """Yield the ids of all that the request finds, rising, in stretches, as the index is when it is begun.

        What is written meanwhile is not seen. The order, limit and cursor of the request count for nothing.
        """

    def measure_found(self, request: SearchRequest, name: str) -> Extent | None:
        """Return the extent of the numbers under this name in what the request finds; None if there are none."""

    def count_dates(self, request: SearchRequest, instant: Instant, interval: Interval) -> dict[datetime, int]:
        """Return how many of the documents found have that date in each period, by its first instant, rising.

        Periods without any are left out.
        """

    def count_numbers(self, request: SearchRequest, name: str, edges: tuple[float, ...]) -> tuple[int, ...]:
        """Return for each bin how many of the documents found have a number under that name in it.

        A bin reaches from one edge up to the next, which it does not hold. A document is counted in each bin in which a
        ParameterRange finds it: a range in all those that it overlaps, a list in those of its values. `edges` rise, and
        are such as `keys.to_edge` makes.
        """

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """Return (id, revision) of up to `limit` documents with a greater id, rising: for proofs and sweeps."""

    def revisions_of(self, ids: Iterable[int]) -> dict[int, int]:
        """Return the revisions, by id, of those of the ids that are held."""

    def refresh(self) -> None:
        """See what other processes have written until now."""

    def close(self) -> None:
        """Let go of files and connections."""


class IndexRebuild(Protocol):
    """An index that is filled beside the one that is searched, and then takes its place: never seen half-filled.

    It goes on with what an earlier one left unfinished, unless that has another layout or is damaged. The one that is
    searched need not be whole, and need not be there. Raises IndexRebuildingError if another process fills one.
    """

    def write(self, documents: Iterable[SearchDocument]) -> None:
        """As DatasetIndex.write; a process that is killed afterwards does not lose them."""

    def delete(self, ids: Iterable[int]) -> None:
        """As DatasetIndex.delete."""

    def revisions(self, after_id: int = 0, limit: int = 1000) -> list[tuple[int, int]]:
        """As DatasetIndex.revisions, of what was filled."""

    def finish(self, catch_up: Callable[[], object]) -> None:
        """Leave what was filled the index that is searched and written, in all processes, and the old one removed.

        From before `catch_up` is called until the places are changed nobody can write to the old one (they get
        IndexBusyError): what `catch_up` brings over is all that it missed. Waits for a writer to end its write. If
        `catch_up` raises, or the process is killed, all is as if `finish` had not been called.
        """

    def close(self) -> None:
        """Let go of it; what is not finished is kept for the next one."""
