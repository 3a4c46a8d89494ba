"""`nxcat reindex` killed at any moment, beside searches, crawls and the service: nothing is lost or seen half."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
from sqlalchemy import insert

from ingest.catalogue.database import make_engine, make_write_sessions
from ingest.catalogue.model import Dataset, Facility, Investigation, MasterFile, MasterState, Root, Scan
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search import SearchRequest, VisibilityFilter
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.search.embedded_folder import find_generation
from tests.robustness.processes import finish, write_masters
from tests.robustness.test_serving_beside_crawls import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from tests.robustness.processes import Catalogue

DATASETS = 3000
KILLS = 6
SMALL_BATCHES = """
import sys
from ingest import reindexing
reindexing.COMMIT_BATCH = 150
from ingest.cli import main
sys.argv = ["nxcat", "reindex"]
main()
"""
"""A rebuild of few datasets that commits as often as one of many: so there is something to go on with."""
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def write_datasets(catalogue: Catalogue, count: int) -> None:
    """Write that many datasets without files; none of them is indexed."""
    catalogue.folder.mkdir(parents=True, exist_ok=True)
    engine = make_engine(f"sqlite:///{catalogue.folder / 'catalogue.sqlite'}")
    upgrade_schema(engine)
    with make_write_sessions(engine).begin() as session:
        _write_rows(session, range(1, count + 1))
    engine.dispose()


def _write_rows(session: Session, ids: range) -> None:
    session.add_all([Facility(id=1, name="local"), Investigation(id=1, facility_id=1, name="hc1", visit_id="1")])
    session.flush()
    session.add(Root(id=1, path="/data", facility_id=1))
    session.flush()
    master = {"root_id": 1, "state": MasterState.INGESTED, "file_size": 1, "mtime_ns": 1, "seen_at": PAST}
    session.execute(insert(MasterFile), [master | {"id": number, "path": f"/data/{number}.h5"} for number in ids])
    dataset = {"investigation_id": 1, "location": "/data", "is_complete": True, "release_date": PAST, "rules": "nexus"}
    dataset |= {"rules_version": "1", "content_digest": "", "listing_digest": ""}
    rows = [dataset | {"id": number, "master_file_id": number, "name": f"set_{number}"} for number in ids]
    session.execute(insert(Dataset), rows)
    scan = {"ordinal": 0, "entry_name": "/1.1", "is_ended": True}
    session.execute(insert(Scan), [scan | {"dataset_id": number, "title": f"loop {number}"} for number in ids])


def start_small_batches(catalogue: Catalogue) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_BATCHES],
        env=catalogue.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=catalogue.folder.parent,
    )


def count_filled(catalogue: Catalogue) -> int:
    """Return how many entries the unfinished index has."""
    generation = find_generation(catalogue.folder / "index", "rebuilding")
    if generation is None or not (generation / "meta.json").exists():
        return 0
    segments = json.loads((generation / "meta.json").read_text())["segments"]
    return sum(int(segment["max_doc"]) for segment in segments)


def wait_for_a_moment(catalogue: Catalogue, process: subprocess.Popen[str], moment: random.Random, kill: int) -> None:
    """Wait for any moment, for one while it fills, or for one when all is filled and the places are changed."""
    wanted = (0, count_filled(catalogue) + moment.randrange(1, DATASETS // 3), DATASETS)[kill % 3]
    while process.poll() is None and count_filled(catalogue) < wanted:
        time.sleep(0.001)
    time.sleep(moment.uniform(0, (3, 0.01, 0.2)[kill % 3]))


@contextmanager
def searching(catalogue: Catalogue, totals: list[int]) -> Iterator[None]:
    """Search all the time, in this process; keep each total, and the first error as -1."""
    is_over = threading.Event()
    index = EmbeddedIndex(catalogue.folder / "index")
    request = SearchRequest(VisibilityFilter(sees_all=True, now=PAST))

    def search() -> None:
        try:
            while not is_over.is_set():
                totals.append(index.search(request).total)
        except Exception:
            totals.append(-1)
            raise
        finally:
            index.close()

    thread = threading.Thread(target=search)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_a_killed_reindex_is_gone_on_with_and_nobody_notices(catalogue: Catalogue) -> None:
    moment = random.Random(0)  # noqa: S311 - no secret, the same choices each time
    write_datasets(catalogue, DATASETS)
    catalogue.run("reindex")
    totals: list[int] = []
    filled = []
    with searching(catalogue, totals):
        for kill in range(KILLS):
            process = start_small_batches(catalogue)
            wait_for_a_moment(catalogue, process, moment, kill)
            process.kill()
            process.communicate()
            filled.append(count_filled(catalogue))
        before = count_filled(catalogue)
        printed = catalogue.run("reindex")
    if before:
        assert f"{before:,} of them before it was interrupted" in printed
    assert any(filled), "no moment was while it filled"
    assert set(totals) == {DATASETS}
    assert len(totals) > 100
    assert "all its 3,000 datasets" in catalogue.run("verify")
    assert catalogue.ask("SELECT count(*) FROM dataset WHERE indexed_revision <> revision") == [(0,)]
    assert len(list((catalogue.folder / "index").glob("generation-*"))) == 1


def test_reindexing_again_and_again_is_not_seen_through_the_service(catalogue: Catalogue) -> None:
    write_datasets(catalogue, DATASETS)
    catalogue.run("reindex")
    answers: list[tuple[int, int | None]] = []
    is_over = threading.Event()
    with serving(catalogue) as (address, _):

        def ask() -> None:
            with httpx2.Client(base_url=address, timeout=60) as client:
                while not is_over.is_set():
                    answer = client.get("/api/v1/datasets?limit=1&facets=facility")
                    answers.append((answer.status_code, answer.json().get("total")))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                catalogue.run("reindex")
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
    assert set(answers) == {(200, DATASETS)}
    assert len(answers) > 20


def test_a_crawl_beside_a_reindex_loses_nothing(catalogue: Catalogue, root: Path) -> None:
    """Datasets come while the index is rebuilt, again and again; all are found, and no proof sees a difference."""
    masters = 120
    write_masters(root, masters)
    crawl = catalogue.start("crawl", root)
    rebuilt = 0
    while crawl.poll() is None or not rebuilt:
        finish(start_small_batches(catalogue))
        rebuilt += 1
    finish(crawl)
    catalogue.run("crawl", root)
    catalogue.assert_whole(masters)
    assert f"all its {masters} datasets" in catalogue.run("verify")


def test_two_at_once_one_is_refused(catalogue: Catalogue) -> None:
    write_datasets(catalogue, DATASETS)
    processes = [start_small_batches(catalogue) for _ in range(2)]
    complaints = sorted(process.communicate()[1] for process in processes)
    assert complaints[0] == ""
    assert "another process is rebuilding the index" in complaints[1]
    assert sorted(process.returncode for process in processes) == [0, 1]
    assert "all its 3,000 datasets" in catalogue.run("verify")
