"""A dataset, its scans, its parameters, its files and its record."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from api.conditional import JSON
from api.dependencies import NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import add_name, to_address, to_dataset_links, to_scan_links
from api.listing import to_page_answer
from api.questions import Text
from api.resource_questions import FilesQuestion, ParametersQuestion, ScansQuestion
from api.schemas.base import to_members
from api.schemas.datasets import (
    DatasetSchema,
    FilePageSchema,
    FileSchema,
    LinkedFilesSchema,
    ParameterPageSchema,
    ParameterSchema,
    ScanPageSchema,
    ScanSchema,
)
from api.schemas.records import RecordSchema
from ingest.catalogue import browsing, linked_files
from ingest.catalogue.paging import LARGEST_KEY
from ingest.catalogue.raw_record import get_raw_record
from ingest.catalogue.views import FileView, ScanView
from ingest.catalogue.visibility import Viewer

router = APIRouter(prefix="/datasets/{dataset_id}", tags=["datasets"])

DatasetId = Annotated[int, Path(ge=1, le=LARGEST_KEY, description="`id` of a hit.", examples=[42])]
EntryName = Annotated[Text, Path(description="`entry_name` of a scan, its first slash or not.", examples=["1.1"])]


@router.get(
    "",
    operation_id="get_dataset",
    summary="One dataset",
    response_model=DatasetSchema,
    responses=problems(404, 422, 503),
)
def get_dataset(
    request: Request, session: SessionDependency, viewer: ViewerDependency, now: NowDependency, dataset_id: DatasetId
) -> Response:
    """Return all that is said about the dataset as a whole."""
    return to_dataset_answer(request, session, viewer, now, dataset_id)


def to_dataset_answer(request: Request, session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> Response:
    """Return the answer to who asks for the dataset: the same bytes, and so the same entity tag, for whoever needs it.

    Raises NotFoundError if there is none, or none that the viewer may know of.
    """
    view = browsing.get_dataset(session, viewer, now, dataset_id)
    dataset = DatasetSchema(**to_members(view), links=to_dataset_links(request, dataset_id, view.doi))
    return Response(dataset.model_dump_json(), media_type=JSON)


@router.get(
    "/scans",
    operation_id="list_scans",
    summary="The scans of a dataset",
    response_model=ScanPageSchema,
    responses=problems(400, 404, 422, 503),
)
def list_scans(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[ScansQuestion, Query()],
) -> Response:
    """List its scans in their order, each value with its HDF5 path and what the file says."""
    page = browsing.list_scans(session, viewer, now, dataset_id, asked.to_request(), asked.to_filter())
    return to_page_answer(request, ScanPageSchema, page, lambda scan: _to_scan(request, dataset_id, scan))


@router.get(
    "/scans/{entry_name:path}",
    operation_id="get_scan",
    summary="One scan",
    responses=problems(404, 422, 503),
)
def get_scan(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    entry_name: EntryName,
) -> ScanSchema:
    """Return the scan of that entry name, each value with its HDF5 path and what the file says."""
    return _to_scan(request, dataset_id, browsing.get_scan(session, viewer, now, dataset_id, entry_name))


@router.get(
    "/parameters",
    operation_id="list_parameters",
    summary="The parameters of a dataset or of its scans",
    response_model=ParameterPageSchema,
    responses=problems(400, 404, 422, 503),
)
def list_parameters(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[ParametersQuestion, Query()],
) -> Response:
    """List the parameters of the dataset itself, or with `scan` of one of its scans or of all, by name.

    Numbers are in the catalogue's unit of the parameter; beside them stands what the file says and where.
    """
    page = browsing.list_parameters(session, viewer, now, dataset_id, asked.to_request(), scan=asked.scan, text=asked.q)
    return to_page_answer(request, ParameterPageSchema, page, ParameterSchema.model_validate)


@router.get(
    "/files",
    operation_id="list_files",
    summary="The files of a dataset",
    response_model=FilePageSchema,
    responses=problems(400, 403, 404, 422, 503),
)
def list_files(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[FilesQuestion, Query()],
) -> Response:
    """List its files, once they are released. Before that the answer is 403, where the dataset may be known at all."""
    page = browsing.list_files(
        session, viewer, now, dataset_id, asked.to_request(), like=asked.name, is_vanished=asked.vanished
    )
    folder = to_address(request, "get_file", dataset_id=dataset_id, name="")
    return to_page_answer(request, FilePageSchema, page, lambda file: _to_file(folder, file))


@router.get(
    "/linked-files",
    operation_id="get_linked_files",
    summary="The other files that a master needs",
    responses=problems(403, 404, 422, 503),
)
def get_linked_files(
    session: SessionDependency, viewer: ViewerDependency, now: NowDependency, dataset_id: DatasetId
) -> LinkedFilesSchema:
    """Return which files its links, virtual datasets and external storage lead to, and which of them are not at hand.

    They were looked at when the master was last read, none was opened. Which scan needs how many, its scans tell.
    """
    return LinkedFilesSchema.model_validate(linked_files.get_linked_files(session, viewer, now, dataset_id))


@router.get(
    "/record",
    operation_id="get_record",
    summary="All that was read of its master",
    response_model=RecordSchema,
    responses=problems(404, 422, 503),
)
def get_record(
    session: SessionDependency, viewer: ViewerDependency, now: NowDependency, dataset_id: DatasetId
) -> Response:
    """Return the record of the master file: all fields and attributes that were read, by their HDF5 paths.

    What the catalogue says of the dataset was made of it. Places on the server's disks and names of files that are not
    released are left out. It has some kilobytes as a rule, and four megabytes at most.
    """
    return Response(get_raw_record(session, viewer, now, dataset_id), media_type="application/json")


def _to_scan(request: Request, dataset_id: int, scan: ScanView) -> ScanSchema:
    return ScanSchema(**to_members(scan), links=to_scan_links(request, dataset_id, scan.entry_name))


def _to_file(folder: str, file: FileView) -> FileSchema:
    return FileSchema(**to_members(file), address=None if file.is_vanished else add_name(folder, file.name))
