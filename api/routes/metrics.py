"""Figures for Prometheus. They count what is closed, too, so only who operates the service sees them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.dependencies import OPERATORS_ONLY, NowDependency, SessionDependency
from api.documentation import problems
from api.metrics import MEDIA_TYPE, Metrics
from ingest.catalogue.backlog import get_backlog

router = APIRouter(tags=["operations"], dependencies=[OPERATORS_ONLY])


def get_counted(request: Request) -> Metrics:
    """Return what this process has counted."""
    metrics: Metrics = request.app.state.metrics
    return metrics


@router.get(
    "/metrics",
    operation_id="get_metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems(503)},
)
def get_metrics(
    session: SessionDependency, now: NowDependency, metrics: Annotated[Metrics, Depends(get_counted)]
) -> Response:
    """Count requests by route and status, what waits by state, and how far the index is behind."""
    return Response(metrics.to_text(get_backlog(session, now)), media_type=MEDIA_TYPE)
