"""The application: `uvicorn api.app:create_app --factory`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.dependencies import Services
from api.documentation import DESCRIPTION, OPENAPI_PATH, TAGS, add_documentation
from api.errors import to_answers
from api.headers import ResponseHeaders
from api.routes import (
    acquisition,
    datasets,
    downloads,
    health,
    instruments,
    investigations,
    landing,
    notices,
    operations,
    pages,
    parameter_types,
    samples,
    search,
    techniques,
)
from api.settings import ApiSettings
from ingest.catalogue.database import make_engine, make_read_sessions, make_write_sessions
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.settings import CatalogueSettings

API_PREFIX = "/api/v1"
RESOURCES = (
    search.router,
    datasets.router,
    downloads.links_router,
    investigations.router,
    samples.router,
    instruments.router,
    techniques.router,
    parameter_types.router,
    operations.router,
    notices.router,
)


def create_app(catalogue: CatalogueSettings | None = None, serving: ApiSettings | None = None) -> FastAPI:
    """Return the application over the catalogue, by default the one that the environment names.

    Database and index are opened when it starts. It does not start if one of them is of a newer release or cannot be
    read; the error says what to do.
    """
    settings = catalogue or CatalogueSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = _open_services(settings, serving or ApiSettings())
        try:
            yield
        finally:
            _close_services(app.state.services)

    app = FastAPI(
        title="nxcat",
        summary="Search the metadata of HDF5/NeXus master files.",
        description=DESCRIPTION,
        version=version("nxcat"),
        openapi_url=OPENAPI_PATH,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=to_answers(),
        lifespan=lifespan,
    )
    app.add_middleware(ResponseHeaders)
    for resource in RESOURCES:
        app.include_router(resource, prefix=API_PREFIX)
    for door in (downloads.files_router, landing.router, acquisition.router, health.router, pages.router):
        app.include_router(door)
    app.mount("/static", StaticFiles(packages=[("api", "static")]), name="static")
    add_documentation(app)
    return app


def _open_services(catalogue: CatalogueSettings, serving: ApiSettings) -> Services:
    engine = make_engine(catalogue.effective_database_url)
    upgrade_schema(engine)
    return Services(
        engine=engine,
        read_sessions=make_read_sessions(engine),
        write_sessions=make_write_sessions(engine),
        index=EmbeddedIndex(catalogue.index_folder),
        settings=serving,
    )


def _close_services(services: Services) -> None:
    services.index.close()
    services.engine.dispose()
