"""Identifiers of other people's registries: parsed once at the door, then trusted. And the DOIs that we make."""

from __future__ import annotations

import re
from typing import Final

import base32_lib

_ORCID: Final = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dX])$", re.IGNORECASE | re.ASCII)
_ORCID_ALONE: Final = re.compile(r"(?:https?://orcid\.org/|orcid:)?[\dX-]{16,19}", re.IGNORECASE | re.ASCII)
_DOI_ADDRESS: Final = re.compile(r"(?:https?://)?(?:dx\.)?doi\.org/", re.IGNORECASE)
_TEN: Final = 10


def find_orcid(text: str | None) -> str | None:
    """Return the ORCID iD that the text ends with, as 0000-0002-1825-0097; None if its check digit does not fit.

    The check digit is ISO 7064's MOD 11-2.
    """
    match = _ORCID.search(text or "")
    if match is None:
        return None
    digits = "".join(match.groups()).upper()
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return "-".join(match.groups()).upper() if digits[-1] == ("X" if check == _TEN else str(check)) else None


def is_orcid(text: str) -> bool:
    """Return whether the text is an ORCID iD and nothing else, bare or as its address."""
    return _ORCID_ALONE.fullmatch(text) is not None and find_orcid(text) is not None


def make_doi(prefix: str) -> str:
    """Return a new DOI under the prefix: 40 random bits in Crockford's base 32, and two check digits.

    As DataCite makes its own: without letters that one takes for digits, short enough to be read out, and to be told
    from a mistyped one (ISO 7064's MOD 97-10). Whoever stores it sees to it that no other publication has it.
    """
    return f"{prefix}/{base32_lib.generate(length=10, split_every=5, checksum=True)}"


def to_doi_key(text: str) -> str:
    """Return the spelling under which a DOI is stored: DOIs differ only in more than the case of ASCII letters."""
    return text.encode("utf-8", "replace").lower().decode()


def strip_doi_address(text: str) -> str:
    """Return a DOI that is written as its address without that of the resolver; any other text as it is."""
    address = _DOI_ADDRESS.match(text)
    return text if address is None else text[address.end() :]
