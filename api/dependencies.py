"""What routes are given: a session, the index, the viewer and the clock.

What waits for nothing is a coroutine: a plain function is called in a thread, which costs more than its work.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from starlette.concurrency import run_in_threadpool

from api.settings import ApiSettings
from ingest.catalogue.access import InvalidTokenError, Scope, check_scope, get_viewer_of_text
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.queue import Workers
from ingest.catalogue.search import DatasetIndex
from ingest.catalogue.visibility import ANONYMOUS, Viewer

_BEARER: Final = HTTPBearer(
    auto_error=False, description="A token of the operator (`nxcat token create`). Without one you see what is open."
)


@dataclass(frozen=True, slots=True)
class Services:
    """What the lifespan opened."""

    engine: Engine
    read_sessions: sessionmaker[Session]
    write_sessions: sessionmaker[Session]
    index: DatasetIndex
    settings: ApiSettings
    withheld: tuple[bytes, ...]
    """How the paths begin of what is never served, whoever asks: the catalogue's own files."""
    workers: Workers


async def get_services(request: Request) -> Services:
    """Return what the lifespan opened."""
    services: Services = request.app.state.services
    return services


async def get_session(services: Annotated[Services, Depends(get_services)]) -> AsyncIterator[Session]:
    """Yield the one session of this request; it only reads."""
    session = services.read_sessions()
    try:
        yield session
    finally:
        # The database is told that the transaction is over, and may be slow to answer.
        if session.in_transaction():
            await run_in_threadpool(session.close)


async def get_index(services: Annotated[Services, Depends(get_services)]) -> DatasetIndex:
    """Return the search index."""
    return services.index


def get_write_session(services: Annotated[Services, Depends(get_services)]) -> Iterator[Session]:
    """Yield a session whose work is committed when the route has answered, and undone if it failed."""
    with services.write_sessions.begin() as session:
        yield session


async def get_settings(services: Annotated[Services, Depends(get_services)]) -> ApiSettings:
    """Return how the API is served."""
    return services.settings


async def get_workers(services: Annotated[Services, Depends(get_services)]) -> Workers:
    """Return whoever works on the catalogue, as far as messages reach them."""
    return services.workers


async def get_now() -> datetime:
    """Return the instant of this request, by which every rule of it is judged."""
    return utc_now()


async def get_viewer(
    request: Request,
    session: Annotated[Session, Depends(get_session)],
    now: Annotated[datetime, Depends(get_now)],
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    needed: SecurityScopes,
) -> Viewer:
    """Return who asks: whom the token names, everybody without one.

    Raises InvalidTokenError for a bad token, also where everybody is answered, and MissingTokenError or
    MissingScopeError where the route needs a scope.
    """
    viewer = ANONYMOUS
    if given := request.headers.getlist("Authorization"):
        # Another scheme and an empty token are no token to the framework; to who sends them they are one.
        if token is None or len(given) > 1:
            raise InvalidTokenError("the header must be 'Authorization: Bearer TOKEN', once")
        viewer = await run_in_threadpool(get_viewer_of_text, session, token.credentials, now)
    for scope in needed.scopes:
        check_scope(viewer, Scope(scope))
    return viewer


ServicesDependency = Annotated[Services, Depends(get_services)]
SessionDependency = Annotated[Session, Depends(get_session)]
WriteSessionDependency = Annotated[Session, Depends(get_write_session, scope="function")]
SettingsDependency = Annotated[ApiSettings, Depends(get_settings)]
IndexDependency = Annotated[DatasetIndex, Depends(get_index)]
WorkersDependency = Annotated[Workers, Depends(get_workers)]
ViewerDependency = Annotated[Viewer, Depends(get_viewer)]
NOTIFIERS_ONLY: Final = Security(get_viewer, scopes=[Scope.NOTIFY])
EDITORS_ONLY: Final = Security(get_viewer, scopes=[Scope.EDIT])
OPERATORS_ONLY: Final = Security(get_viewer, scopes=[Scope.OPERATE])
"""For the dependencies of a router: only who carries a token with that scope is answered, and the document says so."""
NowDependency = Annotated[datetime, Depends(get_now)]
