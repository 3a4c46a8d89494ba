"""Whatever a file says and however things are called, both databases keep the same of it."""

from __future__ import annotations

import os
import random
import string
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
from sqlalchemy import select

from ingest.catalogue.model import (
    Datafile,
    DatasetParameter,
    Instrument,
    Investigation,
    InvestigationUser,
    MasterFile,
    Notice,
    Sample,
    SampleType,
    Scan,
    User,
)
from ingest.catalogue.notices import ToldDataset, record_notice
from tests.pipeline.site import OLD, set_age
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from tests.pipeline.site import Site

pytestmark = on_both_databases
HOSTILE = b"ti\xfftle\0behind \xed\xa0\x80"


def write_long(characters: int, seed: int = 0) -> str:
    """Return a word that no database packs into less."""
    return "".join(random.Random(seed).choices(string.ascii_letters, k=characters))  # noqa: S311 (no secret)


def read_all(site: Site, column: Any) -> list[Any]:
    with site.reads() as session:
        return list(session.scalars(select(column).order_by(column)))


def test_names_that_are_too_long_are_cut_and_their_originals_kept(site: Site) -> None:
    words = {name: write_long(4000, seed) for seed, name in enumerate(LONG)}
    site.write(**{name.replace("/", "__"): word for name, word in words.items()})
    site.crawl()
    assert [outcome.state for outcome in site.outcomes] == ["ingested"]
    assert read_all(site, Scan.title) == [words["title"]]
    assert read_all(site, Scan.definition) == [words["definition"]]
    for column, name in SHORT.items():
        assert read_all(site, column) == [words[name][:255]]
    (sources,) = read_sources(site)
    assert sources["sample_name"]["original"][:1000] == words["sample/name"][:1000]


LONG = (
    *("title", "definition", "end_reason", "experiment_identifier", "instrument/name", "instrument/source/name"),
    *("instrument/source/probe", "sample/name", "sample/chemical_formula", "user/name", "user/role"),
)
SHORT = {
    Investigation.name: "experiment_identifier",
    Instrument.name: "instrument/name",
    Scan.probe: "instrument/source/probe",
    Sample.name: "sample/name",
    SampleType.name: "sample/chemical_formula",
    User.name: "user/name",
    InvestigationUser.role: "user/role",
}


def read_sources(site: Site) -> list[dict[str, Any]]:
    with site.reads() as session:
        return list(session.scalars(select(Scan.sources).order_by(Scan.ordinal)))


def test_bytes_that_are_no_text_and_numbers_that_are_none_are_kept_as_far_as_they_go(site: Site) -> None:
    path = site.write(without=("title", "sample/name", "sample/temperature"))
    with h5py.File(path, "r+", locking=False) as file:
        entry = file["1.1"]
        entry["title"] = np.array(HOSTILE, dtype=f"S{len(HOSTILE)}")
        entry["sample/name"] = np.array([b"one\0", b"\xe9\x00two"], dtype="S6")
        entry["sample/temperature"] = np.array([np.nan, np.inf, 290.0, -np.inf, 300.0])
        entry["sample/temperature"].attrs["units"] = "K"
        entry["instrument/monochromator/energy"][...] = np.inf
        entry["point_count"] = np.array(2**64 - 1, dtype=np.uint64)
        entry.attrs["odd"] = np.array([np.nan, 1e300, -0.0])
        h5py.h5g.create(entry.id, b"gr\xff\xedoup")
    set_age(path, OLD)
    site.crawl()
    assert [outcome.state for outcome in site.outcomes] == ["ingested"]
    assert read_all(site, Scan.title) == ["ti\xfftle"]
    assert "\0" not in repr(read_all(site, Sample.name))
    numbers = [*read_all(site, DatasetParameter.numeric_value), *read_all(site, DatasetParameter.range_bottom)]
    assert all(number is None or np.isfinite(number) for number in numbers)
    site.assert_index_agrees()


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_times_at_the_ends_of_the_calendar_are_kept_or_left_out(site: Site, year: str) -> None:
    site.write(start_time=f"{year}-01-01T00:00:00+14:00", end_time=f"{year}-12-31T23:59:59-12:00")
    site.crawl()
    assert [outcome.state for outcome in site.outcomes] == ["ingested"]
    site.assert_index_agrees()


def test_an_entry_whose_name_no_index_holds_is_told(site: Site) -> None:
    path, good = site.write("a.h5"), site.write("b.h5", title="other")
    with h5py.File(path, "r+", locking=False) as file:
        file.move("1.1", write_long(4000))
    set_age(path, OLD)
    site.crawl()
    assert site.state(path) == ("quarantined", "the name of an entry has more than 2600 bytes")
    assert site.state(good) == ("ingested", None)


def test_a_path_that_no_index_holds_is_told_and_keeps_no_other_from_being_found(site: Site) -> None:
    good = site.write("z/b.h5")
    deep = Path("a", *(write_long(200, seed) for seed in range(13)))
    with chdir(site.folder):
        deep.mkdir(parents=True)
        # Its own path may be longer than the file system lets one say at once.
        (deep / "a.h5").touch()
        (deep / "folder").mkdir()
    report = site.crawl()
    assert site.state(good) == ("ingested", None)
    assert [told.rpartition(": ")[2] for told in report.unreadable] == ["its path has more than 2600 bytes"]
    assert site.crawl().unchanged == 1


NAMES = ["\\N", "a\tb", "a\nb", "back\\slash\\.", "quo\"te'd", "ünïcödé", "😀.edf", "B.edf", "a.edf", "_", "%s", "~"]


def test_files_keep_their_names_whatever_is_in_them(site: Site) -> None:
    master = site.write_folder(images=0)
    for name in [*NAMES, os.fsdecode(b"latin\xe9")]:
        (master.parent / name).write_bytes(b"x")
    site.crawl()
    found = read_all(site, Datafile.name)
    assert sorted(found) == sorted([*NAMES, "latin\\xe9", master.name])
    assert found == sorted(found, key=str.encode), "not in the order of the bytes"
    # Compared with what is stored, in its order: nothing is new, changed or gone.
    ordinals = site.files(site.dataset(master).id)
    (master.parent / "ab.edf").touch()
    site.crawl()
    assert site.files(site.dataset(master).id) == ordinals | {"ab.edf": (len(ordinals), False)}


def test_what_is_told_is_kept_however_long_and_odd_it_is(site: Site) -> None:
    site.open_root()
    long = write_long(4000)
    for place in (f"{site.folder}/{long}", f"/elsewhere/{long}", os.fsdecode(b"/\xff/a"), "no\0place"):
        told = ToldDataset(path=place, proposal=long, instrument=long, dataset_name=long, sample_name=long)
        with site.services.write_sessions.begin() as session:
            record_notice(session, told, "command", OLD)
            record_notice(session, told, "command", OLD)
    with site.reads() as session:
        notices = session.scalars(select(Notice)).all()
    assert [(each.state, each.times_told) for each in notices] == [("refused", 2)] * 4
    assert {each.proposal for each in notices} == {long[:255]}
    site.drain()
    assert site.count(MasterFile) == 0
