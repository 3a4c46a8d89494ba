"""A human organ, as its record came from the beamline: what is stored of the donor, who is shown it, and when not."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from sqlalchemy import select

from ingest.catalogue.browsing import list_parameters
from ingest.catalogue.corrections import Change, correct_dataset, list_corrections
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import CorrectionAction, MasterRecord
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, record_notice
from ingest.catalogue.raw_record import get_raw_record
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR
from ingest.noticing import settle_notices
from ingest.pipeline import index_pending
from ingest.remapping import Remap
from tests.mapping.test_patients import AGE, HEAD
from tests.pipeline.site import set_age

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.catalogue.visibility import Viewer
    from tests.pipeline.site import Site

TOLD = ("63.5", "LADAF-2021-17", "diabetes", "Grenoble hospital", "anamnesis")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(HEAD)
    return path


def write_organ(site: Site) -> Path:
    """Write what ESRF's human organ records hold, and what others might write of the donor."""
    path = site.write("organ.h5", sample__name="kidney")
    with h5py.File(path, "r+", locking=False) as file:
        sample = file["1.1/sample"]
        patient = sample.create_group("patient")
        patient.attrs["NX_class"] = "NXcollection"
        patient["age"] = 63.5
        patient["sex"] = "F"
        patient["number"] = "LADAF-2021-17"
        patient["institute"] = "Grenoble hospital"
        patient["info"] = "diabetes"
        sample["medical_history"] = "anamnesis: diabetes"
        sample.attrs["donor_id"] = "LADAF-2021-17"
        file["1.1"]["patient_age"] = 63.5
    set_age(path)
    return path


def dump(site: Site) -> str:
    """Return all that the database holds, as text, its records unpacked."""
    url = site.services.write_sessions.kw["bind"].url.database
    with closing(sqlite3.connect(url)) as connection:
        text = "\n".join(connection.iterdump())
    with site.reads() as session:
        return text + "".join(zlib.decompress(each).decode() for each in session.scalars(select(MasterRecord.document)))


def seen(site: Site, path: Path, viewer: Viewer) -> dict[str, Any]:
    """Return what the viewer is shown of the donor's age: by itself, in the record, and whether it can be searched."""
    dataset_id = site.dataset(path).id
    with site.reads() as session:
        parameters = list_parameters(session, viewer, utc_now(), dataset_id).items
        text = get_raw_record(session, viewer, utc_now(), dataset_id).decode()
        (document,) = load_documents(session, [dataset_id])
    ages = [each.numeric_value for each in parameters if each.name == "SamplePatient_age"]
    return {"ages": ages, "record": "63.5" in text, "search": "SamplePatient_age" in document.parameter_names}


def remap(site: Site) -> dict[str, Any]:
    return Remap(site.services).run(is_dry=False, note=lambda _done, _total: None).to_document()


def test_without_a_rule_nothing_of_the_donor_is_stored(site: Site) -> None:
    path = write_organ(site)
    site.crawl(release_policy="immediately")
    assert site.dataset(path).name == "organ"
    everything = dump(site)
    assert [told for told in TOLD if told in everything] == []
    assert "kidney" in everything


@pytest.mark.parametrize(("word", "public"), [("closed", False), ("public", True)])
def test_by_a_rule_it_is_stored_and_public_only_if_that_says_so(
    site: Site, rules: Path, word: str, public: bool
) -> None:
    rules.write_text(HEAD + AGE.format(word))
    path = write_organ(site)
    site.crawl(release_policy="immediately", rules=str(rules))
    assert seen(site, path, OPERATOR) == {"ages": [63.5], "record": True, "search": public}
    assert seen(site, path, ANONYMOUS) == {"ages": [63.5] if public else [], "record": False, "search": public}
    everything = dump(site)
    assert [told for told in TOLD if told in everything] == ["63.5"]


def test_a_rule_that_comes_later_is_told_what_it_lacks_and_has_the_file_read_again(site: Site, rules: Path) -> None:
    path = write_organ(site)
    site.crawl(release_policy="immediately", rules=str(rules))
    rules.write_text(HEAD + AGE.format("closed"))
    run = Remap(site.services)
    told = run.run(is_dry=False, note=lambda _done, _total: None).to_document()
    assert (told["changed"], told["lacking"]["lacks"]) == (0, {"SamplePatient_age": 1})
    assert seen(site, path, OPERATOR)["ages"] == []
    outcomes: list[Any] = []
    run.read_again(outcomes.append)
    assert len(outcomes) == 1
    assert seen(site, path, OPERATOR)["ages"] == [63.5]
    assert remap(site)["lacking"]["count"] == 0


def test_a_rule_that_is_taken_back_takes_it_out_of_the_record_though_no_file_is_opened(site: Site, rules: Path) -> None:
    rules.write_text(HEAD + AGE.format("public"))
    path = write_organ(site)
    site.crawl(release_policy="immediately", rules=str(rules))
    path.unlink()
    rules.write_text(HEAD)
    Remap(site.services).run(is_dry=True, note=lambda _done, _total: None)
    assert "63.5" in dump(site)
    told = remap(site)
    assert [(row["name"], row["lost"]) for row in told["fields"]] == [("SamplePatient_age", 1)]
    assert "63.5" not in dump(site)
    assert remap(site)["looked_at"] == 0


def test_closing_and_opening_is_a_change_that_is_told_and_indexed(site: Site, rules: Path) -> None:
    rules.write_text(HEAD + AGE.format("public"))
    path = write_organ(site)
    site.crawl(release_policy="immediately", rules=str(rules))
    before = site.dataset(path).revision
    rules.write_text(HEAD + AGE.format("closed"))
    (row,) = remap(site)["fields"]
    assert (row["name"], row["changed"], row["examples"][0]["after"]["remark"]) == (
        "SamplePatient_age",
        1,
        "inferred, 63.5, not public",
    )
    assert site.dataset(path).revision == before + 1
    assert seen(site, path, ANONYMOUS) == {"ages": [], "record": False, "search": False}
    site.assert_index_agrees()


def test_what_a_person_says_of_it_is_no_more_public(site: Site, rules: Path) -> None:
    rules.write_text(HEAD + AGE.format("closed"))
    path = write_organ(site)
    site.crawl(release_policy="immediately", rules=str(rules))
    dataset_id = site.dataset(path).id
    with site.services.write_sessions.begin() as session:
        said = [Change(CorrectionAction.SET, "SamplePatient_age", "64 a")]
        correct_dataset(session, dataset_id, said, reason="birth certificate", author="Ada", now=utc_now())
    index_pending(site.services)
    assert seen(site, path, OPERATOR)["ages"] == [64.0]
    assert seen(site, path, ANONYMOUS) == {"ages": [], "record": False, "search": False}
    with site.reads() as session:
        for viewer, value in ((OPERATOR, 64.0), (ANONYMOUS, None)):
            (one,) = list_corrections(session, viewer, utc_now(), dataset_id).items
            assert (one.value and one.value["number"], bool(one.former)) == (value, value is not None)


def test_a_notice_tells_nothing_of_the_donor(site: Site) -> None:
    path = write_organ(site)
    site.open_root()
    told = {"SamplePatient_age": "63.5", "SamplePatient_info": "diabetes", "InstrumentSource_current": "200"}
    with site.services.write_sessions.begin() as session:
        record_notice(session, ToldDataset(path=str(path), parameters=told), "http", utc_now())
    settle_notices(site.services, utc_now())
    site.drain()
    assert site.dataset(path).name == "organ"
    everything = dump(site)
    assert [word for word in TOLD if word in everything] == []
    assert "InstrumentSource_current" in everything
