"""Experimental techniques."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_address, to_list_address
from api.listing import to_page_answer
from api.resource_questions import TechniquesQuestion
from api.schemas.base import to_members
from api.schemas.techniques import TechniqueLinks, TechniquePageSchema, TechniqueSchema
from ingest.catalogue import techniques
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.techniques import TechniqueView

router = APIRouter(prefix="/techniques", tags=["techniques"])

TechniqueId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of a technique.", examples=[3])]


@router.get(
    "",
    operation_id="list_techniques",
    summary="The techniques",
    response_model=TechniquePageSchema,
    responses=problems(400, 422, 503),
)
def list_techniques(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[TechniquesQuestion, Query()],
) -> Response:
    """List the techniques that a dataset has that you may know of, with the number of these datasets."""
    page = techniques.list_techniques(session, index, viewer, now, asked.to_question(), asked.to_request())
    return to_page_answer(request, TechniquePageSchema, page, lambda each: _to_schema(request, each))


@router.get(
    "/{technique_id}",
    operation_id="get_technique",
    summary="One technique",
    responses=problems(404, 422, 503),
)
def get_technique(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    technique_id: TechniqueId,
) -> TechniqueSchema:
    """Return the technique."""
    return _to_schema(request, techniques.get_technique(session, index, viewer, now, technique_id))


def _to_schema(request: Request, view: TechniqueView) -> TechniqueSchema:
    links = TechniqueLinks(
        self=to_address(request, "get_technique", technique_id=view.id),
        datasets=to_list_address(request, "search_datasets", technique=view.name),
    )
    return TechniqueSchema(**to_members(view), links=links)
