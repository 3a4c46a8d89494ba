"""When data open: by the root's policy, in calendar years, and never for longer than somebody said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from ingest.catalogue.model import Dataset, Investigation, MasterFile, ReleasePolicy, Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.releases import STAMP_HORIZON, stamp_releases, to_release_date
from ingest.catalogue.search import SearchRequest
from ingest.catalogue.visibility import (
    ANONYMOUS,
    OPERATOR,
    Viewer,
    may_find,
    may_open_files,
    to_index_filter,
    to_minute,
)
from tests.pipeline.site import OLD, Site
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

END = datetime(2023, 5, 9, 7, 31, tzinfo=UTC)
"""What the builder's masters say."""
OPENED = END.replace(year=2026)


def write(site: Site, name: str, ended: datetime, **fields: Any) -> Path:
    """Write a master of one visit that ended then."""
    started = ended - timedelta(minutes=1)
    return site.write(name, start_time=started.isoformat(), end_time=ended.isoformat(), **({"title": name} | fields))


def found(site: Site, viewer: Viewer, now: datetime | None = None) -> set[str]:
    """Return the names of the datasets that the viewer finds; index and database must agree."""
    now = now or utc_now()
    with site.reads() as session:
        stored = {row.id: row.name for row in session.scalars(select(Dataset).where(may_find(viewer, now)))}
    page = site.services.index.search(SearchRequest(visibility=to_index_filter(viewer, now)))
    assert {hit.id for hit in page.hits} == set(stored)
    return set(stored.values())


def opened(site: Site, now: datetime) -> set[str]:
    """Return the names of the datasets whose files anybody may open."""
    with site.reads() as session:
        return set(session.scalars(select(Dataset.name).where(may_open_files(ANONYMOUS, now))))


def settle(site: Site, now: datetime | None = None) -> None:
    """Carry release dates over until none is left to carry."""
    while True:
        with site.services.write_sessions.begin() as session:
            if not stamp_releases(session, now or utc_now()):
                return


# --- the calendar ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("end", "years", "date"),
    [
        ("2023-05-09T07:31:00+00:00", 3, "2026-05-09T07:31:00+00:00"),
        ("2024-02-29T12:00:00+00:00", 3, "2027-02-28T12:00:00+00:00"),
        ("2024-02-29T12:00:00+00:00", 4, "2028-02-29T12:00:00+00:00"),
        ("2023-12-31T23:30:00-05:00", 1, "2025-01-01T04:30:00+00:00"),
        ("2023-05-09T07:31:00+00:00", 0, "2023-05-09T07:31:00+00:00"),
        ("9998-05-09T07:31:00+00:00", 3, None),
    ],
)
def test_years_are_those_of_the_calendar(end: str, years: int, date: str | None) -> None:
    root = Root(release_policy=ReleasePolicy.AFTER_YEARS, release_years=years)
    expected = datetime.fromisoformat(date) if date else None
    assert to_release_date(root, datetime.fromisoformat(end)) == expected


@pytest.mark.parametrize("policy", [ReleasePolicy.NEVER, ReleasePolicy.IMMEDIATELY])
def test_other_policies_give_an_investigation_no_date(policy: ReleasePolicy) -> None:
    assert to_release_date(Root(release_policy=policy, release_years=3), END) is None


def test_no_end_is_no_date() -> None:
    assert to_release_date(Root(release_policy=ReleasePolicy.AFTER_YEARS, release_years=3), None) is None


# --- the policies ---------------------------------------------------------------------------------------------------


def test_an_old_visit_is_open_at_once(site: Site) -> None:
    path = site.write()
    site.crawl()
    dataset = site.dataset(path)
    assert (dataset.release_date, dataset.revision) == (OPENED, 2)
    assert found(site, ANONYMOUS) == {"a"}
    assert found(site, ANONYMOUS, OPENED - timedelta(seconds=1)) == set()
    assert opened(site, OPENED) == {"a"}


def test_a_young_visit_is_closed_and_not_touched_for_its_date(site: Site) -> None:
    path = write(site, "a.h5", utc_now() - timedelta(days=365))
    site.crawl()
    assert (site.dataset(path).release_date, site.dataset(path).revision) == (None, 1)
    assert site.investigation(path).release_date is not None
    assert (found(site, ANONYMOUS), found(site, OPERATOR)) == (set(), {"a"})


@on_both_databases
def test_a_date_is_carried_over_when_it_comes_near(site: Site) -> None:
    path = write(site, "a.h5", to_minute(utc_now()) - timedelta(days=365))
    site.crawl()
    date = site.investigation(path).release_date
    assert date is not None
    settle(site, date - STAMP_HORIZON - timedelta(seconds=1))
    assert site.dataset(path).release_date is None
    settle(site, date - STAMP_HORIZON)
    assert (site.dataset(path).release_date, site.dataset(path).revision) == (date, 2)
    site.crawl()
    assert found(site, ANONYMOUS, date - timedelta(seconds=1)) == set()
    assert found(site, ANONYMOUS, date) == {"a"}


