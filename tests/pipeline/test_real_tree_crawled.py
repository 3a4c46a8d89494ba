"""A real BLISS tree, where it lies beside the checkout: four datasets, and what became of their scans."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from ingest.catalogue.model import Dataset, Investigation, InvestigationFile, MasterFile, MasterState, Scan
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import crawl_root
from ingest.drain import drain

if TYPE_CHECKING:
    from ingest.pipeline import Services

TREE = Path(__file__).parents[2].parent / "shared" / "corpus" / "esrf-bliss" / "visitor"
LONG_AGO = 1_600_000_000

pytestmark = pytest.mark.needs("corpus")


@pytest.fixture
def crawled(services: Services, tmp_path: Path) -> Services:
    """Crawl a copy of the tree whose files stood still for long."""
    root = tmp_path / "visitor"
    shutil.copytree(TREE, root)
    for path in root.rglob("*.h5"):
        path.chmod(0o644)
        os.utime(path, (LONG_AGO, LONG_AGO))
    with services.write_sessions.begin() as session:
        made, _ = upsert_root(session, root, RootSettings())
    crawl_root(services, made, utc_now())
    drain(services)
    return services


def test_four_datasets_in_one_visit_and_collections_are_none(crawled: Services) -> None:
    with crawled.read_sessions() as session:
        names = session.scalars(select(Dataset.name).order_by(Dataset.name)).all()
        visits = session.execute(select(Investigation.name, Investigation.visit_id)).all()
        kinds = session.scalars(select(InvestigationFile.kind)).all()
    assert names == ["LaB6_cap_0001", "LaB6_cap_0002_cam", "LaB6_cap_0003_abort", "LaB6_cap_0004_crash"]
    assert [tuple(visit) for visit in visits] == [("hc6001", "20261101")]
    assert kinds == ["hdf5-collection", "hdf5-collection"]


def test_scans_are_told_as_what_they_are(crawled: Services) -> None:
    with crawled.read_sessions() as session:
        statement = select(Dataset.name, Scan.entry_name, Scan.end_reason, Scan.is_ended).join(
            Scan, Scan.dataset_id == Dataset.id
        )
        scans = [tuple(row) for row in session.execute(statement.order_by(Dataset.name, Scan.ordinal))]
    aborted = [row[1:] for row in scans if row[0] == "LaB6_cap_0003_abort"]
    crashed = [row[1:] for row in scans if row[0] == "LaB6_cap_0004_crash"]
    assert aborted == [("/1.1", "SUCCESS", True), ("/2.1", "USER_ABORT", True), ("/3.1", "FAILURE", True)]
    assert crashed == [("/1.1", "SUCCESS", True), ("/2.1", None, False)]
    assert len(scans) == 10


def test_the_crashed_one_is_incomplete_and_says_why(crawled: Services) -> None:
    with crawled.read_sessions() as session:
        statement = select(MasterFile.path, MasterFile.state, MasterFile.reason, Dataset.is_complete).join(
            Dataset, Dataset.master_file_id == MasterFile.id
        )
        rows = {Path(row.path).stem: tuple(row)[1:] for row in session.execute(statement)}
    state, reason, is_complete = rows.pop("LaB6_cap_0004_crash")
    assert (state, is_complete) == (MasterState.INCOMPLETE, False)
    assert reason == "its writer never closed it; a scan has no end"
    assert set(rows.values()) == {(MasterState.INGESTED, None, True)}
