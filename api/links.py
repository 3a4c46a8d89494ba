"""Addresses of the service: within it paths without a host, so that they hold behind any proxy."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from fastapi import Request

from api.schemas.base import PageLinks
from api.schemas.datasets import DatasetLinks, ScanLinks

if TYPE_CHECKING:
    from api.dependencies import Services

_PLAIN: Final = "/:@!$&'()*+,;="
"""What stands in a path as it is, besides letters, digits and `-._~` (RFC 3986, 3.3)."""
_DATASET_PARTS: Final = {
    "self": "get_dataset",
    "scans": "list_scans",
    "parameters": "list_parameters",
    "files": "list_files",
    "linked_files": "get_linked_files",
    "record": "get_record",
}
"""The operations that show a dataset and its parts."""


def to_address(request: Request, operation: str, **parameters: int | str) -> str:
    """Return the path of an operation, what a proxy puts before it included; parameters are percent-encoded."""
    return _get_root_path(request) + _to_path(request, operation, parameters)


def to_public_address(request: Request, operation: str, **parameters: int | str) -> str:
    """Return the address of an operation as the world knows it, with scheme and host: for what leaves the service.

    Taken from the setting `public_url`, whose path stands for the root path; without it from the request.
    """
    services: Services = request.app.state.services
    base = services.settings.public_url or str(request.base_url)
    return base.rstrip("/") + _to_path(request, operation, parameters)


def _get_root_path(request: Request) -> str:
    # Within a mounted application the root path is longer than the one of the service.
    root_path: str = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    return root_path.rstrip("/")


def _to_path(request: Request, operation: str, parameters: dict[str, int | str]) -> str:
    encoded = {name: quote(each, _PLAIN) if isinstance(each, str) else each for name, each in parameters.items()}
    return _get_template(request, operation, encoded).format(**encoded)


def _get_template(request: Request, operation: str, names: Iterable[str]) -> str:
    """Return the path of an operation with its parameters in braces."""
    # The framework tries one route after the other, at 50 us an address: more than searching for 20 datasets takes.
    templates: dict[str, str] = request.app.state.path_templates
    if (template := templates.get(operation)) is None:
        template = templates[operation] = request.app.url_path_for(operation, **{name: f"{{{name}}}" for name in names})
    return template


def add_name(folder: str, name: str) -> str:
    """Return the address of a file in the folder at this address: for a thousand of them without asking each time."""
    return folder + quote(name, _PLAIN)


def to_landing_path(request: Request, doi: str) -> str:
    """Return the path of the landing page of a DOI."""
    prefix, _, suffix = doi.partition("/")
    return to_address(request, "get_landing", prefix=prefix, suffix=suffix)


def to_dataset_links(request: Request, dataset_id: int, doi: str | None) -> DatasetLinks:
    """Return where the dataset and its parts are, and its landing page if it has a DOI."""
    return make_dataset_links(request)(dataset_id, doi)


def make_dataset_links(request: Request) -> Callable[[int, str | None], DatasetLinks]:
    """Return what `to_dataset_links` is without the request: for a page of hits, which has 120 such addresses."""
    root_path = _get_root_path(request)
    templates = {part: _get_template(request, operation, ["dataset_id"]) for part, operation in _DATASET_PARTS.items()}

    def to_links(dataset_id: int, doi: str | None) -> DatasetLinks:
        parts = {part: root_path + template.format(dataset_id=dataset_id) for part, template in templates.items()}
        return DatasetLinks(**parts, landing=to_landing_path(request, doi) if doi else None)

    return to_links


def to_scan_links(request: Request, dataset_id: int, entry_name: str) -> ScanLinks:
    """Return where the scan and its parameters are."""
    return ScanLinks(
        self=to_address(request, "get_scan", dataset_id=dataset_id, entry_name=entry_name.removeprefix("/")),
        parameters=add_query(to_address(request, "list_parameters", dataset_id=dataset_id), scan=entry_name),
    )


def to_list_address(request: Request, operation: str, **asked: str | int | None) -> str:
    """Return the path of a list with what is asked of it; what is None is left out."""
    return add_query(to_address(request, operation), **asked)


def add_query(address: str, **asked: str | int | None) -> str:
    """Return the address with what is asked of it; what is None is left out."""
    return f"{address}?{urlencode({name: value for name, value in asked.items() if value is not None})}"


def to_page_links(request: Request, next_cursor: str | None) -> PageLinks:
    """Return where this page and the next one are."""
    path = to_address(request, request.scope["route"].name, **request.path_params)
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return _to_page_links(path, asked, request.query_params.get("cursor"), next_cursor)


def to_search_links(
    request: Request, asked: list[tuple[str, str]], cursor: str | None, next_cursor: str | None
) -> PageLinks:
    """Return where everybody finds this page of a search and the next one, whatever way it was asked for."""
    return _to_page_links(to_address(request, "search_datasets"), asked, cursor, next_cursor)


def _to_page_links(path: str, asked: list[tuple[str, str]], cursor: str | None, next_cursor: str | None) -> PageLinks:
    this = asked if cursor is None else [*asked, ("cursor", cursor)]
    following = None if next_cursor is None else f"{path}?{urlencode([*asked, ('cursor', next_cursor)])}"
    return PageLinks(self=f"{path}?{urlencode(this)}" if this else path, next=following)
