"""What waits and for how long, in figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from ingest.catalogue import backlog
from ingest.catalogue.backlog import get_backlog
from ingest.catalogue.model import Dataset, MasterState, NoticeState, Root
from ingest.catalogue.notices import ToldDataset, claim_due_notices, mark_waiting, record_notice
from ingest.catalogue.views import LagView, WaitingView
from tests.entities import add_dataset, to_master
from tests.servers import on_both_databases

if TYPE_CHECKING:
    import pytest
    from sqlalchemy.orm import Session

pytestmark = on_both_databases
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOTHING = LagView(count=0, median_seconds=None, p95_seconds=None)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def get_root(session: Session) -> Root:
    add_dataset(session, "zinnia", revision=3, indexed_revision=3)
    return session.scalars(select(Root)).one()


def test_masters_wait_by_state_and_instrument(session: Session) -> None:
    root = get_root(session)
    rows = {
        "a": {"instrument": "id11", "next_attempt_at": ago(5)},
        "b": {"instrument": "id11", "next_attempt_at": ago(50), "claimed_at": ago(1), "claimed_by": "h:1:1"},
        "c": {"instrument": "id11", "next_attempt_at": ago(-50)},
        "d": {"instrument": "id15a", "next_attempt_at": ago(20)},
        "e": {"next_attempt_at": ago(-5), "state": MasterState.SETTLING},
        "f": {"state": MasterState.QUARANTINED, "reason": "truncated"},
    }
    for name, row in rows.items():
        session.add(to_master(root.id, f"/data/{name}.h5", **{"state": MasterState.READY, **row}))
    session.flush()
    found = get_backlog(session, NOW)
    assert found.waiting == (
        WaitingView(master_state="ready", instrument="id11", due=1, in_hand=1, later=1),
        WaitingView(master_state="ready", instrument="id15a", due=1, in_hand=0, later=0),
        WaitingView(master_state="settling", instrument=None, due=0, in_hand=0, later=1),
    )
    assert (found.quarantined_count, found.oldest_due_at) == (1, ago(20))


def test_notices_wait_by_state(session: Session) -> None:
    root = get_root(session)
    for name in ("a", "b", "c"):
        record_notice(session, ToldDataset(path=f"{root.path}/{name}.h5"), "http", ago(9))
    record_notice(session, ToldDataset(path="/elsewhere/d.h5"), "http", ago(99))
    (taken,) = claim_due_notices(session, ago(9), 1)
    mark_waiting(session, taken, "no master file is in it yet", NOW)
    found = get_backlog(session, NOW)
    assert found.notices == {NoticeState.ANNOUNCED: 2, NoticeState.WAITING: 1}
    assert found.oldest_due_at == ago(9)


def test_index_lags_by_revisions(session: Session) -> None:
    get_root(session)
    assert get_backlog(session, NOW).oldest_unindexed_at is None
    add_dataset(session, "daisy", revision=5, indexed_revision=2, modified_at=ago(30))
    add_dataset(session, "tulip", revision=1, indexed_revision=0, modified_at=ago(60))
    found = get_backlog(session, NOW)
    assert (found.unindexed_count, found.revisions_behind, found.oldest_unindexed_at) == (2, 4, ago(60))


def test_time_from_closed_to_found_is_that_of_the_last_hour(session: Session) -> None:
    root = get_root(session)
    assert get_backlog(session, NOW).searchable == NOTHING
    dataset = session.scalars(select(Dataset)).one()
    dataset.closed_at, dataset.searchable_at = ago(3610), ago(3601)
    add_dataset(session, "old", closed_at=None, searchable_at=ago(1))
    assert get_backlog(session, NOW).searchable == NOTHING
    for number in range(1, 22):
        add_dataset(session, f"new{number}", closed_at=ago(100 + number), searchable_at=ago(100))
    found = get_backlog(session, NOW).searchable
    assert root.id
    assert (found.count, found.median_seconds, found.p95_seconds) == (21, 11.0, 20.0)


def test_one_dataset_is_its_own_median(session: Session) -> None:
    add_dataset(session, "zinnia", closed_at=ago(14), searchable_at=ago(10))
    assert get_backlog(session, NOW).searchable == LagView(count=1, median_seconds=4.0, p95_seconds=4.0)


def test_no_more_is_counted_than_matters(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    root = get_root(session)
    for number in range(5):
        add_dataset(session, f"w{number}", revision=2, indexed_revision=1)
        session.add(to_master(root.id, f"/data/q{number}.h5", state=MasterState.QUARANTINED))
        session.add(to_master(root.id, f"/data/r{number}.h5", state=MasterState.READY, next_attempt_at=ago(1)))
    session.flush()
    monkeypatch.setattr(backlog, "COUNTED", 3)
    found = get_backlog(session, NOW)
    assert (found.unindexed_count, found.quarantined_count, found.waiting[0].due) == (3, 3, 3)
