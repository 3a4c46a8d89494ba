"""Investigations: proposals and their visits."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_address, to_list_address
from api.listing import to_page_answer
from api.resource_questions import InvestigationsQuestion
from api.schemas.base import to_members
from api.schemas.investigations import (
    InvestigationLinks,
    InvestigationPageSchema,
    InvestigationSchema,
    InvestigationSummarySchema,
)
from ingest.catalogue import investigations
from ingest.catalogue.investigations import InvestigationSummary
from ingest.catalogue.paging import LARGEST_KEY

router = APIRouter(prefix="/investigations", tags=["investigations"])

InvestigationId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of an investigation.", examples=[7])]


@router.get(
    "",
    operation_id="list_investigations",
    summary="The investigations",
    response_model=InvestigationPageSchema,
    responses=problems(400, 422, 503),
)
def list_investigations(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[InvestigationsQuestion, Query()],
) -> Response:
    """List the investigations that have a dataset that you may know of, with what these datasets say together.

    Everything that is given must hold; of several values for one filter, one is enough.
    """
    page = investigations.list_investigations(session, viewer, now, asked.to_question(), asked.to_request())
    return to_page_answer(
        request,
        InvestigationPageSchema,
        page,
        lambda each: InvestigationSummarySchema(**to_members(each), links=_to_links(request, each)),
    )


@router.get(
    "/{investigation_id}",
    operation_id="get_investigation",
    summary="One investigation",
    responses=problems(404, 422, 503),
)
def get_investigation(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    investigation_id: InvestigationId,
) -> InvestigationSchema:
    """Return the investigation, with the users whom its files name and the extent of its data."""
    view = investigations.get_investigation(session, viewer, now, investigation_id)
    return InvestigationSchema(**to_members(view), links=_to_links(request, view))


def _to_links(request: Request, view: InvestigationSummary) -> InvestigationLinks:
    return InvestigationLinks(
        self=to_address(request, "get_investigation", investigation_id=view.id),
        datasets=to_list_address(request, "search_datasets", investigation=view.name, facility=view.facility),
        samples=to_list_address(request, "list_samples", investigation_id=view.id),
    )
