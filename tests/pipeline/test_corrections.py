"""A person's word is shown and found, survives reading and mapping anew, and can be taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from sqlalchemy import select

from ingest.catalogue.browsing import get_dataset, list_parameters, list_scans
from ingest.catalogue.correctables import CorrectionError
from ingest.catalogue.corrections import Change, correct_dataset, list_corrections
from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.model import Correction, CorrectionAction, InvestigationSample, Sample
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, record_notice
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR
from ingest.noticing import settle_notices
from ingest.pipeline import index_pending
from ingest.remapping import Remap
from tests.pipeline.site import OLD, set_age
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline.site import Site

LATER = OLD + timedelta(days=1)
ENERGY = "InstrumentBeam_incident_energy"
HEAD = 'name = "mine"\nversion = "1"\nextends = "nexus"\n'
COMMENT = '[parameters.Site_comment]\nkind = "text"\nsources = [{ at = ["NXentry"], fields = ["comment"] }]\n'


def correct(site: Site, path: Path, *changes: Change, reason: str = "logbook") -> list[str]:
    """Correct the dataset of a master, and bring the index along."""
    with site.services.write_sessions.begin() as session:
        changed = correct_dataset(session, site.dataset(path).id, changes, reason=reason, author="Ada", now=utc_now())
    index_pending(site.services)
    return changed


def put(field: str, text: str, unit: str | None = None) -> Change:
    return Change(CorrectionAction.SET, field, text, unit)


def remove(field: str) -> Change:
    return Change(CorrectionAction.REMOVE, field)


def undo(field: str) -> Change:
    return Change(CorrectionAction.UNDO, field)


def shown(site: Site, path: Path, name: str, scan: str | None = None) -> list[tuple[Any, str]]:
    with site.reads() as session:
        page = list_parameters(session, OPERATOR, utc_now(), site.dataset(path).id, scan=scan)
        return [(row.numeric_value or row.string_value, row.layer) for row in page.items if row.name == name]


def view(site: Site, path: Path) -> Any:
    with site.reads() as session:
        return get_dataset(session, OPERATOR, utc_now(), site.dataset(path).id)


def scans(site: Site, path: Path) -> list[Any]:
    with site.reads() as session:
        return list(list_scans(session, OPERATOR, utc_now(), site.dataset(path).id).items)


def found(site: Site, query: str) -> list[str]:
    with site.reads() as session:
        page = search_datasets(session, site.services.index, OPERATOR, utc_now(), SearchQuestion(text=query))
    return [hit.dataset.name for hit in page.hits]


def history(site: Site, path: Path) -> list[Any]:
    with site.reads() as session:
        return list(list_corrections(session, OPERATOR, utc_now(), site.dataset(path).id).items)


def remap(site: Site) -> dict[str, Any]:
    return Remap(site.services).run(is_dry=False, note=lambda _done, _total: None).to_document()


def test_a_corrected_parameter_is_shown_and_found_and_the_files_value_is_kept(site: Site) -> None:
    path = site.write()
    site.crawl()
    before = site.dataset(path)
    assert correct(site, path, put("energy", "7100 eV")) == [ENERGY]
    assert shown(site, path, ENERGY) == [(7.1, "person")]
    assert (found(site, "energy:7..8 keV"), found(site, "energy:12..13 keV")) == (["a"], [])
    assert site.dataset(path).revision == before.revision + 1
    site.assert_index_agrees()
    correct(site, path, undo("energy"))
    assert shown(site, path, ENERGY) == [(12.4, "file")]
    assert found(site, "energy:12..13 keV") == ["a"]


@on_both_databases
def test_a_removed_parameter_is_neither_shown_nor_found_until_that_is_undone(site: Site) -> None:
    path = site.write()
    site.crawl()
    correct(site, path, remove("energy"))
    assert shown(site, path, ENERGY) == []
    assert found(site, "energy:1..100 keV") == []
    correct(site, path, put("energy", "9 keV"))
    assert shown(site, path, ENERGY) == [(9.0, "person")]
    correct(site, path, undo("energy"))
    assert shown(site, path, ENERGY) == [(12.4, "file")]


def test_a_parameter_that_the_file_does_not_have_can_be_said_and_taken_back(site: Site) -> None:
    path = site.write()
    site.crawl()
    correct(site, path, put("Sample_pressure", "2 bar"))
    assert shown(site, path, "Sample_pressure")[0][1] == "person"
    assert found(site, "pressure:2 bar") == ["a"]
    correct(site, path, undo("Sample_pressure"))
    assert shown(site, path, "Sample_pressure") == []


def test_what_is_said_of_the_dataset_holds_for_its_scans(site: Site) -> None:
    path = site.write(scans=2)
    with h5py.File(path, "r+") as file:
        file["2.1/sample/temperature"][()] = 150.0
        file["2.1/sample"]["description"] = "cold"
        file["1.1/sample"]["description"] = "warm"
    set_age(path)
    site.crawl()
    assert len(shown(site, path, "Sample_temperature", "*")) == 2
    correct(site, path, put("temperature", "10 K"), put("Sample_description", "wet"))
    for name in ("Sample_temperature", "Sample_description"):
        assert shown(site, path, name, "*") == []
    assert found(site, "Sample_description:cold") == []
    assert found(site, "Sample_description:wet") == ["a"]
    correct(site, path, undo("temperature"), undo("Sample_description"))
    assert sorted(shown(site, path, "Sample_temperature", "*")) == [(150.0, "file"), (293.0, "file")]
    assert found(site, "Sample_description:cold") == ["a"]


@on_both_databases
def test_a_corrected_sample_is_that_of_the_dataset_and_its_scans(site: Site) -> None:
    path = site.write(scans=2)
    site.crawl()
    correct(site, path, put("sample_name", "Fe2O3"), put("sample_formula", "Fe2O3"), put("title", "rust"))
    said = view(site, path)
    assert (said.sample.name, said.sample.formula, said.title) == ("Fe2O3", "Fe2O3", "rust")
    assert said.corrected == ("sample_formula", "sample_name", "title")
    assert {scan.sample.name for scan in scans(site, path)} == {"Fe2O3"}
    assert (found(site, "sample:Fe2O3"), found(site, "sample:LaB6")) == (["a"], [])
    assert (found(site, "formula:Fe2O3"), found(site, "formula:LaB6")) == (["a"], [])
    assert found(site, "title:rust") == ["a"]
    with site.reads() as session:
        linked = select(Sample.name).join(InvestigationSample)
        assert set(session.scalars(linked)) == {"LaB6", "Fe2O3"}
    correct(site, path, undo("sample_name"), undo("sample_formula"), undo("title"))
    said = view(site, path)
    assert (said.sample.name, said.sample.formula, said.title) == ("LaB6", "LaB6", "ascan samx 0 1 10 0.1")
    assert said.corrected == ()
    assert {scan.sample.name for scan in scans(site, path)} == {"LaB6"}
    assert (found(site, "sample:LaB6"), found(site, "title:rust")) == (["a"], [])


def test_a_removed_sample_title_and_formula_are_gone_until_that_is_undone(site: Site) -> None:
    path = site.write()
    site.crawl()
    correct(site, path, put("description", "a powder"))
    correct(site, path, remove("sample_name"), remove("title"), remove("description"))
    said = view(site, path)
    assert (said.sample, said.title, said.description) == (None, None, None)
    assert [scan.sample for scan in scans(site, path)] == [None]
    assert found(site, "sample:LaB6") == []
    correct(site, path, undo("sample_name"), remove("sample_formula"))
    assert view(site, path).sample.formula is None
    assert found(site, "formula:LaB6") == []


@on_both_databases
@pytest.mark.parametrize("how", ["read again", "mapped again"])
def test_corrections_survive(site: Site, tmp_path: Path, how: str) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text(HEAD)
    path = site.write(comment="hello")
    site.crawl(rules=str(rules))
    correct(site, path, put("energy", "9 keV"), put("sample_name", "Fe2O3"), put("title", "rust"), remove("current"))
    correct(site, path, put("sample_formula", "Fe2O3"), put("description", "a powder"), remove("temperature"))
    before = site.dataset(path).revision
    if how == "read again":
        site.write(
            comment="other",
            title="another",
            sample__name="Si",
            instrument__monochromator__energy=(8.0, "keV"),
            aged=LATER,
        )
        site.crawl()
    else:
        rules.write_text(HEAD + COMMENT)
        assert remap(site)["changed"] == 1
    assert site.dataset(path).revision == before + 1
    said = view(site, path)
    assert (said.sample.name, said.sample.formula) == ("Fe2O3", "Fe2O3")
    assert (said.title, said.description) == ("rust", "a powder")
    assert {scan.sample.name for scan in scans(site, path)} == {"Fe2O3"}
    assert shown(site, path, ENERGY) == [(9.0, "person")]
    assert shown(site, path, "Sample_temperature") == []
    assert (found(site, "energy:9 keV"), found(site, "sample:Fe2O3")) == (["a"], ["a"])
    fields = ("energy", "sample_name", "title", "sample_formula", "temperature")
    correct(site, path, *map(undo, fields))
    is_new = how == "read again"
    said = view(site, path)
    assert (said.sample.name, said.title) == (("Si", "another") if is_new else ("LaB6", "ascan samx 0 1 10 0.1"))
    assert shown(site, path, ENERGY) == [(8.0 if is_new else 12.4, "file")]
    assert shown(site, path, "Sample_temperature") == [(293.0, "file")]


def test_a_corrected_sample_is_no_change_to_a_remap(site: Site, tmp_path: Path) -> None:
    rules = tmp_path / "mine.toml"
    rules.write_text(HEAD)
    path = site.write(comment="hello")
    site.crawl(rules=str(rules))
    correct(site, path, put("sample_name", "Fe2O3"), put("energy", "9 keV"))
    rules.write_text(HEAD + COMMENT)
    assert [row["name"] for row in remap(site)["fields"]] == ["Site_comment"]


def test_a_sample_that_a_notice_told_comes_back(site: Site) -> None:
    path = site.write(without="sample")
    site.open_root()
    with site.services.write_sessions.begin() as session:
        record_notice(session, ToldDataset(path=str(path), sample_name="told"), "http", utc_now())
    settle_notices(site.services, utc_now())
    site.drain()
    assert view(site, path).sample.name == "told"
    correct(site, path, put("sample_name", "Fe2O3"))
    assert view(site, path).sample.name == "Fe2O3"
    correct(site, path, undo("sample_name"))
    assert view(site, path).sample.name == "told"


def test_who_when_why_and_what_was_before_are_kept(site: Site) -> None:
    path = site.write()
    site.crawl()
    correct(site, path, put("energy", "7100 eV"), put("title", "rust"), reason=" typed wrong ")
    correct(site, path, put("energy", "7.2 keV"))
    correct(site, path, undo("energy"), reason="it was right")
    last, second, title, first = history(site, path)
    assert (first.field, first.action, first.reason, first.author) == (ENERGY, "set", "typed wrong", "Ada")
    assert first.value == {"number": 7.1, "unit": "keV", "original": "7100", "original_unit": "eV"}
    assert first.former == {"number": 12.4, "unit": "keV", "layer": "file"}
    assert title.former == {"text": "ascan samx 0 1 10 0.1", "layer": "file"}
    assert second.former == {"number": 7.1, "unit": "keV", "layer": "person"}
    assert (last.action, last.value, last.former["number"]) == ("undo", None, 7.2)
    assert utc_now() - last.made_at < timedelta(minutes=1)


def test_what_is_said_already_is_no_news(site: Site) -> None:
    path = site.write()
    site.crawl()
    assert correct(site, path, undo("title"), undo("energy")) == []
    for change in (put("title", "rust"), remove("energy"), put("sample_name", "Si")):
        assert len(correct(site, path, change)) == 1
        before = site.dataset(path)
        assert correct(site, path, change) == []
        assert (site.dataset(path).revision, site.dataset(path).modified_at) == (before.revision, before.modified_at)
    assert site.count(Correction) == 3


def test_what_one_change_leads_to_was_not_said_before_another(site: Site) -> None:
    path = site.write()
    site.crawl()
    correct(site, path, put("sample_name", "Si"), put("sample_formula", "Si"))
    assert history(site, path)[0].former == {"text": "LaB6", "layer": "file"}


@pytest.mark.parametrize(
    ("changes", "reason", "problem"),
    [
        ([put("title", "x"), put("titel", "x")], "why", "no such field"),
        ([put("title", "x"), put("energy", "9 mm")], "why", "cannot be converted"),
        ([put("energy", "9 keV"), remove(ENERGY)], "why", "more than one thing"),
        ([put("title", "x")], " ", "say why"),
        ([put("title", "x")], "x" * 4001, "4000 characters"),
    ],
)
def test_a_change_that_cannot_be_made_leaves_all_as_it_is(
    site: Site, changes: list[Change], reason: str, problem: str
) -> None:
    path = site.write()
    site.crawl()
    before = site.dataset(path).revision
    with pytest.raises(CorrectionError, match=problem):
        correct(site, path, *changes, reason=reason)
    assert (site.dataset(path).revision, site.count(Correction)) == (before, 0)
    assert view(site, path).title == "ascan samx 0 1 10 0.1"


def test_contact_data_in_a_reason_are_not_kept(site: Site) -> None:
    path = site.write()
    site.crawl()
    correct(site, path, put("title", "x"), reason="says ada@example.org")
    assert history(site, path)[0].reason == "says [redacted]"


def test_there_must_be_such_a_dataset(site: Site) -> None:
    site.open_root()
    with site.services.write_sessions.begin() as session, pytest.raises(NotFoundError):
        correct_dataset(session, 7, [put("title", "x")], reason="why", author="Ada", now=utc_now())


def test_the_history_of_a_closed_dataset_is_not_there_for_who_may_not_know_of_it(site: Site) -> None:
    path = site.write()
    site.crawl(release_policy="never")
    correct(site, path, put("title", "x"))
    with site.reads() as session, pytest.raises(NotFoundError):
        list_corrections(session, ANONYMOUS, utc_now(), site.dataset(path).id)
