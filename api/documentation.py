"""The OpenAPI document and the page that shows it; nothing on the page comes from another server."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from api.dependencies import SettingsDependency
from api.errors import MEDIA_TYPE, RETRY_AFTER_SECONDS, Problem
from api.limits import MAX_ADDRESS, MAX_BODY

OPENAPI_PATH: Final = "/api/v1/openapi.json"
ASSETS_PATH: Final = "/docs/assets"
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
"""The page starts its script inline; nothing that a file or a person wrote stands on it."""


def to_header(meaning: str, example: str) -> dict[str, Any]:
    """Return the documentation of a header that an answer always has."""
    return {"description": meaning, "required": True, "schema": {"type": "string", "examples": [example]}}


TAGS: Final = [
    {"name": "datasets", "description": "What was measured: search it, look at it."},
    {"name": "investigations", "description": "Proposals and their visits."},
    {"name": "samples", "description": "What was measured, by its name."},
    {"name": "instruments", "description": "Where it was measured."},
    {"name": "techniques", "description": "How it was measured."},
    {"name": "parameter-types", "description": "What parameters mean, their units, and where their values lie."},
    {"name": "files", "description": "The data themselves."},
    {"name": "publications", "description": "What a DOI leads to."},
    {"name": "notices", "description": "For whoever closes datasets."},
    {"name": "operations", "description": "For the operator."},
    {"name": "health", "description": "For what watches the service."},
]
DESCRIPTION: Final = f"""
The metadata of a photon or neutron facility, as its HDF5/NeXus master files tell them.

* Times are ISO 8601 in UTC. The unit of a number stands beside it.
* Lists come in pages: hand the `next` of one page in as `cursor` of the next, everything else as it was.
* Errors are problem documents (RFC 9457, `application/problem+json`).
* You see what is open to everyone; what is not, is not there. Who carries a token (`Authorization: Bearer`) may see
  more; a token that is worth nothing is refused with 401 everywhere.
* Answers have an `ETag`. Hand it in as `If-None-Match`, and you are answered 304 without a body while nothing changed.
* HEAD is answered wherever GET is. `X-Request-ID` names the answer to the operator.
* An address has at most {MAX_ADDRESS:,} characters, a body {MAX_BODY:,} bytes.
"""

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_HEADERS: Final = {
    "401": {"WWW-Authenticate": to_header("How to send a token, and what was wrong with it.", 'Bearer realm="nxcat"')},
    "503": {"Retry-After": to_header("After how many seconds to ask again.", RETRY_AFTER_SECONDS)},
}
_CACHED: Final = {
    "ETag": to_header("Changes with the answer: hand it in as `If-None-Match`.", '"2wVJXvB1rYx1sYyEbF1nqzDN"'),
    "Cache-Control": to_header("Whether the answer is for all, and that it is asked for again.", "no-cache"),
}

router = APIRouter(include_in_schema=False)


@router.get("/docs")
def show_documentation(request: Request) -> HTMLResponse:
    """Return the page on which one reads and tries the API."""
    base = request.scope.get("root_path", "")
    page = get_swagger_ui_html(
        openapi_url=f"{base}{OPENAPI_PATH}",
        title="nxcat API",
        swagger_js_url=f"{base}{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{base}{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url="data:,",
        # Without the null it would ask a server of its maker whether our document is valid.
        swagger_ui_parameters={"validatorUrl": None, "defaultModelsExpandDepth": 0, "tryItOutEnabled": True},
    )
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    return page


@router.get(OPENAPI_PATH)
def show_openapi(request: Request, settings: SettingsDependency) -> JSONResponse:
    """Return the document, with the address at which who asks reaches the service."""
    servers = [{"url": settings.public_url.rstrip("/") or request.scope.get("root_path", "") or "/"}]
    return JSONResponse(request.app.openapi() | {"servers": servers})


def add_documentation(app: FastAPI) -> None:
    """Leave the application serving its OpenAPI document and the page that shows it."""
    app.include_router(router)
    app.mount(ASSETS_PATH, StaticFiles(packages=[("fastapi_offline", "static")]), name="documentation_assets")
    app.openapi = lambda: _to_openapi(app)  # type: ignore[method-assign]  # FastAPI's own way to change the document


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route may answer besides success, for its documentation."""
    return {status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses}


def _to_openapi(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once, with the errors in their own media type."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            description=app.description,
            routes=app.routes,
            tags=app.openapi_tags,
            license_info=app.license_info,
        )
        for operations in document["paths"].values():
            for method, operation in operations.items():
                _add_common_answers(operation)
                _mark_problems(operation["responses"])
                _add_headers(method, operation["responses"])
        app.openapi_schema = document
    return app.openapi_schema


def _add_common_answers(operation: dict[str, Any]) -> None:
    """Leave the operation telling what no route answers itself: what is wrong with tokens and bodies."""
    common: list[HTTPStatus] = []
    if security := operation.get("security"):
        common.append(HTTPStatus.UNAUTHORIZED)
        if any(scopes for scheme in security for scopes in scheme.values()):
            common.append(HTTPStatus.FORBIDDEN)
        else:
            security.insert(0, {})  # everybody is answered, who carries a token is shown more
    if "requestBody" in operation:
        common += [HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
    for status in common:
        answer = {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
        operation["responses"].setdefault(str(status.value), answer)
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _mark_problems(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        content = response.get("content", {})
        if int(status) >= HTTPStatus.BAD_REQUEST and "application/json" in content:
            content[MEDIA_TYPE] = content.pop("application/json")


def _add_headers(method: str, responses: dict[str, Any]) -> None:
    for status, headers in _HEADERS.items():
        if status in responses:
            responses[status].setdefault("headers", {}).update(headers)
    if method == "get" and "application/json" in responses.get("200", {}).get("content", {}):
        responses["200"].setdefault("headers", {}).update(_CACHED)
