"""Which form is answered, by the Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.negotiation import NotAcceptableError, choose_media_type

PAGE, JSON, PLAIN = OFFERS = ("text/html", "application/ld+json", "text/plain")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, PAGE),
        ("", PAGE),
        (" , ", PAGE),
        ("*/*", PAGE),
        ("*", PAGE),
        ("application/ld+json", JSON),
        ("APPLICATION/LD+JSON", JSON),
        ('application/ld+json;profile="https://schema.org"', JSON),
        ("application/*", JSON),
        ("text/*", PAGE),
        ("text/plain, text/html", PAGE),
        ("text/plain;q=0.9, text/html;q=0.8", PLAIN),
        ("text/html;q=0.5, */*;q=0.4", PAGE),
        ("text/html;q=0.3, */*;q=0.4", JSON),
        ("text/html;q=0, */*", JSON),
        ("text/html;q=0, application/*;q=0, */*;q=0.1", PLAIN),
        ("text/*;q=0.9, text/html;q=0.1, application/ld+json;q=0.5", PLAIN),
        ("*/*, application/ld+json", JSON),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, image/webp, */*;q=0.8", PAGE),
        ("application/pdf, application/ld+json;q=0.001", JSON),
        ("text", PAGE),
        ("text/html/extra", PAGE),
    ],
)
def test_header_chooses(accept: str | None, chosen: str) -> None:
    assert choose_media_type(accept, OFFERS) == chosen


@pytest.mark.parametrize("accept", ["application/pdf", "text/html;q=0", "*/*;q=0", "image/*, application/pdf;q=0.5"])
def test_header_that_takes_none_is_told_what_there_is(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match="text/html, application/ld\\+json, text/plain") as raised:
        choose_media_type(accept, OFFERS)
    assert raised.value.offers == OFFERS


@given(st.one_of(st.text(), st.text(alphabet="text/html*;q=0.1, \"'\\applicationldjson+")))
def test_any_header_is_an_offer_or_refused(accept: str) -> None:
    with suppress(NotAcceptableError):
        assert choose_media_type(accept, OFFERS) in OFFERS
