"""The index under test, one fixture for every implementation: a new one adds its name to `BACKENDS` and a branch.

`make_index` makes new ones, `begin_rebuild` begins or goes on with a rebuild of the one under test.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.search import DatasetIndex, IndexRebuild, VisibilityFilter
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.catalogue.search.elastic_rebuild import ElasticRebuild
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.search.embedded_rebuild import EmbeddedRebuild

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BACKENDS = ["embedded", "elasticsearch"]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
def make_index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], DatasetIndex]]:
    """Return what makes a new, empty index."""
    numbers, opened = count(), list[DatasetIndex]()

    def make() -> DatasetIndex:
        if request.param == "embedded":
            opened.append(EmbeddedIndex(tmp_path / f"index-{next(numbers)}"))
        else:
            url, alias = request.getfixturevalue("elasticsearch_server"), request.getfixturevalue("elastic_alias")
            opened.append(ElasticIndex(url, f"{alias}-{next(numbers)}"))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


@pytest.fixture(params=["energy", "InstrumentBeam_incident_energy"])
def number_name(request: pytest.FixtureRequest) -> str:
    """Return the name of a numeric parameter: one that the vocabulary has not, and one that it has.

    An index may hold the two apart.
    """
    return str(request.param)


@pytest.fixture
def index(make_index: Callable[[], DatasetIndex]) -> DatasetIndex:
    return make_index()


@pytest.fixture
def begin_rebuild(index: DatasetIndex, request: pytest.FixtureRequest) -> Iterator[Callable[[], IndexRebuild]]:
    """Return what begins a rebuild of the index, or goes on with one that was closed."""
    begun: list[IndexRebuild] = []

    def begin() -> IndexRebuild:
        if isinstance(index, EmbeddedIndex):
            begun.append(EmbeddedRebuild(index._folder))
        else:
            assert isinstance(index, ElasticIndex)
            begun.append(ElasticRebuild(request.getfixturevalue("elasticsearch_server"), index._alias))
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
