"""The door for whoever closes datasets: told here, looked at by a worker."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.dependencies import (
    NOTIFIERS_ONLY,
    NowDependency,
    SessionDependency,
    WorkersDependency,
    WriteSessionDependency,
)
from api.documentation import problems
from api.errors import to_problem
from api.links import to_address, to_page_links
from api.questions import NoticesQuestion
from api.schemas.base import to_members
from api.schemas.notices import NoticeLinks, NoticeOrder, NoticeOrders, NoticePageSchema, NoticeSchema, NoticesSchema
from ingest.catalogue import notices
from ingest.catalogue.model import NoticeState
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.queue import Task
from ingest.catalogue.views import NoticeView

router = APIRouter(prefix="/notices", tags=["notices"], dependencies=[NOTIFIERS_ONLY])

NoticeId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of a notice.", examples=[7])]


@router.post(
    "",
    operation_id="create_notices",
    summary="Tell that datasets are closed",
    status_code=HTTPStatus.ACCEPTED,
    response_model=NoticesSchema,
    responses=problems(403, 422, 503),
)
def create_notices(
    request: Request,
    session: WriteSessionDependency,
    workers: WorkersDependency,
    now: NowDependency,
    orders: NoticeOrders,
) -> Response | NoticesSchema:
    """Take notice of one or several datasets: they are read soon, and again if they are told again.

    The answer says where to look what became of each. One outside of the catalogue's roots is refused; if all are, the
    status is 403.
    """
    told = [orders] if isinstance(orders, NoticeOrder) else orders
    ids = [notices.record_notice(session, order.to_told(), "http", now) for order in told]
    items = [_to_schema(request, notices.get_notice(session, each)) for each in ids]
    workers.nudge_after(session, Task.INGEST)
    if all(item.state == NoticeState.REFUSED for item in items):
        # Answered, not raised: that they were told and refused is to be kept.
        detail = f"{items[0].path} lies outside every root of the catalogue; crawl the folder that holds it first"
        return to_problem(request, HTTPStatus.FORBIDDEN, code="path_outside_roots", detail=detail)
    answer = NoticesSchema(items=items).model_dump(mode="json")
    headers = {"Location": items[0].links.self} if isinstance(orders, NoticeOrder) else None
    return JSONResponse(answer, HTTPStatus.ACCEPTED, headers)


@router.get("", operation_id="list_notices", summary="What was told", responses=problems(400, 422, 503))
def list_notices(
    request: Request, session: SessionDependency, asked: Annotated[NoticesQuestion, Query()]
) -> NoticePageSchema:
    """List the notices, the newest first, with what became of each."""
    page = notices.list_notices(session, asked.to_request(), states=asked.state, path=asked.path or None)
    return NoticePageSchema(
        items=[_to_schema(request, view) for view in page.items],
        next=page.next_cursor,
        links=to_page_links(request, page.next_cursor),
    )


@router.get("/{notice_id}", operation_id="get_notice", summary="One notice", responses=problems(404, 422, 503))
def get_notice(request: Request, session: SessionDependency, notice_id: NoticeId) -> NoticeSchema:
    """Return what was told, and what became of it."""
    return _to_schema(request, notices.get_notice(session, notice_id))


def _to_schema(request: Request, view: NoticeView) -> NoticeSchema:
    dataset = None if view.dataset_id is None else to_address(request, "get_dataset", dataset_id=view.dataset_id)
    links = NoticeLinks(self=to_address(request, "get_notice", notice_id=view.id), dataset=dataset)
    return NoticeSchema(**to_members(view), links=links)
