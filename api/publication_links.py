"""Where a publication and its data are, as the world reaches them."""

from typing import Final
from urllib.parse import urlencode

from fastapi import Request

from api.delivery import ZIP_TYPE, to_media_type
from api.links import add_name, to_landing_path, to_public_address
from api.schemas.publications import PublicationLinks
from ingest.catalogue.publication_views import DOI_RESOLVER, Addresses, DataView, Download, PublicationView

MAX_FILES: Final = 100
"""More files than these are linked as archives."""
FORMAT: Final = "format"
"""The parameter that asks for one form of a landing page, so that a plain link leads to it."""


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
        downloads=_to_downloads(request, publication.data),
    )


def _to_downloads(request: Request, data: DataView) -> tuple[Download, ...]:
    """Return where the files are that may be opened: each if they are few, else the archives of the datasets."""
    if len(data.files) <= MAX_FILES:
        folders = {
            dataset_id: to_public_address(request, "get_file", dataset_id=dataset_id, name="")
            for dataset_id in {file.dataset_id for file in data.files}
        }
        return tuple(
            Download(file.name, add_name(folders[file.dataset_id], file.name), to_media_type(file.name), file.file_size)
            for file in data.files
        )
    names = {dataset.id: dataset.name for dataset in data.datasets}
    return tuple(
        Download(
            f"{names[dataset_id]}.zip",
            to_public_address(request, "get_archive", dataset_id=dataset_id),
            ZIP_TYPE,
            None,
        )
        for dataset_id in data.open_dataset_ids
        if dataset_id in names
    )
