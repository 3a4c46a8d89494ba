"""Cursors of lists: they hold a key, belong to one list, and nothing that is forged does harm."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.paging import LARGEST_KEY, MAX_LIMIT, PageRequest, from_cursor, to_page

KEYS = st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.integers(-LARGEST_KEY, LARGEST_KEY))


@given(KEYS)
def test_cursor_gives_the_key_of_the_last_row(key: tuple[str, int]) -> None:
    page = to_page("list", PageRequest(limit=1), [key, ("", 0)], list, tuple)
    assert page.items == (key,)
    assert from_cursor("list", PageRequest(cursor=page.next_cursor), (str, int)) == list(key)


def test_last_page_has_no_cursor() -> None:
    assert to_page("list", PageRequest(limit=2), [1, 2], lambda row: [row], str).next_cursor is None
    assert to_page("list", PageRequest(limit=2), [], lambda row: [row], str).items == ()
    assert from_cursor("list", PageRequest(), (int,)) is None


@pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
def test_page_of_another_size_is_refused(limit: int) -> None:
    with pytest.raises(InvalidQueryError, match="1 to 1000 items"):
        PageRequest(limit=limit)


@pytest.mark.parametrize(
    "body",
    [
        '["other",[1]]',
        '["list",["1"]]',
        '["list",[1,2]]',
        '["list",[]]',
        '["list",[true]]',
        '["list",[1.0]]',
        f'["list",[{2**63}]]',
        '["list",[' + "9" * 1000 + "]]",
        '["list"]',
        "[" * 1400,
        '{"list":[1]}',
        "null",
        "",
        '["list",[1]] ["list",[1]]',
    ],
)
def test_forged_cursor_is_refused(body: str) -> None:
    cursor = urlsafe_b64encode(body.encode()).decode()
    with pytest.raises(InvalidQueryError, match="another list"):
        from_cursor("list", PageRequest(cursor=cursor), (int,))


@pytest.mark.parametrize("body", [b'["list",["a\\u0000"]]', b'["list",["\\ud800"]]', b'["list",["\xff"]]'])
def test_text_that_no_database_takes_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidQueryError, match="another list"):
        from_cursor("list", PageRequest(cursor=urlsafe_b64encode(body).decode()), (str,))


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        from_cursor("list", PageRequest(cursor=text), (int,))
