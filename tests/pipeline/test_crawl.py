"""The walk: what it sees, what it leaves alone, and that a tree that did not change costs stats only."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from ingest.catalogue.errors import PathOutsideRootsError
from ingest.catalogue.masters import announce
from ingest.catalogue.model import Dataset, MasterFile
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettingError, RootSettings, get_root, upsert_root
from ingest.crawl import RootGoneError, crawl_root
from tests.pipeline.site import OLD, VISIT, Site, ago, set_age, watching
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Iterator


def bytes_below(folder: Path, name: bytes) -> Path:
    """Return a path whose name need not be text."""
    return Path(f"{folder}/{os.fsdecode(name)}")


def data_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes when anybody else writes to the database."""
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


@contextmanager
def database(data_folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(data_folder / "catalogue.sqlite")
    try:
        yield connection
    finally:
        connection.close()


# --- what did not change --------------------------------------------------------------------------------------------


def test_an_unchanged_tree_is_crawled_without_opening_a_file_or_writing_a_row(site: Site, data_folder: Path) -> None:
    site.write("loose/a.h5", title="a")
    site.write("loose/b.h5", title="b")
    site.write_folder()
    (site.folder / "bad.h5").write_text("bad\n")
    set_age(site.folder / "bad.h5")
    site.crawl()
    with database(data_folder) as connection:
        before = data_version(connection)
        with watching() as seen:
            report = site.crawl()
        assert data_version(connection) == before
    below = f"{site.folder}/"
    assert [path for event, path in seen if event == "open" and path.startswith(below)] == []
    assert [path for event, path in seen if event == "subprocess.Popen"] == []
    assert (report.new, report.changed, report.vanished, report.unchanged) == (0, 0, 0, 4)
    assert site.outcomes == []


def test_the_folder_of_a_complete_dataset_is_not_even_listed(site: Site) -> None:
    master = site.write_folder()
    site.crawl()
    with watching() as seen:
        report = site.crawl()
    assert report.passed_by == 1
    listed = [path for event, path in seen if event in {"os.scandir", "os.listdir"}]
    assert str(master.parent.parent) in listed
    assert str(master.parent) not in listed


def test_a_file_that_comes_into_a_datasets_folder_is_listed_with_it(site: Site) -> None:
    master = site.write_folder()
    site.crawl()
    before = site.dataset(master)
    (master.parent / "late.edf").write_bytes(b"late")
    assert site.crawl().changed == 1
    after = site.dataset(master)
    assert set(site.files(after.id)) - set(site.files(before.id)) == set()
    assert site.files(after.id)["late.edf"] == (3, False)
    assert (after.revision, after.file_count) == (before.revision + 1, before.file_count + 1)
    assert site.crawl().passed_by == 1


def test_a_master_beside_dataset_folders_hides_none_of_them(site: Site) -> None:
    """A file right in the collection's folder owns nothing but itself, whatever its name sorts before."""
    inside = site.write_folder(title="inside")
    beside = site.write(f"{VISIT}/LaB6/A_processed.h5", title="beside")
    site.crawl()
    assert set(site.files(site.dataset(beside).id)) == {"A_processed.h5"}
    assert site.dataset(beside).name == "A_processed"
    report = site.crawl()
    assert (report.unchanged, report.vanished) == (2, 0)
    late = site.write_folder("LaB6_0002", title="late")
    set_age(late.parent.parent)
    set_age(beside.parent)
    assert site.crawl().new == 1
    assert site.state(inside)[0] == site.state(late)[0] == "ingested"


def test_a_master_named_after_its_collection_hides_none_of_its_datasets(site: Site) -> None:
    inside = site.write_folder(title="inside")
    beside = site.write(f"{VISIT}/LaB6/LaB6.h5", title="beside")
    site.crawl()
    assert site.state(inside)[0] == "ingested"
    assert set(site.files(site.dataset(beside).id)) == {"LaB6.h5"}


def test_a_folder_with_its_master_is_one_dataset_whatever_else_is_in_it(site: Site) -> None:
    master = site.write_folder()
    site.write(f"{VISIT}/LaB6/LaB6_0001/scan0001/eiger_0000.h5", title="images")
    site.crawl()
    assert site.count(MasterFile) == 1
    assert set(site.files(site.dataset(master).id)) == {
        "LaB6_0001.h5",
        "scan0001/eiger_0000.h5",
        "scan0001/image_0.edf",
        "scan0001/image_1.edf",
    }


@on_both_databases
def test_many_files_in_an_order_of_their_own_are_each_met_once(site: Site) -> None:
    """Names around the slash sort one way as names and another as paths: nothing is taken for gone or new again."""
    names = ["a.h5", "a/x.h5", "a/x/y.h5", "a!.h5", "a b.h5", "a-b/x.h5", "aa.h5", "ä.h5", "ä/x.h5", "€/x.h5", "😀.h5"]
    for name in names:
        site.write(name, title=name)
    assert site.walk().new == len(names)
    report = site.walk()
    assert (report.unchanged, report.new, report.vanished) == (len(names), 0, 0)


@on_both_databases
def test_more_files_than_a_batch_are_each_met_once(site: Site) -> None:
    for number in range(1203):
        folder = site.folder / f"{number % 7}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.h5").touch()
    assert site.walk().new == 1203
    assert site.count(MasterFile) == 1203
    report = site.walk()
    assert (report.unchanged, report.new, report.vanished) == (1203, 0, 0)
    for path in list(site.folder.glob("[0-2]/*.h5")):
        path.unlink()
    for path in site.folder.glob("4/*.h5"):
        path.write_bytes(b"x")
    report = site.walk()
    assert (report.vanished, report.changed) == (172 * 3, 172)


