"""What every index must do, one behaviour a test."""

from __future__ import annotations

import base64
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.catalogue.document import NumericEntry, SearchDocument, TextEntry
from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search import (
    MAX_RELEVANCE_DEPTH,
    AnyOf,
    DatasetIndex,
    DateRange,
    Extent,
    FacetRequest,
    FacetValue,
    FieldMatch,
    Instant,
    Match,
    Noun,
    ParameterRange,
    SearchRequest,
    Sort,
    VisibilityFilter,
    parse_query,
    resolve,
)
from ingest.catalogue.search.cursors import to_cursor
from ingest.catalogue.search.nouns import MAX_VALUE_LENGTH

UNITS = {"energy": "keV", "temperature": "K", "a.b c": "", "note": ""}
START = datetime(2025, 3, 1, 12, tzinfo=UTC)


def make(number: int, revision: int = 1, **given: object) -> SearchDocument:
    plain = {"name": f"set_{number}", "facility": "ESRF", "investigation": "hc1/2025", "proposal": "hc1"}
    return SearchDocument(id=number, revision=revision, **{**plain, **given})  # type: ignore[arg-type]


def find(index: DatasetIndex, visibility: VisibilityFilter, text: str = "", **more: object) -> list[int]:
    request = SearchRequest(visibility, resolve(parse_query(text), UNITS, {}), **more)  # type: ignore[arg-type]
    return sorted(hit.id for hit in index.search(request).hits)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("*", [1, 2, 3]),
        ("lab6", [1, 2]),
        ("LAB6 ceria", [2]),
        ("lab6 or ceria", [1, 2, 3]),
        ("lab6 and not ceria", [1]),
        ("not lab6", [3]),
        ("not (lab6 or nothing)", [3]),
        ("not not lab6", [1, 2]),
        ("ceria or lab6 and nothing", [2, 3]),
        ("La*", [1, 2]),
        ("id2*", [1]),
        ("20-BM", [3]),
        ("20-B*", [3]),
        ("2?-*m", [3]),
        ("2?-b", []),
        ("l?b6", [1, 2]),
        ("l??6", [1, 2]),
        ("la??6", []),
        ("la*?b6", []),
        ("*gstr?m", [2]),
        ("?ngström", [2]),
        ("bm-20", []),
        ('"powder of"', [1]),
        ('"of powder"', []),
        ('"ceria mixed"', []),
        ("Angstrom", [2]),
        ("ångström", [2]),
        ("title:powder", [1]),
        ("sample:powder", []),
        ('sample:"LaB6 ceria"', [2]),
        ("sample:lab6", [2]),
        ("formula:CeO2", [3]),
        ("technique:XRPD", [1]),
        ('technique:"x-ray scattering"', [1]),
        ("scattering", [1]),
        ("user:curie", [1]),
        ("detector:eiger", [2]),
        ("detector:eig*", [2]),
        ("motor:eiger_x", [2]),
        ("motor:eiger", [2]),
        ("motor:eig*", [2]),
        ("motor:eigre~", [2]),
        ("motor:x_eiger", []),
        ("motor:I0", []),
        ("counter:I0", [2]),
        ("counter:eiger", []),
        ("scan_kind:flat", [3]),
        ("probe:neutron", [3]),
        ("definition:NXmx", [1]),
        ("keyword:standard", [2]),
        ("10.5072/3B9VQ-HZ06", [2]),
        ("https://doi.org/10.5072/3b9vq-hz06", [2]),
        ("doi:10.5072/3b9vq-hz06", [2]),
        ("doi:10.5072*", [2]),
        ("doi:*", [2]),
        ("abstract:measured", [3]),
        ('"measured at length"', [3]),
        ("instrument:ID22", [1]),
        ("beamline:ID22", [1]),
        ("facility:esrf", [1, 2, 3]),
        ("investigation:hc7", [3]),
        ("proposal:hc7", [3]),
        ("complete:no", [3]),
        ("complete:true", [1, 2]),
        ("hello", [1]),
        ("note:hello", [1]),
        ("note:hel*", [1]),
        ("note:*lo", [1]),
        ("note:w?de_*ld", [1]),
        ("note:*", [1]),
        ("motor:*", [2]),
        ("counter:?0", [2]),
        ("start_date:*", [1, 2]),
        ("end_date:*", [1]),
        ('note:"hello wide world"', []),
        ('note:"wide world"', [1]),
        ('note:"world hello"', []),
        ("start_date:2025-03", [1, 2]),
        ("start_date:2025-03-01T12:00", [1]),
        ("start_date:2025-03-02..", [2]),
        ("start_date:<2025-03-02", [1]),
        ("end_date:2025-03-01", [1]),
        ("release_date:2026", [1]),
        ("release_date:>2026", [2]),
    ],
)
def test_operators_and_fields(index: DatasetIndex, operator: VisibilityFilter, query: str, expected: list[int]) -> None:
    index.write(
        [
            make(
                1,
                name="LaB6_0001",
                titles=("Powder of a standard kind",),
                instruments=("ID22",),
                techniques=("XRPD",),
                technique_names=("X-ray scattering",),
                users=("Marie Curie",),
                definitions=("NXmx",),
                texts=(TextEntry("note", "hello"), TextEntry("note", "wide world")),
                start_date=START,
                end_date=START + timedelta(hours=1),
                release_date=START.replace(year=2026),
            ),
            make(
                2,
                samples=("LaB6 ceria", "mixed"),
                titles=("1 Ångström",),
                detectors=("eiger_x",),
                motors=("samz", "eiger_x"),
                counters=("I0",),
                keywords=("standard",),
                dois=("10.5072/3b9vq-hz06",),
                start_date=START + timedelta(days=1),
                release_date=START.replace(year=2027),
                is_secret=True,
            ),
            make(
                3,
                name="run at 20-BM",
                samples=("ceria",),
                formulas=("CeO2",),
                probes=("neutron",),
                scan_kinds=("flat",),
                investigation="hc7/2024",
                proposal="hc7",
                complete=False,
                abstracts=("What was measured at length",),
            ),
        ]
    )
    assert find(index, operator, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("energy:12.4 keV", [1]),
        ("energy:12400 eV", [1]),
        ("energy:12..13 keV", [1, 2]),
        ("energy:12.5..12.8", [2]),
        ("energy:13.1 keV", [2]),
        ("energy:13100 eV", [2]),
        ("energy:17.5 keV", []),
        ("energy:<12.4", []),
        ("energy:<=12.4", [1]),
        ("energy:<=12400 eV", [1]),
        ("energy:<12400 eV", []),
        ("energy:>12.4", [2, 3]),
        ("energy:>=14", [2, 3]),
        ("energy:>14", [3]),
        ("energy:16..19", []),
        ("energy:15..20", [3]),
        ("energy:7.0..9.3", []),
        ("temperature:..0", [4, 5]),
        ("temperature:-2..-1.5 K", [4]),
        ("temperature:-271 °C", []),
        ('"a.b c":3..4', [4]),
        ("temperature:0..0", [5]),
        ("temperature:-0..-0", [5]),
        ("temperature:>0", []),
        ("temperature:<0", [4]),
        ("energy:12..13 not energy:12.4", [2]),
    ],
)
def test_parameter_ranges(index: DatasetIndex, operator: VisibilityFilter, query: str, expected: list[int]) -> None:
    index.write(
        [
            make(1, numbers=(NumericEntry("energy", 12.4, 12.4),)),
            make(2, numbers=(NumericEntry("energy", 12.5, 14.0),)),
            make(3, numbers=(NumericEntry("energy", 15.0, 20.0, (15.0, 20.0)),)),
            make(5, numbers=(NumericEntry("temperature", -0.0, 0.0),)),
            make(4, numbers=(NumericEntry("temperature", -1.75, -1.75), NumericEntry("a.b c", 3.25, 3.25))),
        ]
    )
    assert find(index, operator, query) == expected


