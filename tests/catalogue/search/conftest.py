"""The index under test, one fixture for every implementation: a new one adds its name to `BACKENDS` and a branch.

`make_index` makes new ones, `begin_rebuild` begins or goes on with a rebuild of the one under test.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.search import DatasetIndex, IndexRebuild, VisibilityFilter
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.search.embedded_rebuild import EmbeddedRebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BACKENDS = ["embedded"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
def make_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], DatasetIndex]]:
    """Return what makes a new, empty index."""
    assert request.param == "embedded"
    numbers, opened = count(), []

    def make() -> DatasetIndex:
        opened.append(EmbeddedIndex(tmp_path / f"index-{next(numbers)}"))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


@pytest.fixture
def index(make_index: Callable[[], DatasetIndex]) -> DatasetIndex:
    return make_index()


@pytest.fixture
def begin_rebuild(index: DatasetIndex) -> Iterator[Callable[[], IndexRebuild]]:
    """Return what begins a rebuild of the index, or goes on with one that was closed."""
    assert isinstance(index, EmbeddedIndex)
    folder, begun = index._folder, []

    def begin() -> IndexRebuild:
        begun.append(EmbeddedRebuild(folder))
        return begun[-1]

    yield begin
    for rebuild in begun:
        rebuild.close()


@pytest.fixture
def operator() -> VisibilityFilter:
    return VisibilityFilter(sees_all=True, now=NOW)


@pytest.fixture
def anonymous() -> VisibilityFilter:
    return VisibilityFilter(sees_all=False, now=NOW)
