"""The application: `uvicorn api.app:create_app --factory`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.cors import CORSMiddleware

from api.conditional import ConditionalRequests
from api.dependencies import Services
from api.documentation import DESCRIPTION, TAGS, add_documentation
from api.errors import UnforeseenErrors, to_answers
from api.headers import ASKED_ACROSS, READ_AND_ORDER, SHOWN_ACROSS, ResponseHeaders
from api.limits import BodyLimit
from api.methods import HeadRequests
from api.metrics import MeasuredRequests, Metrics, NotedRoute
from api.routes import (
    acquisition,
    corrections,
    counts,
    datasets,
    downloads,
    exports,
    health,
    instruments,
    investigations,
    landing,
    metrics,
    notices,
    operations,
    pages,
    panosc,
    parameter_types,
    publications,
    samples,
    search,
    techniques,
)
from api.settings import ApiSettings
from ingest.catalogue.database import make_engine, make_read_sessions, make_write_sessions
from ingest.catalogue.link_keys import ensure_link_key
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.opening import to_withheld
from ingest.catalogue.queue import Workers
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search.engines import open_index
from ingest.catalogue.settings import CatalogueSettings

API_PREFIX = "/api/v1"
RESOURCES = (
    search.router,
    exports.router,
    counts.router,
    datasets.router,
    corrections.router,
    downloads.links_router,
    investigations.router,
    samples.router,
    instruments.router,
    techniques.router,
    parameter_types.router,
    publications.router,
    operations.router,
    notices.router,
)
DOORS = (
    downloads.files_router,
    landing.router,
    acquisition.router,
    panosc.router,
    health.router,
    metrics.router,
    pages.router,
)


def create_app(catalogue: CatalogueSettings | None = None, serving: ApiSettings | None = None) -> FastAPI:
    """Return the application over the catalogue, by default the one that the environment names.

    Database and index are opened when it starts. It does not start if one of them is of a newer release or cannot be
    read; the error says what to do.
    """
    settings, served = catalogue or CatalogueSettings(), serving or ApiSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = _open_services(settings, served)
        try:
            yield
        finally:
            _close_services(app.state.services)

    app = FastAPI(
        title="nxcat",
        summary="Search the metadata of HDF5/NeXus master files.",
        description=DESCRIPTION,
        version=version("nxcat"),
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        openapi_url=None,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=to_answers(),
        lifespan=lifespan,
    )
    app.state.metrics = Metrics()
    app.state.path_templates = {}
    _add_middleware(app, served)
    for resource in RESOURCES:
        app.include_router(resource, prefix=API_PREFIX)
    for door in DOORS:
        app.include_router(door)
    app.mount("/static", StaticFiles(packages=[("api", "static")]), name="static")
    add_documentation(app)
    return app


def _add_middleware(app: FastAPI, serving: ApiSettings) -> None:
    """Leave the application with what every request passes on its way to the routes: the last one is the outermost."""
    app.add_middleware(NotedRoute, prefix=API_PREFIX)
    app.add_middleware(BodyLimit)
    app.add_middleware(ConditionalRequests)
    app.add_middleware(UnforeseenErrors)
    app.add_middleware(HeadRequests)
    if origins := serving.list_allowed_origins():
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=READ_AND_ORDER,
            allow_headers=ASKED_ACROSS,
            expose_headers=SHOWN_ACROSS,
        )
    app.add_middleware(ResponseHeaders)
    app.add_middleware(MeasuredRequests, metrics=app.state.metrics)


def _open_services(catalogue: CatalogueSettings, serving: ApiSettings) -> Services:
    engine = make_engine(catalogue.effective_database_url)
    upgrade_schema(engine)
    write_sessions = make_write_sessions(engine)
    with write_sessions.begin() as session:
        ensure_link_key(session, utc_now())
    return Services(
        engine=engine,
        read_sessions=make_read_sessions(engine),
        write_sessions=write_sessions,
        index=open_index(catalogue),
        settings=serving,
        withheld=to_withheld(catalogue),
        workers=_prepare_workers(catalogue),
    )


def _prepare_workers(catalogue: CatalogueSettings) -> Workers:
    workers = Workers(catalogue.queue_url)
    workers.prepare()
    return workers


def _close_services(services: Services) -> None:
    services.workers.close()
    services.index.close()
    services.engine.dispose()