def test_words_are_found_one_after_the_other_within_one_value(index: DatasetIndex, operator: VisibilityFilter) -> None:
    named = {
        1: ("X-ray scattering", "fast"),
        2: ("scattering of an X-ray",),
        3: ("X-ray", "scattering"),
        4: ("x-rays",),
    }
    index.write(make(number, techniques=names) for number, names in named.items())
    index.write([make(5, techniques=("fast",), technique_names=("small angle X-RAY  Scattering",))])
    assert find(index, operator, 'technique:"x-ray scattering"') == [1, 5]
    assert find(index, operator, '"x-ray scattering"') == [1, 5]
    assert find(index, operator, "technique:x-ray") == [1, 2, 3, 5]
    assert find(index, operator, 'technique:"ray fast"') == []
    # The end of a value that is longer than what filters know of it.
    index.write([make(6, techniques=("word " * 300 + "x-ray scattering",))])
    assert find(index, operator, 'technique:"x-ray scattering"') == [1, 5, 6]


HOSTILE_NAMES = ["a.b", "a b", "a-b", "a_b", "a-2e-b", 'a"b', "a:b", "A.b", "[0 TO 1]", "a\\", "", "é", "e"]
HOSTILE_NAMES += ["x" * 300, "x" * 301, "InstrumentBeam_incident_energy"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_parameter_of_any_name_is_found_by_it_alone(
    index: DatasetIndex, operator: VisibilityFilter, name: str
) -> None:
    index.write(
        make(number, numbers=(NumericEntry(held, 1.0, 1.0),), texts=(TextEntry(held, 'any "value" of it'),))
        for number, held in enumerate(HOSTILE_NAMES)
    )
    matches = FieldMatch(name, 'any "value"'), FieldMatch(name, "an*", Match.WILDCARD)
    for query in (ParameterRange(name, 0.5, 1.5), *matches):
        page = index.search(SearchRequest(operator, query))
        assert [hit.id for hit in page.hits] == [HOSTILE_NAMES.index(name)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (ParameterRange(""), [1, 2, 4, 5]),
        (ParameterRange("", 2.0), [1, 2, 5]),
        (ParameterRange("", math.nan), []),
        (ParameterRange("", None, math.nan), []),
        (ParameterRange("", math.inf), [2]),
        (ParameterRange("", -math.inf, 0.0), [4]),
        (ParameterRange("", 5.0, 4.0), []),
        (ParameterRange("", 5.0, 5.0), [2]),
        (ParameterRange("", 5.0, 5.0, includes_low=False), []),
    ],
)
def test_what_is_no_number_is_not_found(
    index: DatasetIndex, operator: VisibilityFilter, number_name: str, asked: ParameterRange, expected: list[int]
) -> None:
    entries = {
        1: NumericEntry(number_name, 1.0, 1.0, (math.nan, 9.0)),
        2: NumericEntry(number_name, 1.0, math.inf),
        3: NumericEntry(number_name, 1.0, math.nan),
        4: NumericEntry(number_name, -math.inf, 1.0),
        5: NumericEntry(number_name, math.nan, math.nan, (3.0,)),
        6: NumericEntry(number_name, math.nan, math.nan),
    }
    index.write([make(number, numbers=(entry,)) for number, entry in entries.items()])
    page = index.search(SearchRequest(operator, replace(asked, name=number_name)))
    assert sorted(hit.id for hit in page.hits) == expected


