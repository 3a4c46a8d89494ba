"""Parameter names, aliases and units are settled, or the error says what would do."""

from __future__ import annotations

import pytest

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.search import All, And, FieldMatch, Not, Or, ParameterRange, Phrase, Word, parse_query, resolve

UNITS = {
    "InstrumentMonochromator_energy": "keV",
    "InstrumentMonochromator_wavelength": "angstrom",
    "SampleTemperature": "K",
    "note": "",
    "count": "1",
    "twin": "",
    "TWIN": "",
}
ALIASES = {"energy": "InstrumentMonochromator_energy", "temperature": "SampleTemperature", "lost": "not_there"}


def resolve_text(text: str) -> object:
    return resolve(parse_query(text), UNITS, ALIASES)


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        ("energy:12..13 keV", "InstrumentMonochromator_energy", 12, 13),
        ("energy:12000..13000 eV", "InstrumentMonochromator_energy", 12, 13),
        ("ENERGY:12..13", "InstrumentMonochromator_energy", 12, 13),
        ("instrumentmonochromator_ENERGY:12..13", "InstrumentMonochromator_energy", 12, 13),
        ("temperature:0..100 °C", "SampleTemperature", 273.15, 373.15),
        ("InstrumentMonochromator_wavelength:0.1..0.2 nm", "InstrumentMonochromator_wavelength", 1, 2),
        ("count:1..2", "count", 1, 2),
        ("count:10..20 %", "count", 0.1, 0.2),
        ("note:1..2", "note", 1, 2),
    ],
)
def test_names_and_units(text: str, name: str, low: float, high: float) -> None:
    asked = resolve_text(text)
    assert isinstance(asked, ParameterRange)
    assert (asked.name, asked.unit) == (name, None)
    assert (asked.low, asked.high) == pytest.approx((low, high), rel=1e-9)
    assert asked.low is not None
    assert asked.high is not None
    assert asked.low <= low
    assert asked.high >= high


def test_bounds_allow_for_rounding_of_conversions() -> None:
    included, excluded = resolve_text("energy:<=12398 eV"), resolve_text("energy:<12398 eV")
    assert isinstance(included, ParameterRange)
    assert isinstance(excluded, ParameterRange)
    assert included.low is excluded.low is None
    assert included.high is not None
    assert excluded.high is not None
    assert excluded.high < 12398 * 0.001 < included.high
    assert excluded.high < 12398 / 1000 < included.high


def test_all_nodes_are_reached_and_nouns_stay() -> None:
    tree = resolve_text('(energy:1..2 or note:x) and not TEMPERATURE:>1 "phrase" word sample:y')
    assert isinstance(tree, And)
    either, negated, *rest = tree.parts
    assert isinstance(either, Or)
    assert either.parts[1] == FieldMatch("note", "x")
    assert isinstance(negated, Not)
    assert isinstance(negated.part, ParameterRange)
    assert negated.part.name == "SampleTemperature"
    assert rest == [Phrase("phrase"), Word("word"), FieldMatch("sample", "y")]
    assert resolve_text("") == All()


@pytest.mark.parametrize(
    ("text", "position", "advice"),
    [
        ("a energy:5 mm", 2, "keV"),
        ("energy:5 LaB6", 0, "write: and LaB6"),
        ("energy:5 keVV", 0, "keV"),
        ("a enrgy:5", 2, "energy"),
        ("InstrumentMonochromator_enrgy:5", 0, "InstrumentMonochromator_energy"),
        ("monochromator:5", 0, "InstrumentMonochromator_energy"),
        ("smaple:x", 0, "sample"),
        ("ftp://example.org", 0, "put it in quotes"),
        ("energy:abc", 0, "energy:1..2 keV"),
        ("note:5 K", 0, "leave 'K' out"),
        ("Twin:5", 0, "twin, TWIN"),
        ("lost:5", 0, "no field or parameter"),
    ],
)
def test_errors(text: str, position: int, advice: str) -> None:
    with pytest.raises(InvalidQueryError) as caught:
        resolve_text(text)
    assert caught.value.position == position
    assert caught.value.text == text
    assert advice in caught.value.message
