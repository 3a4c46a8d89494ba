"""The application: `uvicorn api.app:create_app --factory`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from api.dependencies import Services
from api.documentation import DESCRIPTION, OPENAPI_PATH, TAGS, add_documentation
from api.errors import to_answers
from api.headers import ResponseHeaders
from api.routes import datasets, health, search
from ingest.catalogue.database import make_engine, make_read_sessions
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.settings import CatalogueSettings

API_PREFIX = "/api/v1"


def create_app(catalogue: CatalogueSettings | None = None) -> FastAPI:
    """Return the application over the catalogue, by default the one that the environment names.

    Database and index are opened when it starts. It does not start if one of them is of a newer release or cannot be
    read; the error says what to do.
    """
    settings = catalogue or CatalogueSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = _open_services(settings)
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
    app.include_router(search.router, prefix=API_PREFIX)
    app.include_router(datasets.router, prefix=API_PREFIX)
    app.include_router(health.router)
    add_documentation(app)
    return app


def _open_services(settings: CatalogueSettings) -> Services:
    engine = make_engine(settings.effective_database_url)
    upgrade_schema(engine)
    return Services(engine, make_read_sessions(engine), EmbeddedIndex(settings.index_folder))


def _close_services(services: Services) -> None:
    services.index.close()
    services.engine.dispose()
