from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.unit_table import BY_DIMENSION
from ingest.catalogue.units import (
    DimensionError,
    Probe,
    UnknownUnitError,
    _registry,
    _spellings,
    convert,
    energy_to_wavelength,
    find_probe,
    parse_unit,
    wavelength_to_energy,
)


@pytest.mark.parametrize(
    ("spelled", "canonical"),
    [
        ("KeV", "keV"),
        ("kev", "keV"),
        ("EV", "eV"),
        ("meV", "meV"),
        ("MeV", "MeV"),
        ("Angstroem", "angstrom"),
        ("\N{ANGSTROM SIGN}", "angstrom"),
        ("\N{LATIN CAPITAL LETTER A WITH RING ABOVE}", "angstrom"),
        (b"\xc5".decode("latin-1"), "angstrom"),
        ("\N{MICRO SIGN}m", "um"),
        ("\N{GREEK SMALL LETTER MU}m", "um"),
        ("Kelvin", "K"),
        (b"\xb0C".decode("latin-1"), "degC"),
        ("degrees", "deg"),
        ("seconds", "s"),
        ("Hz", "Hz"),
        ("photons/s", "photons/s"),
        ("mm/s", "mm/s"),
        ("\N{ANGSTROM SIGN}^-1", "1/angstrom"),
        ("electrons/\N{ANGSTROM SIGN}\N{SUPERSCRIPT TWO}", "electrons/angstrom^2"),
        ("\N{LATIN CAPITAL LETTER A WITH RING ABOVE}\N{SUPERSCRIPT TWO}", "angstrom^2"),
        ("nm\N{SUPERSCRIPT THREE}", "nm^3"),
        ("Gy/mA/s", "Gy/s/mA"),
        ("years", "a"),
        ("A\N{COMBINING RING ABOVE}ngstro\N{COMBINING DIAERESIS}m", "angstrom"),
        ("\xc5NGSTR\xd6M", "angstrom"),
        ("Angstr\xf8m", "angstrom"),
        # UTF-8 that somebody took for Latin-1, or for Windows's.
        ("\xc3\x85", "angstrom"),
        ("\xc3\u2026", "angstrom"),
        ("\xc2\xb0C", "degC"),
        ("\xc2\xb5m", "um"),
        # The ordinal indicator of keyboards, the ohm sign.
        ("\xbaC", "degC"),
        ("k\N{OHM SIGN}", "kohm"),
        ("\xc5\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ONE}", "1/angstrom"),
        ("m s\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT ONE}", "m/s"),
        ("m s-1", "m/s"),
        ("1/cm", "1/cm"),
        ("mm2", "mm^2"),
        ("W/m2", "W/m^2"),
        ("\xb0/s", "deg/s"),
        ("cts", "count"),
        ("cts/s", "1/s"),
        ("cmH2O", "cmH2O"),
        ("Joules", "J"),
        ("\0keV\0", "keV"),
    ],
)
def test_one_spelling_of_a_unit(spelled: str, canonical: str) -> None:
    assert parse_unit(spelled) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ISO8601",
        "secORcounts",
        "steps per",
        "m**999999",
        "9**9**9",
        "__import__('os')",
        "x" * 5000,
        "k",
        "c",
        "e",
        "u",
        "a.u.",
    ],
)
def test_what_is_no_unit(text: str) -> None:
    assert parse_unit(text) is None


@pytest.mark.parametrize(
    ("letter", "target", "unit"),
    [
        ("A", "angstrom", "angstrom"),
        ("A", "mA", "A"),
        ("A", None, "A"),
        ("C", "K", "degC"),
        ("F", "K", "degF"),
        ("k", "K", "K"),
    ],
)
def test_target_decides_what_a_letter_means(letter: str, target: str | None, unit: str) -> None:
    assert parse_unit(letter, target) == unit


@pytest.mark.parametrize(
    ("magnitude", "source", "target", "expected"),
    [
        (800.0, "meV", "keV", 0.0008),
        (1.503e-21, "J", "keV", 9.380988e-06),
        (20.0, "degC", "K", 293.15),
        (20.0, "C", "K", 293.15),
        (300.0, "K", "degC", 26.85),
        (32.0, "degF", "degC", 0.0),
        (0.6, "nm", "angstrom", 6.0),
        (1.0, "A", "angstrom", 1.0),
        (1.0, "inch", "mm", 25.4),
        (5.0, "%", "1", 0.05),
        (2.0, "Hz", "photons/s", 2.0),
        (60.0, "mm/min", "mm/s", 1.0),
        (2.0, "kGy", "Gy", 2000.0),
        (5.0, "electrons/A2", "electrons/angstrom^2", 5.0),
        (2.0, "A^2", "angstrom^2", 2.0),
        (10.0, "counts", "1", 10.0),
        (1.0, "1/cm", "1/m", 100.0),
        (1.0, "meV", "MeV", 1e-9),
        (1.0, "electrons/nm^2", "electrons/angstrom^2", 0.01),
        (365.25, "d", "a", 1.0),
        (14.3, "kDa", "Da", 14300.0),
    ],
)
def test_convert(magnitude: float, source: str, target: str | None, expected: float) -> None:
    assert convert(magnitude, source, target) == pytest.approx(expected, rel=1e-6)


