"""What a person writes is a value of that field, or is refused with what would do."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.correctables import (
    CorrectionError,
    UnfitValueError,
    UnknownFieldError,
    find_correctable,
    to_columns,
    to_value,
)

STORED = {
    "Site_humidity": ("%", "NUMERIC"),
    "Site_count": ("1", "NUMERIC"),
    "Site_remark": ("", "STRING"),
    "Site_day": ("", "DATE_AND_TIME"),
}


def value_of(field: str, text: str, unit: str | None = None) -> dict[str, Any]:
    return to_value(find_correctable(field, STORED), text, unit)


@pytest.mark.parametrize(
    ("written", "name", "unit"),
    [
        ("title", "title", ""),
        ("energy", "InstrumentBeam_incident_energy", "keV"),
        ("InstrumentBeam_incident_energy", "InstrumentBeam_incident_energy", "keV"),
        (" temperature ", "Sample_temperature", "K"),
        ("Site_humidity", "Site_humidity", "%"),
        ("InstrumentDetector02_distance", "InstrumentDetector02_distance", "m"),
    ],
)
def test_a_field_is_known_by_its_name_or_a_short_one(written: str, name: str, unit: str) -> None:
    found = find_correctable(written, STORED)
    assert (found.name, found.unit) == (name, unit)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("titel", "write title"),
        ("Site_humidty", "write Site_humidity"),
        ("incident_enrgy", "write incident_energy"),
        ("qqqq", "docs/fields.md lists"),
        ("end_reason", "changed by a rule file"),
        ("", "there is no such field"),
    ],
)
def test_an_unknown_field_is_refused_with_the_closest(written: str, advice: str) -> None:
    with pytest.raises(UnknownFieldError, match=advice) as caught:
        find_correctable(written, STORED)
    assert caught.value.field == written


@pytest.mark.parametrize(
    ("field", "text", "unit", "said"),
    [
        ("energy", "12.4 keV", None, {"number": 12.4, "unit": "keV"}),
        ("energy", "12400eV", None, {"number": 12.4, "unit": "keV"}),
        ("energy", "12400", "eV", {"number": 12.4, "unit": "keV"}),
        ("energy", "12400 eV", "eV", {"number": 12.4, "unit": "keV"}),
        ("energy", "12..13 keV", None, {"bottom": 12.0, "top": 13.0, "unit": "keV"}),
        ("energy", "12 , 13.5,14 keV", None, {"values": [12.0, 13.5, 14.0], "unit": "keV"}),
        ("temperature", "-10.5 degC", None, {"number": 262.65, "unit": "K"}),
        ("flux", "1e12 1/s", None, {"number": 1e12, "unit": "photons/s"}),
        ("Site_humidity", "40%", None, {"number": 40.0, "unit": "%"}),
        ("Site_count", "7", None, {"number": 7.0, "unit": "1"}),
        ("Site_remark", " wet  ", None, {"text": "wet"}),
        ("Site_day", "2026-11-01T10:00:00+01:00", None, {"instant": "2026-11-01T09:00:00+00:00"}),
        ("title", "LaB6 at 12 keV", None, {"text": "LaB6 at 12 keV"}),
    ],
)
def test_what_is_written_becomes_a_value(field: str, text: str, unit: str | None, said: dict[str, Any]) -> None:
    found = value_of(field, text, unit)
    assert {name: each for name, each in found.items() if not name.startswith("original")} == said
    assert found["original"] in text


@pytest.mark.parametrize(
    ("field", "text", "unit", "advice"),
    [
        ("energy", "12.4", None, "write 12.4 keV, or another unit"),
        ("energy", "12.4 mm", None, "write one of keV, eV"),
        ("energy", "12.4 furlong", None, "write one of keV, eV"),
        ("energy", "12.4 keV", "eV", "two units are given"),
        ("energy", "high", None, "write 12.4 keV"),
        ("energy", "13..12 keV", None, "the lower number first"),
        ("energy", "1e400 keV", None, "too large"),
        ("energy", "nan keV", None, "no number"),
        ("Site_count", "about 7", None, "write 12.4"),
        ("energy", ", ".join(["1"] * 33) + " keV", None, "32 at most, or a range"),
        ("title", "x", "keV", "it has no unit"),
        ("title", "  ", None, "remove it"),
        ("title", "ask ada@example.org", None, "e-mail"),
        ("title", "call +33 4 76 88 20 00", None, "telephone"),
        ("title", "a\0b", None, "NUL"),
        ("sample_name", "x" * 256, None, "write 255 at most"),
        ("Site_day", "2026-11-01", None, "2026-11-01T10:00:00"),
        ("Site_day", "tomorrow", None, "no time with its zone"),
        ("Site_day", "0001-01-01T00:00:00+14:00", None, "no such time"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(field: str, text: str, unit: str | None, advice: str) -> None:
    with pytest.raises(UnfitValueError, match=advice):
        value_of(field, text, unit)


@pytest.mark.parametrize(
    ("field", "text", "columns"),
    [
        ("energy", "12 keV", {"numeric_value": 12.0, "original_value": "12", "original_unit": "keV"}),
        ("energy", "12..13 keV", {"range_bottom": 12.0, "range_top": 13.0}),
        ("energy", "13, 12 keV", {"range_bottom": 12.0, "range_top": 13.0, "values": [13.0, 12.0]}),
        ("Site_remark", "wet", {"string_value": "wet", "original_value": "wet", "original_unit": None}),
    ],
)
def test_a_value_becomes_columns(field: str, text: str, columns: dict[str, Any]) -> None:
    found = to_columns(value_of(field, text))
    assert {name: found[name] for name in columns} == columns
    others = {"numeric_value", "range_bottom", "range_top", "values", "string_value", "date_time_value"} - set(columns)
    assert {found[name] for name in others} == {None}


@given(
    st.sampled_from(["title", "energy", "Site_day", "Site_count"]),
    st.text(max_size=80),
    st.none() | st.text(max_size=8),
)
def test_whatever_is_written_is_a_value_or_refused(field: str, text: str, unit: str | None) -> None:
    with suppress(CorrectionError):
        to_columns(value_of(field, text, unit))
