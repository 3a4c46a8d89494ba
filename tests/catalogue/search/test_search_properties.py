"""For random catalogues and random searches the index answers as a plain filter over the same documents does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.catalogue.document import NumericEntry, SearchDocument, TextEntry
from ingest.catalogue.search import (
    All,
    And,
    AnyOf,
    DatasetIndex,
    DateRange,
    Elements,
    Facet,
    FacetRequest,
    FieldMatch,
    Instant,
    Match,
    Not,
    Noun,
    Or,
    ParameterRange,
    Phrase,
    SearchPage,
    SearchRequest,
    Sort,
    VisibilityFilter,
    Word,
)
from ingest.catalogue.search.nouns import AMOUNT_UNITS, UNCOUNTED
from tests.catalogue.search import plain_search

PIECES = [
    "hematite",
    "hemattie",
    "ehmatit",
    "hemotites",
    "hemat",
    "hmeat",
    "hem日t",
    "LaB6",
    "lab6",
    "Ångström",
    "angstrom",
    "20-BM",
    "20",
    "bm",
    "x.y",
    'quo"te',
    "co:lon",
    "日本",
    "µ",
    "-",
    "ß",
    "*",
]
FORMULAS = ["Fe2O3", "O3Fe2", "Fe₂ O₃", "FeO", "LaB6", "lab6", "La1-xFexO3", "D2O", "CuSO4·5H2O", "water", "ångström"]
NAMES = [
    "energy",
    "InstrumentBeam_incident_energy",
    "Sample_temperature",
    "file_size",
    "file_count",
    "a.b",
    "with space",
    'q"uote',
    "co:lon",
    "ünï",
    "-",
    "k",
    "a b",
    "a-b",
    "[0 TO 1]",
    "x" * 300,
    "back\\slash",
    "e_v",
]
NUMBERS = [
    float("nan"),
    float("inf"),
    0.0,
    -0.0,
    1.0,
    2.0,
    7.0,
    9.3,
    -1.5,
    -2.0,
    1e-30,
    -1e-30,
    5e-324,
    1e15 + 0.5,
    2.0**53 + 2,
    2.0**63,
    1e300,
    -1e300,
]
CLOCK = datetime(2026, 1, 1, tzinfo=UTC)

# Zero bytes are in no text that a database gives.
free_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map(" ".join) | free_texts
value_lists = st.lists(texts.filter(bool), max_size=2).map(tuple)
names = st.sampled_from(NAMES) | free_texts
numbers = st.sampled_from(NUMBERS) | st.floats()
sizes = st.sampled_from([0, 1, 2, 7, 9]) | st.integers(0, 2**53)
dates = st.none() | st.integers(-3, 3).map(lambda days: CLOCK + timedelta(days=days, microseconds=days * 300_000))


@st.composite
def numeric_entries(draw: st.DrawFn) -> NumericEntry:
    values = tuple(draw(st.lists(numbers, max_size=3)))
    low, high = draw(numbers), draw(numbers)
    low, high = (high, low) if low > high else (low, high)
    match draw(st.integers(0, 2)):
        case 0:
            return NumericEntry(draw(names), low, low)
        case 1:
            return NumericEntry(draw(names), low, high)
        case _:
            return NumericEntry(draw(names), min(values, default=low), max(values, default=low), values)


documents = st.builds(
    SearchDocument,
    id=st.integers(0, 2**30 - 1),
    revision=st.integers(1, 5),
    name=texts.filter(bool),
    facility=st.sampled_from(["ESRF", "esrf", "ILL"]),
    investigation=texts,
    proposal=texts,
    titles=value_lists,
    instruments=value_lists,
    samples=value_lists,
    formulas=st.lists(st.sampled_from(FORMULAS), max_size=2).map(tuple),
    techniques=value_lists,
    technique_names=value_lists,
    definitions=value_lists,
    users=value_lists,
    detectors=value_lists,
    motors=value_lists,
    counters=value_lists,
    scan_kinds=value_lists,
    probes=value_lists,
    keywords=value_lists,
    abstracts=value_lists,
    dois=value_lists,
    start_date=dates,
    end_date=dates,
    complete=st.booleans(),
    file_size=sizes,
    file_count=sizes,
    numbers=st.lists(numeric_entries(), max_size=3, unique_by=lambda entry: entry.name).map(tuple),
    texts=st.lists(st.builds(TextEntry, names, texts), max_size=3).map(tuple),
    release_date=dates,
    is_secret=st.booleans(),
    is_metadata_public=st.booleans(),
)
catalogues = st.lists(documents, max_size=8, unique_by=lambda document: document.id)

manners = st.sampled_from(Match)


@st.composite
def with_wildcards(draw: st.DrawFn, text: str) -> str:
    """Return the text, a sign or none at some of its places instead of what stands there."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(st.sampled_from("*?")) + text[start + draw(st.integers(0, 3)) :]
    return text


