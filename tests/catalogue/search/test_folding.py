"""Tokens are the same whoever makes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.search.folding import MAX_TOKEN_LENGTH, fold, to_clean, to_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("LaB6_20-BM", ["lab6", "20", "bm"]),
        ("Ångström ÉCLAIR", ["angstrom", "eclair"]),
        ("H₂O Straße", ["h2o", "strasse"]),
        ("µm μm", ["μm", "μm"]),
        ("x.y:z/ü", ["x", "y", "z", "u"]),
        ("Иванов", ["иванов"]),
        ("İstanbul", ["istanbul"]),
        ("--- _ ...", []),
        ("a" * 200, ["a" * MAX_TOKEN_LENGTH]),
        ("a\udcffb", ["a", "b"]),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert to_tokens(text) == tokens


@given(st.text(st.characters()))
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    to_clean(text).encode()