def test_dates_far_away_sort_and_are_found(index: DatasetIndex, operator: VisibilityFilter) -> None:
    for number, year in enumerate([1, 1850, 1970, 2024, 2500, 9999], 1):
        index.write([make(number, start_date=datetime(year, 1, 1, tzinfo=UTC))])
    index.write([make(7)])
    assert page_through(index, SearchRequest(operator, sort=Sort.OLDEST, limit=2)) == [1, 2, 3, 4, 5, 6, 7]
    assert page_through(index, SearchRequest(operator, sort=Sort.NEWEST, limit=2)) == [6, 5, 4, 3, 2, 1, 7]
    assert find(index, operator, "start_date:<1900") == [1, 2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("elements:Fe,O", [1, 2, 3, 4]),
        ("elements:O,Fe", [1, 2, 3, 4]),
        ("elements:=Fe,O", [1, 2, 3]),
        ("elements:F", []),
        ("elements:O", [1, 2, 3, 4, 5, 6]),
        ("elements:La,O", [4]),
        ("elements:=La,O", []),
        ("elements:D", [6]),
        ("elements:H", [5]),
        ("elements:H,Fe", []),
        ("elements:S,O,H,Cu", [5]),
        ("elements:Fe not elements:La", [1, 2, 3]),
        ("elements:Zn,Na,Mg,Al,Si,Cl,Ca,Sc,Ti,Cr,Mn,Fe,Co,Ni,Cu,Ga,Ge,As,Se,Br", []),
        ("formula:Fe2O3", [1, 2, 3]),
        ("formula:O3Fe2", [1, 2, 3]),
        ('formula:"Fe₂ O₃"', [1, 2, 3]),
        ("formula:Fe2O*", [1, 3]),
        ("formula:H10CuSO9", [5]),
        ("formula:fe2o3", [1, 3]),
        ("formula:FeO", []),
        ("Fe2O3", [1, 3]),
    ],
)
def test_formulas_are_found_by_elements_and_however_they_are_written(
    index: DatasetIndex, operator: VisibilityFilter, query: str, expected: list[int]
) -> None:
    formulas = {1: "Fe2O3", 2: "O3Fe2", 3: "Fe₂O₃", 4: "La0.8Fe0.2O3-δ", 5: "CuSO4·5H2O", 6: "D2O", 7: "Feldspar O"}
    index.write(make(number, formulas=(formula, "SiC")) for number, formula in formulas.items())
    assert find(index, operator, query) == expected


