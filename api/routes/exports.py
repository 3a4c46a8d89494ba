"""A whole result as one stream."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.count_questions import ExportQuestion
from api.dependencies import IndexDependency, NowDependency, ServicesDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.exports import CSV_TYPE, NDJSON_TYPE, ExportStream, to_lines, to_pieces, to_table
from api.negotiation import choose_media_type
from ingest.catalogue import exporting

router = APIRouter(tags=["datasets"])

_TYPES: Final = {"ndjson": NDJSON_TYPE, "csv": CSV_TYPE}
_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "One dataset a line, as JSON, or as a table with a head.",
        "content": {media_type: {"schema": {"type": "string"}} for media_type in _TYPES.values()},
    }
}


@router.head("/export", include_in_schema=False)
@router.get(
    "/export",
    operation_id="export_datasets",
    summary="A whole result as NDJSON or CSV",
    response_class=Response,
    responses=problems(400, 406, 422, 503) | _STREAM,
)
def export_datasets(
    request: Request,
    services: ServicesDependency,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[ExportQuestion, Query()],
) -> Response:
    """Send all datasets that are found, by rising `id`, each once: those of the moment in which it begins.

    In a table a text that a program would calculate, as it begins with `=`, `+`, `-` or `@`, has an apostrophe before
    it. An answer that breaks off is not whole: ask again.
    """
    media_type = _TYPES.get(asked.format) or choose_media_type(request.headers.get("accept"), [*_TYPES.values()])
    export = exporting.plan_export(session, viewer, now, asked.to_question(), asked.column)
    datasets = exporting.walk_datasets(services.read_sessions, index, viewer, now, export)
    lines = to_table(datasets, export.columns) if media_type == CSV_TYPE else to_lines(datasets)
    ending = "csv" if media_type == CSV_TYPE else "ndjson"
    headers = {"Content-Disposition": f'attachment; filename="datasets.{ending}"', "Vary": "Accept, Authorization"}
    # Walking all that is found only to drop it costs too much.
    pieces = to_pieces(() if request.method == "HEAD" else lines)
    return ExportStream(pieces, media_type, headers)
