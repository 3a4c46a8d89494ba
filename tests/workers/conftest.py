"""A catalogue as a facility has it: PostgreSQL, Redis, and real workers, started by the command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import redis

from tests.pipeline.site import Site
from tests.workers.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.pipeline import Services


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str | None:
    is_sqlite = getattr(request, "param", "postgresql") == "sqlite"
    return None if is_sqlite else str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def broker(redis_server: str) -> Iterator[str]:
    """Yield the address of an empty database of Redis, which no other worker of this run uses."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    address = f"{redis_server}/{number}"
    with redis.Redis.from_url(address) as client:
        client.flushdb()
        yield address
        client.flushdb()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def site(services: Services, folder: Path) -> Site:
    site = Site(services, folder)
    site.open_root(release_policy="never")  # else the day of release is a revision, too
    return site


@pytest.fixture
def crew(site: Site, broker: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    monkeypatch.setenv("NXCAT_QUEUE_URL", broker)
    crew = Crew(site, broker, tmp_path / "tmp")
    yield crew
    crew.end()