def test_round_numbers_stay_round() -> None:
    assert convert(800.0, "meV", "keV") == 0.0008
    assert convert(12400.0, "eV", "keV") == 12.4


def test_unknown_unit_says_which_would_do() -> None:
    with pytest.raises(UnknownUnitError, match="write one of keV, eV, meV") as caught:
        convert(1.0, "blorp", "keV")
    assert (caught.value.unit, caught.value.target) == ("blorp", "keV")


@pytest.mark.parametrize(("source", "target"), [("mA", "keV"), ("degC", "mm"), ("inch", "K"), ("K", "inch")])
def test_other_dimension_says_which_would_do(source: str, target: str | None) -> None:
    with pytest.raises(DimensionError) as caught:
        convert(1.0, source, target)
    assert caught.value.source == parse_unit(source)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("m*m", "m^2"), ("muL", "mm^3"), ("barns", "barn"), ("siemens", "siemens"), ("1/Angstrom^2", "1/angstrom^2")],
)
def test_what_pint_reads_gets_the_one_spelling(text: str, unit: str) -> None:
    assert parse_unit(text) == unit


@pytest.mark.parametrize("text", ["Ehr", "t.", "EV.", "S1", "keV(", "a(("])
def test_what_is_read_as_something_else_by_its_name_is_unknown(text: str) -> None:
    assert parse_unit(text) is None


@given(st.text(max_size=30) | st.text(alphabet="abcdehkmnsuvACEGJKMNSTVW1-29^*/(). %", max_size=5))
def test_no_text_breaks_the_parser(text: str) -> None:
    unit = parse_unit(text)
    assert unit is None or parse_unit(unit) == unit


ENERGIES, LENGTHS = ["keV", "eV", "meV", "MeV", "J", "ueV"], ["angstrom", "nm", "um", "mm", "m", "pm"]
OTHERS = [
    ["K", "degC", "degF", "mK"],
    ["deg", "rad", "mrad", "arcmin"],
    ["1/s", "Hz", "kHz"],
    ["mm^2", "um^2", "inch^2"],
]


@given(st.floats(1e-6, 1e6), st.sampled_from([ENERGIES, LENGTHS, *OTHERS]), st.data())
def test_there_and_back_is_the_same(number: float, units: list[str], data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(units)), data.draw(st.sampled_from(units))
    # A temperature's offset is of some hundreds, and fifteen digits are kept.
    assert convert(convert(number, one, other), other, one) == pytest.approx(number, rel=1e-9, abs=1e-9)


def test_every_unit_of_the_table_is_one_of_pints_under_its_name() -> None:
    # So that it can be compared with what only pint knows.
    for unit in _spellings().values():
        assert _registry().Unit(unit.name.replace("%", "percent")), unit


# What `A` or `a` is depends on what is asked for, so their ways there and back are different ones.
CLEAR = sorted(_spellings().keys() - {letter for letter, _ in BY_DIMENSION})


@given(st.sampled_from(CLEAR), st.sampled_from(CLEAR))
def test_a_unit_of_the_table_is_converted_or_refused_in_either_direction(one: str, other: str) -> None:
    try:
        there = convert(1.0, one, other)
    except DimensionError:
        with pytest.raises(DimensionError):
            convert(1.0, other, one)
    else:
        assert convert(there, other, one) == pytest.approx(1.0, rel=1e-9, abs=1e-9)


@given(st.sampled_from(["eV", "V", "m", "s", "Hz", "K", "Pa", "T", "W", "rad"]))
def test_case_of_a_prefix_counts(unit: str) -> None:
    """What differs by the case of its prefix only, such as milli and mega, is a factor of a thousand million apart."""
    assert convert(1.0, f"M{unit}", f"m{unit}") == pytest.approx(1e9)


@given(st.floats(1e-3, 1e3), st.sampled_from(Probe))
def test_energy_and_wavelength_are_inverse(kev: float, probe: Probe) -> None:
    assert wavelength_to_energy(energy_to_wavelength(kev, probe), probe) == pytest.approx(kev)


def test_the_two_relations() -> None:
    assert energy_to_wavelength(12.398419843320026, Probe.PHOTON) == 1.0
    assert wavelength_to_energy(1.8, Probe.NEUTRON) == pytest.approx(25.2482e-6, rel=1e-4)
    assert math.isclose(energy_to_wavelength(81.80421009e-6, Probe.NEUTRON), 1.0, rel_tol=1e-8)


@pytest.mark.parametrize(
    ("text", "probe"),
    [
        ("x-ray", Probe.PHOTON),
        ("X-rays", Probe.PHOTON),
        ("Xray", Probe.PHOTON),
        ("ultraviolet", Probe.PHOTON),
        ("neutrons", Probe.NEUTRON),
        ("Neutron", Probe.NEUTRON),
        ("positive muons", None),
        ("electron", None),
        ("", None),
    ],
)
def test_find_probe(text: str, probe: Probe) -> None:
    assert find_probe(text) is probe


def test_common_units_need_no_pint() -> None:
    code = (
        "import sys; from ingest.catalogue.units import convert;"
        "convert(1, 'Angstroem', 'angstrom'); convert(20, 'C', 'K'); convert(1, 'KeV', 'keV');"
        "assert 'pint' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
