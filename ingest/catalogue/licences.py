"""Licences by their SPDX identifiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from ingest.catalogue.errors import CatalogueError

SCHEME: Final = "SPDX"
SCHEME_ADDRESS: Final = "https://spdx.org/licenses/"
USUAL: Final = {
    "CC-BY-4.0": (
        "Creative Commons Attribution 4.0 International",
        "https://creativecommons.org/licenses/by/4.0/legalcode",
    ),
    "CC0-1.0": (
        "Creative Commons Zero v1.0 Universal",
        "https://creativecommons.org/publicdomain/zero/1.0/legalcode",
    ),
    "CC-BY-SA-4.0": (
        "Creative Commons Attribution Share Alike 4.0 International",
        "https://creativecommons.org/licenses/by-sa/4.0/legalcode",
    ),
    "CC-BY-NC-4.0": (
        "Creative Commons Attribution Non Commercial 4.0 International",
        "https://creativecommons.org/licenses/by-nc/4.0/legalcode",
    ),
    "ODbL-1.0": ("Open Data Commons Open Database License v1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    "ODC-By-1.0": ("Open Data Commons Attribution License v1.0", "https://opendatacommons.org/licenses/by/1-0/"),
}
"""What data are published under, with name and address; the first is what most facilities' policies say."""


class UnknownLicenceError(CatalogueError):
    """The text names no licence of the SPDX list."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"no licence {text[:100]!r}: give one SPDX identifier, such as {', '.join(USUAL)}")


@dataclass(frozen=True, slots=True)
class Licence:
    """One licence: its SPDX identifier as SPDX writes it, its name, and where its text is."""

    identifier: str
    name: str
    address: str


def get_licence(text: str) -> Licence:
    """Return the licence of that SPDX identifier, in any case of letters; raises UnknownLicenceError.

    Of those that are not usual for data the identifier is the name, and SPDX's page the address.
    """
    try:
        identifier = canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        raise UnknownLicenceError(text) from None
    is_one = not identifier.startswith("LicenseRef-") and not any(sign in identifier for sign in " +()")
    if not is_one:
        raise UnknownLicenceError(text)
    name, address = USUAL.get(identifier, (identifier, f"{SCHEME_ADDRESS}{identifier}.html"))
    return Licence(identifier, name, address)