MISSPELT = {
    1: "hematite",
    2: "hemattie",
    3: "hmeattie",
    4: "Hämatit",
    5: "hematites grown",
    6: "hematittesx",
    7: "hem tite",
    8: "hem日tite",
    9: "iron",
    10: "irno",
    11: "riron",
    12: "iroon",
    13: "no",
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("hemattie~", [1, 2, 3, 5, 99]),
        ("sample:hemattie~", [1, 2, 3, 5]),
        ("note:hemattie~", [1, 2, 3, 5]),
        ("title:hemattie~", []),
        ("hematite~", [1, 2, 3, 4, 5, 99]),
        ("hematit~", [1, 4]),
        ("iron~", [9, 10, 11, 12]),
        ("iron", [9]),
        ("iron~ not iron", [10, 11, 12]),
    ],
)
def test_a_fuzzy_word_finds_what_is_some_edits_away(
    index: DatasetIndex, operator: VisibilityFilter, query: str, expected: list[int]
) -> None:
    index.write(make(number, samples=(w,), texts=(TextEntry("note", w),)) for number, w in MISSPELT.items())
    # The name of a parameter is no part of the word, however alike another name is.
    index.write([make(99, texts=(TextEntry("nota", "xematite"),))])
    assert find(index, operator, query) == expected


@pytest.mark.parametrize("query", ["hematite~", "sample:hematite~"])
def test_a_fuzzy_word_finds_first_what_is_written_so(
    index: DatasetIndex, operator: VisibilityFilter, query: str
) -> None:
    index.write(make(number, samples=(word,)) for number, word in enumerate(["hemattite", "hematite", "hematit"]))
    page = index.search(SearchRequest(operator, parse_query(query), sort=Sort.RELEVANCE))
    assert page.hits[0].id == 1
    assert len(page.hits) == 3


def test_a_fuzzy_word_finds_all_that_are_near(index: DatasetIndex, operator: VisibilityFilter) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    near = [f"hemat{first}t{second}" for first in letters for second in letters]
    index.write(make(number, samples=(word,)) for number, word in enumerate(near))
    request = SearchRequest(operator, parse_query("sample:hematite~"))
    assert index.search(request).total == len(near)


def test_a_pattern_of_whatever_signs_is_answered(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, samples=("ж" * 60,)), make(2, samples=("日本41f",)), make(3, samples=("a",))])
    worst = ["*" + "ж" * 44 + "?????", "*a?????", "?a" * 6, "*ж?ж?ж?ж?ж?", "??????" + "𠀀" * 44]
    assert [find(index, operator, f"sample:{text} or note:{text}") for text in worst] == [[1], [], [], [1], []]
    # No wildcard stands for a part of a letter's code, which is 436.
    assert find(index, operator, "sample:*41f* or sample:??41f") == [2]
    assert find(index, operator, "sample:*43* or sample:*36* or sample:??????") == []
    assert find(index, operator, "sample:?") == [3]
    # What may stand for nothing does.
    assert find(index, operator, "sample:*-*-a-** or sample:*_日本4*") == [2, 3]
    assert find(index, operator, "sample:*-**") == [1, 2, 3]


def test_a_prefix_finds_all_its_endings(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(number, name=f"20-run{number}") for number in range(200)])
    assert len(find(index, operator, "run*", limit=1000)) == 200
    assert len(find(index, operator, "20-run*", limit=1000)) == 200


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (AnyOf(Noun.INSTRUMENT, ("ID22",)), [1]),
        (AnyOf(Noun.INSTRUMENT, ("id22", "ID15A")), [1, 2]),
        (AnyOf(Noun.INSTRUMENT, ("ID",)), []),
        (AnyOf(Noun.INSTRUMENT, ()), []),
        (AnyOf(Noun.SAMPLE, ("crème brûlée",)), [2]),
        (AnyOf(Noun.SAMPLE, ("creme",)), []),
        (AnyOf(Noun.NAME, ("set_1",)), [1]),
        (AnyOf(Noun.COMPLETE, ("false",)), [2]),
        (DateRange(Instant.START, START, START + timedelta(seconds=1)), [1]),
        (DateRange(Instant.START, None, START), []),
        (DateRange(Instant.END, None, None), [2]),
    ],
)
def test_filters_compare_whole_values(
    index: DatasetIndex, operator: VisibilityFilter, wanted: AnyOf | DateRange, expected: list[int]
) -> None:
    index.write(
        [
            make(1, instruments=("ID22",), start_date=START),
            make(2, instruments=("ID15A",), samples=("Crème brûlée",), complete=False, end_date=START),
        ]
    )
    assert find(index, operator, filters=(wanted,)) == expected
    assert find(index, operator, filters=(wanted, AnyOf(Noun.FACILITY, ("elsewhere",)))) == []


def test_facets_count_the_whole_result(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(number, instruments=(f"ID{number % 3}",), users=("A", "B")) for number in range(1, 8)])
    request = SearchRequest(
        operator,
        facets=(FacetRequest(Noun.INSTRUMENT, 2), FacetRequest(Noun.USER), FacetRequest(Noun.COMPLETE)),
        limit=1,
    )
    page = index.search(request)
    assert page.facets[Noun.INSTRUMENT].values[0] == FacetValue("ID1", 3)
    assert page.facets[Noun.INSTRUMENT].others == 2
    assert page.facets[Noun.USER].values == (FacetValue("A", 7), FacetValue("B", 7))
    assert page.facets[Noun.COMPLETE].values == (FacetValue("true", 7),)
    second = index.search(SearchRequest(operator, facets=request.facets, limit=1, cursor=page.next_cursor))
    assert second.facets == page.facets
    assert second.total == page.total == 7