def test_what_opens_is_found_before_a_minute_is_over(site: Site) -> None:
    path = write(site, "a.h5", END + timedelta(seconds=42))
    site.crawl()
    assert site.dataset(path).release_date == OPENED + timedelta(seconds=42)

    def is_found(seconds: int) -> bool:
        asked = to_index_filter(ANONYMOUS, OPENED + timedelta(seconds=seconds))
        return site.services.index.count(SearchRequest(asked)).total == 1

    assert [is_found(seconds) for seconds in (0, 42, 59, 60)] == [False, False, False, True]


def test_immediately_is_at_the_minute_of_the_datasets_own_end(site: Site) -> None:
    ends = {name: END + timedelta(days=day) for day, name in enumerate(("a", "b"))}
    paths = {name: write(site, f"{name}.h5", end + timedelta(seconds=42)) for name, end in ends.items()}
    paths["c"] = site.write("c.h5", title="c", without=("start_time", "end_time"))
    site.crawl(release_policy="immediately")
    assert {name: site.dataset(path).release_date for name, path in paths.items()} == ends | {"c": OLD}
    assert found(site, ANONYMOUS) == {"a", "b", "c"}
    assert found(site, ANONYMOUS, ends["a"] + timedelta(seconds=43)) == {"a"}


def test_never_is_never(site: Site) -> None:
    site.write()
    site.crawl(release_policy="never")
    assert found(site, ANONYMOUS, datetime(9999, 1, 1, tzinfo=UTC)) == set()


def test_no_known_end_stays_closed(site: Site) -> None:
    site.write(without=("start_time", "end_time"))
    site.crawl(release_years=0)
    assert found(site, ANONYMOUS, datetime(9999, 1, 1, tzinfo=UTC)) == set()
    assert found(site, OPERATOR) == {"a"}


def test_metadata_may_be_public_before_the_data(site: Site) -> None:
    site.write()
    site.crawl(release_policy="never", is_embargoed_metadata_public=True)
    assert found(site, ANONYMOUS) == {"a"}
    assert opened(site, utc_now()) == set()


def test_a_secret_root_hides_everything_from_everybody_else(site: Site) -> None:
    site.write()
    site.crawl(release_policy="immediately", is_embargoed_metadata_public=True, is_secret=True)
    assert (found(site, ANONYMOUS), found(site, OPERATOR)) == (set(), {"a"})
    assert opened(site, utc_now()) == set()
    site.crawl(is_secret=False)
    assert found(site, ANONYMOUS) == {"a"}


# --- what comes later -----------------------------------------------------------------------------------------------


def test_a_day_more_of_a_running_visit_does_not_touch_the_days_before(site: Site) -> None:
    today = utc_now() - timedelta(days=10)
    paths = [write(site, f"{number}.h5", today + timedelta(hours=number)) for number in range(3)]
    site.crawl()
    late = write(site, "late.h5", today + timedelta(days=1))
    site.crawl()
    assert [site.dataset(path).revision for path in (*paths, late)] == [1, 1, 1, 1]
    assert site.investigation(late).end_date == today + timedelta(days=1)


def test_a_late_dataset_of_a_visit_that_is_open_is_open(site: Site) -> None:
    first = write(site, "first.h5", END)
    site.crawl()
    late = write(site, "late.h5", END - timedelta(hours=1))
    site.crawl()
    assert site.dataset(late).release_date == OPENED
    assert site.dataset(first).revision == 2
    assert found(site, ANONYMOUS) == {"first", "late"}


@on_both_databases
def test_a_dataset_that_lengthens_its_visit_moves_the_date_but_closes_nothing_that_is_open(site: Site) -> None:
    """The visit goes on: what is open was seen by everybody, what is not waits for the new date."""
    first = write(site, "first.h5", END)
    site.crawl()
    late = write(site, "late.h5", utc_now() - timedelta(days=30))
    site.crawl()
    assert site.dataset(first).release_date == OPENED
    assert site.dataset(late).release_date is None
    assert found(site, ANONYMOUS) == {"first"}


def test_a_date_that_is_near_moves_with_the_end_of_its_visit(site: Site) -> None:
    now = utc_now()
    near = now.replace(year=now.year - 3, day=min(now.day, 28)) + timedelta(days=10)
    first = write(site, "first.h5", near)
    site.crawl()
    before = site.dataset(first).release_date
    assert before is not None
    assert before > now
    late = write(site, "late.h5", near + timedelta(days=5))
    site.crawl()
    dates = {site.dataset(path).release_date for path in (first, late)}
    assert dates == {site.investigation(first).release_date}
    assert dates != {before}


