"""Every error as an RFC 9457 problem document. One table says which status an error of the catalogue has.

A 5xx shows a request id and nothing else; the server's log has the rest under that id.
"""

import logging
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.headers import get_request_id, secure_headers
from ingest.catalogue.errors import (
    CatalogueError,
    ConflictError,
    InvalidQueryError,
    NotFoundError,
    NotReleasedError,
    PathOutsideRootsError,
    UnavailableError,
)

logger = logging.getLogger(__name__)

STATUS_CODES: Final[dict[type[Exception], HTTPStatus]] = {
    InvalidQueryError: HTTPStatus.BAD_REQUEST,
    NotReleasedError: HTTPStatus.FORBIDDEN,
    PathOutsideRootsError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    OperationalError: HTTPStatus.SERVICE_UNAVAILABLE,
    PoolTimeoutError: HTTPStatus.SERVICE_UNAVAILABLE,
    CatalogueError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = "5"
MAX_ECHO: Final = 200
"""Characters of the request that an answer repeats at most."""


class InvalidInput(BaseModel):
    """What is wrong with one part of the request."""

    name: str = Field(description="The parameter, or where in the request it is.", examples=["limit"])
    message: str = Field(examples=["Input should be less than or equal to 1000"])


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it: `application/problem+json`."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(default="about:blank", description="Always about:blank: `status` and `code` tell the kind.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    code: str | None = Field(default=None, description="The kind of error, for programs.", examples=["not_found"])
    detail: str | None = Field(default=None, description="What was wrong and what to do.", examples=["no dataset 42"])
    position: int | None = Field(
        default=None, description="In a query that cannot be understood: the character it fails at, counted from 0."
    )
    errors: list[InvalidInput] | None = Field(default=None, description="What is wrong with the parameters.")
    request_id: str | None = Field(
        default=None, description="For the server's own errors: what to tell its operator.", examples=["f3b1c0de"]
    )


def add_error_answers(app: FastAPI) -> None:
    """Leave the application answering every error with a problem document."""
    for kind in STATUS_CODES:
        app.add_exception_handler(kind, _answer_known)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_unforeseen)


def to_problem(status: HTTPStatus, headers: dict[str, str] | None = None, **members: Any) -> JSONResponse:
    """Return the answer; members that are None are left out."""
    problem = Problem(title=status.phrase, status=status, **members)
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def to_server_problem(request: Request, status: HTTPStatus, **members: Any) -> JSONResponse:
    """Return the answer to an error of ours: a request id, and for 503 when to come back."""
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return to_problem(status, headers, request_id=get_request_id(request), **members)


def _answer_known(request: Request, error: Exception) -> JSONResponse:
    status = next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request %s: %s", get_request_id(request), error, exc_info=error)
        return to_server_problem(request, status)
    if isinstance(error, InvalidQueryError):
        return to_problem(status, code="invalid_query", detail=error.message, position=error.position)
    return to_problem(status, code=_CODES.get(status), detail=str(error))


def _answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    errors = [InvalidInput(name=_to_name(each["loc"]), message=each["msg"][:MAX_ECHO]) for each in found]
    detail = "; ".join(f"{each.name}: {each.message}" for each in errors[:3])
    return to_problem(HTTPStatus.UNPROCESSABLE_ENTITY, code="invalid_parameter", detail=detail, errors=errors)


def _answer_http(request: Request, error: Exception) -> JSONResponse:
    """Answer what the router itself refuses: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise TypeError(type(error))
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return to_server_problem(request, status)
    detail = error.detail if error.detail != status.phrase else None
    return to_problem(status, dict(error.headers or {}), code=_CODES.get(status), detail=detail)


def _answer_unforeseen(request: Request, error: Exception) -> JSONResponse:
    """Answer our own mistakes. This answer is made outside of the middleware that sets the headers."""
    logger.error("request %s failed: %r", get_request_id(request), error)
    answer = to_server_problem(request, HTTPStatus.INTERNAL_SERVER_ERROR)
    secure_headers(answer.headers, get_request_id(request))
    return answer


def _to_name(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:MAX_ECHO] for part in location[1:]) or str(location[0])


_CODES: Final = {
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.CONFLICT: "conflict",
}
