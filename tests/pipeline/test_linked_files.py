"""The other files that a master needs: counted by what became of them, by a stat of each, nothing opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py

from ingest.catalogue.browsing import ScanFilter, list_scans
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.linked_files import MOST_NAMED, get_linked_files
from ingest.catalogue.model import Scan
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.visibility import OPERATOR, Viewer
from ingest.remapping import Remap
from tests.pipeline.site import ago, set_age
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.catalogue.views import LinkedFilesView
    from tests.pipeline.site import Site

TAPE = 100_000_000
"""Bytes of a file that has hardly a block on disk."""


def link(file: str) -> h5py.ExternalLink:
    return h5py.ExternalLink(file, "/entry/data")


def write(site: Site, *files: str, second: tuple[str, ...] = ()) -> Path:
    """Write a master in a folder of its own whose first scan links to these files, and its second to those."""
    path = site.write("set/a.h5", scans=2)
    with h5py.File(path, "r+") as master:
        for entry, names in (("1.1", files), ("2.1", second)):
            for number, name in enumerate(names):
                master[f"{entry}/instrument/link_{number}"] = link(name)
    set_age(path)
    return path


def put(path: Path, size: int = 5) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    with path.open("r+b") as file:
        file.truncate(size)


def look(site: Site, path: Path, viewer: Viewer = OPERATOR) -> LinkedFilesView:
    with site.reads() as session:
        return get_linked_files(session, viewer, utc_now(), site.dataset(path).id)


def by_scan(site: Site, path: Path) -> dict[str, Any]:
    with site.reads() as session:
        rows = session.query(Scan).filter(Scan.dataset_id == site.dataset(path).id)
        return {row.entry_name: row.linked_files for row in rows}


@on_both_databases
def test_each_file_is_counted_by_what_became_of_it(site: Site) -> None:
    path = write(site, "here.h5", "gone.h5", "tape.h5", "/other/machine.h5", second=("../beside.h5", "gone_too.h5"))
    for name, size in (("set/here.h5", 5), ("set/tape.h5", TAPE), ("beside.h5", 5)):
        put(site.folder / name, size)
    site.crawl()
    found = look(site, path)
    assert (found.present, found.missing, found.on_tape, found.unreachable) == (2, 2, 1, 1)
    assert (found.outside, found.unlisted, found.is_complete) == (2, 0, False)
    assert [(each.file, each.state, each.path) for each in found.lacking] == [
        ("/other/machine.h5", "unreachable", "/1.1/instrument/link_3"),
        ("gone.h5", "missing", "/1.1/instrument/link_1"),
        ("gone_too.h5", "missing", "/2.1/instrument/link_1"),
        ("tape.h5", "on_tape", "/1.1/instrument/link_2"),
    ]
    assert by_scan(site, path) == {
        "/1.1": {"missing": 1, "on_tape": 1, "present": 1, "unreachable": 1},
        "/2.1": {"missing": 1, "present": 1},
    }
    assert site.state(path) == ("incomplete", "2 linked files are missing")


def test_file_that_two_scans_need_is_told_of_with_both(site: Site) -> None:
    path = write(site, "gone.h5", "./mask.h5", second=("mask.h5", "gone.h5"))
    put(site.folder / "set/mask.h5")
    site.crawl()
    assert (look(site, path).present, look(site, path).missing) == (1, 1)
    assert by_scan(site, path) == {"/1.1": {"missing": 1, "present": 1}, "/2.1": {"missing": 1, "present": 1}}


def test_name_of_a_file_elsewhere_is_its_operator_s(site: Site) -> None:
    path = write(site, "/other/machine.h5", "../../gone.h5", "gone.h5")
    site.crawl(release_policy="immediately")
    assert [each.file for each in look(site, path, Viewer()).lacking] == [None, None, "gone.h5"]
    assert None not in {each.file for each in look(site, path).lacking}


def test_master_that_needs_no_other_file(site: Site) -> None:
    path = write(site)
    site.crawl()
    found = look(site, path)
    assert (found.present, found.missing, found.is_complete, found.lacking) == (0, 0, True, ())
    assert by_scan(site, path) == {"/1.1": None, "/2.1": None}


@on_both_databases
def test_what_changed_until_the_next_look_is_news(site: Site) -> None:
    path = write(site, "late.h5")
    site.crawl()
    before = site.dataset(path).revision
    due = site.master(path).next_attempt_at
    assert due is not None
    site.drain_at(due)
    assert site.dataset(path).revision == before
    put(site.folder / "set/late.h5", TAPE)
    due = site.master(path).next_attempt_at
    assert due is not None
    site.drain_at(due)
    found = look(site, path)
    assert (found.missing, found.on_tape, found.is_complete) == (0, 1, True)
    assert site.dataset(path).revision == before + 1
    assert by_scan(site, path)["/1.1"] == {"on_tape": 1}
    site.assert_index_agrees()


def test_what_changed_alone_is_news_of_one_revision(site: Site) -> None:
    put(site.folder / "elsewhere/late.h5")
    path = write(site, "../elsewhere/late.h5")
    site.crawl()
    before = site.dataset(path).revision
    (site.folder / "elsewhere/late.h5").unlink()
    set_age(path, ago(days=2))
    site.crawl()
    assert look(site, path).missing == 1
    assert site.dataset(path).revision == before + 1


def test_rules_applied_anew_leave_the_look_as_it_was(site: Site) -> None:
    path = write(site, "gone.h5")
    site.crawl()
    with site.services.write_sessions.begin() as session:
        session.connection().exec_driver_sql("UPDATE master_record SET rulebook = 'older'")
    remap = Remap(site.services)
    remap.run(is_dry=False, note=lambda _done, _count: None)
    assert remap.count == 1
    assert look(site, path).missing == 1
    assert by_scan(site, path)["/1.1"] == {"missing": 1}


def test_many_are_counted_and_the_first_are_named(site: Site) -> None:
    path = write(site, *(f"gone_{number:04}.h5" for number in range(1100)))
    site.crawl()
    found = look(site, path)
    assert (found.missing, found.unlisted, len(found.lacking)) == (1000, 100, MOST_NAMED)


@on_both_databases
def test_datasets_and_scans_are_found_by_it(site: Site) -> None:
    path = write(site, "here.h5", second=("gone.h5",))
    put(site.folder / "set/here.h5")
    site.crawl()
    with site.reads() as session:
        dataset_id = site.dataset(path).id
        (document,) = load_documents(session, [dataset_id])
        assert document.linked_files == ("present", "missing")
        asked = ScanFilter(linked=("missing",))
        page = list_scans(session, OPERATOR, utc_now(), dataset_id, chosen=asked)
        assert [(scan.entry_name, scan.linked_files) for scan in page.items] == [("/2.1", {"missing": 1})]
