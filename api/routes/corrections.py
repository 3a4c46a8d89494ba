"""Correcting what is said of a dataset, and what has been corrected."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.conditional import JSON, to_etag
from api.dependencies import (
    EDITORS_ONLY,
    OPERATORS_ONLY,
    NowDependency,
    SessionDependency,
    WorkersDependency,
    WriteSessionDependency,
)
from api.documentation import problems
from api.listing import to_page_answer
from api.preconditions import PreconditionFailedError, Validators, is_known
from api.questions import PageQuestion
from api.routes.datasets import DatasetId, to_dataset_answer
from api.schemas.corrections import CorrectionBody, CorrectionPageSchema, CorrectionSchema
from api.schemas.datasets import DatasetSchema
from ingest.catalogue import corrections
from ingest.catalogue.queue import Task
from ingest.catalogue.visibility import Viewer

router = APIRouter(prefix="/datasets/{dataset_id}", tags=["datasets"])


@router.patch(
    "",
    operation_id="correct_dataset",
    summary="Correct what is said of a dataset",
    response_model=DatasetSchema,
    responses=problems(400, 404, 412, 422, 503),
)
def correct_dataset(
    request: Request,
    session: WriteSessionDependency,
    workers: WorkersDependency,
    viewer: Annotated[Viewer, EDITORS_ONLY],
    now: NowDependency,
    dataset_id: DatasetId,
    order: CorrectionBody,
) -> Response:
    """Say of some fields what is to be shown of them, and why. What the file says is kept beside it, and can be undone.

    What is said already changes nothing. With `If-Match` it is done only if the dataset is as it was when that `ETag`
    was given out, to the same token. It is found by what is said now within some seconds.
    """
    # Held, so that of two who have seen the same one is refused.
    corrections.hold_dataset(session, dataset_id)
    _check_match(request, to_dataset_answer(request, session, viewer, now, dataset_id), now)
    author = corrections.to_author(session, viewer)
    corrections.correct_dataset(session, dataset_id, order.to_changes(), reason=order.reason, author=author, now=now)
    workers.nudge_after(session, Task.INDEX)
    answer = to_dataset_answer(request, session, viewer, now, dataset_id)
    answer.headers["ETag"] = to_etag(JSON, bytes(answer.body))
    return answer


@router.get(
    "/corrections",
    operation_id="list_corrections",
    summary="What persons have corrected",
    response_model=CorrectionPageSchema,
    responses=problems(400, 404, 422, 503),
)
def list_corrections(
    request: Request,
    session: SessionDependency,
    viewer: Annotated[Viewer, OPERATORS_ONLY],
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[PageQuestion, Query()],
) -> Response:
    """List the corrections of the dataset, the newest first: who, when, why, and what was shown before."""
    page = corrections.list_corrections(session, viewer, now, dataset_id, asked.to_request())
    return to_page_answer(request, CorrectionPageSchema, page, CorrectionSchema.model_validate)


def _check_match(request: Request, present: Response, now: NowDependency) -> None:
    """Raise PreconditionFailedError if the request was made for another state (RFC 9110, 13.1.1, 13.1.2)."""
    if is_known(request.headers, Validators(to_etag(JSON, bytes(present.body)), None, now)):
        raise PreconditionFailedError("If-None-Match")