def test_a_dataset_that_changes_its_investigation_opens_with_the_new_one(site: Site) -> None:
    path = site.write("some/a.h5", title="a", without="experiment_identifier")
    write(site, "young/b.h5", utc_now() - timedelta(days=300), experiment_identifier="md5")
    site.crawl()
    assert site.dataset(path).release_date == OPENED
    site.write("some/a.h5", title="a", experiment_identifier="md5", aged=OLD + timedelta(days=1))
    site.crawl()
    assert site.investigation(path).name == "md5"
    assert site.dataset(path).release_date is None
    assert found(site, ANONYMOUS) == set()


# --- a changed word -------------------------------------------------------------------------------------------------


@on_both_databases
def test_a_changed_policy_holds_for_what_is_there(site: Site) -> None:
    site.write()
    site.crawl()
    assert found(site, ANONYMOUS) == {"a"}
    site.crawl(release_policy="never")
    assert found(site, ANONYMOUS) == set()
    site.crawl(release_policy="immediately")
    assert found(site, ANONYMOUS) == {"a"}
    assert found(site, ANONYMOUS, END) == {"a"}
    site.crawl(release_policy="years", release_years=200)
    assert found(site, ANONYMOUS) == set()
    site.crawl(release_years=3)
    assert found(site, ANONYMOUS) == {"a"}
    assert found(site, ANONYMOUS, END) == set()


def test_the_same_word_again_touches_nothing(site: Site) -> None:
    path = site.write()
    site.crawl(release_policy="never", is_secret=True)
    before = site.dataset(path).revision
    site.crawl(release_policy="never", is_secret=True)
    assert site.dataset(path).revision == before


# --- two roots, one visit -------------------------------------------------------------------------------------------


@pytest.fixture
def other(site: Site, tmp_path: Path) -> Site:
    """Return a second root; what lies in both names the same proposal."""
    folder = tmp_path / "other"
    folder.mkdir()
    return Site(site.services, folder)


def test_a_word_on_one_root_is_none_on_another(site: Site, other: Site) -> None:
    write(site, "a.h5", END)
    write(other, "b.h5", END)
    site.crawl()
    other.crawl(is_secret=True)
    with site.reads() as session:
        assert len(session.scalars(select(Investigation)).all()) == 1
    assert found(site, ANONYMOUS) == {"a"}
    site.crawl(is_embargoed_metadata_public=True)
    site.crawl(is_embargoed_metadata_public=False)
    assert found(site, ANONYMOUS) == {"a"}
    site.crawl(is_secret=True)
    other.crawl(is_secret=False)
    assert found(site, ANONYMOUS) == {"b"}


@pytest.mark.parametrize("policy", [{"release_policy": "never"}, {"release_years": 500}])
def test_a_root_that_opens_opens_nothing_of_one_that_does_not(site: Site, other: Site, policy: dict[str, Any]) -> None:
    write(other, "closed.h5", END)
    other.crawl(**policy)
    write(site, "open.h5", END)
    site.crawl()
    assert "closed" not in found(site, ANONYMOUS)
    write(other, "late.h5", END - timedelta(hours=1))
    other.crawl()
    site.crawl(release_years=2)
    assert not found(site, ANONYMOUS) & {"closed", "late"}


@pytest.mark.parametrize("policy", [{"release_policy": "never"}, {"release_years": 500}])
def test_a_root_that_does_not_open_opens_nothing_in_one_that_does(
    site: Site, other: Site, policy: dict[str, Any]
) -> None:
    write(site, "open.h5", END)
    site.crawl()
    write(other, "closed.h5", END)
    other.crawl(**policy)
    write(other, "late.h5", END + timedelta(hours=1))
    other.crawl()
    settle(site)
    assert found(site, ANONYMOUS) == {"open"}


def test_masters_of_both_roots_are_told_apart(site: Site, other: Site) -> None:
    write(site, "a.h5", END)
    write(other, "b.h5", END)
    site.crawl()
    other.crawl()
    with site.services.write_sessions.begin() as session:
        session.execute(update(Dataset).values(revision=Dataset.revision + 10))
        roots = set(session.scalars(select(MasterFile.root_id)))
    assert len(roots) == 2
    site.crawl()
    site.assert_index_agrees()


def test_a_wrong_end_that_was_put_right_blocks_the_visit_no_more(site: Site) -> None:
    write(site, "a.h5", END)
    wrong = write(site, "b.h5", END.replace(year=2090))
    site.crawl()
    assert site.investigation(wrong).end_date == END.replace(year=2090)
    right = END + timedelta(days=1)
    write(site, "b.h5", right, aged=OLD + timedelta(days=2))
    site.crawl()
    assert site.investigation(wrong).end_date == right
