"""A dataset, its scans, its parameters and its files."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from api.dependencies import NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import add_name, to_address, to_dataset_links, to_page_links
from api.questions import PageQuestion, ParametersQuestion
from api.schemas.base import to_members
from api.schemas.datasets import (
    DatasetSchema,
    FilePageSchema,
    FileSchema,
    ParameterPageSchema,
    ParameterSchema,
    ScanPageSchema,
    ScanSchema,
)
from ingest.catalogue import browsing
from ingest.catalogue.paging import LARGEST_KEY

router = APIRouter(prefix="/datasets/{dataset_id}", tags=["datasets"])

DatasetId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of a hit.", examples=[42])]


@router.get("", operation_id="get_dataset", summary="One dataset", responses=problems(404, 422, 503))
def get_dataset(
    request: Request, session: SessionDependency, viewer: ViewerDependency, now: NowDependency, dataset_id: DatasetId
) -> DatasetSchema:
    """Return all that is said about the dataset as a whole."""
    view = browsing.get_dataset(session, viewer, now, dataset_id)
    return DatasetSchema(**to_members(view), links=to_dataset_links(request, dataset_id, view.doi))


@router.get(
    "/scans", operation_id="list_scans", summary="The scans of a dataset", responses=problems(400, 404, 422, 503)
)
def list_scans(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[PageQuestion, Query()],
) -> ScanPageSchema:
    """List its scans in their order, each value with its HDF5 path and what the file says."""
    page = browsing.list_scans(session, viewer, now, dataset_id, asked.to_request())
    return ScanPageSchema(
        items=[ScanSchema.model_validate(item) for item in page.items],
        next=page.next_cursor,
        links=to_page_links(request, page.next_cursor),
    )


@router.get(
    "/parameters",
    operation_id="list_parameters",
    summary="The parameters of a dataset or of a scan",
    responses=problems(400, 404, 422, 503),
)
def list_parameters(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[ParametersQuestion, Query()],
) -> ParameterPageSchema:
    """List the parameters of the dataset itself, or with `scan` of one of its scans, by name.

    Numbers are in the catalogue's unit of the parameter; beside them stands what the file says and where.
    """
    page = browsing.list_parameters(session, viewer, now, dataset_id, asked.to_request(), scan=asked.scan)
    return ParameterPageSchema(
        items=[ParameterSchema.model_validate(item) for item in page.items],
        next=page.next_cursor,
        links=to_page_links(request, page.next_cursor),
    )


@router.get(
    "/files",
    operation_id="list_files",
    summary="The files of a dataset",
    responses=problems(400, 403, 404, 422, 503),
)
def list_files(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[PageQuestion, Query()],
) -> FilePageSchema:
    """List its files, once they are released. Before that the answer is 403, where the dataset may be known at all."""
    page = browsing.list_files(session, viewer, now, dataset_id, asked.to_request())
    folder = to_address(request, "get_file", dataset_id=dataset_id, name="")
    return FilePageSchema(
        items=[
            FileSchema(**to_members(item), address=None if item.is_vanished else add_name(folder, item.name))
            for item in page.items
        ],
        next=page.next_cursor,
        links=to_page_links(request, page.next_cursor),
    )
