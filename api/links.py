"""Addresses within the service: paths without a host, so that they hold behind any proxy."""

from urllib.parse import urlencode

from fastapi import Request

from api.schemas.base import PageLinks
from api.schemas.datasets import DatasetLinks


def to_address(request: Request, operation: str, **parameters: int | str) -> str:
    """Return the path of an operation, what a proxy puts before it included."""
    return request.url_for(operation, **parameters).path


def to_dataset_links(request: Request, dataset_id: int) -> DatasetLinks:
    """Return where the dataset and its parts are."""
    return DatasetLinks(
        self=to_address(request, "get_dataset", dataset_id=dataset_id),
        scans=to_address(request, "list_scans", dataset_id=dataset_id),
        parameters=to_address(request, "list_parameters", dataset_id=dataset_id),
        files=to_address(request, "list_files", dataset_id=dataset_id),
    )


def to_page_links(request: Request, next_cursor: str | None) -> PageLinks:
    """Return where this page and the next one are."""
    path = to_address(request, request.scope["route"].name, **request.path_params)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    this = [*asked, *((name, value) for name, value in request.query_params.items() if name == "cursor")]
    following = None if next_cursor is None else f"{path}?{urlencode([*asked, ('cursor', next_cursor)])}"
    return PageLinks(self=f"{path}?{urlencode(this)}" if this else path, next=following)