def test_facets_show_values_as_they_are_written(index: DatasetIndex, operator: VisibilityFilter) -> None:
    shown = ["Crème: brûlée", 'a "quoted" one', "broken \udcff byte", "x" * 70_000]
    index.write([make(number, samples=(value,)) for number, value in enumerate(shown, 1)])
    page = index.search(SearchRequest(operator, facets=(FacetRequest(Noun.SAMPLE),)))
    values = {value.value for value in page.facets[Noun.SAMPLE].values}
    assert values == {"Crème: brûlée", 'a "quoted" one', "broken ? byte", "x" * MAX_VALUE_LENGTH}
    for number, value in enumerate(shown, 1):
        assert find(index, operator, filters=(AnyOf(Noun.SAMPLE, (value,)),)) == [number]


def test_a_value_that_stands_twice_counts_once(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, users=("A", "A", ""))])
    page = index.search(SearchRequest(operator, facets=(FacetRequest(Noun.USER),)))
    assert page.facets[Noun.USER].values == (FacetValue("A", 1),)


def test_facets_are_exact_over_many_writes(index: DatasetIndex, operator: VisibilityFilter) -> None:
    for first in range(0, 50, 10):
        rare = tuple(f"{first}-{number}" for number in range(40))
        index.write([make(first, samples=(*rare, "common")), make(first + 1, samples=rare)])
    page = index.search(SearchRequest(operator, facets=(FacetRequest(Noun.SAMPLE, 1),)))
    assert page.facets[Noun.SAMPLE].values == (FacetValue("common", 5),)
    assert page.facets[Noun.SAMPLE].others == 5 * 40 * 2


SECRETS: dict[str, dict[str, Any]] = {
    "released": {"release_date": START},
    "to be released": {"release_date": START + timedelta(days=3650)},
    "nobody knows": {},
    "embargoed, metadata public": {"is_metadata_public": True},
    "secret": {"release_date": START, "is_metadata_public": True, "is_secret": True},
}


def test_parameters_are_counted_whatever_they_hold(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write(
        [
            make(
                1, numbers=(NumericEntry("energy", 1.0, 1.0),), texts=(TextEntry("note", "a"), TextEntry("note", "b"))
            ),
            make(2, numbers=(NumericEntry("energy", 2.0, 5.0),), texts=(TextEntry("energy", "a"),)),
        ]
    )
    index.write(
        [make(3, unsearched=("opened_at",), instruments=("ID22",), numbers=(NumericEntry("energy", 0.0, 0.0),))]
    )
    assert index.count_parameters(operator) == {"energy": 3, "note": 1, "opened_at": 1}
    at_id22 = (AnyOf(Noun.INSTRUMENT, ("id22",)),)
    assert index.count_parameters(operator, at_id22) == {"energy": 1, "opened_at": 1}
    assert index.measure_parameters(operator, ["energy", "note", "opened_at", "?"]) == {"energy": Extent(0.0, 5.0)}
    assert index.measure_parameters(operator, ["energy"], at_id22) == {"energy": Extent(0.0, 0.0)}
    assert index.measure_parameters(operator, []) == {}


def test_newest_documents_are_listed_by_parameter(
    index: DatasetIndex, operator: VisibilityFilter, anonymous: VisibilityFilter
) -> None:
    begun = {1: START, 2: START + timedelta(days=9), 3: None, 4: START + timedelta(days=1)}
    for number, date in begun.items():
        opened = None if number == 4 else START
        plain = make(number, start_date=date, texts=(TextEntry("note", "x"),), instruments=(f"ID{number}",))
        index.write([replace(plain, release_date=opened)])
    index.write([make(5, start_date=START + timedelta(days=99), texts=(TextEntry("other", "x"),))])
    index.write([make(6, unsearched=("opened_at",)), make(7, numbers=(NumericEntry("a.b c", 1.0, 1.0),))])
    names = ["note", "opened_at", "a.b c", "nothing"]
    assert index.list_newest(operator, names, 9) == {"note": [2, 4, 1, 3], "opened_at": [6], "a.b c": [7]}
    assert index.list_newest(anonymous, names, 2) == {"note": [2, 1]}
    assert index.list_newest(operator, names, 9, (AnyOf(Noun.INSTRUMENT, ("id4",)),)) == {"note": [4]}
    assert index.list_newest(operator, [], 9) == {}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([NumericEntry("", 12.4, 12.4)], (12.4, 12.4)),
        ([NumericEntry("", 1.0, 3.0, (1.0, 2.0, 3.0)), NumericEntry("", 2.5, 2.5)], (1.0, 3.0)),
        ([NumericEntry("", -7.25, -0.1), NumericEntry("", -0.5, 1e-9)], (-7.25, 1e-9)),
        (
            [NumericEntry("", 0.1, 0.7, (0.7, 0.1)), NumericEntry("", 0.3, 123456.789012)],
            (0.1, 123456.789012),
        ),
        ([NumericEntry("", 1.0, 1.0, (math.nan, 9.9))], (9.9, 9.9)),
        ([NumericEntry("", -2.0000000000000004, 7295.279193300001)], (-2.0, 7295.2791933)),
        ([NumericEntry("", math.nan, 2.0), NumericEntry("", 1e-30, 1e-30)], (1e-30, 1e-30)),
        ([NumericEntry("", math.nan, math.nan)], None),
    ],
)
def test_parameters_are_measured_as_people_wrote_them(
    index: DatasetIndex, operator: VisibilityFilter, number_name: str,
    entries: list[NumericEntry], expected: tuple[float, float] | None,
) -> None:  # fmt: skip
    for number, entry in enumerate(entries):
        index.write([make(number, numbers=(replace(entry, name=number_name),))])
    measured = {} if expected is None else {number_name: Extent(*expected)}
    assert index.measure_parameters(operator, [number_name]) == measured


