"""Samples."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_address, to_list_address
from api.listing import to_page_answer
from api.resource_questions import SamplesQuestion
from api.schemas.base import to_members
from api.schemas.samples import SampleLinks, SamplePageSchema, SampleSchema
from ingest.catalogue import samples
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.samples import SampleDetail

router = APIRouter(prefix="/samples", tags=["samples"])

SampleId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of a sample.", examples=[11])]


@router.get(
    "",
    operation_id="list_samples",
    summary="The samples",
    response_model=SamplePageSchema,
    responses=problems(400, 422, 503),
)
def list_samples(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[SamplesQuestion, Query()],
) -> Response:
    """List the samples that a dataset or a scan has that you may know of, by name.

    Everything that is given must hold; of several values for one filter, one is enough.
    """
    page = samples.list_samples(session, viewer, now, asked.to_question(), asked.to_request())
    return to_page_answer(request, SamplePageSchema, page, lambda each: _to_schema(request, each))


@router.get(
    "/{sample_id}",
    operation_id="get_sample",
    summary="One sample",
    responses=problems(404, 422, 503),
)
def get_sample(
    request: Request, session: SessionDependency, viewer: ViewerDependency, now: NowDependency, sample_id: SampleId
) -> SampleSchema:
    """Return the sample with the investigations that it was part of."""
    return _to_schema(request, samples.get_sample(session, viewer, now, sample_id))


def _to_schema(request: Request, view: SampleDetail) -> SampleSchema:
    named = {"sample": view.name, "facility": view.facility}
    links = SampleLinks(
        self=to_address(request, "get_sample", sample_id=view.id),
        # One with a persistent identifier is the same in every proposal.
        datasets=to_list_address(request, "search_datasets", **named, proposal=None if view.pid else view.proposal),
        investigations=to_list_address(request, "list_investigations", **named),
    )
    return SampleSchema(**to_members(view), links=links)
