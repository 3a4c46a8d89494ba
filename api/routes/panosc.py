"""PaNOSC's search API, by which facilities are searched together: its paths, its filters and its errors.

It is a contract of its own, which names parameters and errors otherwise than the rest of the service, and so stands in
docs/panosc.md and not in our OpenAPI document. Everybody is answered alike, with what is public; tokens mean nothing.
"""

import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from api.dependencies import IndexDependency, NowDependency, SessionDependency
from api.errors import MAX_ECHO, RETRY_AFTER_SECONDS, STATUS_CODES
from api.headers import get_request_id
from api.routes.panosc_questions import to_asked_filter, to_asked_where
from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.panosc.answering import count_files, count_records, get_record, list_files, list_records
from ingest.catalogue.panosc.errors import UnknownRecordError

logger = logging.getLogger(__name__)

COLLECTIONS: Final = {
    name: model for model in ("Dataset", "Document", "Instrument") for name in (f"{model}s", f"{model.lower()}s")
}
"""The model of each path; clients write both."""


class PanoscRoute(APIRoute):
    """Answers errors as LoopBack does: `{"error": {"statusCode", "name", "message"}}`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request, its errors too."""
        answer = super().get_route_handler()

        async def answer_always(request: Request) -> Response:
            try:
                return await answer(request)
            except tuple(STATUS_CODES) as error:  # what nobody foresaw is answered as everywhere
                return _to_error(request, error)

        return answer_always


router = APIRouter(prefix="/panosc/api", route_class=PanoscRoute, include_in_schema=False)


def _add_collection(path: str, model: str) -> None:
    """Leave the router answering a list, a count and single records of the model."""

    def list_them(request: Request, session: SessionDependency, index: IndexDependency, now: NowDependency) -> Response:
        return JSONResponse(list_records(session, index, now, model, to_asked_filter(request, model)))

    def count_them(request: Request, session: SessionDependency, now: NowDependency) -> Response:
        return JSONResponse({"count": count_records(session, now, model, to_asked_where(request, model))})

    def get_one(request: Request, session: SessionDependency, now: NowDependency, pid: str) -> Response:
        return JSONResponse(get_record(session, now, model, pid, to_asked_filter(request, model)))

    _add_route(f"/{path}", list_them, f"panosc_{path}")
    _add_route(f"/{path}/count", count_them, f"panosc_{path}_count")
    if model == "Dataset":
        _add_route(f"/{path}/{{pid:path}}/files", list_files_of, f"panosc_{path}_files")
        _add_route(f"/{path}/{{pid:path}}/files/count", count_files_of, f"panosc_{path}_files_count")
    _add_route(f"/{path}/{{pid:path}}", get_one, f"panosc_{path}_pid")


def _add_route(path: str, answer: Callable[..., Response], name: str) -> None:
    """Leave the router answering at the path, and where a slash ends it, which the reference overlooks."""
    for ending in ("/", ""):
        router.add_api_route(path + ending, answer, name=name)


def list_files_of(request: Request, session: SessionDependency, now: NowDependency, pid: str) -> Response:
    """List the files of a dataset."""
    return JSONResponse(list_files(session, now, pid, to_asked_filter(request, "File")))


def count_files_of(request: Request, session: SessionDependency, now: NowDependency, pid: str) -> Response:
    """Count the files of a dataset."""
    return JSONResponse({"count": count_files(session, now, pid, to_asked_where(request, "File"))})


for _path, _model in COLLECTIONS.items():
    _add_collection(_path, _model)


def _to_error(request: Request, error: Exception) -> Response:
    status = next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)
    told: dict[str, Any] = {"statusCode": status.value, "name": "Error"}
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    match error:
        case UnknownRecordError(kind=model, key=pid):
            told |= {"message": f'Unknown "{model}" id "{pid}".'[:MAX_ECHO], "code": "MODEL_NOT_FOUND"}
        case InvalidQueryError(message=message):
            told |= {"message": message[:MAX_ECHO]}
        case _:
            logger.error("request %s: %s", get_request_id(request), error, exc_info=error)
            told |= {"message": status.phrase, "requestId": get_request_id(request)}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return JSONResponse({"error": told}, status, headers)