@on_both_databases
def test_a_change_of_a_master_that_a_move_has_taken_away_is_forgotten(site: Site) -> None:
    """Another worker may carry a dataset over, and forget the old place, while this walk still has it in mind."""
    (site.folder / "z").mkdir()
    taken, other = site.write("a/taken.h5", title="taken"), site.write("b/other.h5", title="other")
    site.walk()
    for path in (taken, other):
        set_age(path, ago(days=1))

    def take_away() -> None:
        with site.services.write_sessions.begin() as session:
            session.execute(delete(MasterFile).where(MasterFile.path == str(taken)))

    with site.listing(site.folder / "z", take_away):
        assert site.walk().changed == 2
    assert site.drain() == ["other.h5"]
    assert site.crawl().new == 1


# --- what cannot be seen --------------------------------------------------------------------------------------------


def test_a_root_that_is_not_mounted_marks_nothing(site: Site) -> None:
    path = site.write()
    site.crawl()
    hidden = site.folder.rename(site.folder.with_name("hidden"))
    site.folder.mkdir()
    with pytest.raises(RootGoneError, match="mounted"):
        site.crawl()
    site.folder.rmdir()
    with site.services.read_sessions() as session:
        known = get_root(session, path)
    with pytest.raises(RootGoneError):
        crawl_root(site.services, known, utc_now())
    assert site.state(path)[0] == "ingested"
    hidden.rename(site.folder)
    assert site.crawl().unchanged == 1


def test_an_empty_new_root_is_no_error(site: Site) -> None:
    assert site.crawl().new == 0


