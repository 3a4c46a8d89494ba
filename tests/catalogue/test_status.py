"""The catalogue in figures, and whether it answers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from ingest.catalogue import status as catalogue_status
from ingest.catalogue.model import MasterFile, MasterState, Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.status import Readiness, check_readiness, get_status, list_quarantined
from tests.entities import PAST, add_dataset, to_master
from tests.servers import on_both_databases

if TYPE_CHECKING:
    import pytest
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue


def fill(session: Session) -> None:
    add_dataset(session, "zinnia", is_secret=True)
    add_dataset(session, "daisy", indexed_revision=1)
    root_id = session.scalars(select(Root.id)).first()
    assert root_id is not None
    for n, reason in enumerate(["not HDF5: html", "truncated: 1 of 2 bytes", "not HDF5: html"]):
        session.add(to_master(root_id, f"/data/bad{n}.h5", state=MasterState.QUARANTINED, reason=reason, failures=1))
    session.add(to_master(root_id, "/data/new.h5", state=MasterState.SETTLING, next_attempt_at=PAST))
    session.flush()


def test_status_counts_everything_whoever_may_see_it(session: Session) -> None:
    fill(session)
    status = get_status(session, utc_now())
    assert (status.dataset_count, status.unindexed_count, status.waiting_count) == (2, 1, 1)
    assert status.masters == {"ingested": 2, "quarantined": 3, "settling": 1}
    assert status.is_estimated is False
    assert list(status.quarantine.items()) == [("not HDF5: html", 2), ("truncated: 1 of 2 bytes", 1)]
    assert [(root.facility, root.release_policy, root.release_years) for root in status.roots] == [
        ("daisy facility", "years", 3),
        ("zinnia facility", "years", 3),
    ]


@on_both_databases
def test_what_is_many_is_estimated_where_counting_is_dear(
    session: Session, database: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(session)
    session.commit()
    monkeypatch.setattr(catalogue_status, "COUNTED", 2)
    status = get_status(session, utc_now())
    assert status.is_estimated is (database is not None)
    if database is None:
        assert (status.dataset_count, status.masters["quarantined"]) == (2, 3)
    else:
        session.execute(text("ANALYZE dataset, master_file"))
        status = get_status(session, utc_now())
        assert (status.dataset_count, status.masters) == (2, {"ingested": 2, "quarantined": 3, "settling": 1})


def test_status_of_an_empty_catalogue(session: Session) -> None:
    status = get_status(session, utc_now())
    assert (status.dataset_count, status.unindexed_count, status.waiting_count) == (0, 0, 0)
    assert (status.masters, status.quarantine, status.roots) == ({}, {}, ())


def test_quarantine_is_listed_in_pages(session: Session) -> None:
    fill(session)
    session.add(MasterFile(root_id=1, path="/data/odd.h5", state="quarantined", file_size=1, mtime_ns=1, seen_at=PAST))
    session.flush()
    cursor, paths = None, []
    while True:
        page = list_quarantined(session, PageRequest(limit=3, cursor=cursor))
        paths += [master.path for master in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert paths == ["/data/bad0.h5", "/data/bad1.h5", "/data/bad2.h5", "/data/odd.h5"]


def test_readiness_names_what_does_not_answer(catalogue: Catalogue) -> None:
    index = EmbeddedIndex(catalogue.settings.index_folder)
    assert check_readiness(catalogue.engine, index) == Readiness(database=True, schema=True, index=True)
    shutil.rmtree(catalogue.settings.index_folder)
    found = check_readiness(catalogue.engine, index)
    assert (found, found.is_ready) == (Readiness(database=True, schema=True, index=False), False)
    index.close()
