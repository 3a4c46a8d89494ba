"""One sample tree, written once for all tests of this folder: they only read it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from ingest.samples.tree import write_samples

if TYPE_CHECKING:
    from ingest.samples.expected import SampleSet

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SampleSet:
    return write_samples(tmp_path_factory.mktemp("facility"), TODAY)
