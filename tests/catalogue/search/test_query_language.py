"""The language: what each form means, and where each error points."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search import (
    All,
    And,
    DateRange,
    Elements,
    FieldMatch,
    Instant,
    Match,
    Not,
    Or,
    ParameterRange,
    Phrase,
    Query,
    Word,
    parse_query,
)


def day(year: int, month: int = 1, number: int = 1, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, number, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", All()),
        ("  \t\n", All()),
        ("*", All()),
        ("LaB6", Word("LaB6")),
        ("LaB*", Word("LaB*", Match.WILDCARD)),
        ("*B?6_00*", Word("*B?6_00*", Match.WILDCARD)),
        ("a b", And((Word("a"), Word("b")))),
        ("a and b AND c", And((Word("a"), Word("b"), Word("c")))),
        ("a or b c", Or((Word("a"), And((Word("b"), Word("c")))))),
        ("(a or b) c", And((Or((Word("a"), Word("b"))), Word("c")))),
        ("not a b", And((Not(Word("a")), Word("b")))),
        ("not(a)", Not(Word("a"))),
        ("andy order nothing", And((Word("andy"), Word("order"), Word("nothing")))),
        ('"two words"', Phrase("two words")),
        (r'"a \"b\" \\c"', Phrase('a "b" \\c')),
        ('"and"', Phrase("and")),
        ("sample:LaB6", FieldMatch("sample", "LaB6")),
        ("Sample: LaB*", FieldMatch("sample", "LaB*", Match.WILDCARD)),
        ('sample:"two words" x', And((FieldMatch("sample", "two words"), Word("x")))),
        ("sample:12 mm", And((FieldMatch("sample", "12"), Word("mm")))),
        ("beamline:ID22", FieldMatch("instrument", "ID22")),
        ('"beamline":ID22', FieldMatch("beamline", "ID22")),
        ("complete:Yes", FieldMatch("complete", "true")),
        ("sample:*", FieldMatch("sample", "*", Match.WILDCARD)),
        ("energy:*", FieldMatch("energy", "*", Match.WILDCARD)),
        ("10.5072/3b9vq-hz06", Word("10.5072/3b9vq-hz06")),
        ("https://doi.org/10.5072/x", Word("10.5072/x")),
        ("doi.org/10.5072/x", Word("10.5072/x")),
        ("doi:HTTP://dx.doi.org/10.5072/x", FieldMatch("doi", "10.5072/x")),
        ("https://doi.org/10.5072/x*", Word("10.5072/x*", Match.WILDCARD)),
        ("http://example.org:80/a", Word("http://example.org:80/a")),
        ('"https":x', FieldMatch("https", "x")),
        ("note:hello", FieldMatch("note", "hello")),
        ("note:2025-01-01", FieldMatch("note", "2025-01-01")),
        ("note:12.4.5", FieldMatch("note", "12.4.5")),
        ('note:"12"', FieldMatch("note", "12")),
        ("note:a:b", FieldMatch("note", "a:b")),
        ("energy:12..13 keV", ParameterRange("energy", 12, 13, "keV")),
        ("energy:12..13keV", ParameterRange("energy", 12, 13, "keV")),
        ("energy:12 keV..13 keV", ParameterRange("energy", 12, 13, "keV")),
        ("energy:12 .. 13", ParameterRange("energy", 12, 13)),
        ("energy:12..", ParameterRange("energy", 12, None)),
        ("energy:12 keV..", ParameterRange("energy", 12, None, "keV")),
        ("energy:..13 keV", ParameterRange("energy", None, 13, "keV")),
        ("energy:-1.5..+2e3", ParameterRange("energy", -1.5, 2000)),
        ("energy:.5...75", ParameterRange("energy", 0.5, 0.75)),
        ("temperature:<100 K", ParameterRange("temperature", None, 100, "K", includes_high=False)),
        ("temperature:< 100", ParameterRange("temperature", None, 100, includes_high=False)),
        ("temperature:<=100°C", ParameterRange("temperature", None, 100, "°C")),
        ("m_energy:>=7.1", ParameterRange("m_energy", 7.1)),
        ("m_energy:>7.1", ParameterRange("m_energy", 7.1, includes_low=False)),
        ("q:1..2 1/Å", ParameterRange("q", 1, 2, "1/Å")),
        ("e:<5 µm", ParameterRange("e", None, 5, "µm", includes_high=False)),
        ("e:<5 and x", And((ParameterRange("e", None, 5, includes_high=False), Word("x")))),
        ("e:<5 or x", Or((ParameterRange("e", None, 5, includes_high=False), Word("x")))),
        ("e:<5 sample:x", And((ParameterRange("e", None, 5, includes_high=False), FieldMatch("sample", "x")))),
        ('e:<5 "x"', And((ParameterRange("e", None, 5, includes_high=False), Phrase("x")))),
        ("(e:<5 K)", ParameterRange("e", None, 5, "K", includes_high=False)),
        ('"a: b":>5 K', ParameterRange("a: b", 5, None, "K", includes_low=False)),
        ("hemattie~", Word("hemattie", Match.FUZZY)),
        ("Hämattie~", Word("Hämattie", Match.FUZZY)),
        ("/~user/x", Word("/~user/x")),
        ("sample:lanthnum~", FieldMatch("sample", "lanthnum", Match.FUZZY)),
        ("note:lanthnum~", FieldMatch("note", "lanthnum", Match.FUZZY)),
        ("wavelength:~1 Å", ParameterRange("wavelength", 0.95, 1.05, "Å")),
        ("wavelength:~ 1Å x", And((ParameterRange("wavelength", 0.95, 1.05, "Å"), Word("x")))),
        ("t:~-20 °C", ParameterRange("t", -21, -19, "°C")),
        ("elements:Fe,O", Elements(("Fe", "O"))),
        ("element:=fe,O,FE x", And((Elements(("Fe", "O"), is_exact=True), Word("x")))),
        ('elements:"=Fe, O"', Elements(("Fe", "O"), is_exact=True)),
        ("start_date:2025", DateRange(Instant.START, day(2025), day(2026))),
        ("date:2025-12", DateRange(Instant.START, day(2025, 12), day(2026, 1))),
        ("end_date:2025-03-31", DateRange(Instant.END, day(2025, 3, 31), day(2025, 4, 1))),
        ("Release_Date:2025", DateRange(Instant.RELEASE, day(2025), day(2026))),
        ("start_date:2025-01..2025-03", DateRange(Instant.START, day(2025), day(2025, 4))),
        ("start_date:2025..", DateRange(Instant.START, day(2025), None)),
        ("start_date:..2025", DateRange(Instant.START, None, day(2026))),
        ("start_date:*", DateRange(Instant.START)),
        ("start_date:<2025", DateRange(Instant.START, None, day(2025))),
        ("start_date:<=2025", DateRange(Instant.START, None, day(2026))),
        ("start_date:>2025", DateRange(Instant.START, day(2026), None)),
        ("start_date:>=2025", DateRange(Instant.START, day(2025), None)),
        (
            "start_date:2025-01-01T12:30+02:00",
            DateRange(Instant.START, day(2025, 1, 1, 10, 30), day(2025, 1, 1, 10, 31)),
        ),
        ('start_date:"2025"', DateRange(Instant.START, day(2025), day(2026))),
    ],
)
def test_forms(text: str, expected: Query) -> None:
    assert parse_query(text) == expected


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("12.4", 12.35, 12.45), ("12.40", 12.395, 12.405), ("100", 99.5, 100.5), ("1e2", 99.5, 100.5), ("-5", -5.5, -4.5),
     ("1.5e-3", 0.00145, 0.00155), ("0e9999", -0.5, 0.5)],
)  # fmt: skip
def test_one_number_means_as_precisely_as_it_is_written(text: str, low: float, high: float) -> None:
    asked = parse_query(f"energy:{text} keV")
    assert isinstance(asked, ParameterRange)
    assert (asked.low, asked.high) == pytest.approx((low, high))
    assert asked.unit == "keV"


@pytest.mark.parametrize(
    ("text", "position", "advice"),
    [
        ("(a", 0, "add a ')'"),
        ("x (a", 2, "add a ')'"),
        ("a)", 1, "no '('"),
        ("a or", 4, "missing"),
        ("or a", 0, "missing"),
        ("a and", 5, "missing"),
        ("a and or b", 6, "missing"),
        ("not", 3, "missing"),
        ("()", 1, "missing"),
        ('x "abc', 2, 'add a second "'),
        ('sample:"abc', 7, 'add a second "'),
        ("energy:", 7, "energy:value"),
        ("energy: )", 8, "energy:value"),
        ("energy:(1 or 2)", 7, "(energy:this or energy:that)"),
        ("sample: (a or b)", 8, "(sample:this or sample:that)"),
        ("energy > 12", 7, "energy:>12"),
        ("a >=12", 2, "energy:>12"),
        ("a = 12", 2, "energy:>12"),
        ("energy:5..4", 7, "write 4..5"),
        ("energy:1 keV..2 eV", 9, "both bounds in eV"),
        ("energy:1..1e999", 10, "too large"),
        ("energy:<", 7, "energy:<100 K"),
        ("energy:<abc", 7, "energy:<100 K"),
        ("a energy<5", 2, "energy:<5"),
        ("a -b", 2, "not b"),
        ("x ?*", 2, "any word"),
        ("x **", 2, "any word"),
        ("https://doi.org/", 0, "leave it out"),
        ("a*bcd~", 0, "leave one of them out"),
        ("sample:a*b?c*d?e*f?g*", 7, "6 '*' and '?' at most"),
        ("x ?" + "a" * 50, 2, "50 letters at most"),
        ("x Fe2~", 2, "4 or more letters"),
        ("20-bm1234~", 0, "one word"),
        ("日本日本~", 0, "a to z"),
        ("~hematite", 0, "hematite~"),
        ("sample:~5", 7, "hematite~"),
        ("energy:~", 7, "energy:~1.5"),
        ("energy:~abc", 7, "energy:~1.5"),
        ("energy:~0 keV", 8, "energy:-0.1..0.1"),
        ("start_date:~2025", 11, "no date"),
        ("elements:Fe,Xx,O", 12, "'Xx'"),
        ("elements:=Fe,iron", 13, "no element has the symbol 'iron'"),
        ('elements:"Fe, Xx"', 13, "no element"),
        ("elements:Fe, O", 12, "elements:Fe,O"),
        ("elements:=", 10, "missing"),
        ("elements:", 9, "elements:value"),
        ("a || b", 2, "leave it out"),
        ('"--"', 0, "leave it out"),
        ("start_date:2025-13", 11, "2025-03-31"),
        ("start_date:soon", 11, "2025-03-31"),
        ("start_date:2025-01..soon", 20, "2025-03-31"),
        ("start_date:2026..2025", 11, "write 2025..2026"),
        ("start_date:..", 11, "2025-01..2025-03"),
        ("start_date:9999", 11, "2025-03-31"),
        ("complete:maybe", 9, "neither true nor false"),
    ],
)
def test_errors_point_at_the_place_and_say_what_would_do(text: str, position: int, advice: str) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        parse_query(text)
    assert caught.value.position == position
    assert caught.value.text == text
    assert advice in caught.value.message


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("a" * 2001, "2000"),
        ("(" * 1000, "deep"),
        ("not " * 400 + "a", "deep"),
        ("a " * 65, "64 words"),
        ('"' + "a-" * 65 + '"', "64 words"),
        ("e:1 " * 65, "64 words"),
        ("-".join("ab" * 40), "64 words"),
        ("date:2025 " * 65, "64 words"),
        ("a* " * 9, "8 words with"),
        ("sample:a* " * 9, "8 words with"),
        ("abcd~ sample:abcd~ a* " * 3, "8 words with"),
        ("complete:no " * 65, "64 words"),
        ("elements:" + "Fe," * 20 + "O", "20 are the most"),
        ("elements:Fe " * 65, "64 words"),
    ],
)
def test_a_hostile_query_costs_an_error(text: str, limit: str) -> None:
    with pytest.raises(InvalidQueryError, match=limit):
        parse_query(text)


def test_what_is_just_allowed_is_parsed() -> None:
    assert parse_query("a " * 64) == And((Word("a"),) * 64)
    assert parse_query("(" * 20 + "a" + ")" * 20) == Word("a")


fragments = st.sampled_from(
    ["and", "or", "not", "(", ")", '"', ":", "energy:", "start_date:", "<", ">=", "..", "12", "1e9", ".", "keV",
     "2025-01", "*", "\\", " ", "a", "é", "1/Å", "-", "\udcff", "complete:", "%", "\0"]
)  # fmt: skip


@given(st.lists(fragments, max_size=30).map("".join) | st.text(max_size=40))
def test_any_text_is_a_tree_or_an_error_with_a_place(text: str) -> None:
    try:
        parse_query(text)
    except InvalidQueryError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017 - either outcome is right
