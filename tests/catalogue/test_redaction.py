from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.redaction import is_kept_of_a_user, is_personal, to_person_text, to_redacted


@pytest.mark.parametrize(
    "name",
    [
        *("email", "e-mail", "e_mail", "E-Mail", "user_email", "emailAddress", "mail", "address", "postal_address"),
        *("telephone_number", "Telephone", "phone", "phoneNumber", "fax_number", "TEL", "contactEmail"),
    ],
)
def test_personal_by_name(name: str) -> None:
    assert is_personal(name)


@pytest.mark.parametrize("name", ["name", "affiliation", "phonon", "microphone_gain", "telescope", "mobile_phase", ""])
def test_not_personal_by_name(name: str) -> None:
    assert not is_personal(name)


def test_more_words_are_personal_in_a_user() -> None:
    assert is_personal("mobile", of_a_user=True)
    assert is_personal("city", of_a_user=True)
    assert not is_personal("city")
    assert not is_personal("name", of_a_user=True)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("ask jane.doe@esrf.fr.", "ask [redacted]."),
        ("Jane <jane-doe+x@mail.example.org>", "Jane <[redacted]>"),
        ("s\u00f8ren@universit\u00e4t.de", "[redacted]"),
        ("jane.doe (at) esrf.fr", "[redacted]"),
        ("call +33 4 76 88 20 00 today", "call [redacted] today"),
        ("+33476882000", "[redacted]"),
        ("+49 (0)40-8998-0123", "[redacted]"),
        ("Tel: 04 76 88 20 00", "Tel: [redacted]"),
        ("phone 0476882000", "phone [redacted]"),
        ("Fax no. 01235/445 000", "Fax no. [redacted]"),
        ("Telefon 0476882000", "Telefon [redacted]"),
        ("+33.4.76.88.20.00", "[redacted]"),
        ("jane (at) esrf (dot) fr", "[redacted]"),
        ('"jane doe"@esrf.fr', "[redacted]"),
        ("jane@[10.0.0.1]", "[redacted]"),
        ("jane\uff20esrf.fr", "[redacted]"),
        ("jane&#64;esrf.fr", "[redacted]"),
    ],
)
def test_addresses_and_numbers_go(text: str, redacted: str) -> None:
    assert to_redacted(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "ascan samx 0.000000 1.000000 20 0.01",
        "2026-11-20T11:56:34.239667+00:00",
        "MgB2 PDOS 43.37g 8K 120meV E0@240Hz T0@120Hz",
        "chopper@240.5Hz",
        "1.8.15+g9579d24.d20240705",
        "mvr samx +1.23456789012",
        "/data/visitor/hc6001/id00/20261101",
        "8cca5cce-32c8-48e7-b440-e7084724bb8d",
        "telescope 12345678",
        "10.1107/S1600576714009911",
        "+1 -1 +2 -2",
        "scans 0011 0012 0013 0014 0015 0016",
        "look at a.b (at) 300 K",
        "R&D in [at.%]",
        "\u00c5 \u00b0 \u03bcm",
    ],
)
def test_science_stays(text: str) -> None:
    assert to_redacted(text) == text


@given(st.text(max_size=300))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = to_redacted(text)
    assert to_redacted(once) == once


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ada Example", "Ada Example"),
        ("Ada Example (ESRF, 71 avenue des Martyrs)", "Ada Example"),
        ("Ada Example\n71 avenue des Martyrs\n38043 Grenoble", "Ada Example"),
        ("Ada Example, 04 76 88 20 00", "Ada Example"),
        ("Ada Example 0476882000", "Ada Example"),
        ("Ada <ada@example.org>; Bob", "Ada; Bob"),
        ("Example, Ada", "Example, Ada"),
        ("opid11", "opid11"),
        ("12345678", "12345678"),
        ("0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("2023-05-09", "2023-05-09"),
        ("71 avenue des Martyrs, 38043 Grenoble", ""),
        ("", ""),
    ],
)
def test_of_a_person_the_name_stays(text: str, kept: str) -> None:
    assert re.sub(" +(?=[;,]|$)", "", to_person_text(text)) == kept


@given(st.text(max_size=300))
def test_a_name_that_is_cleaned_twice_is_the_same(text: str) -> None:
    once = to_person_text(text)
    assert to_redacted(once).replace("[redacted]", "").strip() == once.strip()


@pytest.mark.parametrize("name", ["name", "user_name", "role", "ORCID", "facility_user_id", "proposal", "familyName"])
def test_who_somebody_is_is_kept(name: str) -> None:
    assert is_kept_of_a_user(name)


@pytest.mark.parametrize(
    "name", ["email", "affiliation", "comment", "address_name", "telephone_number", "country", "x"]
)
def test_all_else_of_a_user_is_not(name: str) -> None:
    assert not is_kept_of_a_user(name)