patterns = st.sampled_from([*PIECES, *FORMULAS, "日本 hematite", "Ångström 20-BM"]).flatmap(with_wildcards)
date_ranges = st.builds(DateRange, st.sampled_from(Instant), dates, dates)
leaves = st.one_of(
    st.just(All()),
    st.builds(Word, texts, manners),
    st.builds(Word, patterns, st.just(Match.WILDCARD)),
    st.builds(Phrase, texts),
    st.builds(Word, st.sampled_from(PIECES), st.just(Match.FUZZY)),
    st.builds(
        FieldMatch,
        names | st.sampled_from([noun for noun in Noun if noun is not Noun.COMPLETE]),
        texts | patterns,
        manners,
    ),
    st.builds(FieldMatch, st.just(Noun.FORMULA), st.sampled_from(FORMULAS), manners),
    st.builds(
        Elements, st.lists(st.sampled_from(["Fe", "O", "B", "La", "D", "H"]), min_size=1).map(tuple), st.booleans()
    ),
    st.builds(FieldMatch, st.just(Noun.COMPLETE), st.sampled_from(["true", "false"])),
    st.builds(
        ParameterRange,
        names,
        st.none() | numbers,
        st.none() | numbers,
        includes_low=st.booleans(),
        includes_high=st.booleans(),
    ),
    date_ranges,
)
queries = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(And, st.lists(parts, min_size=1, max_size=3).map(tuple)),
        st.builds(Or, st.lists(parts, min_size=1, max_size=3).map(tuple)),
        st.builds(Not, parts),
    ),
    max_leaves=6,
)
filters = st.builds(AnyOf, st.sampled_from(Noun), st.lists(texts, min_size=1, max_size=2).map(tuple)) | date_ranges
facets = st.builds(FacetRequest, st.sampled_from([noun for noun in Noun if noun not in UNCOUNTED]), st.integers(1, 4))
requests = st.builds(
    SearchRequest,
    visibility=st.builds(VisibilityFilter, sees_all=st.booleans(), now=st.just(CLOCK)),
    query=queries,
    filters=st.lists(filters, max_size=1).map(tuple),
    facets=st.lists(facets, max_size=2, unique_by=lambda facet: facet.noun).map(tuple),
    sort=st.sampled_from(Sort),
    limit=st.integers(1, 4),
)


@given(catalogue=catalogues, asked=st.lists(requests, min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(
    catalogue=[
        SearchDocument(1, 1, "a", "f", "i", "p", numbers=(NumericEntry("energy", 0.0, 10.0, (0.0, 10.0)),)),
        SearchDocument(2, 1, "b", "f", "i", "p", numbers=(NumericEntry("energy", 0.0, 10.0),)),
        SearchDocument(3, 1, "c", "f", "i", "p", numbers=(NumericEntry("energy", 8.5, 8.5),)),
    ],
    asked=[SearchRequest(VisibilityFilter(sees_all=True, now=CLOCK), ParameterRange("energy", 7.0, 9.3))],
)
def test_the_index_answers_as_a_plain_filter(
    index: DatasetIndex, catalogue: list[SearchDocument], asked: list[SearchRequest]
) -> None:
    fill(index, catalogue)
    for request in asked:
        found = plain_search.find(catalogue, request)
        pages = read_pages(index, request)
        ids = [hit.id for page in pages for hit in page.hits]
        if request.sort is Sort.RELEVANCE:
            assert sorted(ids) == sorted(document.id for document in found)
        else:
            assert ids == [document.id for document in found]
        for page in pages:
            assert page.total == len(found)
            for facet in request.facets:
                assert_same_counts(page.facets[facet.noun], plain_search.count_values(found, facet), facet.size)


@given(catalogue=catalogues, asked=st.lists(requests, min_size=1, max_size=4))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_parameters_are_counted_and_measured_as_in_plain_python(
    index: DatasetIndex, catalogue: list[SearchDocument], asked: list[SearchRequest]
) -> None:
    fill(index, catalogue)
    for request in asked:
        found = plain_search.find(catalogue, replace(request, query=All()))
        counts = plain_search.count_parameters(found)
        assert index.count_parameters(request.visibility, request.filters) == counts
        extents = index.measure_parameters(
            request.visibility, [*counts, *AMOUNT_UNITS, "no such name"], request.filters
        )
        expected = plain_search.measure_parameters(found)
        assert extents.keys() == expected.keys()
        for name, extent in extents.items():
            for shown, exact in zip((extent.low, extent.high), expected[name], strict=True):
                assert clip(shown) == pytest.approx(clip(exact), rel=1e-11, abs=0)


def fill(index: DatasetIndex, catalogue: list[SearchDocument]) -> None:
    """Leave the index with this catalogue alone: made anew, one on a server would take a second."""
    index.delete([0, *(number for number, _ in index.revisions())])
    index.write(catalogue[:4])
    index.write(catalogue[4:])


def clip(number: float) -> float:
    """Return the number, or what is next to the largest: with twelve digits the largest is infinite."""
    return min(max(number, -1.7e308), 1.7e308)


def read_pages(index: DatasetIndex, request: SearchRequest) -> list[SearchPage]:
    pages = [index.search(request)]
    while pages[-1].next_cursor is not None:
        assert len(pages[-1].hits) == request.limit
        pages.append(index.search(replace(request, cursor=pages[-1].next_cursor)))
    return pages


def assert_same_counts(facet: Facet, expected: dict[str, int], size: int) -> None:
    """Equal but for which of the equally frequent values at the cut are named."""
    shown = {value.value: value.count for value in facet.values}
    assert list(shown.values()) == sorted(expected.values(), reverse=True)[:size]
    assert all(expected[value] == count for value, count in shown.items())
    assert facet.others == sum(expected.values()) - sum(shown.values())
