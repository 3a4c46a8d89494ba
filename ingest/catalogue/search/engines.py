"""Which engine the settings name: Elasticsearch if there is an address, else the embedded one in the data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.search.embedded_rebuild import EmbeddedRebuild

if TYPE_CHECKING:
    from ingest.catalogue.search.index import DatasetIndex, IndexRebuild
    from ingest.catalogue.settings import CatalogueSettings


def open_index(settings: CatalogueSettings) -> DatasetIndex:
    """Return the catalogue's index; an empty one is made if there is none.

    Raises IndexOutdatedError if it is of another layout or damaged: the embedded one now, that of a server when it is
    first used.
    """
    if settings.elasticsearch_url is None:
        return EmbeddedIndex(settings.index_folder)
    # The client costs 0.2 s at each start, and the embedded set-up needs none.
    from ingest.catalogue.search.elastic import ElasticIndex  # noqa: PLC0415

    return ElasticIndex(settings.elasticsearch_url, settings.elasticsearch_index)


def begin_rebuild(settings: CatalogueSettings) -> IndexRebuild:
    """Return a new index beside the present one, or an unfinished one; raises IndexRebuildingError if one is filled."""
    if settings.elasticsearch_url is None:
        return EmbeddedRebuild(settings.index_folder)
    from ingest.catalogue.search.elastic_rebuild import ElasticRebuild  # noqa: PLC0415

    return ElasticRebuild(settings.elasticsearch_url, settings.elasticsearch_index)
