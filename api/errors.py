"""Every error as an RFC 9457 problem document, for people as a page. One table says which status an error has.

A 5xx shows a request id and nothing else; the server's log has the rest under that id.
"""

import logging
import re
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import get_request_id
from api.methods import find_methods
from api.negotiation import NotAcceptableError
from api.preconditions import PreconditionFailedError
from api.ranges import RangeNotSatisfiableError
from api.rendering import is_page_wanted, render_page
from api.signing import LinkExpiredError, LinkInvalidError
from ingest.catalogue.access import InvalidTokenError, MissingScopeError, MissingTokenError
from ingest.catalogue.correctables import CorrectionError
from ingest.catalogue.errors import (
    CatalogueError,
    ConflictError,
    InvalidQueryError,
    NotFoundError,
    NotReleasedError,
    PathOutsideRootsError,
    UnavailableError,
)
from ingest.catalogue.opening import FileVanishedError

logger = logging.getLogger(__name__)

STATUS_CODES: Final[dict[type[Exception], HTTPStatus]] = {
    InvalidQueryError: HTTPStatus.BAD_REQUEST,
    CorrectionError: HTTPStatus.BAD_REQUEST,
    InvalidTokenError: HTTPStatus.UNAUTHORIZED,
    MissingTokenError: HTTPStatus.UNAUTHORIZED,
    MissingScopeError: HTTPStatus.FORBIDDEN,
    NotReleasedError: HTTPStatus.FORBIDDEN,
    PathOutsideRootsError: HTTPStatus.FORBIDDEN,
    LinkInvalidError: HTTPStatus.FORBIDDEN,
    LinkExpiredError: HTTPStatus.GONE,
    FileVanishedError: HTTPStatus.GONE,
    NotFoundError: HTTPStatus.NOT_FOUND,
    NotAcceptableError: HTTPStatus.NOT_ACCEPTABLE,
    ConflictError: HTTPStatus.CONFLICT,
    PreconditionFailedError: HTTPStatus.PRECONDITION_FAILED,
    RangeNotSatisfiableError: HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    OperationalError: HTTPStatus.SERVICE_UNAVAILABLE,
    PoolTimeoutError: HTTPStatus.SERVICE_UNAVAILABLE,
    CatalogueError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

Answer: TypeAlias = Callable[[Request, Any], Coroutine[Any, Any, Response]]

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = "5"
MAX_ECHO: Final = 2000
"""Characters of the request, or of what is said about it, that an answer holds at most."""


class InvalidInput(BaseModel):
    """What is wrong with one part of the request."""

    name: str = Field(description="The parameter, or where in the request it is.", examples=["limit"])
    message: str = Field(examples=["Input should be less than or equal to 1000"])


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it: `application/problem+json`."""

    type: str = Field(default="about:blank", description="Always about:blank: `status` and `code` tell the kind.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    code: str | None = Field(default=None, description="The kind of error, for programs.", examples=["not_found"])
    detail: str | None = Field(default=None, description="What was wrong and what to do.", examples=["no dataset 42"])
    text: str | None = Field(default=None, description="The text that cannot be understood.", examples=["LaB6 and ("])
    position: int | None = Field(
        default=None, description="The character in `text` at which it fails, counted from 0.", examples=[10]
    )
    errors: list[InvalidInput] | None = Field(default=None, description="What is wrong with the parameters.")
    offers: list[str] | None = Field(
        default=None, description="The media types that there are.", examples=[["text/html", "application/ld+json"]]
    )
    checks: dict[str, bool] | None = Field(
        default=None, description="What answers and what does not.", examples=[{"database": True, "index": False}]
    )
    request_id: str | None = Field(
        default=None, description="For the server's own errors: what to tell its operator.", examples=["f3b1c0de"]
    )


def to_answers() -> dict[int | type[Exception], Answer]:
    """Return what answers each kind of error, for the application."""
    answers: dict[int | type[Exception], Answer] = dict.fromkeys(STATUS_CODES, _answer_known)
    return answers | {
        RequestValidationError: _answer_invalid,
        HTTPException: _answer_http,
    }


class UnforeseenErrors:
    """Answers our own mistakes. It stands within what sets headers, so that these answers have them, too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a request id is what is told of an error that nothing else answers."""
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            if scope["type"] != "http" or has_begun:
                raise  # the connection breaks: half an answer must not pass for a whole one
            request = Request(scope)
            logger.error("request %s failed: %r", get_request_id(request), error, exc_info=error)  # noqa: TRY400
            await to_server_problem(request, HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, send)


def to_problem(request: Request, status: HTTPStatus, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """Return the answer, a page where a person reads it; members that are None are left out."""
    problem = Problem(title=status.phrase, status=status, **members)
    if is_page_wanted(request):
        answer: Response = render_page(request, "problem.html", status, problem=problem)
    else:
        answer = JSONResponse(problem.model_dump(exclude_none=True), status, media_type=MEDIA_TYPE)
    answer.headers.update({"Vary": "Accept", "Cache-Control": "no-store"} | (headers or {}))
    return answer


def to_server_problem(request: Request, status: HTTPStatus, **members: Any) -> Response:
    """Return the answer to an error of ours: a request id, and for 503 when to come back."""
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return to_problem(request, status, headers, request_id=get_request_id(request), **members)


async def _answer_known(request: Request, error: Exception) -> Response:
    status = next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request %s: %s", get_request_id(request), error, exc_info=error)
        return to_server_problem(request, status)
    if isinstance(error, InvalidQueryError):
        place: dict[str, Any] = {"text": error.text[:MAX_ECHO], "position": error.position} if error.text else {}
        return to_problem(request, status, code=_to_code(error), detail=error.message[:MAX_ECHO], **place)
    if isinstance(error, NotAcceptableError):
        offers = list(error.offers)
        return to_problem(request, status, {"Vary": "Accept"}, code=_to_code(error), detail=str(error), offers=offers)
    return to_problem(request, status, _to_headers(error), code=_to_code(error), detail=str(error)[:MAX_ECHO])


def _to_headers(error: Exception) -> dict[str, str] | None:
    """Return what a client is told in headers: how long a file is of which it wants another part (RFC 9110, 15.5.17).

    And about tokens (RFC 6750, 3): nothing is said to be wrong where there was none.
    """
    match error:
        case RangeNotSatisfiableError(size=size):
            return {"Content-Range": f"bytes */{size}"}
        case MissingTokenError():
            wrong = ""
        case InvalidTokenError():
            wrong = ', error="invalid_token"'
        case MissingScopeError(scope=scope):
            wrong = f', error="insufficient_scope", scope="{scope}"'
        case _:
            return None
    return {"WWW-Authenticate": f'Bearer realm="nxcat"{wrong}'}


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    errors = [InvalidInput(name=_to_name(each["loc"]), message=_to_message(each)) for each in error.errors()]
    detail = "; ".join(f"{each.name}: {each.message}" for each in errors)[:MAX_ECHO]
    return to_problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, code="invalid_parameter", detail=detail, errors=errors)


async def _answer_http(request: Request, error: HTTPException) -> Response:
    """Answer what the router itself refuses: no such path, no such method."""
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return to_server_problem(request, status)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        # The router names those of the first route of that path; there may be several.
        headers["Allow"] = ", ".join(find_methods(request))
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    detail = None if error.detail == status.phrase else error.detail
    return to_problem(request, status, headers, code=status.name.lower(), detail=detail)


def _to_name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:MAX_ECHO] for part in location[1:]) or str(location[0])


def _to_message(error: dict[str, Any]) -> str:
    if error["type"] == "extra_forbidden":
        return "there is no such parameter"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")[:MAX_ECHO]


def _to_code(error: Exception) -> str:
    """Return the name of the error's class as programs write it: `not_found` for NotFoundError."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).lower()
