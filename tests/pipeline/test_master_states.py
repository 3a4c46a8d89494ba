"""Where a master goes: each state of the table, and each way out of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import h5py
import pytest
from sqlalchemy import update

from ingest.catalogue.masters import announce, claim_next, claim_one, release_abandoned, retry_quarantined, to_claimant
from ingest.catalogue.model import MasterFile, Root
from ingest.catalogue.model.base import utc_now
from ingest.samples.damage import mark_open, write_truncated
from tests.builders import write_master
from tests.pipeline.site import OLD, Site, ago, set_age, staying_reader, watching
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

FUTURE = 2_000_000_000 * 5
"""Seconds: a time in the year 2286, whose nanoseconds do not fit into 63 bits."""


def announce_closed(site: Site, path: Path) -> None:
    stat = path.stat()
    root = site.open_root()
    with site.services.write_sessions.begin() as session:
        announce(session, root.id, str(path), stat.st_size, stat.st_mtime_ns, utc_now())


# --- settling -------------------------------------------------------------------------------------------------------


def test_a_file_that_changed_a_moment_ago_is_not_read(site: Site) -> None:
    path = site.write(aged=ago(seconds=5))
    report = site.crawl()
    assert site.outcomes == []
    assert site.state(path) == ("settling", None)
    assert (report.new, report.waiting) == (1, 1)
    assert site.find_dataset(path) is None


def test_a_file_is_read_when_it_stood_still_and_complete_when_it_was_quiet(site: Site) -> None:
    changed = ago(seconds=5)
    path = site.write(aged=changed)
    site.walk()
    assert site.drain_at(changed + timedelta(seconds=59)) == []
    assert site.drain_at(changed + timedelta(seconds=61)) == ["a.h5"]
    assert site.state(path) == ("incomplete", "it may still grow")
    assert (site.dataset(path).revision, site.dataset(path).is_complete) == (1, False)
    assert site.drain_at(changed + timedelta(seconds=599)) == []
    assert site.drain_at(changed + timedelta(seconds=601)) == ["a.h5"]
    assert site.state(path) == ("ingested", None)
    assert (site.dataset(path).revision, site.dataset(path).is_complete) == (2, True)
    site.assert_index_agrees()


def test_a_file_that_changed_again_before_it_was_read_goes_on_waiting(site: Site) -> None:
    path = site.write(aged=ago(seconds=50))
    site.walk()
    set_age(path, changed := ago(seconds=1))
    assert site.drain_at(changed + timedelta(seconds=30)) == ["a.h5"]
    assert site.state(path) == ("settling", "changed a moment ago")
    assert site.master(path).next_attempt_at is not None


def test_a_file_that_was_declared_closed_is_read_at_once_and_complete(site: Site) -> None:
    path = site.write(aged=ago(seconds=1))
    announce_closed(site, path)
    assert site.drain() == ["a.h5"]
    assert site.state(path) == ("ingested", None)
    assert site.dataset(path).is_complete


def test_the_word_that_a_file_is_closed_does_not_outlive_a_change(site: Site) -> None:
    path = site.write(aged=ago(seconds=2))
    announce_closed(site, path)
    site.drain()
    site.write(scans=2, aged=ago(seconds=1))
    site.crawl()
    assert site.outcomes == []
    assert site.state(path)[0] == "settling"


def test_a_file_from_the_future_is_read_once_it_stood_still_since_it_was_seen(site: Site) -> None:
    path = site.write(aged=utc_now() + timedelta(days=400))
    site.walk()
    seen = site.master(path).seen_at
    site.drain_at(seen + timedelta(seconds=30))
    assert site.find_dataset(path) is None
    site.drain_at(seen + timedelta(seconds=200))
    assert site.state(path) == ("incomplete", "it may still grow")
    site.drain_at(seen + timedelta(seconds=2000))
    assert site.state(path) == ("ingested", None)


@on_both_databases
def test_times_that_no_database_holds_do_no_harm(site: Site) -> None:
    path = site.write(aged=OLD)
    other = site.write("b.h5")
    os.utime(path, (FUTURE, FUTURE))
    site.crawl()
    assert site.state(other)[0] == "ingested"
    site.drain_at(utc_now() + timedelta(days=1))
    assert site.state(path)[0] == "ingested"
    assert site.crawl().unchanged == 2
    assert site.outcomes == []


# --- open for writing -----------------------------------------------------------------------------------------------


def test_a_file_that_is_open_for_writing_is_not_read(site: Site) -> None:
    path = site.write()
    mark_open(path)
    set_age(path, ago(hours=2))
    site.crawl()
    assert site.state(path) == ("settling", "open for writing")
    assert site.find_dataset(path) is None


def test_a_file_that_was_left_open_for_a_day_is_read_and_incomplete(site: Site) -> None:
    path = site.write()
    mark_open(path)
    set_age(path, ago(hours=25))
    site.crawl()
    assert site.state(path) == ("incomplete", "its writer never closed it")
    assert not site.dataset(path).is_complete


def test_a_file_that_is_closed_at_last_is_read(site: Site) -> None:
    path = site.write()
    mark_open(path)
    set_age(path, ago(hours=2))
    site.crawl()
    site.write(aged=ago(hours=1))
    site.crawl()
    assert site.state(path) == ("ingested", None)


def test_a_declared_end_does_not_overrule_the_mark_of_a_writer(site: Site) -> None:
    path = site.write()
    mark_open(path)
    announce_closed(site, path)
    site.drain()
    assert site.state(path) == ("settling", "open for writing")


def test_an_entry_without_an_end_is_incomplete_until_it_has_one(site: Site) -> None:
    path = site.write_folder(without="end_time")
    site.crawl()
    assert site.state(path) == ("incomplete", "a scan has no end")
    assert site.crawl().changed == 0
    before = site.dataset(path).revision
    site.write_folder(aged=ago(days=2))
    site.crawl()
    assert site.state(path) == ("ingested", None)
    assert site.dataset(path).revision == before + 1


def test_a_missing_linked_file_makes_incomplete_until_it_comes(site: Site) -> None:
    link = h5py.ExternalLink("images.h5", "/entry/data")
    changed = ago(hours=1)
    path = site.write(instrument__detector__data=link, aged=changed)
    site.crawl()
    assert site.state(path) == ("incomplete", "1 linked files are missing")
    due = site.master(path).next_attempt_at
    assert due is not None
    (site.folder / "images.h5").write_bytes(b"")
    site.drain_at(due)
    assert site.state(path) == ("ingested", None)
    assert set(site.files(site.dataset(path).id)) == {"a.h5", "images.h5"}


def test_a_growing_master_is_not_read_more_often_than_set(site: Site) -> None:
    path = site.write()
    site.crawl()
    read_at = site.master(path).read_at
    assert read_at is not None
    site.write(scans=2, aged=ago(seconds=1))
    site.crawl()
    due = site.master(path).next_attempt_at
    assert due is not None
    assert due >= read_at + timedelta(seconds=site.services.settings.growing_seconds)


def test_a_changed_master_that_stood_still_is_read_at_once(site: Site) -> None:
    path = site.write()
    site.crawl()
    site.write(scans=2, aged=ago(seconds=90))
    site.crawl()
    assert len(site.scans(site.dataset(path).id)) == 2


# --- quarantine -----------------------------------------------------------------------------------------------------


def write_bad(site: Site, kind: str) -> Path:
    path = site.folder / "bad.h5"
    match kind:
        case "truncated":
            whole = write_master(site.folder.parent / "whole.h5")
            write_truncated(path, whole)
        case "no entry":
            with h5py.File(path, "w") as file:
                file["data"] = 1
        case "text":
            path.write_text("no space left on device\n")
        case "superblock":
            content = bytearray(write_master(path).read_bytes())
            content[13] = 9  # the width of an address
            path.write_bytes(content)
        case "empty":
            path.write_bytes(b"")
    set_age(path)
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("truncated", "truncated"),
        ("no entry", "no NXentry"),
        ("text", "not HDF5"),
        ("empty", "not HDF5: empty"),
        ("superblock", "bad byte number in an address"),
    ],
)
def test_what_is_no_master_is_quarantined_at_once_and_nothing_waits_for_it(site: Site, kind: str, reason: str) -> None:
    path, good = write_bad(site, kind), site.write("good.h5")
    site.crawl()
    assert site.state(path) == ("quarantined", reason)
    assert str(path) in (site.master(path).last_error or "")
    assert site.state(good)[0] == "ingested"
    assert site.crawl().unchanged == 2
    assert site.outcomes == []


def test_quarantined_files_are_read_again_when_a_person_asks(site: Site) -> None:
    path = write_bad(site, "text")
    site.crawl()
    with site.services.write_sessions.begin() as session:
        assert retry_quarantined(session, utc_now(), ["/elsewhere.h5"]) == 0
        assert retry_quarantined(session, utc_now(), [str(path)]) == 1
    assert site.drain() == ["bad.h5"]
    assert site.state(path) == ("quarantined", "not HDF5")


def test_a_quarantined_file_that_changed_is_read_again(site: Site) -> None:
    path = write_bad(site, "text")
    site.crawl()
    site.write("bad.h5", aged=ago(hours=1))
    site.crawl()
    assert site.state(path) == ("ingested", None)
    assert site.master(path).failures == 0


def test_a_dataset_outlives_the_damage_of_its_master(site: Site) -> None:
    path = site.write_folder()
    site.crawl()
    before = site.dataset(path)
    path.write_text("overwritten\n")
    set_age(path, ago(hours=1))
    set_age(path.parent, ago(hours=1))
    site.crawl()
    assert site.state(path) == ("quarantined", "not HDF5")
    after = site.dataset(path)
    assert (after.id, after.revision) == (before.id, before.revision)
    assert site.crawl().changed == 0, "a folder that changed once is not read at every crawl"


def test_a_file_that_kills_its_reader_is_tried_three_times(site: Site) -> None:
    path, other = site.write(), site.write("other.h5", title="other")
    site.walk()
    site.set(read_timeout_seconds=0.00001)
    with site.services.write_sessions.begin() as session:
        later = utc_now() + timedelta(days=1)
        session.execute(update(MasterFile).where(MasterFile.path == str(other)).values(next_attempt_at=later))
    site.drain()
    assert [str(outcome.state) for outcome in site.outcomes] == ["ready", "ready", "quarantined"]
    state, reason = site.state(path)
    assert (state, site.master(path).failures) == ("quarantined", 3)
    assert reason is not None
    assert reason.startswith("hung after")
    site.set(read_timeout_seconds=30)
    with site.services.write_sessions.begin() as session:
        retry_quarantined(session, utc_now())
    site.drain()
    assert site.state(path) == ("ingested", None)
    assert (site.master(path).failures, site.master(path).attempts) == (0, 0)


def test_no_file_is_blamed_where_no_reader_can_be_started(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = site.write()
    site.walk()
    staying_reader.close()
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    site.drain()
    assert site.state(path) == ("ready", "no reader can be started: exited 1")
    assert site.master(path).failures == 0
    monkeypatch.delenv("PYTHONHOME")
    due = site.master(path).next_attempt_at
    assert due is not None
    site.drain_at(due)
    assert site.state(path) == ("ingested", None)


# --- offline, out of reach ------------------------------------------------------------------------------------------


def test_a_file_on_tape_is_known_without_being_opened_and_read_when_it_is_back(site: Site) -> None:
    path = site.write()
    content = path.read_bytes()
    path.unlink()
    with path.open("wb") as file:
        file.truncate(len(content))
    set_age(path)
    with watching() as seen:
        site.crawl()
    assert site.state(path) == ("offline", "on tape")
    assert str(path) not in [name for event, name in seen if event == "open"]
    assert site.crawl().unchanged == 1
    with path.open("r+b") as file:
        file.write(content)
        os.fsync(file.fileno())
    set_age(path)
    assert site.crawl().changed == 1
    assert site.state(path) == ("ingested", None)


def test_an_ingested_file_that_goes_to_tape_is_left_alone(site: Site) -> None:
    path = site.write()
    site.crawl()
    size = path.stat().st_size
    os.truncate(path, 0)
    os.truncate(path, size)
    set_age(path)
    assert site.crawl().unchanged == 1
    assert site.state(path) == ("ingested", None)


def test_a_link_that_took_a_files_place_is_not_followed_and_the_file_is_tried_again(site: Site) -> None:
    path = site.write()
    site.walk()
    shutil.move(path, site.folder.parent / "secret.h5")
    path.symlink_to(site.folder.parent / "secret.h5")
    site.drain()
    assert site.state(path)[0] == "ready"
    assert site.find_dataset(path) is None
    master = site.master(path)
    assert master.next_attempt_at is not None
    assert master.next_attempt_at > utc_now()
    assert (master.failures, master.attempts) == (0, 1)


@pytest.mark.needs("root")
def test_a_file_without_permission_keeps_its_place_and_is_read_when_it_is_given(site: Site) -> None:
    path = site.write()
    site.walk()
    path.chmod(0)
    with site.without_rights():
        site.drain()
    assert site.state(path) == ("ready", "Permission denied")
    due = site.master(path).next_attempt_at
    assert due is not None
    assert site.drain_at(due) == ["a.h5"]
    assert site.state(path) == ("ingested", None)


def test_a_file_that_goes_between_crawl_and_reading_is_gone_with_its_datasets_files(site: Site) -> None:
    path = site.write()
    site.crawl()
    site.write(scans=2, aged=ago(hours=1))
    site.walk()
    path.unlink()
    site.drain()
    assert site.state(path)[0] == "vanished"
    dataset = site.dataset(path)
    assert site.files(dataset.id) == {"a.h5": (0, True)}
    site.assert_index_agrees()


# --- workers --------------------------------------------------------------------------------------------------------


def claim_as(site: Site, claimant: str) -> None:
    with site.services.write_sessions.begin() as session:
        assert claim_next(session, claimant, utc_now()) is not None


def dead_claimant() -> str:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return f"{socket.gethostname()}:{process.pid}:12345"


@on_both_databases
def test_what_a_dead_worker_had_in_hand_is_read_by_the_next(site: Site) -> None:
    path = site.write()
    site.walk()
    claim_as(site, dead_claimant())
    assert site.master(path).attempts == 1
    assert site.drain() == ["a.h5"]
    assert site.state(path) == ("ingested", None)


def test_what_this_worker_could_not_let_go_of_is_read_when_it_begins_anew(site: Site) -> None:
    """The database went away while it was in hand."""
    path = site.write()
    site.walk()
    claim_as(site, to_claimant())
    assert site.drain() == ["a.h5"]
    assert site.state(path) == ("ingested", None)


def test_what_a_living_worker_has_in_hand_is_left_to_it(site: Site) -> None:
    path = site.write()
    site.walk()
    claim_as(site, "another-machine:1:1")
    assert site.drain() == []
    assert site.master(path).claimed_by == "another-machine:1:1"


def test_what_a_dead_worker_had_in_hand_can_be_asked_for(site: Site) -> None:
    site.write()
    site.walk()
    claim_as(site, dead_claimant())
    with site.services.write_sessions.begin() as session:
        claim = claim_one(session, 1, to_claimant(), utc_now())
        assert claim is not None
        assert claim_one(session, 1, "late", utc_now()) is None
    outcome = site.ingest_claimed(claim)
    assert outcome is not None
    assert outcome.state == "ingested"


@on_both_databases
def test_what_a_silent_machine_had_in_hand_is_taken_over_after_a_while(site: Site) -> None:
    path = site.write()
    site.walk()
    claim_as(site, "another-machine:1:1")
    site.set(claim_seconds=0)
    assert site.drain() == ["a.h5"]
    assert site.state(path) == ("ingested", None)


@on_both_databases
def test_a_file_over_which_workers_die_is_quarantined(site: Site) -> None:
    path = site.write()
    site.walk()
    for attempt in (1, 2):
        claim_as(site, dead_claimant())
        assert site.master(path).attempts == attempt
        with site.services.write_sessions.begin() as session:
            assert release_abandoned(session, ago(seconds=1), timedelta(days=1), max_attempts=2) == 1
    assert site.state(path) == ("quarantined", "workers were lost over it, 2 attempts")
    assert site.drain() == []


@on_both_databases
def test_the_word_of_the_worker_that_took_over_counts(site: Site) -> None:
    path = site.write()
    site.walk()
    with site.services.write_sessions.begin() as session:
        late = claim_next(session, "late", utc_now())
        session.execute(update(MasterFile).values(claimed_by="other"))
    assert late is not None
    assert site.ingest_claimed(late) is None
    assert site.find_dataset(path) is None
    assert site.master(path).claimed_by == "other"


def test_a_late_worker_that_fails_has_no_say_either(site: Site) -> None:
    path = site.write()
    site.walk()
    with site.services.write_sessions.begin() as session:
        session.execute(update(Root).values(rules="rules that are gone.toml"))
        late = claim_next(session, "late", utc_now())
        session.execute(update(MasterFile).values(claimed_by="other"))
    assert late is not None
    assert site.ingest_claimed(late) is None
    assert site.master(path).claimed_by == "other"


def test_a_file_that_is_missed_for_long_is_asked_for_once_a_day(site: Site) -> None:
    link = h5py.ExternalLink("images.h5", "/entry/data")
    path = site.write(instrument__detector__data=link)
    site.crawl()
    first = site.master(path).next_attempt_at
    assert first is not None
    assert first < utc_now() + timedelta(hours=1)
    site.drain_at(utc_now() + timedelta(days=90))
    later = site.master(path).next_attempt_at
    assert later is not None
    assert timedelta(days=90, hours=23) < later - utc_now() < timedelta(days=91, minutes=5)


def test_a_root_whose_rule_file_is_gone_blames_no_file(site: Site, tmp_path: Path) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text('name = "mine"\nversion = "1"\nextends = "nexus"\n')
    path = site.write()
    site.walk(rules=str(rules))
    rules.unlink()
    site.drain()
    assert site.state(path)[0] == "ready"
    assert site.master(path).failures == 0