@pytest.mark.needs("root")
@pytest.mark.parametrize(("mode", "reason"), [(0o000, "Permission denied"), (0o444, "Permission denied")])
def test_what_cannot_be_listed_leaves_what_is_below_as_it_was(site: Site, mode: int, reason: str) -> None:
    kept = [site.write(f"closed/{name}", title=name) for name in ("a.h5", "b/c.h5", "z.h5")]
    around = [site.write(name, title=name) for name in ("a.h5", "closed.h5", "d.h5")]
    site.crawl()
    (site.folder / "closed").chmod(mode)
    around[2].unlink()
    with site.without_rights():
        report = site.walk()
    (site.folder / "closed").chmod(0o755)
    assert report.unreadable
    assert all(reason in line and str(site.folder / "closed") in line for line in report.unreadable)
    assert report.vanished == 1
    assert {site.state(path)[0] for path in kept} == {"ingested"}


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a\nb.h5", 'it\'s "x".h5', "a\\b.h5", " .h5", "-rf.h5", "%s{0}.h5", "\x1b[31m.h5"])
def test_odd_names_are_names(site: Site, name: str) -> None:
    path = site.write(name)
    below = site.write(f"{name[:-3]}/inner.h5", title="below")
    site.crawl()
    assert site.state(path) == site.state(below) == ("ingested", None)
    assert set(site.files(site.dataset(path).id)) == {name}
    assert site.crawl().unchanged == 2
    site.assert_index_agrees()


def test_names_that_are_no_text_are_told_and_stop_nothing(site: Site) -> None:
    good = site.write("good.h5")
    for name in (b"bad\xff.h5", b"bad\xfe/inner.h5", b"fine\xff.txt"):
        bad = bytes_below(site.folder, name)
        bad.parent.mkdir(exist_ok=True)
        bad.write_bytes(good.read_bytes())
    report = site.crawl()
    assert sorted(report.unreadable) == [
        f"{site.folder}/bad\\xfe: its name is not UTF-8, rename it",
        f"{site.folder}/bad\\xff.h5: its name is not UTF-8, rename it",
    ]
    assert site.state(good)[0] == "ingested"
    assert site.count(MasterFile) == 1


def test_names_that_are_no_text_are_listed_with_their_dataset(site: Site) -> None:
    master = site.write_folder(images=0)
    for name in (b"image\xff.edf", b"image\\xff.edf"):
        bytes_below(master.parent, name).touch()
    site.crawl()
    assert set(site.files(site.dataset(master).id)) == {"LaB6_0001.h5", "image\\xff.edf"}


# --- links, outside -------------------------------------------------------------------------------------------------


def test_links_are_not_followed(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    real = site.write("real/a.h5")
    (outside / "secret.h5").write_bytes(real.read_bytes())
    (site.folder / "to-file.h5").symlink_to(real)
    (site.folder / "to-folder").symlink_to(real.parent)
    (site.folder / "loop").symlink_to(site.folder)
    (site.folder / "out").symlink_to(outside)
    (site.folder / "out.h5").symlink_to(outside / "secret.h5")
    site.crawl()
    assert site.count(MasterFile) == site.count(Dataset) == 1


def test_what_is_no_regular_file_is_not_opened(site: Site) -> None:
    os.mkfifo(site.folder / "pipe.h5")
    (site.folder / "folder.h5").mkdir()
    assert site.crawl().new == 0


def test_a_root_by_a_link_is_the_same_root(site: Site, tmp_path: Path) -> None:
    site.write()
    site.crawl()
    (tmp_path / "alias").symlink_to(site.folder)
    report = Site(site.services, tmp_path / "alias").crawl()
    assert (report.unchanged, report.new) == (1, 0)


def test_a_path_outside_the_roots_is_refused(site: Site, tmp_path: Path) -> None:
    site.open_root()
    for path in (tmp_path / "other.h5", site.folder / "../other.h5", Path("/etc/passwd")):
        with site.reads() as session, pytest.raises(PathOutsideRootsError):
            get_root(session, path)
    (site.folder / "out").symlink_to(tmp_path)
    with site.reads() as session, pytest.raises(PathOutsideRootsError):
        get_root(session, site.folder / "out" / "other.h5")
    with site.reads() as session:
        assert get_root(session, site.folder / "x" / ".." / "a.h5").path == str(site.folder)


def test_a_path_that_is_no_text_is_refused(site: Site) -> None:
    site.open_root()
    path = bytes_below(site.folder, b"a\xff.h5")
    with site.reads() as session, pytest.raises(PathOutsideRootsError):
        get_root(session, path)
    path.mkdir()
    with site.services.write_sessions.begin() as session, pytest.raises(RootSettingError, match="UTF-8"):
        upsert_root(session, path, RootSettings())


def test_roots_do_not_overlap(site: Site) -> None:
    site.open_root()
    (site.folder / "below").mkdir()
    for folder in (site.folder / "below", site.folder.parent):
        with pytest.raises(RootSettingError, match="lies in or around"):
            Site(site.services, folder).open_root()


@on_both_databases
def test_a_root_that_two_make_at_once_is_one(site: Site) -> None:
    made: list[int] = []

    def make() -> None:
        with site.services.write_sessions.begin() as session:
            made.append(upsert_root(session, site.folder, RootSettings())[0].id)

    other = Thread(target=make)
    with site.services.write_sessions.begin() as session:
        made.append(upsert_root(session, site.folder, RootSettings())[0].id)
        other.start()
        other.join(0.5)  # it has looked whether there is one, and waits
    other.join()
    assert len(made) == 2
    assert made[0] == made[1]


def test_a_file_that_only_a_notice_names_is_not_taken_for_gone(site: Site) -> None:
    path = site.write("a.h5").rename(site.folder / "a.data")
    root = site.open_root()
    with site.services.write_sessions.begin() as session:
        announce(session, root.id, str(path), path.stat().st_size, path.stat().st_mtime_ns, ago(seconds=1))
    site.drain()
    assert site.crawl().vanished == 0
    assert site.state(path) == ("ingested", None)
    path.unlink()
    site.write("other.h5", aged=OLD)
    assert site.crawl().vanished == 1


def test_a_master_that_waits_is_due_when_the_settings_say_so_at_the_next_crawl(site: Site) -> None:
    path = site.write(aged=ago(seconds=5))
    assert site.crawl().waiting == 1
    assert site.state(path)[0] == "settling"
    impatient = site.services.settings.model_copy(update={"settle_seconds": 1, "quiet_seconds": 1})
    site.services = replace(site.services, settings=impatient)
    report = site.crawl()
    assert (report.unchanged, report.waiting) == (1, 0)
    assert site.state(path) == ("ingested", None)


def test_what_the_root_excludes_is_passed_over_by_name_and_by_path(site: Site) -> None:
    kept = site.write("hc1/raw/a.h5")
    site.write("hc1/PROCESSED_DATA/b.h5")
    site.write("hc1/raw/scratch_1.h5")
    site.write("hc2/tests/c.h5")
    assert site.crawl(exclude=["PROCESSED_DATA", "scratch_*", "hc2/*"]).new == 1
    assert site.state(kept)[0] == "ingested"
    assert site.crawl().new == 0


def test_what_is_excluded_later_is_not_taken_for_gone(site: Site) -> None:
    path = site.write("hc1/tests/a.h5")
    site.crawl()
    assert site.crawl(exclude=["tests"]).vanished == 0
    assert site.state(path)[0] == "ingested"


def test_only_what_looks_like_a_master_is_one(site: Site) -> None:
    kept = site.write("hc1/a_master.h5")
    site.write("hc1/a_data_000001.h5")
    other = site.write("hc1/b_master.data")
    assert site.crawl(include=["*_master.*"]).new == 2
    assert [site.state(path)[0] for path in (kept, other)] == ["ingested", "ingested"]