def test_parameters_of_closed_documents_are_neither_counted_nor_measured(
    index: DatasetIndex, anonymous: VisibilityFilter
) -> None:
    names = ("energy", *HOSTILE_NAMES)
    index.write([make(1, numbers=(NumericEntry("energy", 1.0, 1.0),), release_date=START)])
    before = index.count_parameters(anonymous), index.measure_parameters(anonymous, names)
    for number, rule in enumerate(SECRETS.values()):
        if number in (1, 2, 4):
            entries = tuple(NumericEntry(name, -1.0, 99.0) for name in names)
            index.write([make(10 + number, numbers=entries, texts=(TextEntry("diary", "x"),), **rule)])
    assert (index.count_parameters(anonymous), index.measure_parameters(anonymous, names)) == before
    assert before == ({"energy": 1}, {"energy": Extent(1.0, 1.0)})


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_parameter_of_any_name_is_counted_and_measured(
    index: DatasetIndex, operator: VisibilityFilter, name: str
) -> None:
    held = {each: NumericEntry(each, float(number), float(number)) for number, each in enumerate(HOSTILE_NAMES)}
    index.write([make(number, numbers=(entry,)) for number, entry in enumerate(held.values())])
    assert index.count_parameters(operator) == dict.fromkeys(HOSTILE_NAMES, 1)
    assert index.measure_parameters(operator, [name]) == {name: Extent(held[name].low, held[name].low)}


@pytest.mark.parametrize("sort", Sort)
def test_closed_documents_are_not_found_and_not_counted(
    index: DatasetIndex, anonymous: VisibilityFilter, operator: VisibilityFilter, sort: Sort
) -> None:
    index.write([make(number, samples=(name,), **rule) for number, (name, rule) in enumerate(SECRETS.items(), 1)])
    request = SearchRequest(anonymous, parse_query("set"), facets=(FacetRequest(Noun.SAMPLE),), sort=sort)
    page = index.search(request)
    assert sorted(hit.id for hit in page.hits) == [1, 4]
    assert page.total == 2
    assert {value.value for value in page.facets[Noun.SAMPLE].values} == {"released", "embargoed, metadata public"}
    assert page.facets[Noun.SAMPLE].others == 0
    assert find(index, operator, sort=sort) == [1, 2, 3, 4, 5]
    for query in ["secret", "not nothing", "secret or nobody", "set*", "*cret", "sample:*", "sample:secret"]:
        assert not {2, 3, 5} & set(find(index, anonymous, query, sort=sort))


def test_a_document_opens_at_its_release(index: DatasetIndex) -> None:
    index.write([make(1, release_date=START)])
    assert find(index, VisibilityFilter(sees_all=False, now=START)) == [1]
    assert find(index, VisibilityFilter(sees_all=False, now=START - timedelta(microseconds=1))) == []


