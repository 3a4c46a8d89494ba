"""What every room's tests share: an embedded catalogue in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.pipeline import Services


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a new data folder in the environment, for this process and for those it starts."""
    folder = tmp_path / "data"
    monkeypatch.setenv("NXCAT_DATA", str(folder))
    return folder


@pytest.fixture
def services(data_folder: Path) -> Iterator[Services]:
    """Open an empty embedded catalogue."""
    assert not data_folder.exists()
    with open_services() as opened:
        yield opened
