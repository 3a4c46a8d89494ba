"""A query is written as the text that is read as the same query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.formulas import ELEMENTS
from ingest.catalogue.search import (
    All,
    And,
    DateRange,
    Elements,
    FieldMatch,
    Instant,
    Match,
    Not,
    Noun,
    Or,
    ParameterRange,
    Phrase,
    Query,
    Word,
    parse_query,
    to_text,
)

PERIOD_START = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "LaB6",
        "LaB* ?a*6_00? ceria~",
        '"two words"',
        r'"a \"b\" \\c"',
        '"and" "or" "a:b" "a<b" "-a" "~abcd"',
        "a (b or (c d))",
        "a b or c",
        "not (a b) not not c",
        'sample:LaB6 sample:LaB* note:hello note:"12" note:"two words" sample:lanthnum~',
        '"my parameter":>=5 and "a: b":hello "date":x',
        "energy:12..13 keV LaB6",
        "energy:12..13 and LaB6",
        "e:<5 µm e:<=5 and e:>5e-08 and e:>=1e+16 °C",
        "e:1..2 or x",
        "start_date:2025",
        "start_date:2025-03",
        "start_date:2025-03-31",
        "start_date:2025-01-01..2025-03-31",
        "end_date:2025-01-01.. end_date:..2025-03-31",
        "end_date:0099-01-01T12:30:00.000000Z..0099-03-31T23:59:59.999998Z",
        "elements:Fe,O elements:=La,B",
        "complete:true",
        "sample:* energy:* start_date:*",
    ],
)
def test_what_is_written_shortest_stays_as_it_is(text: str) -> None:
    query = parse_query(text)
    written = to_text(query)
    assert parse_query(written) == query
    assert written == text.replace("a b or c", "(a b) or c")


def test_what_stands_for_a_range_is_written_as_one() -> None:
    assert to_text(parse_query("wavelength:~1 Å x")) == "wavelength:0.95..1.05 Å x"
    assert to_text(parse_query("beamline:ID22 and energy:12.4")) == "instrument:ID22 energy:12.35..12.45"
    assert to_text(parse_query("start_date:2025-01..2025-03")) == "start_date:2025-01-01..2025-03-31"
    assert to_text(parse_query("start_date:>=2025-01-01T12:30")) == "start_date:2025-01-01T12:30:00.000000Z.."


@pytest.mark.parametrize(
    "query",
    [
        Word("two words"),
        Word("two word*", Match.WILDCARD),
        Word("LaB6", Match.WILDCARD),
        Word("L*B6"),
        Word("Fe2", Match.FUZZY),
        Phrase("--"),
        FieldMatch("start_date", "2025"),
        ParameterRange("energy"),
        ParameterRange("energy", 1.0, 2.0, includes_high=False),
        ParameterRange("energy", float("nan")),
        ParameterRange("energy", 1.0, 2.0, "k eV"),
        Elements(()),
        Elements(("Xx",)),
        And(()),
        Or((Word("a"),)),
        And((Word("a"),) * 65),
    ],
)
def test_what_the_language_cannot_say_is_refused(query: Query) -> None:
    with pytest.raises(InvalidQueryError):
        to_text(query)


words = st.from_regex(r"[a-zé0-9][\w.*/+~-]{0,8}", fullmatch=True).filter(lambda word: word[-1] not in "*~")
phrases = st.text(min_size=1, max_size=10).map(lambda text: f"a{text}")
names = st.sampled_from(["energy", "a: b", 'q"uote', "12", "and", "T"]) | phrases
numbers = st.floats(allow_nan=False, allow_infinity=False)
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
days = st.integers(0, 999).map(lambda number: PERIOD_START + timedelta(days=number))


@st.composite
def ranges(draw: st.DrawFn) -> ParameterRange:
    name, unit = draw(names), draw(st.sampled_from([None, "keV", "1/Å", "°C", "µm", "%"]))
    low, high = sorted([draw(numbers), draw(numbers)])
    match draw(st.integers(0, 2)):
        case 0:
            return ParameterRange(name, low, high, unit)
        case 1:
            return ParameterRange(name, low, None, unit, includes_low=draw(st.booleans()))
        case _:
            return ParameterRange(name, None, high, unit, includes_high=draw(st.booleans()))


@st.composite
def date_ranges(draw: st.DrawFn) -> DateRange:
    low, high = sorted([draw(days | instants), draw(days | instants)])
    return DateRange(draw(st.sampled_from(Instant)), low, max(high, low + timedelta(microseconds=1)))


leaves = st.one_of(
    st.just(All()),
    st.builds(Phrase, phrases),
    st.builds(FieldMatch, st.sampled_from([noun for noun in Noun if noun is not Noun.COMPLETE]), phrases),
    st.builds(Word, st.sampled_from(["lab6", "Ångström", "x-y", "a.b/c"])),
    st.builds(Word, st.sampled_from(["lab*", "*ngström?", "x-?", "?*a.b/c"]), st.just(Match.WILDCARD)),
    st.builds(Word, st.sampled_from(["lab6", "hemattie", "Hämatit"]), st.sampled_from([Match.WORDS, Match.FUZZY])),
    st.builds(FieldMatch, names.filter(lambda name: name.lower() not in {*Noun, *Instant, "elements"}), phrases),
    st.builds(FieldMatch, st.sampled_from(Noun), st.sampled_from(["lab*", "*", "l?b"]), st.just(Match.WILDCARD)).filter(
        lambda match: match.field != Noun.COMPLETE
    ),
    ranges(),
    date_ranges(),
    st.builds(
        Elements, st.lists(st.sampled_from(ELEMENTS), min_size=1, max_size=5, unique=True).map(tuple), st.booleans()
    ),
)
queries = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(And, st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(Not, parts),
    ),
    max_leaves=6,
)


@given(queries)
def test_the_text_of_any_query_is_read_as_it(query: Query) -> None:
    text = to_text(query)
    assert parse_query(text) == query
    assert to_text(parse_query(text)) == text


@given(st.lists(words, min_size=1, max_size=4).map(" ".join))
def test_whatever_is_read_can_be_written(text: str) -> None:
    try:
        query = parse_query(text)
    except InvalidQueryError:
        return
    assert parse_query(to_text(query)) == query