def test_nothing_that_anonymous_sees_changes_with_closed_documents(
    index: DatasetIndex, anonymous: VisibilityFilter
) -> None:
    facets = tuple(FacetRequest(noun) for noun in (Noun.INSTRUMENT, Noun.SAMPLE, Noun.COMPLETE))
    request = SearchRequest(anonymous, facets=facets, limit=2)
    index.write([make(number, samples=("s",), instruments=("ID1",), release_date=START) for number in range(5)])
    before = index.search(request)
    index.write([make(number, samples=("t",), instruments=("ID1",), is_secret=True) for number in range(10, 20)])
    assert index.search(request) == before


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.NEWEST, [2, 5, 4, 1, 3, 6]),
        (Sort.OLDEST, [1, 4, 5, 2, 3, 6]),
        (Sort.NAME, [5, 3, 4, 2, 6, 1]),
    ],
)
def test_sorting_and_paging(index: DatasetIndex, operator: VisibilityFilter, sort: Sort, expected: list[int]) -> None:
    if sort is Sort.NEWEST:
        expected = [*expected[:4], 6, 3]
    dates = {1: START, 2: START + timedelta(days=9), 4: START, 5: START + timedelta(seconds=1)}
    shown = {1: "zeta", 2: "Éclair", 3: "beta", 4: "e", 5: "Alpha", 6: "zeta"}
    index.write([make(number, name=shown[number], start_date=dates.get(number)) for number in shown])
    for limit in (1, 2, 3, 6):
        assert page_through(index, SearchRequest(operator, sort=sort, limit=limit)) == expected


def page_through(index: DatasetIndex, request: SearchRequest) -> list[int]:
    ids: list[int] = []
    cursor: str | None = None
    while True:
        page = index.search(replace(request, cursor=cursor))
        ids += [hit.id for hit in page.hits]
        cursor = page.next_cursor
        if cursor is None:
            return ids


def test_paging_is_stable_while_documents_come(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(number, start_date=START + timedelta(days=number)) for number in range(6)])
    first = index.search(SearchRequest(operator, limit=3))
    index.write([make(number, start_date=START + timedelta(days=number)) for number in range(10, 20)])
    second = index.search(SearchRequest(operator, limit=3, cursor=first.next_cursor))
    assert [hit.id for hit in first.hits + second.hits] == [5, 4, 3, 2, 1, 0]
    assert second.next_cursor is None


@pytest.mark.parametrize("sort", Sort)
def test_a_cursor_that_was_changed_is_refused(index: DatasetIndex, operator: VisibilityFilter, sort: Sort) -> None:
    index.write([make(number) for number in range(3)])
    query = parse_query("set")
    cursor = index.search(SearchRequest(operator, query, sort=sort, limit=1)).next_cursor
    assert cursor is not None
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    changed = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode().rstrip("=")
    for wrong in (changed, cursor[:-4], "x", "", "ü", "A" * 5000, cursor + "AAAA"):
        with pytest.raises(InvalidQueryError, match="cursor"):
            index.search(SearchRequest(operator, query, sort=sort, limit=1, cursor=wrong))
    another = AnyOf(Noun.FACILITY, ("ESRF",))
    for other in (parse_query("other"), query):
        with pytest.raises(InvalidQueryError, match="cursor"):
            index.search(SearchRequest(operator, other, (another,), sort=sort, limit=1, cursor=cursor))
    with pytest.raises(InvalidQueryError, match="cursor"):
        index.search(SearchRequest(operator, parse_query("other"), sort=sort, limit=1, cursor=cursor))
    assert index.search(SearchRequest(operator, query, sort=sort, limit=2, cursor=cursor)).total == 3


@pytest.mark.parametrize("sort", Sort)
def test_a_forged_cursor_is_refused(index: DatasetIndex, operator: VisibilityFilter, sort: Sort) -> None:
    request = SearchRequest(operator, sort=sort)
    for key in (-1, 2**63, 2**70, "", "]", '"', "a} OR *", "ü", "\0", "(" * 500):
        with pytest.raises(InvalidQueryError, match="cursor"):
            index.search(replace(request, cursor=to_cursor(request, key)))


def test_relevance_puts_the_whole_name_first_then_name_title_sample_technique_abstract_the_rest(
    index: DatasetIndex, operator: VisibilityFilter
) -> None:
    index.write(
        [
            make(1, users=("LaB6",), name="a"),
            make(2, samples=("LaB6 with much more text",), name="b"),
            make(3, titles=("a long title with LaB6 somewhere in it",), name="c"),
            make(4, name="LaB6_0002_and_a_long_tail"),
            make(5, name="LaB6"),
            make(6, techniques=("LaB6 diffraction",), name="d"),
            make(7, name="e"),
            make(8, name="f", titles=("lab6 " * 50,)),
            make(9, name="g", abstracts=("much is said " * 50 + "of LaB6",)),
        ]
    )
    index.write([make(number, titles=("something else",)) for number in range(100, 1000)])
    page = index.search(SearchRequest(operator, parse_query("lab6"), sort=Sort.RELEVANCE))
    ranked = [hit.id for hit in page.hits]
    # How often a word is said in a title counts for nothing.
    assert [*ranked[:2], *sorted(ranked[2:4]), *ranked[4:]] == [5, 4, 3, 8, 2, 6, 9, 1]
    scores = [hit.score for hit in page.hits if hit.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 7


def test_who_asks_for_a_doi_finds_its_dataset_first(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, dois=("10.5072/a",)), make(2, name="about_10.5072/a_b"), make(3, titles=("of 10.5072/a",))])
    page = index.search(SearchRequest(operator, parse_query("10.5072/A"), sort=Sort.RELEVANCE))
    assert [hit.id for hit in page.hits] == [1, 2, 3]


