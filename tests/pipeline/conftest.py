"""What the tests of the pipeline share: a root in a temporary folder, with an empty catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.site import Site, staying_reader

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.pipeline import Services


@pytest.fixture
def site(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    folder = tmp_path / "root"
    folder.mkdir()
    monkeypatch.setattr("ingest.drain.make_reader", staying_reader.take)
    return Site(services, folder)
