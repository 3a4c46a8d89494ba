"""The application: `uvicorn api.app:create_app --factory`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from api.dependencies import Services
from api.documentation import DESCRIPTION, OPENAPI_PATH, TAGS, add_documentation
from api.errors import add_error_answers
from api.headers import ResponseHeaders
from api.routes import datasets, health, search
from api.settings import ApiSettings
from ingest.catalogue.database import make_engine, make_read_sessions
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.settings import CatalogueSettings

API_PREFIX = "/api/v1"


def create_app(settings: ApiSettings | None = None, catalogue: CatalogueSettings | None = None) -> FastAPI:
    """Return the application, its database and index to be opened when it starts; settings come from the environment.

    It does not start if the database or the index is of a newer release or cannot be read; the error says what to do.
    """
    settings = settings or ApiSettings()
    catalogue = catalogue or CatalogueSettings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = _open_services(catalogue)
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
        root_path=settings.root_path,
        lifespan=lifespan,
    )
    app.add_middleware(ResponseHeaders)
    add_error_answers(app)
    app.include_router(search.router, prefix=API_PREFIX)
    app.include_router(datasets.router, prefix=API_PREFIX)
    app.include_router(health.router)
    add_documentation(app)
    return app


def _open_services(catalogue: CatalogueSettings) -> Services:
    engine = make_engine(catalogue.effective_database_url)
    upgrade_schema(engine)
    return Services(engine, make_read_sessions(engine), EmbeddedIndex(catalogue.index_folder))


def _close_services(services: Services) -> None:
    services.index.close()
    services.engine.dispose()
