"""What `nxcat publish` does: it reads what is said, calls the story, and prints what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from api.settings import ApiSettings
from ingest import console
from ingest.catalogue.licences import get_licence
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.publication_request import to_creator, to_request
from ingest.catalogue.publication_views import DOI_RESOLVER
from ingest.catalogue.settings import CatalogueSettings
from ingest.drain import settle_index
from ingest.publishing import publish, to_landing_address
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Sequence

TEST_PREFIX = "10.5072"


def publish_datasets(
    dataset_ids: Sequence[int],
    title: str,
    creators: Sequence[str],
    licence: str,
    abstract: str | None,
    *,
    is_json: bool,
) -> None:
    """Publish the datasets under one DOI, and print it with the address of its landing page."""
    request = to_request(dataset_ids, title, map(to_creator, creators), get_licence(licence), abstract)
    prefix, base_address = CatalogueSettings().doi_prefix, to_base_address(ApiSettings())
    with open_services() as services:
        published = publish(services, request, prefix, base_address, utc_now())
        settle_index(services)
    landing = to_landing_address(base_address, published.doi)
    if is_json:
        console.print_json(
            {
                "doi": published.doi,
                "address": f"{DOI_RESOLVER}{published.doi}",
                "landing": landing,
                "is_new": published.is_new,
            }
        )
        return
    click.echo(f"{'published as' if published.is_new else 'is published already, as'} {published.doi}")
    click.echo(f"landing page: {landing}")
    if prefix == TEST_PREFIX:
        click.echo(
            f"{TEST_PREFIX} is for tests: this DOI is registered nowhere; NXCAT_DOI_PREFIX names your own", err=True
        )


def to_base_address(settings: ApiSettings) -> str:
    """Return the address by which the service is reached: the public one, else that at which it listens here."""
    return settings.public_url or f"http://{settings.host}:{settings.port}{settings.root_path}"
