"""A real catalogue behind the real application: SQLite and tantivy in a temporary folder."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.database import make_engine, make_write_sessions
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.settings import CatalogueSettings
from tests.entities import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with an empty database, to be copied: migrations take longer than all the rest."""
    folder = tmp_path_factory.mktemp("migrated")
    engine = make_engine(CatalogueSettings(data=folder, database_url=None).effective_database_url)
    upgrade_schema(engine)
    engine.dispose()
    return folder


@contextmanager
def opened_copy(migrated: Path, folder: Path) -> Iterator[Catalogue]:
    """Yield an empty catalogue in the folder."""
    shutil.copytree(migrated, folder)
    settings = CatalogueSettings(data=folder, database_url=None)
    engine = make_engine(settings.effective_database_url)
    yield Catalogue(settings, engine, make_write_sessions(engine))
    engine.dispose()


@pytest.fixture
def catalogue(migrated: Path, tmp_path: Path) -> Iterator[Catalogue]:
    with opened_copy(migrated, tmp_path / "data") as opened:
        yield opened


@pytest.fixture(scope="module")
def module_catalogue(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """Open a catalogue for all tests of a module: filled once, and then left as it is."""
    with opened_copy(migrated, tmp_path_factory.mktemp("module") / "data") as opened:
        yield opened


@pytest.fixture
def app(catalogue: Catalogue) -> FastAPI:
    return create_app(catalogue.settings)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Start the application; errors that nobody foresaw are answered, as a server does."""
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started
