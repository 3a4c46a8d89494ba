"""Whether the service lives, and whether it can answer: for what watches it."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from api.dependencies import ServicesDependency
from api.documentation import problems
from api.errors import to_server_problem
from api.schemas.base import to_members
from api.schemas.health import LiveSchema, ReadySchema
from ingest.catalogue.status import check_readiness

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", operation_id="get_liveness", summary="Is the process alive?")
def get_liveness() -> LiveSchema:
    """Answer, whatever else is wrong: restart the process if this does not."""
    return LiveSchema(status="live")


@router.get(
    "/ready",
    operation_id="get_readiness",
    summary="Can it answer?",
    response_model=ReadySchema,
    responses=problems(503),
)
def get_readiness(request: Request, services: ServicesDependency) -> ReadySchema | Response:
    """Ask the database, its schema and the index; 503 names those that do not answer as false."""
    readiness = check_readiness(services.engine, services.index)
    checks = to_members(readiness)
    if not readiness.is_ready:
        return to_server_problem(request, HTTPStatus.SERVICE_UNAVAILABLE, checks=checks)
    return ReadySchema(status="ready", checks=checks)
