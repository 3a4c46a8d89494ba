"""The facility set-up of docker-compose.yml, running: one for the tests of a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from facility.setup import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from facility.setup import Facility


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder whose masters are catalogued."""
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def facility(root: Path) -> Iterator[Facility]:
    """Yield the facility with its broker; the folder is a root already, and all of it is open."""
    with running(root, profiles=frozenset({"broker"})) as started:
        started.run("crawl", str(root), "--facility", "ESRF", "--timezone", "Europe/Paris", "--release", "immediately")
        yield started
