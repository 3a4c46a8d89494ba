"""For the operator: what waits, what failed and why, and having it tried again."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import (
    OPERATORS_ONLY,
    NowDependency,
    SessionDependency,
    WorkersDependency,
    WriteSessionDependency,
)
from api.documentation import problems
from api.links import to_page_links
from api.questions import PageQuestion
from api.schemas.operations import (
    QuarantinedSchema,
    QuarantinePageSchema,
    RetryOrder,
    RetrySchema,
    RetrySome,
    StatusSchema,
)
from ingest.catalogue import status
from ingest.catalogue.masters import retry_quarantined
from ingest.catalogue.queue import Task

router = APIRouter(tags=["operations"], dependencies=[OPERATORS_ONLY])


@router.get("/status", operation_id="get_status", summary="The catalogue in figures", responses=problems(503))
def get_status(session: SessionDependency, now: NowDependency) -> StatusSchema:
    """Count what is there, what waits and what failed, whoever may see what: what `nxcat status` prints."""
    return StatusSchema.model_validate(status.get_status(session, now))


@router.get(
    "/quarantine",
    operation_id="list_quarantine",
    summary="The masters that could not be read",
    responses=problems(400, 422, 503),
)
def list_quarantine(
    request: Request, session: SessionDependency, asked: Annotated[PageQuestion, Query()]
) -> QuarantinePageSchema:
    """List the masters in quarantine with the reason of each, in the order in which they were first seen."""
    page = status.list_quarantined(session, asked.to_request())
    return QuarantinePageSchema(
        items=[QuarantinedSchema.model_validate(item) for item in page.items],
        next=page.next_cursor,
        links=to_page_links(request, page.next_cursor),
    )


@router.post(
    "/quarantine/retry",
    operation_id="retry_quarantine",
    summary="Have masters tried again",
    responses=problems(422, 503),
)
def retry_quarantine(
    session: WriteSessionDependency, workers: WorkersDependency, now: NowDependency, order: RetryOrder
) -> RetrySchema:
    """Take masters out of quarantine, some or all, to be read again soon."""
    paths = order.paths if isinstance(order, RetrySome) else None
    workers.nudge_after(session, Task.INGEST)
    return RetrySchema(count=retry_quarantined(session, now, paths))
