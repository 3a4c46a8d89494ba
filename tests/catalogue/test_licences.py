"""Licences by their SPDX identifiers."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.licences import USUAL, UnknownLicenceError, get_licence


@pytest.mark.parametrize("identifier", USUAL)
def test_usual_licence_is_known_in_any_case(identifier: str) -> None:
    licence = get_licence(identifier.lower())
    assert licence.identifier == identifier
    assert (licence.name, licence.address) == USUAL[identifier]


def test_other_licence_has_its_page_at_spdx() -> None:
    licence = get_licence("apache-2.0")
    assert (licence.identifier, licence.name) == ("Apache-2.0", "Apache-2.0")
    assert licence.address == "https://spdx.org/licenses/Apache-2.0.html"


@pytest.mark.parametrize(
    "text", ["", "CC-BY", "CC-BY-4.0 OR MIT", "MIT AND MIT", "(MIT)", "Apache-2.0+", "LicenseRef-ours", "as you like"]
)
def test_what_names_no_single_licence_is_refused_with_those_that_would_do(text: str) -> None:
    with pytest.raises(UnknownLicenceError, match=r"CC-BY-4\.0, CC0-1\.0") as raised:
        get_licence(text)
    assert raised.value.text == text


@given(st.text())
def test_any_text_is_a_licence_or_refused(text: str) -> None:
    with suppress(UnknownLicenceError):
        assert get_licence(text).address.startswith("https://")