def test_relevance_pages_to_its_depth_and_no_further(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(number, titles=("powder",) * (number % 3)) for number in range(MAX_RELEVANCE_DEPTH + 500)])
    request = SearchRequest(operator, parse_query("powder or set"), sort=Sort.RELEVANCE, limit=900)
    ids = page_through(index, request)
    assert len(ids) == len(set(ids)) == MAX_RELEVANCE_DEPTH
    assert len(page_through(index, replace(request, sort=Sort.NEWEST))) == MAX_RELEVANCE_DEPTH + 500


def test_writing_again_changes_nothing(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1), make(2)])
    index.write([make(1)])
    index.write([make(2), make(2)])
    page = index.search(SearchRequest(operator))
    assert page.total == 2
    assert index.revisions() == [(1, 1), (2, 1)]


def test_an_older_revision_never_overwrites_a_newer_one(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, 2, titles=("second",))])
    index.write([make(1, 1, titles=("first",))])
    assert find(index, operator, "second") == [1]
    assert find(index, operator, "first") == []
    index.write([make(1, 4, titles=("fourth",)), make(1, 3, titles=("third",)), make(2, 1)])
    assert find(index, operator, "fourth") == [1]
    assert find(index, operator, "third") == []
    assert index.revisions() == [(1, 4), (2, 1)]


def test_the_newest_revision_of_one_write_stays(index: DatasetIndex) -> None:
    index.write([make(1, 2), *(make(number) for number in range(2, 3000)), make(1, 1)])
    assert index.revisions(0, 2) == [(1, 2), (2, 1)]


def test_the_same_revision_is_replaced(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(1, 2, titles=("badly made",))])
    index.write([make(1, 2, titles=("well made",))])
    assert find(index, operator, "badly") == []
    assert find(index, operator, "well") == [1]


def test_a_hit_carries_its_revision(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(7, 3)])
    (hit,) = index.search(SearchRequest(operator)).hits
    assert (hit.id, hit.revision, hit.score) == (7, 3, None)


def test_a_failing_source_of_documents_writes_nothing(index: DatasetIndex, operator: VisibilityFilter) -> None:
    def documents() -> object:
        yield make(1)
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        index.write(documents())  # type: ignore[arg-type]
    assert find(index, operator) == []
    index.write([make(2)])
    assert find(index, operator) == [2]


def test_deleting(index: DatasetIndex, operator: VisibilityFilter) -> None:
    index.write([make(number) for number in range(1, 5)])
    index.delete([2, 3, 99])
    index.delete([])
    assert find(index, operator) == [1, 4]
    assert index.revisions() == [(1, 1), (4, 1)]


def test_revisions_come_by_id_in_portions(index: DatasetIndex) -> None:
    index.write([make(number, number + 1) for number in (9, 3, 7, 1, 5)])
    assert index.revisions(0, 2) == [(1, 2), (3, 4)]
    assert index.revisions(3, 2) == [(5, 6), (7, 8)]
    assert index.revisions(9) == []


def test_revisions_of_some(index: DatasetIndex) -> None:
    assert index.revisions_of([1]) == {}
    index.write(make(number, number + 1) for number in (7, 1, 5))
    index.write([make(5, 9)])
    assert index.revisions_of([5, 6, 7]) == {5: 9, 7: 8}
    assert index.revisions_of([]) == {}


def test_an_empty_index_answers(index: DatasetIndex, operator: VisibilityFilter) -> None:
    page = index.search(SearchRequest(operator, facets=(FacetRequest(Noun.SAMPLE),)))
    assert (page.hits, page.total, page.next_cursor) == ((), 0, None)
    assert page.facets[Noun.SAMPLE].values == ()
    assert index.revisions() == []


@pytest.mark.parametrize(
    "given",
    [
        {"limit": 0},
        {"limit": 1001},
        {"facets": (FacetRequest(Noun.USER, 0),)},
        {"facets": (FacetRequest(Noun.USER, 1001),)},
        {"facets": (FacetRequest(Noun.NAME),)},
    ],
)
def test_a_request_has_bounds(operator: VisibilityFilter, given: dict[str, object]) -> None:
    with pytest.raises(InvalidQueryError):
        SearchRequest(operator, **given)  # type: ignore[arg-type]
