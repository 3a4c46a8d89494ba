from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.nexus.budget import DEFAULT_BUDGET
from ingest.nexus.values import to_extremes, to_name, to_number, to_tally, to_text, to_value


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        ("caf\u00e9".encode(), "caf\u00e9"),
        (b"1.5 \xb0C", "1.5 \u00b0C"),
        (b"\xc5", "\u00c5"),
        (b"padded   ", "padded"),
        (b"nul\0\0\0", "nul"),
        (b"C string\0garbage behind it", "C string"),
        (b"line\n", "line"),
        (b" \0", ""),
        ("str\0rest", "str"),
        ("lone \udcff surrogate", "lone ? surrogate"),
    ],
)
def test_text_is_utf8_else_latin1_and_stripped(raw: bytes | str, text: str) -> None:
    assert to_text(raw, 100) == text


def test_text_is_redacted_before_it_is_cut() -> None:
    assert to_text(b"mail jane.doe@example.org now", 15) == "mail [redacted]"


def test_long_text_is_cut() -> None:
    assert to_text(b"x" * 100_000, 4096) == "x" * 4096


def test_cutting_splits_no_character() -> None:
    assert to_text("\u00e9".encode() * 10_000, 10) == "\u00e9" * 10


@given(st.binary(max_size=200))
def test_any_bytes_are_text_that_json_and_postgresql_take(raw: bytes) -> None:
    text = to_text(raw, 50)
    assert "\0" not in text
    json.dumps(text).encode()
    to_name(raw).encode()


@pytest.mark.parametrize("raw", [float("nan"), float("inf"), -float("inf"), 7e78, -1e300, 5e-324, 6.9e-310, None, 1j])
def test_what_is_no_number_is_none(raw: object) -> None:
    assert to_number(raw) is None


@pytest.mark.parametrize("raw", [0.0, -0.0, 1e-250, 1e50, 12, True, 2**64 - 1])
def test_numbers_stay(raw: object) -> None:
    assert to_number(raw) == raw


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (np.array([[b"none"]]), "none"),
        (np.array([1.5]), 1.5),
        (np.array([[1, 2], [3, 4]]), [1, 2, 3, 4]),
        (np.array([True]), True),
        (np.array([b"a", b""], object), ["a", ""]),
        (np.array([b"", None], object), None),
        (np.array([b"  "]), None),
        (np.array([1.0, np.nan]), None),
        (np.array([np.nan]), None),
        (np.array([]), None),
        (np.array([2**63], "u8"), 2**63),
    ],
)
def test_arrays_become_plain(array: np.ndarray, value: object) -> None:
    plain = to_value(array.ravel().tolist(), array.dtype.kind in "OS", DEFAULT_BUDGET)
    assert plain == value
    assert type(plain) is type(value)


def test_extremes_leave_out_what_is_no_number() -> None:
    extremes = to_extremes([3.0, np.nan, 1.0, 7e78, 2.0, np.inf])
    assert extremes == {"minimum": 1.0, "maximum": 3.0, "mean": 2.0, "count": 3, "first": 3.0, "last": 2.0}
    assert to_extremes([np.nan]) == {}


@pytest.mark.parametrize(
    ("items", "tally"),
    [
        ([2, 0, 0, 2, 1, 0, -1], {"-1": 1, "0": 3, "1": 1, "2": 2}),
        ([0.0, 1.0], {"0": 1, "1": 1}),
        ([0.5, 1.0], {}),
        ([0.0, float("nan")], {}),
        (list(range(17)), {}),
    ],
)
def test_keys_are_counted_out(items: list[float], tally: dict[str, int]) -> None:
    assert to_tally(items) == tally
