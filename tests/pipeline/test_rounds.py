"""Whose turn it is to be crawled, and that one worker at a time does it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from ingest.catalogue.locks import Lock, hold_if_free
from ingest.catalogue.model import MasterFile, Root
from ingest.catalogue.model.base import utc_now
from ingest.crawl import RootGoneError
from ingest.rounds import crawl_and_note, crawl_next
from tests.pipeline.site import Site
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.pipeline import Services

pytestmark = on_both_databases
EVERY = timedelta(hours=1)


@pytest.fixture
def sites(services: Services, tmp_path: Path) -> list[Site]:
    made = [Site(services, tmp_path / name) for name in ("a", "b")]
    for site in made:
        site.write(f"{site.folder.name}.h5")
        site.open_root()
    return made


def say_crawled(site: Site, hours_ago: float) -> None:
    with site.services.write_sessions.begin() as session:
        of_site = update(Root).where(Root.path == str(site.folder))
        session.execute(of_site.values(crawled_at=utc_now() - timedelta(hours=hours_ago)))


def crawl_some(site: Site) -> list[str]:
    """Have the next root crawled, and return which masters are known by then."""
    report = crawl_next(site.services, EVERY)
    with site.reads() as session:
        known = session.scalars(select(MasterFile.path).order_by(MasterFile.path)).all()
    return [path.rpartition("/")[2] for path in known] if report else []


def test_the_root_that_waited_longest_is_next_and_then_it_waits(sites: list[Site]) -> None:
    first, second = sites
    say_crawled(first, hours_ago=2)
    assert crawl_some(first) == ["b.h5"]  # never crawled
    assert crawl_some(first) == ["a.h5", "b.h5"]
    assert crawl_next(first.services, EVERY) is None
    say_crawled(first, hours_ago=3)
    say_crawled(second, hours_ago=2)
    first.write("new.h5")
    assert "new.h5" in crawl_some(first)


def test_a_root_that_somebody_crawls_is_passed_over(sites: list[Site]) -> None:
    first, second = sites
    root = first.open_root()
    with hold_if_free(first.services.write_sessions, Lock.CRAWL, str(root.id)) as is_mine:
        assert is_mine
        assert crawl_some(second) == ["b.h5"]
        assert crawl_next(second.services, EVERY) is None
    assert crawl_some(second) == ["a.h5", "b.h5"]


def test_a_root_that_cannot_be_crawled_holds_nobody_up(sites: list[Site], caplog: pytest.LogCaptureFixture) -> None:
    first, second = sites
    crawl_and_note(first.services, first.open_root())
    say_crawled(first, hours_ago=2)
    say_crawled(second, hours_ago=1.5)
    first.folder.rename(first.folder.with_name("elsewhere"))
    assert crawl_some(second) == ["a.h5", "b.h5"]
    assert "is it mounted?" in caplog.text
    assert crawl_next(second.services, EVERY) is None
    with first.reads() as session:
        root = session.scalars(select(Root).where(Root.path == str(first.folder))).one()
    assert root.crawled_at is not None
    assert root.crawled_at < utc_now() - EVERY
    with pytest.raises(RootGoneError):
        crawl_and_note(first.services, root)


def test_a_lock_is_free_when_it_was_let_go_and_others_are_not_in_its_way(sites: list[Site]) -> None:
    sessions = sites[0].services.write_sessions
    with hold_if_free(sessions, Lock.INDEX) as first, hold_if_free(sessions, Lock.INDEX) as second:
        assert (first, second) == (True, False)
        with hold_if_free(sessions, Lock.CRAWL, "1") as one, hold_if_free(sessions, Lock.CRAWL, "2") as two:
            assert (one, two) == (True, True)
    with pytest.raises(KeyError), hold_if_free(sessions, Lock.INDEX):
        raise KeyError
    with hold_if_free(sessions, Lock.INDEX) as third:
        assert third
