"""Parameter types: what parameters mean, their units, and where their values lie."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_address, to_list_address
from api.listing import to_page_answer
from api.resource_questions import ParameterTypesQuestion
from api.schemas.base import to_members
from api.schemas.parameter_types import ParameterTypeLinks, ParameterTypePageSchema, ParameterTypeSchema
from ingest.catalogue import parameter_types
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.parameter_types import ParameterTypeView

router = APIRouter(prefix="/parameter-types", tags=["parameter-types"])

ParameterTypeId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of a parameter type.", examples=[5])]


@router.get(
    "",
    operation_id="list_parameter_types",
    summary="The parameter types",
    response_model=ParameterTypePageSchema,
    responses=problems(400, 422, 503),
)
def list_parameter_types(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[ParameterTypesQuestion, Query()],
) -> Response:
    """List the parameters that a dataset has that you may know of, with the smallest and the largest value there."""
    page = parameter_types.list_parameter_types(session, index, viewer, now, asked.to_question(), asked.to_request())
    return to_page_answer(request, ParameterTypePageSchema, page, lambda each: _to_schema(request, each))


@router.get(
    "/{parameter_type_id}",
    operation_id="get_parameter_type",
    summary="One parameter type",
    responses=problems(404, 422, 503),
)
def get_parameter_type(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    parameter_type_id: ParameterTypeId,
) -> ParameterTypeSchema:
    """Return what the parameter means, and the smallest and the largest value."""
    view = parameter_types.get_parameter_type(session, index, viewer, now, parameter_type_id)
    return _to_schema(request, view)


def _to_schema(request: Request, view: ParameterTypeView) -> ParameterTypeSchema:
    links = ParameterTypeLinks(
        self=to_address(request, "get_parameter_type", parameter_type_id=view.id),
        datasets=None if view.example is None else to_list_address(request, "search_datasets", q=view.example),
    )
    return ParameterTypeSchema(**to_members(view), links=links)
