"""How a publication is cited: in words, and as BibTeX. Derived from its DataCite metadata. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.datacite import to_datacite

if TYPE_CHECKING:
    from ingest.catalogue.publication_views import Addresses, PublicationView

NAMED_CREATORS: Final = 20
_SIGNS: Final = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_"},
}
_BRACES: Final = {sign: f"\\{sign}" for sign in "{}"}
_LONE_BRACES: Final = {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"}
"""BibTeX counts braces behind a backslash, too: where they are no pairs they have to be spelled out."""
_PARTS_NAMES: Final = re.compile(r",|\band\b", re.IGNORECASE)


def to_citation(publication: PublicationView, addresses: Addresses) -> str:
    """Return the citation as DataCite recommends it: creators (year). title [type]. publisher. address of the DOI."""
    document = to_datacite(publication, addresses)
    names = [person["name"] for person in document["creators"]]
    people = "; ".join(names[:NAMED_CREATORS]) + (" et al." if len(names) > NAMED_CREATORS else "")
    title = document["titles"][0]["title"].rstrip(".")
    publisher = document["publisher"]["name"].rstrip(".")
    kind, year = document["types"]["resourceTypeGeneral"], document["publicationYear"]
    return f"{people} ({year}). {title} [{kind}]. {publisher}. {publication.doi_address}"


def to_bibtex(publication: PublicationView, addresses: Addresses) -> str:
    """Return the publication as one entry, in UTF-8; the key is the DOI, its slashes replaced."""
    document = to_datacite(publication, addresses)
    fields = {
        "author": " and ".join(_to_author(person) for person in document["creators"]),
        # The inner braces keep the letters as they are: LaB6 is no Lab6.
        "title": f"{{{_escape(document['titles'][0]['title'])}}}",
        "publisher": _escape(document["publisher"]["name"]),
        "year": document["publicationYear"],
        "doi": publication.doi,
        "url": publication.doi_address,
        "copyright": _escape(publication.licence.name),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items()]
    return f"@misc{{{publication.doi.replace('/', '_')},\n" + ",\n".join(lines) + "\n}\n"


def _to_author(person: dict[str, Any]) -> str:
    parts = [_escape(person[name]) for name in ("familyName", "givenName") if person.get(name)]
    # What would part one name from the next, or family from given name, is held together by braces.
    return ", ".join(f"{{{part}}}" if len(parts) == 1 or _PARTS_NAMES.search(part) else part for part in parts)


def _escape(text: str) -> str:
    signs = _SIGNS | (_BRACES if _is_balanced(text) else _LONE_BRACES)
    return "".join(signs.get(character, character) for character in text)


def _is_balanced(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            break
    return depth == 0
