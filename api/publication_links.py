"""Where a publication and its data are, as the world reaches them."""

from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from api.links import to_address, to_public_address
from api.schemas.publications import PublicationLinks
from ingest.catalogue.publication_views import DOI_RESOLVER, Addresses, PublicationView

FORMAT: Final = "format"
"""The parameter that asks for one form of a landing page, so that a plain link leads to it."""


def to_landing_path(request: Request, doi: str) -> str:
    """Return the path of the DOI's landing page."""
    prefix, _, suffix = doi.partition("/")
    return to_address(request, "get_landing", prefix=prefix, suffix=suffix)


def to_landing_address(request: Request, doi: str, form: str | None = None) -> str:
    """Return the address of the DOI's landing page, or of one form of it."""
    prefix, _, suffix = doi.partition("/")
    address = to_public_address(request, "get_landing", prefix=prefix, suffix=suffix)
    return f"{address}?{urlencode({FORMAT: form})}" if form else address


def to_publication_links(request: Request, doi: str) -> PublicationLinks:
    """Return where the publication is, for scripts."""
    landing = to_landing_path(request, doi)
    return PublicationLinks(doi=f"{DOI_RESOLVER}{doi}", landing=landing, datacite=f"{landing}?{FORMAT}=datacite")


def to_addresses(request: Request, publication: PublicationView) -> Addresses:
    """Return what the formats of the publication link to."""
    return Addresses(
        landing=to_landing_address(request, publication.doi),
        catalogue=to_public_address(request, "show_search_page"),
    )
