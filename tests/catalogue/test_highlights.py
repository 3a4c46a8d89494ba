"""Which values of a document hold what was asked for, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.document import SearchDocument, TextEntry
from ingest.catalogue.highlights import MAX_HIGHLIGHTS, MAX_LENGTH, to_highlights
from ingest.catalogue.search import parse_query
from ingest.catalogue.search.folding import fold, list_tokens, to_tokens

DOCUMENT = SearchDocument(
    1,
    1,
    "LaB6_0001",
    "ESRF",
    "hc1/2025",
    "hc1",
    titles=("powder of Ångström LaB₆ and more powder",),
    samples=("LaB6",),
    abstracts=("how it was done",),
    texts=(
        TextEntry("note", "say hello world"),
        TextEntry("note", "nothing"),
        TextEntry("told", "say hello world"),
        TextEntry("scan_description", "how it was done"),
    ),
)


def find(text: str, document: SearchDocument = DOCUMENT) -> dict[str, list[str]]:
    """Return what is marked in each value."""
    return {
        f"{each.field}:{each.text}": [each.text[start:end] for start, end in each.spans]
        for each in to_highlights(parse_query(text), document)
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        (
            "lab6",
            {
                "name:LaB6_0001": ["LaB6"],
                "title:powder of Ångström LaB₆ and more powder": ["LaB₆"],
                "sample:LaB6": ["LaB6"],
            },
        ),
        ("sample:lab6", {"sample:LaB6": ["LaB6"]}),
        ("angstr*", {"title:powder of Ångström LaB₆ and more powder": ["Ångström"]}),
        ("?ngstr*m", {"title:powder of Ångström LaB₆ and more powder": ["Ångström"]}),
        ("note:h*o_w?rld", {"note:say hello world": ["hello world"]}),
        ("note:w?rld_*lo", {}),
        ("powder", {"title:powder of Ångström LaB₆ and more powder": ["powder", "powder"]}),
        ('"hello world"', {"note:say hello world": ["hello world"], "told:say hello world": ["hello world"]}),
        (
            "hello (world or note:say)",
            {"note:say hello world": ["say", "hello", "world"], "told:say hello world": ["hello", "world"]},
        ),
        ("done", {"abstract:how it was done": ["done"]}),
        ("abstract:done", {"abstract:how it was done": ["done"]}),
        ("scan_description:done", {"scan_description:how it was done": ["done"]}),
        ("lab6_0001 0001", {"name:LaB6_0001": ["LaB6_0001"]}),
        ("pwoder~", {"title:powder of Ångström LaB₆ and more powder": ["powder", "powder"]}),
        ("hello not say", {"note:say hello world": ["hello"], "told:say hello world": ["hello"]}),
        ("energy:1..2", {}),
        ('"world hello"', {}),
    ],
)
def test_values_that_hold_the_words_are_told_with_their_places(query: str, expected: dict[str, list[str]]) -> None:
    assert find(query) == expected


def test_long_value_is_cut_around_what_was_found() -> None:
    long = SearchDocument(1, 1, "n", "f", "i", "p", titles=("x " * 500 + "needle " * 200,))
    (found,) = to_highlights(parse_query("needle"), long)
    assert len(found.text) == MAX_LENGTH
    assert {found.text[start:end] for start, end in found.spans[:-1]} == {"needle"}
    assert "needle".startswith(found.text[slice(*found.spans[-1])])


def test_so_many_values_are_told_at_most() -> None:
    many = SearchDocument(1, 1, "n", "f", "i", "p", samples=tuple(f"a {number}" for number in range(50)))
    assert len(to_highlights(parse_query("a"), many)) == MAX_HIGHLIGHTS


@given(st.text())
def test_tokens_have_their_places(text: str) -> None:
    found = list_tokens(text)
    assert [token for token, _, _ in found] == to_tokens(text)
    for token, start, end in found:
        assert token[:1] in fold(text[start:end])
        assert 0 <= start < end <= len(text)
