"""Changed rules on stored records: as a fresh reading would have it, and nothing that did not change is touched."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from sqlalchemy import delete, select, update

from ingest import rulebook
from ingest.catalogue.masters import claim_one
from ingest.catalogue.model import (
    Dataset,
    DatasetParameter,
    InvestigationFile,
    Layer,
    MasterFile,
    MasterRecord,
    ParameterType,
    Root,
    Scan,
)
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import crawl_root
from ingest.remapping import Remap
from ingest.samples.tree import write_samples
from ingest.services import open_services
from tests.pipeline.said import read_revisions, read_said
from tests.pipeline.site import OLD, Site, set_age, watching
from tests.pipeline.test_identity import writing
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rules = Callable[[str], str]

HEAD = 'name = "mine"\nversion = "1"\nextends = "nexus"\n'
SAME = 'placeholders = ["a word that no file holds"]\n'
COMMENT = '[parameters.Site_comment]\nkind = "text"\nsources = [{ at = ["NXentry"], fields = ["comment"] }]\n'
FLUX = """
[parameters.Site_flux]
kind = "quantity"
unit = "{}"
sources = [{{ at = ["NXentry"], fields = ["flux"] }}]
"""
MUCH = """
end_required = true
[parameters.Site_probe]
kind = "text"
sources = [{ at = ["NXsource"], fields = ["probe", "name"] }]
[parameters.Site_length]
kind = "quantity"
unit = "m"
sources = [{ at = ["NXdetector"], fields = ["distance"] }]
[targets.title]
replace = true
kind = "text"
sources = [{ at = ["NXentry"], fields = ["definition", "end_reason"] }, { at = ["NXsample"], fields = ["name"] }]
[targets.sample_name]
replace = true
kind = "text"
sources = [{ at = ["NXentry"], fields = ["title"] }]
[targets.instrument_name]
replace = true
kind = "text"
sources = [{ at = ["NXsource"], fields = ["name"] }]
[targets.temperature]
replace = true
[targets.experiment_identifier]
replace = true
[[techniques]]
definition = "NXsubentry"
name = "sub-entry"
pid = "x"
[[side_file.when]]
attribute = "creator"
matching = "no such writer"
"""


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    """Return what writes a rule file of our own, and gives its path."""

    def write(text: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(HEAD + text)
        return str(path)

    return write


def remap(site: Site, *, is_dry: bool = False) -> dict[str, Any]:
    told: list[tuple[int, int]] = []
    run = Remap(site.services)
    document = run.run(is_dry=is_dry, note=lambda done, total: told.append((done, total))).to_document()
    assert told[-1:] in ([], [(run.count, run.count)])
    return document


def count(document: dict[str, Any]) -> tuple[int, int, int]:
    return document["changed"], document["unchanged"], document["failed"]


def field(document: dict[str, Any], name: str, scope: str = "dataset") -> dict[str, Any]:
    (found,) = (row for row in document["fields"] if (row["name"], row["scope"]) == (name, scope))
    return dict(found)


def find_value(site: Site, path: Path, name: str) -> Any:
    statement = (
        select(DatasetParameter.string_value, DatasetParameter.numeric_value, DatasetParameter.source_path)
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .where(DatasetParameter.dataset_id == site.dataset(path).id, ParameterType.name == name)
        .where(DatasetParameter.is_shown.is_(True))
    )
    with site.reads() as session:
        row = session.execute(statement).one_or_none()
    return row and (row[0] if row[1] is None else row[1], row[2])


def rulebooks(site: Site) -> set[str]:
    with site.reads() as session:
        return set(session.scalars(select(MasterRecord.rulebook)))


# --- what it does ---------------------------------------------------------------------------------------------------


@on_both_databases
def test_a_new_rule_reaches_datasets_without_a_file_being_opened(site: Site, rules: Rules) -> None:
    one, other = site.write("a.h5", comment="hello"), site.write("b.h5", title="without")
    site.crawl(rules=rules(""))
    before = site.dataset(one), site.dataset(other)
    shutil.rmtree(site.folder)
    site.folder.mkdir()
    rules(COMMENT)
    with watching() as seen:
        told = remap(site)
    assert [path for _, path in seen if path.startswith(str(site.folder))] == []
    assert count(told) == (1, 1, 0)
    assert find_value(site, one, "Site_comment") == ("hello", "/1.1/comment")
    assert find_value(site, other, "Site_comment") is None
    assert (site.dataset(one).id, site.dataset(one).revision) == (before[0].id, before[0].revision + 1)
    assert (site.dataset(other).revision, site.dataset(other).modified_at) == (
        before[1].revision,
        before[1].modified_at,
    )
    assert field(told, "Site_comment") == {
        "scope": "dataset",
        "kind": "parameter",
        "name": "Site_comment",
        "gained": 1,
        "lost": 0,
        "changed": 0,
        "examples": [
            {
                "dataset_id": before[0].id,
                "place": "",
                "before": None,
                "after": {"value": "hello", "path": "/1.1/comment", "remark": "hello"},
            }
        ],
    }
    site.assert_index_agrees()


@pytest.mark.parametrize("text", [MUCH, SAME])
def test_the_catalogue_then_says_what_a_fresh_crawl_by_the_new_rules_would(
    tmp_path: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folder = tmp_path / "root"
    write_samples(folder)
    said = {}
    for name, first in {"remapped": "", "fresh": text}.items():
        monkeypatch.setenv("NXCAT_DATA", str(tmp_path / name))
        with open_services() as services:
            site = Site(services, folder)
            site.crawl(rules=rules(first), release_policy="never")  # when it opens hangs on the order of reading
            rules(text)
            told = remap(site)
            site.assert_index_agrees()
            said[name] = read_said(site.ask)
        assert told["failed"] == 0
        assert (told["changed"] > 0) == (name == "remapped" and text == MUCH)
    assert said["remapped"].keys() == said["fresh"].keys()
    for table, rows in said["fresh"].items():
        assert rows, table
        assert said["remapped"][table] == rows, table


def test_a_second_run_does_nothing_and_writes_nothing(site: Site, rules: Rules, data_folder: Path) -> None:
    site.write(comment="hello")
    site.crawl(rules=rules(""))
    rules(COMMENT)
    remap(site)
    with closing(sqlite3.connect(data_folder / "catalogue.sqlite")) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        told = remap(site)
        assert connection.execute("PRAGMA data_version").fetchone() == before
    assert (told["looked_at"], told["fields"]) == (0, [])


def test_what_a_crawl_has_just_mapped_is_passed_over(site: Site, rules: Rules) -> None:
    site.write(comment="hello")
    site.crawl(rules=rules(COMMENT))
    assert remap(site)["looked_at"] == 0


def test_a_dry_run_tells_the_same_and_writes_nothing(site: Site, rules: Rules, data_folder: Path) -> None:
    site.write("a.h5", comment="hello", flux=(3.0, "m"))
    site.write("b.h5", title="b", flux=(3.0, "s"))
    site.crawl(rules=rules(""))
    rules(COMMENT + FLUX.format("m"))
    with closing(sqlite3.connect(data_folder / "catalogue.sqlite")) as connection:
        before = connection.execute("PRAGMA data_version").fetchone()
        dry = remap(site, is_dry=True)
        assert connection.execute("PRAGMA data_version").fetchone() == before
    assert dry == remap(site)
    assert count(dry) == (1, 1, 0)


def test_of_datasets_that_do_not_change_the_rules_are_noted_in_one_statement(site: Site, rules: Rules) -> None:
    for name in ("a", "b", "c"):
        site.write(f"{name}.h5", title=name)
    site.crawl(rules=rules(""))
    rules(SAME)
    with writing(site) as written:
        assert count(remap(site)) == (0, 3, 0)
    assert written == ["UPDATE master_record"]


def test_other_means_of_telling_the_same_are_no_news(site: Site, rules: Rules) -> None:
    path = site.write()
    site.crawl(rules=rules(""))
    with site.services.write_sessions.begin() as session:
        session.execute(update(Dataset).values(content_digest="of another release"))
    before = site.dataset(path)
    rules(SAME)
    assert count(remap(site)) == (0, 1, 0)
    after = site.dataset(path)
    assert (after.revision, after.modified_at) == (before.revision, before.modified_at)
    assert after.content_digest != "of another release"


def test_a_root_and_a_release_are_parts_of_the_rules(site: Site, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    path = site.write(start_time="2023-05-09T09:30:00")
    site.crawl(rules=rules(""))
    site.open_root(timezone="Europe/Paris")
    told = remap(site)
    assert field(told, "start_date", "scan")["changed"] == 1
    with site.reads() as session:
        scan = session.scalars(select(Scan).where(Scan.dataset_id == site.dataset(path).id)).one()
    assert scan.start_date is not None
    assert scan.start_date.hour == 7
    monkeypatch.setattr(rulebook, "_find_release", lambda: "99")
    assert count(remap(site)) == (0, 1, 0)


def test_a_reading_by_changed_rules_notes_them_and_leaves_an_equal_record_alone(site: Site, rules: Rules) -> None:
    path = site.write(comment="hello")
    site.crawl(rules=rules(""))
    before = rulebooks(site)
    rules(COMMENT)
    set_age(path, OLD.replace(month=6))
    with writing(site) as written:
        site.crawl()
    assert "INSERT master_record" not in written
    assert "UPDATE master_record" in written
    assert rulebooks(site).isdisjoint(before)
    assert remap(site)["looked_at"] == 0


# --- what it leaves alone -------------------------------------------------------------------------------------------


@on_both_databases
def test_what_a_person_and_a_notice_say_survives_and_is_shown(site: Site, rules: Rules) -> None:
    path = site.write(comment="hello")
    site.crawl(rules=rules(COMMENT))
    dataset_id = site.dataset(path).id
    with site.services.write_sessions.begin() as session:
        type_id = session.scalars(select(ParameterType.id).where(ParameterType.name == "Site_comment")).one()
        said = {"dataset_id": dataset_id, "type_id": type_id, "origin": "read"}
        session.execute(update(DatasetParameter).where(DatasetParameter.type_id == type_id).values(is_shown=False))
        session.add(DatasetParameter(**said, layer=Layer.PERSON, string_value="a person's", is_shown=True))
    rules(COMMENT.replace('"comment"', '"title"'))
    told = remap(site)
    assert field(told, "Site_comment")["changed"] == 1
    assert find_value(site, path, "Site_comment") == ("a person's", None)
    with site.reads() as session:
        of_type = select(DatasetParameter).where(DatasetParameter.type_id == type_id)
        layers = {row.layer: (row.string_value, row.is_shown) for row in session.scalars(of_type)}
    assert layers == {Layer.FILE: ("ascan samx 0 1 10 0.1", False), Layer.PERSON: ("a person's", True)}


def test_the_listing_stands(site: Site, rules: Rules) -> None:
    master = site.write_folder(comment="hello")
    site.crawl(rules=rules("").replace("nexus", "esrf-bliss"))
    before = site.dataset(master), site.files(site.dataset(master).id)
    shutil.rmtree(master.parent)
    rules(COMMENT)
    with writing(site) as written:
        assert remap(site)["changed"] == 1
    assert not [line for line in written if "datafile" in line]
    after = site.dataset(master)
    assert site.files(after.id) == before[1]
    assert (after.listing_digest, after.location) == (before[0].listing_digest, before[0].location)


def test_a_dataset_whose_master_is_gone_follows_and_stays_gone(site: Site, rules: Rules) -> None:
    path = site.write(comment="hello")
    site.write("other.h5", title="stays")
    site.crawl(rules=rules(""))
    path.unlink()
    site.crawl()
    before = site.dataset(path)
    rules(SAME)
    assert count(remap(site)) == (0, 2, 0)
    assert site.dataset(path).revision == before.revision
    rules(SAME + COMMENT)
    assert remap(site)["changed"] == 1
    assert site.state(path) == ("vanished", "gone from disk")
    assert site.files(before.id) == {"a.h5": (0, True)}
    site.write(comment="hello")
    site.crawl()
    assert site.files(before.id) == {"a.h5": (0, False)}
    assert find_value(site, path, "Site_comment") == ("hello", "/1.1/comment")


# --- identity and state ---------------------------------------------------------------------------------------------


def test_the_investigation_may_change_and_the_dataset_keeps_its_id(site: Site, rules: Rules) -> None:
    path = site.write("hc9/x/a.h5", logbook="hc77")
    site.crawl(rules=rules(""))
    before = site.dataset(path)
    rules('[targets.experiment_identifier]\nreplace = true\nsources = [{ at = ["NXentry"], fields = ["logbook"] }]\n')
    told = remap(site)
    example = field(told, "investigation")["examples"][0]
    assert (example["before"]["value"], example["after"]["value"]) == ("hc1234", "hc77")
    assert (site.dataset(path).id, site.investigation(path).name) == (before.id, "hc77")
    site.assert_index_agrees()
    rules(
        "[targets.experiment_identifier]\nreplace = true\n"
        '[[paths]]\npattern = "{proposal}/{beamline}"\nparts = { proposal = "hc[0-9]+" }\n'
    )
    told = remap(site)
    assert (site.dataset(path).id, site.investigation(path).name) == (before.id, "hc9")
    assert field(told, "instrument")["examples"][0]["after"]["value"] == "x"


def test_a_dataset_that_would_be_a_side_file_is_told_and_stays(site: Site, rules: Rules) -> None:
    path = site.write("camera.h5", comment="hello")
    site.write("b.h5", title="b", comment="hello")
    with h5py.File(path, "r+", locking=False) as file:
        file.attrs["creator"] = "camera"
    set_age(path)
    site.crawl(rules=rules(""))
    before = site.dataset(path)
    rules(COMMENT + '[[side_file.when]]\nattribute = "creator"\nmatching = "camera"\n')
    told = remap(site)
    assert told["would_be_side_files"] == {"count": 1, "paths": [str(path)]}
    assert count(told) == (1, 0, 0)
    assert site.dataset(path).revision == before.revision
    assert site.state(path)[0] == "ingested"


def test_a_side_file_that_would_be_a_dataset_is_named_and_read_again_only_on_request(site: Site, rules: Rules) -> None:
    camera, other = site.write("camera.h5"), site.write("b.h5", title="b")
    with h5py.File(camera, "r+", locking=False) as file:
        file.attrs["creator"] = "camera"
    set_age(camera)
    site.crawl(rules=rules('[[side_file.when]]\nattribute = "creator"\nmatching = "camera"\n'))
    assert site.state(camera)[0] == "side_file"
    read_at = site.master(other).read_at
    rules("")
    told = remap(site)
    assert told["lacking"]["paths"] == [str(camera)]
    assert told["looked_at"] == 1
    assert site.find_dataset(camera) is None
    run = Remap(site.services)
    assert run.report.to_document()["lacking"]["count"] == 1, "it is still told by the next run"
    outcomes: list[Any] = []
    run.read_again(outcomes.append)
    assert [outcome.path for outcome in outcomes] == [str(camera)]
    assert site.state(camera)[0] == "ingested"
    assert site.count(InvestigationFile) == 0
    assert site.master(other).read_at == read_at
    assert Remap(site.services).report.lacking.count == 0
    site.assert_index_agrees()


@on_both_databases
def test_the_place_of_a_side_file_follows_the_rules(site: Site, rules: Rules) -> None:
    side = site.write("hc1/id00/camera.h5", experiment_identifier="hc55", end_time="2020-01-01T00:00:00Z")
    with h5py.File(side, "r+", locking=False) as file:
        file.attrs["creator"] = "camera"
    set_age(side)
    when = '[[side_file.when]]\nattribute = "creator"\nmatching = "camera"\n'
    site.crawl(rules=rules(when))
    rules(f"{when}[targets.experiment_identifier]\nreplace = true\n")
    told = remap(site)
    assert (told["looked_at"], told["side_files"]) == (0, 1)
    assert read_said(site.ask)["others"] == [("hc1/id00/camera.h5", "hdf5-nexus", "hc1", "none")]


def test_a_dataset_that_has_no_end_by_the_new_rules_is_incomplete(site: Site, rules: Rules) -> None:
    path = site.write(without="end_time")
    site.crawl(rules=rules(""))
    assert site.dataset(path).is_complete
    rules("end_required = true\n")
    told = remap(site)
    assert field(told, "is_complete")["examples"][0]["after"]["value"] == "no"
    assert site.state(path) == ("incomplete", "a scan has no end")
    assert not site.dataset(path).is_complete
    assert site.drain() == []


def test_a_dataset_that_is_complete_by_the_new_rules_is_looked_at_again(site: Site, rules: Rules) -> None:
    path = site.write(without="end_time")
    site.crawl(rules=rules("end_required = true\n"))
    assert site.state(path) == ("incomplete", "a scan has no end")
    rules("")
    told = remap(site)
    assert told["due"] == {"count": 1, "paths": [str(path)]}
    assert not site.dataset(path).is_complete, "that only a look at the file can tell"
    assert site.drain() == ["a.h5"]
    assert site.dataset(path).is_complete
    assert site.state(path) == ("ingested", None)


def test_a_master_that_cannot_be_read_now_is_not_made_due(site: Site, rules: Rules) -> None:
    path = site.write(without="end_time")
    site.write("b.h5", title="stays")
    site.crawl(rules=rules("end_required = true\n"))
    path.unlink()
    site.crawl()
    rules("")
    assert remap(site)["changed"] == 1
    assert site.master(path).next_attempt_at is None


# --- what fails -----------------------------------------------------------------------------------------------------


@on_both_databases
def test_a_parameter_in_another_unit_fails_its_dataset_alone_and_says_what_to_do(site: Site, rules: Rules) -> None:
    one, other = site.write("a.h5", flux=(3.0, "m"), comment="a"), site.write("b.h5", title="b", comment="b")
    site.crawl(rules=rules(FLUX.format("m")))
    before = site.dataset(one)
    rules(COMMENT + '[parameters.Site_flux]\nkind = "text"\nsources = [{ at = ["NXentry"], fields = ["comment"] }]\n')
    dry = remap(site, is_dry=True)
    told = remap(site)
    assert dry == told
    assert count(told) == (0, 0, 2)
    (failure,) = told["failures"]
    assert failure["paths"] == [str(one), str(other)]
    assert "parameter Site_flux is kept in m, a rule gave it in no unit: let the rule give it in m" in failure["reason"]
    assert site.dataset(one).revision == before.revision
    assert count(remap(site)) == (0, 0, 2), "what failed is not done"
    rules(FLUX.format("m") + COMMENT)
    assert count(remap(site)) == (2, 0, 0)


def test_a_record_that_cannot_be_understood_keeps_no_other_from_it(
    site: Site, rules: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [site.write(f"{name}.h5", title=name, comment=name) for name in "abc"]
    site.crawl(rules=rules(""))
    with site.services.write_sessions.begin() as session:
        damaged = session.scalars(select(MasterFile.id).where(MasterFile.path == str(paths[0]))).one()
        session.execute(update(MasterRecord).where(MasterRecord.master_file_id == damaged).values(document=b"junk"))
    rules(COMMENT)
    told = remap(site)
    assert count(told) == (2, 0, 1)
    assert told["failures"][0]["paths"] == [str(paths[0])]
    assert "failed over the record" in caplog.text
    assert told["passed_over"] == 0


def test_a_dataset_that_cannot_be_stored_keeps_no_other_from_it(
    site: Site, rules: Rules, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [site.write(f"{name}.h5", title=name, comment=name) for name in "abc"]
    site.crawl(rules=rules(""))
    with site.services.write_sessions.begin() as session:
        session.connection().exec_driver_sql(
            "CREATE TRIGGER no_b BEFORE INSERT ON dataset_parameter WHEN NEW.string_value = 'b' "
            "BEGIN SELECT RAISE(ABORT, 'no b here'); END"
        )
    rules(COMMENT)
    told = remap(site)
    assert count(told) == (2, 0, 1)
    (failure,) = told["failures"]
    assert "no b here" in failure["reason"]
    assert failure["paths"] == [str(paths[1])]
    assert find_value(site, paths[2], "Site_comment") == ("c", "/1.1/comment")
    assert "failed over the dataset" in caplog.text
    site.assert_index_agrees()


def test_a_rule_file_that_is_gone_fails_its_own_root_alone(site: Site, rules: Rules, tmp_path: Path) -> None:
    site.write(comment="hello")
    site.crawl(rules=rules(""))
    other = Site(site.services, tmp_path / "beside")
    other.write(title="other")
    other.crawl(rules=rules(""))
    (tmp_path / "own.toml").write_text(HEAD + SAME)
    other.open_root(rules=str(tmp_path / "own.toml"))
    (tmp_path / "mine.toml").unlink()
    told = remap(site)
    assert count(told) == (0, 1, 1)
    assert "there is no such file" in told["failures"][0]["reason"]


# --- beside others --------------------------------------------------------------------------------------------------


def test_a_newer_reading_counts(site: Site, rules: Rules) -> None:
    paths = [site.write(f"{name}.h5", title=name, comment=name) for name in "ab"]
    site.crawl(rules=rules(""))
    rules(COMMENT)
    run = Remap(site.services)
    (stale,) = rulebooks(site)
    batch = run._map_batch(stale, -1)
    site.write("a.h5", title="a", comment="newer", aged=OLD.replace(month=6))
    site.crawl()
    revision = site.dataset(paths[0]).revision
    stored = run._store(stale, batch)
    assert [mapped.row.path for mapped in stored] == [str(paths[1])]
    assert find_value(site, paths[0], "Site_comment") == ("newer", "/1.1/comment")
    assert site.dataset(paths[0]).revision == revision
    assert find_value(site, paths[1], "Site_comment") == ("b", "/1.1/comment")


@on_both_databases
@pytest.mark.parametrize(
    "statement",
    [
        update(Dataset).values(content_digest="x"),
        update(Dataset).values(is_complete=False),
        update(Dataset).values(listing_digest="x"),
        update(MasterFile).values(state="vanished"),
        update(MasterFile).values(record_digest="x"),
        update(MasterRecord).values(rulebook="x"),
        delete(MasterRecord),
    ],
)
def test_whatever_was_done_meanwhile_counts(site: Site, rules: Rules, statement: Any) -> None:
    path = site.write(comment="hello")
    site.crawl(rules=rules(""))
    rules(COMMENT)
    run = Remap(site.services)
    (stale,) = rulebooks(site)
    batch = run._map_batch(stale, -1)
    with site.services.write_sessions.begin() as session:
        session.execute(statement)
    assert run._store(stale, batch) == []
    assert find_value(site, path, "Site_comment") is None


@on_both_databases
def test_what_a_worker_has_in_hand_is_left_to_it_and_told(site: Site, rules: Rules) -> None:
    path = site.write(comment="hello")
    site.crawl(rules=rules(""))
    rules(COMMENT)
    with site.services.write_sessions.begin() as session:
        claim_one(session, site.master(path).id, "elsewhere:1:1", utc_now())
    told = remap(site)
    assert (told["looked_at"], told["passed_over"]) == (0, 1)
    with site.services.write_sessions.begin() as session:
        session.execute(update(MasterFile).values(claimed_at=None, claimed_by=None))
    assert remap(site)["changed"] == 1


@on_both_databases
def test_several_batches_and_roots_are_gone_through(
    site: Site, rules: Rules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.remapping.BATCH", 3)
    other = Site(site.services, tmp_path / "beside")
    for number in range(8):
        (site if number % 2 else other).write(f"{number}.h5", title=str(number), comment=str(number))
    for each in (site, other):
        each.crawl(rules=rules(""))
    assert len(rulebooks(site)) == 2
    rules(COMMENT)
    told = remap(site)
    assert count(told) == (8, 0, 0)
    assert field(told, "Site_comment")["gained"] == 8
    assert len(field(told, "Site_comment")["examples"]) == 2
    site.assert_index_agrees()
    assert remap(site)["looked_at"] == 0


def test_a_batch_ends_where_its_records_get_large(site: Site, rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        site.write(f"{name}.h5", title=name, comment=name)
    site.crawl(rules=rules(""))
    rules(COMMENT)
    monkeypatch.setattr("ingest.remapping.BATCH_BYTES", 1)
    (stale,) = rulebooks(site)
    assert len(Remap(site.services)._map_batch(stale, -1)) == 1
    assert count(remap(site)) == (3, 0, 0)


def test_a_person_may_close_a_root_while_it_is_mapped(site: Site, rules: Rules) -> None:
    path = site.write(comment="hello")
    site.crawl(rules=rules(""))
    rules(COMMENT)
    run = Remap(site.services)
    (stale,) = rulebooks(site)
    batch = run._map_batch(stale, -1)
    with site.services.write_sessions.begin() as session:
        session.execute(update(Root).values(is_secret=True))
    run._store(stale, batch)
    assert site.dataset(path).is_secret


def test_changed_rules_change_nobodys_revision_twice(site: Site, rules: Rules) -> None:
    for name in "abc":
        site.write(f"{name}.h5", title=name, comment=name)
    site.crawl(rules=rules(""))
    before = read_revisions(site.ask)
    rules(COMMENT)
    remap(site)
    rules(COMMENT + SAME)
    remap(site)
    with site.services.write_sessions.begin() as session:
        root, _ = upsert_root(session, site.folder, RootSettings())
    crawl_root(site.services, root, utc_now())
    site.drain()
    assert read_revisions(site.ask) == {path: (one, two + 1) for path, (one, two) in before.items()}
