"""A real catalogue behind the real application: SQLite and tantivy in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from tests.entities import Catalogue, opened_copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI


@pytest.fixture
def catalogue(migrated: Path, tmp_path: Path, database: str | None) -> Iterator[Catalogue]:
    with opened_copy(migrated, tmp_path / "data", database) as opened:
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
