"""FAIR Signposting, level 1: typed links in the header of a landing page (RFC 8288, signposting.org/FAIR)."""

from collections.abc import Mapping, Sequence
from typing import Final

from ingest.catalogue.publication_views import ORCID_REGISTRY, Addresses, PublicationView

MAX_BYTES: Final = 8192
"""Servers and proxies refuse headers that are much longer: people, or data, are left out as a whole before."""


def to_page_signposts(publication: PublicationView, addresses: Addresses, forms: Mapping[str, str]) -> str:
    """Return the Link header of the page; `forms` are the addresses of the metadata by media type."""
    links = [
        _to_link(publication.doi_address, "cite-as"),
        _to_link("https://schema.org/AboutPage", "type"),
        _to_link("https://schema.org/Dataset", "type"),
        *(_to_link(address, "describedby", media_type) for media_type, address in forms.items()),
        _to_link(publication.licence.address, "license"),
    ]
    authors = [_to_link(f"{ORCID_REGISTRY}{person.orcid}", "author") for person in publication.creators if person.orcid]
    items = [_to_link(each.address, "item", each.media_type) for each in addresses.downloads]
    for group in (authors, items):
        if len(", ".join([*links, *group])) <= MAX_BYTES:
            links += group
    return ", ".join(links)


def to_metadata_signposts(publication: PublicationView, addresses: Addresses) -> str:
    """Return the Link header of a form for programs: what it describes, and how that is cited."""
    links: Sequence[str] = (
        _to_link(addresses.landing, "describes", "text/html"),
        _to_link(publication.doi_address, "cite-as"),
    )
    return ", ".join(links)


def _to_link(address: str, relation: str, media_type: str | None = None) -> str:
    """Return one link; an address is percent-encoded, so that it holds no sign that would end it."""
    kind = f'; type="{media_type}"' if media_type else ""
    return f'<{address}>; rel="{relation}"{kind}'
