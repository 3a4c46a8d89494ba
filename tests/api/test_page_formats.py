"""How a page writes numbers, sizes and times, and text that would rather do than be read."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from markupsafe import Markup

from api.formats import to_amount, to_breakable, to_count, to_day, to_period, to_second, to_size, to_visible
from ingest.catalogue.views import ParameterView

NOTHING = ParameterView(**{each.name: None for each in fields(ParameterView)} | {"unit": "keV"})
START = datetime(2026, 11, 1, 10, 0, 5, 900_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1234, "1.23 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (73_400_320, "73.4 MB"),
        (2 * 10**12, "2 TB"),
        (9 * 10**18, "9 EB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert to_size(size) == text


def test_counts() -> None:
    assert [to_count(n, "file") for n in (0, 1, 1_250_000)] == ["0 files", "1 file", "1,250,000 files"]


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (None, "2026-11-01 10:00:05 UTC"),
        (START, "2026-11-01 10:00:05 UTC"),
        (START + timedelta(minutes=1), "2026-11-01 10:00:05 to 10:01:05 UTC"),
        (START + timedelta(days=1), "2026-11-01 10:00:05 to 2026-11-02 10:00:05 UTC"),
    ],
)
def test_periods(end: datetime | None, text: str) -> None:
    assert to_period(START, end) == text


def test_times_are_in_utc() -> None:
    local = datetime(2026, 11, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert (to_day(local), to_second(local)) == ("2026-10-31", "2026-10-31 22:30:00 UTC")
    assert to_period(local, local + timedelta(hours=3)) == "2026-10-31 22:30:00 to 2026-11-01 01:30:00 UTC"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"numeric_value": 12.4}, "12.4 keV"),
        ({"numeric_value": 0.0}, "0 keV"),
        ({"numeric_value": 12.398419843320025}, "12.39841984 keV"),
        ({"numeric_value": 0.1 + 0.2}, "0.3 keV"),
        ({"numeric_value": 12.4, "error": 0.0123456}, "12.4 ± 0.0123 keV"),
        ({"numeric_value": 2.0, "unit": "1"}, "2"),
        ({"numeric_value": 2.0, "unit": ""}, "2"),
        ({"range_bottom": 0.0, "range_top": 2.5}, "0 to 2.5 keV"),
        ({"range_bottom": 1.0, "range_top": 3.0, "values": (1.0, 3.0)}, "1, 3 keV"),
        ({"range_bottom": 7.0, "range_top": 7.3, "value_count": 61}, "7 to 7.3 keV (61 values)"),
        ({"string_value": "as it is", "unit": ""}, "as it is"),
        ({"date_time_value": START, "unit": ""}, "2026-11-01 10:00:05 UTC"),
        ({}, ""),
    ],
    ids=str,
)
def test_amounts(changes: dict[str, object], text: str) -> None:
    assert to_amount(replace(NOTHING, **changes)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("LaB6 at 300 K", "LaB6 at 300 K"),
        ("Ångström µ λ 試料 \N{GRINNING FACE}", "Ångström µ λ 試料 \N{GRINNING FACE}"),
        ("two\nlines\tand\rmore", "two\nlines\tand\rmore"),
        ("evil\u202efdp.exe", "evil\\u202efdp.exe"),
        ("\u2066a\u2069\u200f", "\\u2066a\\u2069\\u200f"),
        ("a\0b\x1b[31m\x7f\x85", "a\\x00b\\x1b[31m\\x7f\\x85"),
        ("LaB6\u200b\ufeff\u00ad", "LaB6\\u200b\\ufeff\\xad"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\ue0041"),
        (3, 3),
        (None, None),
    ],
)
def test_text_that_acts_or_hides_is_shown_as_numbers(text: object, shown: object) -> None:
    assert to_visible(text) == shown


def test_what_a_template_calls_safe_stays() -> None:
    assert to_visible(Markup("\u202e")) == "\u202e"


def test_paths_break_behind_their_slashes_and_nowhere_else() -> None:
    assert to_breakable("/1.1/<b>\u202e") == "/<wbr>1.1/<wbr>&lt;b&gt;\\u202e"


def test_names_break_behind_the_sign_that_is_asked_for() -> None:
    assert to_breakable("a_b/<c>", "_") == "a_<wbr>b/&lt;c&gt;"
