"""Since when a dataset might have been found, when it could be, and whose its master is before it is read."""

from __future__ import annotations

import os
from datetime import timedelta
from threading import Thread
from typing import TYPE_CHECKING

from ingest.catalogue.indexing import forget_indexed
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, claim_due_notices, record_notice
from ingest.noticing import settle_notices, settle_some
from tests.pipeline.site import VISIT
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.pipeline.site import Site


def tell(site: Site, path: Path, now: datetime, **said: str) -> None:
    with site.services.write_sessions.begin() as session:
        record_notice(session, ToldDataset(path=str(path), **said), "http", now)


def set_mtime(path: Path, when: datetime) -> None:
    os.utime(path, (when.timestamp(), when.timestamp()))


def test_told_of_later_than_it_changed_it_waits_since_then(site: Site) -> None:
    site.open_root()
    path, told_at = site.write(), utc_now() - timedelta(seconds=30)
    tell(site, path, told_at)
    site.drain()
    dataset = site.dataset(path)
    assert dataset.closed_at == told_at
    assert dataset.searchable_at is not None
    assert dataset.searchable_at > told_at


def test_changed_later_than_it_was_told_of_it_waits_since_then(site: Site) -> None:
    site.open_root()
    path, told_at = site.write(), utc_now() - timedelta(days=1)
    tell(site, path, told_at)
    site.drain()
    changed = utc_now() - timedelta(seconds=20)
    site.write(title="once more")
    set_mtime(path, changed)
    tell(site, path, utc_now(), dataset_name="once more")
    site.drain()
    dataset = site.dataset(path)
    assert dataset.closed_at is not None
    assert abs(dataset.closed_at - changed) < timedelta(milliseconds=1)


def test_what_lay_there_before_its_root_was_asked_for_waited_for_nobody(site: Site) -> None:
    path = site.write()
    site.crawl()
    dataset = site.dataset(path)
    assert dataset.closed_at is None
    assert dataset.searchable_at is not None


def test_found_by_a_crawl_it_waits_since_it_changed(site: Site) -> None:
    site.set(settle_seconds=0, quiet_seconds=0)
    site.open_root()
    path = site.write()
    changed = utc_now() + timedelta(milliseconds=1)
    set_mtime(path, changed)
    site.crawl()
    found = site.dataset(path).closed_at
    assert found is not None
    assert abs(found - changed) < timedelta(seconds=5)


def test_indexed_again_it_could_be_found_since_the_first_time(site: Site) -> None:
    site.open_root()
    path = site.write()
    tell(site, path, utc_now())
    site.drain()
    before = site.dataset(path)
    with site.services.write_sessions.begin() as session:
        forget_indexed(session)
    site.drain()
    after = site.dataset(path)
    assert after.indexed_revision == after.revision
    assert (after.closed_at, after.searchable_at) == (before.closed_at, before.searchable_at)


def test_instrument_of_a_master_is_known_by_its_place_before_it_is_read(site: Site) -> None:
    path = site.write_folder()
    site.walk()
    assert VISIT.split("/")[2] == site.master(path).instrument == "id00"
    assert site.find_dataset(path) is None


def test_instrument_of_a_master_is_known_by_its_notice(site: Site) -> None:
    site.open_root()
    plain, placed = site.write(), site.write_folder()
    for path in (plain, placed):
        tell(site, path, utc_now(), instrument="id19")
    settle_notices(site.services, utc_now())
    assert (site.master(plain).instrument, site.master(placed).instrument) == ("id19", "id00")


@on_both_databases
def test_what_was_told_again_while_it_was_looked_for_is_known_to_whoever_reads_it(site: Site) -> None:
    site.open_root(release_policy="never")  # else the day of release is a revision, too
    path = site.write("a/a.h5")

    def tell_again() -> None:
        tell(site, path.parent, utc_now(), dataset_name="told")

    tell_again()
    with site.listing(path.parent, tell_again):
        assert settle_some(site.services, utc_now()) == 1
    assert site.drain_at(utc_now()) == ["a.h5"]
    assert site.drain() == ["a.h5"]
    dataset = site.dataset(path)
    assert (dataset.name, dataset.revision) == ("told", 1)


@on_both_databases
def test_two_workers_take_different_notices(site: Site) -> None:
    site.open_root()
    now = utc_now()
    for number in range(6):
        tell(site, site.folder / f"{number}.h5", now)
    taken: list[list[int]] = []

    def take() -> None:
        with site.services.write_sessions.begin() as session:
            taken.append([notice.id for notice in claim_due_notices(session, utc_now(), 3)])

    with site.services.write_sessions.begin() as session:
        other = Thread(target=take)
        taken.append([notice.id for notice in claim_due_notices(session, utc_now(), 3)])
        other.start()
        if site.services.write_sessions.kw["bind"].dialect.name == "postgresql":
            other.join()  # it need not wait
    other.join()
    assert sorted(taken[0] + taken[1]) == sorted(set(taken[0] + taken[1]))
    assert len(taken[0] + taken[1]) == 6
