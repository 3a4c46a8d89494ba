"""The search: one query language, one tree, one protocol, an index behind it.

May touch its own index (a folder, or a server through its client); no SQL, no other files. `embedded` (tantivy) is
imported by whoever opens the index, so that nobody loads an engine that is not used.
"""

from ingest.catalogue.search.index import (
    MAX_RELEVANCE_DEPTH,
    AnyOf,
    Column,
    ColumnSort,
    DatasetIndex,
    Extent,
    Facet,
    FacetRequest,
    FacetValue,
    FieldSort,
    Hit,
    IndexBusyError,
    IndexOutdatedError,
    IndexRebuild,
    IndexRebuildingError,
    Interval,
    NumberSort,
    SearchPage,
    SearchRequest,
    Sort,
    TextSort,
    VisibilityFilter,
)
from ingest.catalogue.search.language import parse_query
from ingest.catalogue.search.nouns import Instant, Noun
from ingest.catalogue.search.query import (
    All,
    And,
    DateRange,
    Elements,
    FieldMatch,
    Not,
    Or,
    ParameterRange,
    Phrase,
    Query,
    Word,
)
from ingest.catalogue.search.resolve import resolve
from ingest.catalogue.search.writing import to_text

__all__ = [
    "MAX_RELEVANCE_DEPTH",
    "All",
    "And",
    "AnyOf",
    "Column",
    "ColumnSort",
    "DatasetIndex",
    "DateRange",
    "Elements",
    "Extent",
    "Facet",
    "FacetRequest",
    "FacetValue",
    "FieldMatch",
    "FieldSort",
    "Hit",
    "IndexBusyError",
    "IndexOutdatedError",
    "IndexRebuild",
    "IndexRebuildingError",
    "Instant",
    "Interval",
    "Not",
    "Noun",
    "NumberSort",
    "Or",
    "ParameterRange",
    "Phrase",
    "Query",
    "SearchPage",
    "SearchRequest",
    "Sort",
    "TextSort",
    "VisibilityFilter",
    "Word",
    "parse_query",
    "resolve",
    "to_text",
]
