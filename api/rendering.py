"""Pages for people: templates with autoescape, and no address outside the service."""

from functools import cache
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from api.formats import to_amount, to_breakable, to_count, to_day, to_period, to_second, to_size, to_visible
from api.links import to_address

PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""A page loads the service's own style sheet and pictures, runs no script, and sends its form back to the service."""
_DOORS_OF_PROGRAMS: Final = ("/api/", "/health/")


def render_page(
    request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, policy: str = PAGE_POLICY, **context: Any
) -> HTMLResponse:
    """Return the page; in the template `address('operation', id=1)` is a path within the service."""

    def address(operation: str, **parameters: int | str) -> str:
        return to_address(request, operation, **parameters)

    text = _load_environment().get_template(template).render(context, request=request, address=address)
    return HTMLResponse(text, status, {"Content-Security-Policy": policy})


def is_page_wanted(request: Request) -> bool:
    """Return whether a person reads the answer: the route shows pages, or a browser asks where no program's door is."""
    if getattr(request.scope.get("route"), "response_class", None) is HTMLResponse:
        return True
    path = request.scope["path"].removeprefix(request.scope.get("app_root_path", request.scope.get("root_path", "")))
    return "text/html" in request.headers.get("accept", "") and not path.startswith(_DOORS_OF_PROGRAMS)


@cache
def _load_environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("api"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=to_visible,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": to_amount,
        "breakable": to_breakable,
        "bytes": to_size,
        "counted": to_count,
        "day": to_day,
        "period": to_period,
        "second": to_second,
    }
    return environment
