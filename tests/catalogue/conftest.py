"""An embedded catalogue that tests fill with entities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.entities import Catalogue, opened_copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session


@pytest.fixture
def catalogue(migrated: Path, tmp_path: Path, database: str | None) -> Iterator[Catalogue]:
    with opened_copy(migrated, tmp_path / "data", database) as opened:
        yield opened


@pytest.fixture
def session(catalogue: Catalogue) -> Iterator[Session]:
    with catalogue.sessions() as opened:
        yield opened
