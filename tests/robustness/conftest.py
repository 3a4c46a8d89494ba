"""What the tests with real processes share: a catalogue that does not exist yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.robustness.processes import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def catalogue(tmp_path: Path, database: str | None) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path / "data", database)
    yield catalogue
    catalogue.assert_no_process_is_left()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder
