"""ORCID iDs and DOIs."""

from __future__ import annotations

import re

import base32_lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.identifiers import find_orcid, is_orcid, make_doi, to_doi_key


@pytest.mark.parametrize(
    "text",
    ["0000-0002-1825-0097", "0000000218250097", "https://orcid.org/0000-0002-1825-0097", "ORCID:0000-0002-1825-0097"],
)
def test_orcid_is_known_in_its_spellings(text: str) -> None:
    assert is_orcid(text)
    assert find_orcid(text) == "0000-0002-1825-0097"


def test_orcid_may_end_with_ten() -> None:
    assert find_orcid("0000-0002-1694-233x") == "0000-0002-1694-233X"


@pytest.mark.parametrize(
    "text",
    [
        "0000-0002-1825-0098",
        "0000-0002-1825-009",
        "Ada 0000-0002-1825-0097",
        "0000-0002-1825-0097 ",
        "0000-0002-1825-0097".replace("0", "\u0660"),
        "",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_orcid(text)


@given(st.integers(0, 15), st.integers(0, 9))
def test_one_wrong_digit_is_noticed(place: int, digit: int) -> None:
    right = "0000000218250097"
    changed = f"{right[:place]}{digit}{right[place + 1 :]}"
    assert is_orcid(changed) == (changed == right)


def test_doi_is_short_unambiguous_and_checks_itself() -> None:
    dois = {make_doi("10.5072") for _ in range(200)}
    assert len(dois) == 200
    for doi in dois:
        assert re.fullmatch(r"10\.5072/[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{3}\d\d", doi)
        base32_lib.decode(doi.removeprefix("10.5072/"), checksum=True)


def test_mistyped_doi_is_none_of_ours() -> None:
    with pytest.raises(ValueError, match="checksum"):
        base32_lib.decode("gv4yt-6xz39", checksum=True)


@given(st.text())
def test_doi_key_folds_ascii_and_nothing_else(text: str) -> None:
    key = to_doi_key(text)
    assert key == to_doi_key(key)
    assert key == text.encode("utf-8", "replace").lower().decode()
    assert to_doi_key("10.5072/ABC/É") == "10.5072/abc/É"
