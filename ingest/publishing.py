"""The story of a publication: checked, stored, validated as DataCite would, and only then committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datacite import schema45

from ingest.catalogue.database import run_transaction
from ingest.catalogue.datacite import to_datacite
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.publication_store import store_publication
from ingest.catalogue.publication_views import Addresses
from ingest.catalogue.publications import get_publication
from ingest.catalogue.visibility import ANONYMOUS

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.publication_request import PublicationRequest
    from ingest.catalogue.publication_store import Published
    from ingest.pipeline import Services


class InvalidMetadataError(CatalogueError):
    """DataCite would not take the metadata: our mistake, not that of who publishes."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"nothing was published: the metadata are not valid for DataCite: {'; '.join(problems)}")


def publish(
    services: Services, request: PublicationRequest, doi_prefix: str, base_address: str, now: datetime
) -> Published:
    """Leave the datasets published under a DOI below the prefix, and return it; nothing is stored if it fails.

    Raises InvalidMetadataError, and what `store_publication` raises.
    """

    def store(session: Session) -> Published:
        published = store_publication(session, request, doi_prefix, now)
        # Seen as everybody will see it: that is what DataCite is given.
        publication = get_publication(session, ANONYMOUS, now, published.doi)
        addresses = Addresses(to_landing_address(base_address, published.doi), base_address)
        problems = list(schema45.validator.iter_errors(to_datacite(publication, addresses)))
        if problems:
            raise InvalidMetadataError([f"{error.json_path}: {error.message}" for error in problems])
        return published

    return run_transaction(services.write_sessions, store)


def to_landing_address(base_address: str, doi: str) -> str:
    """Return where the landing page of a DOI is, below the address of the service."""
    return f"{base_address.rstrip('/')}/doi/{doi}"
