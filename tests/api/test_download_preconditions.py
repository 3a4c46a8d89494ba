"""Conditions of requests, in the order and with the comparisons of RFC 9110, 13."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from api.preconditions import PreconditionFailedError, Validators, find_range, is_known, to_instant

MODIFIED = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)
STATE = Validators('"abc"', MODIFIED, datetime(2026, 1, 1, tzinfo=UTC))
SAME = "Sun, 13 Sep 2020 12:26:40 GMT"
BEFORE = "Sun, 13 Sep 2020 12:26:39 GMT"
AFTER = "Sun, 13 Sep 2020 12:26:41 GMT"
FAILS = "fails"


def to_answer(*headers: tuple[str, str], state: Validators = STATE) -> bool | str:
    try:
        return is_known(to_headers(*headers), state)
    except PreconditionFailedError:
        return FAILS


def to_headers(*headers: tuple[str, str]) -> Headers:
    return Headers(raw=[(name.lower().encode(), value.encode("latin-1")) for name, value in headers])


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("If-Match", '"abc"', False),
        ("If-Match", '"x", "abc"', False),
        ("If-Match", "*", False),
        ("If-Match", 'W/"abc"', FAILS),
        ("If-Match", '"ABC"', FAILS),
        ("If-Match", "abc", FAILS),
        ("If-Match", "", FAILS),
        ("If-None-Match", '"abc"', True),
        ("If-None-Match", 'W/"abc"', True),
        ("If-None-Match", '"a,b" , "abc"', True),
        ("If-None-Match", " * ", True),
        ("If-None-Match", '"x"', False),
        ("If-None-Match", '"x, abc"', False),
        ("If-None-Match", "abc", False),
        ("If-None-Match", '"\xe9", "abc"', True),
        ("If-Unmodified-Since", SAME, False),
        ("If-Unmodified-Since", AFTER, False),
        ("If-Unmodified-Since", BEFORE, FAILS),
        ("If-Unmodified-Since", "soon", False),
        ("If-Modified-Since", SAME, True),
        ("If-Modified-Since", AFTER, True),
        ("If-Modified-Since", BEFORE, False),
        ("If-Modified-Since", "soon", False),
        ("If-Modified-Since", "Sunday, 13-Sep-20 12:26:40 GMT", True),
        ("If-Modified-Since", "Sun Sep 13 12:26:40 2020", True),
    ],
)
def test_one_condition(name: str, value: str, expected: bool | str) -> None:
    assert to_answer((name, value)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((("If-Match", '"abc"'), ("If-Unmodified-Since", BEFORE)), False),
        ((("If-Match", '"x"'), ("If-None-Match", '"abc"')), FAILS),
        ((("If-Unmodified-Since", BEFORE), ("If-None-Match", '"abc"')), FAILS),
        ((("If-None-Match", '"x"'), ("If-Modified-Since", SAME)), False),
        ((("If-Match", '"abc"'), ("If-None-Match", '"abc"')), True),
        ((("If-None-Match", '"x"'), ("If-None-Match", '"abc"')), True),
        ((("If-Modified-Since", SAME), ("If-Modified-Since", SAME)), False),
    ],
)
def test_order_of_conditions(headers: tuple[tuple[str, str], ...], expected: bool | str) -> None:
    assert to_answer(*headers) == expected


def test_without_a_date_conditions_on_dates_are_ignored() -> None:
    state = Validators('"abc"', None, STATE.now)
    assert to_answer(("If-Unmodified-Since", BEFORE), state=state) is False
    assert to_answer(("If-Modified-Since", AFTER), state=state) is False
    assert find_range(to_headers(("Range", "r"), ("If-Range", SAME)), state) is None
    assert state.to_headers() == {"ETag": '"abc"'}


@pytest.mark.parametrize(
    ("value", "is_meant"),
    [
        ('"abc"', True),
        (' "abc" ', True),
        ('W/"abc"', False),
        ('"x"', False),
        ('"x", "abc"', False),
        (SAME, True),
        (AFTER, False),
        (BEFORE, False),
        ("soon", False),
        ("", False),
    ],
)
def test_range_holds_for_the_state_it_was_meant_for(value: str, is_meant: bool) -> None:
    found = find_range(to_headers(("Range", "bytes=0-1"), ("If-Range", value)), STATE)
    assert found == ("bytes=0-1" if is_meant else None)


def test_date_is_no_proof_within_its_second() -> None:
    headers = to_headers(("Range", "bytes=0-1"), ("If-Range", SAME))
    for seconds, found in ((0.9, None), (1, "bytes=0-1")):
        fresh = Validators('"abc"', MODIFIED, MODIFIED + timedelta(seconds=seconds))
        assert find_range(headers, fresh) == found


def test_several_range_headers_are_none() -> None:
    assert find_range(to_headers(("Range", "bytes=0-1")), STATE) == "bytes=0-1"
    assert find_range(to_headers(("Range", "bytes=0-1"), ("Range", "bytes=2-3")), STATE) is None


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_header_does_harm(value: str) -> None:
    for name in ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"):
        assert to_answer((name, value)) in (True, False, FAILS)
    find_range(to_headers(("Range", value), ("If-Range", value)), STATE)


@given(
    st.tuples(st.integers(), st.integers(), st.integers(), st.sampled_from(["GMT", "+9999", "-0000", "", "EST"])).map(
        lambda found: f"Sun, {found[0]} Sep {found[1]} {found[2]}:00:00 {found[3]}"
    )
)
def test_no_date_does_harm(text: str) -> None:
    instant = to_instant(text)
    assert instant is None or instant.utcoffset() == timedelta(0)
