"""Pages for people: templates with autoescape, and no address outside the service."""

from functools import cache
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from api.links import to_address

PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""A page loads the service's own style sheet and pictures, runs no script, and sends its form back to the service."""


def render_page(
    request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, policy: str = PAGE_POLICY, **context: Any
) -> HTMLResponse:
    """Return the page; in the template `address('operation', id=1)` is a path within the service."""

    def address(operation: str, **parameters: int | str) -> str:
        return to_address(request, operation, **parameters)

    text = _load_environment().get_template(template).render(context, request=request, address=address)
    return HTMLResponse(text, status, {"Content-Security-Policy": policy})


@cache
def _load_environment() -> Environment:
    return Environment(
        loader=PackageLoader("api"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
