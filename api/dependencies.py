"""What routes are given: a session, the index, the viewer and the clock. Tokens will plug in at `get_viewer`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from ingest.catalogue.model.base import utc_now
from ingest.catalogue.search import DatasetIndex
from ingest.catalogue.visibility import ANONYMOUS, Viewer


@dataclass(frozen=True, slots=True)
class Services:
    """What the lifespan opened."""

    engine: Engine
    read_sessions: sessionmaker[Session]
    index: DatasetIndex


def get_services(request: Request) -> Services:
    """Return what the lifespan opened."""
    services: Services = request.app.state.services
    return services


def get_session(services: Annotated[Services, Depends(get_services)]) -> Iterator[Session]:
    """Yield the one session of this request; it only reads."""
    with services.read_sessions() as session:
        yield session


def get_index(services: Annotated[Services, Depends(get_services)]) -> DatasetIndex:
    """Return the search index."""
    return services.index


def get_viewer() -> Viewer:
    """Return who asks: everyone is anonymous."""
    return ANONYMOUS


def get_now() -> datetime:
    """Return the instant of this request, by which every rule of it is judged."""
    return utc_now()


ServicesDependency = Annotated[Services, Depends(get_services)]
SessionDependency = Annotated[Session, Depends(get_session)]
IndexDependency = Annotated[DatasetIndex, Depends(get_index)]
ViewerDependency = Annotated[Viewer, Depends(get_viewer)]
NowDependency = Annotated[datetime, Depends(get_now)]
