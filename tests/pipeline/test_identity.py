"""What is the same thing: over changes, moves, copies, losses and returns."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import pytest
from sqlalchemy import event, select

from ingest.catalogue.model import (
    DataCollection,
    DataCollectionDataset,
    DataPublication,
    Dataset,
    DatasetParameter,
    Investigation,
    InvestigationFile,
    InvestigationSample,
    MasterFile,
    MasterRecord,
    ParameterType,
    Sample,
    Scan,
)
from tests.pipeline.site import OLD, VISIT, Site, ago, set_age
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

LATER = OLD.replace(month=6)


@contextmanager
def writing(site: Site) -> Iterator[list[str]]:
    """Yield the list to which every statement that writes is added, by its verb and its table."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        verb, *words = statement.replace("INTO ", "").replace("FROM ", "").split()
        if verb in {"INSERT", "UPDATE", "DELETE"}:
            seen.append(f"{verb} {words[0]}")

    engine = site.services.write_sessions.kw["bind"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


# --- changes --------------------------------------------------------------------------------------------------------


def test_changed_content_is_the_next_revision_of_the_same_dataset(site: Site) -> None:
    path = site.write(scans=2)
    site.crawl()
    before, scans = site.dataset(path), site.scans(site.dataset(path).id)
    site.write(scans=3, aged=LATER)
    site.crawl()
    after = site.dataset(path)
    assert (after.id, after.revision) == (before.id, before.revision + 1)
    assert {name: site.scans(after.id)[name] for name in scans} == scans
    assert len(site.scans(after.id)) == 3
    site.assert_index_agrees()


@on_both_databases
def test_touched_but_equal_writes_the_fingerprint_of_one_row(site: Site) -> None:
    path = site.write_folder()
    site.crawl()
    before = site.dataset(path)
    set_age(path, LATER)
    with writing(site) as written:
        assert site.crawl().changed == 1
    assert len(site.outcomes) == 1
    assert set(written) == {"UPDATE master_file"}
    after = site.dataset(path)
    assert (after.revision, after.modified_at) == (before.revision, before.modified_at)
    assert site.master(path).mtime_ns == path.stat().st_mtime_ns
    assert site.crawl().unchanged == 1


def publish(session: Session, dataset_id: int) -> None:
    """Give the dataset a DOI, together with others for all one knows."""
    collection = DataCollection()
    session.add(collection)
    session.flush()
    session.add(DataCollectionDataset(data_collection_id=collection.id, dataset_id=dataset_id))
    session.add(DataPublication(facility_id=1, content_id=collection.id, pid="10.5072/1", title="a", licence="CC0-1.0"))


@on_both_databases
def test_a_scan_that_is_gone_from_the_file_is_gone_unless_it_was_published(site: Site) -> None:
    path = site.write(scans=3)
    site.crawl()
    dataset = site.dataset(path)
    site.write(scans=2, aged=LATER)
    site.crawl()
    assert set(site.scans(dataset.id)) == {"/1.1", "/2.1"}
    with site.services.write_sessions.begin() as session:
        publish(session, dataset.id)
    site.write(scans=1, aged=LATER.replace(day=2))
    site.crawl()
    with site.reads() as session:
        scans = session.scalars(select(Scan).where(Scan.dataset_id == dataset.id).order_by(Scan.entry_name)).all()
    assert [(scan.entry_name, scan.is_withdrawn) for scan in scans] == [("/1.1", False), ("/2.1", True)]


@on_both_databases
def test_values_follow_the_file(site: Site) -> None:
    path = site.write(sample__temperature=(293.0, "K"))
    site.crawl()
    site.write(sample__temperature=(4.2, "K"), sample__name="ice", aged=LATER)
    site.crawl()
    dataset = site.dataset(path)
    temperature = (
        select(DatasetParameter.numeric_value)
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .where(DatasetParameter.dataset_id == dataset.id, ParameterType.name == "Sample_temperature")
        .where(DatasetParameter.scan_id.is_(None))
    )
    with site.reads() as session:
        assert session.scalars(temperature).all() == [4.2]
        assert session.get_one(Sample, dataset.sample_id).name == "ice"


def test_a_dataset_whose_scans_differ_in_sample_has_none_itself(site: Site) -> None:
    path = site.write(scans=2)
    with h5py.File(path, "r+", locking=False) as file:
        file["2.1/sample/name"][()] = "ice"
    set_age(path)
    site.crawl()
    assert site.dataset(path).sample_id is None
    with site.reads() as session:
        assert set(session.scalars(select(Sample.name))) == {"LaB6", "ice"}
        assert len(session.scalars(select(InvestigationSample)).all()) == 2


def test_a_better_word_on_the_proposal_moves_the_dataset(site: Site) -> None:
    path = site.write("some/a.h5", without="experiment_identifier")
    site.crawl()
    before, inferred = site.dataset(path), site.investigation(path)
    assert (inferred.name, inferred.visit_id, inferred.is_inferred) == ("some", "none", True)
    site.write("some/a.h5", aged=LATER)
    site.crawl()
    found = site.investigation(path)
    assert (found.name, found.is_inferred) == ("hc1234", False)
    assert site.dataset(path).id == before.id


def write_collection(path: Path, scans: int) -> None:
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        for number in range(1, scans + 1):
            file[f"LaB6_{number}.1"] = h5py.ExternalLink("LaB6.h5", f"/{number}.1")
        file["text"] = "x" * 1000 * scans


def test_a_side_file_that_becomes_a_measurement_is_a_dataset(site: Site) -> None:
    path = site.folder / "a.h5"
    write_collection(path, 1)
    set_age(path)
    site.crawl()
    assert site.state(path)[0] == "side_file"
    assert site.count(InvestigationFile) == 1
    site.write(aged=LATER)
    site.crawl()
    assert site.state(path)[0] == "ingested"
    assert site.count(InvestigationFile) == 0
    assert site.count(MasterRecord) == 1


def test_a_side_file_that_changed_is_listed_as_it_is_now(site: Site) -> None:
    path = site.folder / "some" / "collection.h5"
    for scans, when in ((1, OLD), (9, LATER)):
        write_collection(path, scans)
        set_age(path, when)
        site.crawl()
    with site.reads() as session:
        listed = session.scalars(select(InvestigationFile)).one()
    stat = path.stat()
    assert (listed.path, listed.file_size, listed.mtime_ns) == ("some/collection.h5", stat.st_size, stat.st_mtime_ns)


# --- gone and back --------------------------------------------------------------------------------------------------


@on_both_databases
def test_a_master_that_is_gone_is_marked_and_its_dataset_kept(site: Site) -> None:
    path, other = site.write_folder(), site.write("other.h5", title="other")
    site.crawl()
    before = site.dataset(path)
    hidden = path.parent.rename(site.folder.parent / "hidden")
    assert site.crawl().vanished == 1
    assert site.state(path) == ("vanished", "gone from disk")
    after = site.dataset(path)
    assert (after.id, after.revision) == (before.id, before.revision + 1)
    assert {gone for _, gone in site.files(after.id).values()} == {True}
    assert site.state(other)[0] == "ingested"
    assert site.crawl().vanished == 0
    assert site.dataset(path).revision == after.revision
    hidden.rename(path.parent)
    assert site.crawl().changed == 1
    assert site.state(path) == ("ingested", None)
    back = site.dataset(path)
    assert (back.id, back.revision) == (before.id, before.revision + 2)
    assert {gone for _, gone in site.files(back.id).values()} == {False}
    assert site.crawl().passed_by == 1
    site.assert_index_agrees()


@on_both_databases
def test_the_number_of_a_file_is_given_once(site: Site) -> None:
    path = site.write_folder(images=3)
    site.crawl()
    dataset = site.dataset(path)
    numbers = {name: ordinal for name, (ordinal, _) in site.files(dataset.id).items()}
    assert sorted(numbers.values()) == [0, 1, 2, 3]
    (path.parent / "scan0001/image_1.edf").unlink()
    (path.parent / "a_new_one.edf").touch()
    site.crawl()
    files = site.files(dataset.id)
    assert files["scan0001/image_1.edf"] == (numbers["scan0001/image_1.edf"], True)
    assert files["a_new_one.edf"] == (4, False)
    assert site.dataset(path).file_count == 4
    (path.parent / "scan0001/image_1.edf").write_bytes(b"back")
    set_age(path.parent, LATER)
    site.crawl()
    files = site.files(dataset.id)
    assert files["scan0001/image_1.edf"] == (numbers["scan0001/image_1.edf"], False)
    assert site.dataset(path).next_file_ordinal == 5


# --- moves ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["m/b.h5", "other/a.h5", "0/a.h5", "zz/deeper/b.h5"])
def test_a_moved_master_keeps_its_dataset(site: Site, target: str) -> None:
    path = site.write("m/a.h5", scans=2)
    site.crawl()
    before, scans = site.dataset(path), site.scans(site.dataset(path).id)
    moved = site.folder / target
    moved.parent.mkdir(parents=True, exist_ok=True)
    path.rename(moved)
    report = site.crawl()
    assert (report.new, report.vanished) == (1, 1)
    after = site.dataset(moved)
    assert (after.id, after.revision, after.copy_of_id) == (before.id, before.revision + 2, None)
    assert after.location == str(moved.parent)
    assert site.scans(after.id) == scans
    assert site.count(Dataset) == site.count(MasterFile) == site.count(MasterRecord) == 1
    assert site.crawl().unchanged == 1
    site.assert_index_agrees()


@on_both_databases
def test_a_moved_folder_keeps_dataset_and_file_numbers(site: Site) -> None:
    path = site.write_folder()
    site.crawl()
    before = site.dataset(path)
    files = site.files(before.id)
    target = site.folder / VISIT.replace("hc1234", "hc4321") / "LaB6" / path.parent.name
    target.parent.mkdir(parents=True)
    path.parent.rename(target)
    site.crawl()
    moved = target / path.name
    after = site.dataset(moved)
    assert after.id == before.id
    assert site.files(after.id) == files
    assert site.count(Dataset) == 1
    site.assert_index_agrees()


def test_a_folder_that_moved_and_left_a_link_keeps_its_dataset(site: Site) -> None:
    path = site.write_folder()
    site.crawl()
    before = site.dataset(path)
    archive = site.folder / "archive"
    path.parent.rename(archive)
    path.parent.symlink_to(archive)
    site.crawl()
    assert site.dataset(archive / path.name).id == before.id
    assert site.count(Dataset) == 1


def test_a_move_into_another_root_keeps_the_dataset(site: Site, tmp_path: Path) -> None:
    path = site.write()
    site.write("stays.h5", title="stays")
    site.crawl()
    before = site.dataset(path)
    other = Site(site.services, tmp_path / "other")
    other.folder.mkdir()
    moved = path.rename(other.folder / "a.h5")
    other.crawl()
    assert other.dataset(moved).id == before.id
    site.crawl()
    assert site.count(Dataset) == 2


def test_what_lies_in_a_root_that_is_not_mounted_has_not_moved(site: Site, tmp_path: Path) -> None:
    path = site.write()
    site.crawl()
    before = site.dataset(path)
    other = Site(site.services, tmp_path / "other")
    other.folder.mkdir()
    copy = other.folder / "a.h5"
    shutil.copy2(path, copy)
    site.folder.rename(tmp_path / "hidden")
    site.folder.mkdir()
    other.crawl()
    assert other.dataset(copy).copy_of_id == before.id
    assert site.dataset(path).id == before.id


@pytest.mark.needs("root")
def test_what_is_out_of_reach_has_not_moved(site: Site) -> None:
    path = site.write("closed/a.h5")
    site.crawl()
    before = site.dataset(path)
    copy = site.folder / "open" / "a.h5"
    copy.parent.mkdir()
    shutil.copy2(path, copy)
    site.walk()
    path.parent.chmod(0)
    site.drain_without_rights()
    path.parent.chmod(0o755)
    assert site.dataset(copy).copy_of_id == before.id
    assert site.dataset(path).id == before.id


# --- copies ---------------------------------------------------------------------------------------------------------


def test_a_copy_is_a_second_dataset_that_says_so(site: Site) -> None:
    path = site.write("a.h5")
    site.crawl()
    copy = site.folder / "copy" / "a.h5"
    copy.parent.mkdir()
    shutil.copy2(path, copy)
    site.crawl()
    original, second = site.dataset(path), site.dataset(copy)
    assert (original.copy_of_id, second.copy_of_id) == (None, original.id)
    assert original.id != second.id
    assert original.name != second.name
    site.assert_index_agrees()


@on_both_databases
def test_copies_seen_at_once_are_one_original_and_its_copies(site: Site) -> None:
    paths = [site.write(f"{number}/a.h5") for number in range(3)]
    site.crawl()
    first, *others = (site.dataset(path) for path in paths)
    assert first.copy_of_id is None
    assert {one.copy_of_id for one in others} == {first.id}


def test_a_copy_that_is_read_again_after_its_original_went_stays_itself(site: Site) -> None:
    path, copy = site.write("a.h5"), site.write("b.h5")
    site.crawl()
    original, second = site.dataset(path), site.dataset(copy)
    path.unlink()
    set_age(copy, LATER)
    site.crawl()
    assert site.state(copy) == ("ingested", None)
    assert site.dataset(copy).id == second.id
    assert site.dataset(path).id == original.id
    assert site.state(path)[0] == "vanished"


def test_a_copy_that_moves_keeps_its_own_dataset(site: Site) -> None:
    path, copy = site.write("a.h5"), site.write("b.h5")
    site.crawl()
    original, second = site.dataset(path), site.dataset(copy)
    moved = copy.rename(site.folder / "c.h5")
    site.crawl()
    assert site.dataset(moved).id == second.id
    assert site.dataset(moved).copy_of_id == original.id
    assert site.dataset(path).id == original.id
    assert site.count(Dataset) == 2


def test_other_content_at_an_old_place_is_no_move(site: Site) -> None:
    path = site.write("a.h5", title="first")
    site.crawl()
    before = site.dataset(path)
    path.rename(site.folder / "b.h5")
    site.write("a.h5", title="second", aged=LATER)
    site.crawl()
    assert site.dataset(path).id == before.id
    assert site.count(Dataset) == 2


# --- names ----------------------------------------------------------------------------------------------------------


@on_both_databases
def test_a_name_that_is_taken_becomes_the_path_below(site: Site) -> None:
    """Files name one proposal, so that all land in one investigation."""
    paths = [site.write(f"{folder}/a.h5", title=folder) for folder in ("x", "y/deep", "z/deep")]
    site.crawl()
    assert [site.dataset(path).name for path in paths] == ["a", "deep/a.h5", "z/deep/a.h5"]
    with site.reads() as session:
        assert len(session.scalars(select(Investigation).join(Dataset)).unique().all()) == 1


def test_a_dataset_keeps_its_name_when_it_is_read_again(site: Site) -> None:
    first, second = site.write("x/a.h5", title="x"), site.write("y/a.h5", title="y")
    site.crawl()
    names = site.dataset(first).name, site.dataset(second).name
    site.write("x/a.h5", title="x again", aged=LATER)
    site.write("y/a.h5", title="y again", aged=LATER)
    site.crawl()
    assert (site.dataset(first).name, site.dataset(second).name) == names


# --- while others work ----------------------------------------------------------------------------------------------


def test_nobody_waits_while_a_large_folder_is_listed(site: Site) -> None:
    """The listing of 200,000 files may take minutes, the write lock must not."""
    path = site.write_folder()
    site.walk()
    held: list[bool] = []
    with site.listing(path.parent / "scan0001", lambda: held.append(site.is_locked())):
        site.drain()
    assert held == [False]
    assert site.state(path)[0] == "ingested"


def test_a_folder_may_be_deeper_than_python_calls_may_be(site: Site) -> None:
    master = site.write_folder(images=0)
    deep = [f"{master.parent}{'/d' * depth}" for depth in range(1, 1200)]
    for folder in deep:
        Path(folder).mkdir()
    image = Path(deep[-1], "image.edf")
    image.touch()
    try:
        site.crawl()
    finally:
        image.unlink()
        for folder in reversed(deep):  # pytest could not clean it away
            Path(folder).rmdir()
    assert len(site.files(site.dataset(master).id)) == 2


def test_a_word_on_the_root_holds_for_what_is_being_read(site: Site) -> None:
    path = site.write_folder()
    site.walk()
    with site.listing(path.parent, lambda: site.open_root(is_secret=True)):
        site.drain()
    assert site.dataset(path).is_secret


def test_only_regular_files_in_the_masters_own_folder_are_its_files(site: Site) -> None:
    (site.folder / "side.h5").write_bytes(b"")
    set_age(site.folder / "side.h5", ago(days=9))
    (site.folder / "sub").mkdir()
    (site.folder.parent / "outside.h5").touch()
    (site.folder / "link.h5").symlink_to(site.folder.parent / "outside.h5")
    targets = ("side.h5", ".", "..", "../outside.h5", "/etc/passwd", "sub", "x" * 300 + ".h5", "a.h5", "link.h5")
    fields = {f"measurement__link{number}": h5py.ExternalLink(name, "/x") for number, name in enumerate(targets)}
    path = site.write(**fields)
    site.crawl()
    assert set(site.files(site.dataset(path).id)) == {"a.h5", "side.h5"}
