"""Instruments: beamlines and their like."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_address, to_list_address
from api.listing import to_page_answer
from api.resource_questions import InstrumentsQuestion
from api.schemas.base import to_members
from api.schemas.instruments import (
    InstrumentLinks,
    InstrumentPageSchema,
    InstrumentSchema,
    InstrumentSummarySchema,
)
from ingest.catalogue import instruments
from ingest.catalogue.instruments import InstrumentView
from ingest.catalogue.paging import LARGEST_KEY

router = APIRouter(prefix="/instruments", tags=["instruments"])

InstrumentId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of an instrument.", examples=[2])]


@router.get(
    "",
    operation_id="list_instruments",
    summary="The instruments",
    response_model=InstrumentPageSchema,
    responses=problems(400, 422, 503),
)
def list_instruments(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[InstrumentsQuestion, Query()],
) -> Response:
    """List the instruments that a dataset has that you may know of, with the number of these datasets."""
    page = instruments.list_instruments(session, index, viewer, now, asked.to_question(), asked.to_request())
    return to_page_answer(
        request,
        InstrumentPageSchema,
        page,
        lambda each: InstrumentSummarySchema(**to_members(each), links=_to_links(request, each)),
    )


@router.get(
    "/{instrument_id}",
    operation_id="get_instrument",
    summary="One instrument",
    responses=problems(404, 422, 503),
)
def get_instrument(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    instrument_id: InstrumentId,
) -> InstrumentSchema:
    """Return the instrument, with how often each technique was used there."""
    view = instruments.get_instrument(session, index, viewer, now, instrument_id)
    return InstrumentSchema(**to_members(view), links=_to_links(request, view))


def _to_links(request: Request, view: InstrumentView) -> InstrumentLinks:
    named = {"instrument": view.name, "facility": view.facility}
    return InstrumentLinks(
        self=to_address(request, "get_instrument", instrument_id=view.id),
        datasets=to_list_address(request, "search_datasets", **named),
        investigations=to_list_address(request, "list_investigations", **named),
    )
