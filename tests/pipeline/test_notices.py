"""What was told becomes a dataset once, however often and in whatever order it was told."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ingest.catalogue.browsing import get_dataset
from ingest.catalogue.model import (
    Dataset,
    DatasetParameter,
    Instrument,
    Investigation,
    Layer,
    MasterFile,
    Notice,
    ParameterType,
    Sample,
)
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import FIRST_DELAY, ToldDataset, get_notice, list_notices, record_notice
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.visibility import OPERATOR
from ingest.drain import drain
from ingest.messages import MessageError, to_told_dataset
from ingest.noticing import settle_notices
from ingest.samples.damage import mark_open
from tests.pipeline.site import OLD, Site, ago, set_age
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.catalogue.views import NoticeView

STARTED = datetime(2024, 3, 4, 9, 30, tzinfo=UTC)
ENERGY = "InstrumentMonochromator_energy"


@pytest.fixture
def told(site: Site) -> Site:
    site.open_root()
    return site


def tell(site: Site, path: Path | str, *, now: datetime | None = None, **said: Any) -> int:
    with site.services.write_sessions.begin() as session:
        return record_notice(session, ToldDataset(path=str(path), **said), "http", now or utc_now())


def look(site: Site, notice_id: int) -> NoticeView:
    with site.reads() as session:
        return get_notice(session, notice_id)


def work(site: Site) -> None:
    drain(site.services)


def datasets(site: Site) -> list[Dataset]:
    with site.reads() as session:
        return list(session.scalars(select(Dataset).order_by(Dataset.id)))


def values(site: Site, name: str) -> dict[int, tuple[float | None, str | None, bool]]:
    with site.reads() as session:
        rows = session.scalars(
            select(DatasetParameter)
            .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
            .where(ParameterType.name == name, DatasetParameter.scan_id.is_(None))
        )
        return {row.layer: (row.numeric_value, row.string_value, row.is_shown) for row in rows}


def test_a_folder_that_was_told_is_read_at_once(told: Site) -> None:
    master = told.write_folder(aged=ago(seconds=1))
    notice = tell(told, master.parent)
    assert look(told, notice).state == "announced"
    work(told)
    found = look(told, notice)
    assert (found.state, found.master_state, found.is_searchable) == ("accepted", "ingested", True)
    assert [found.dataset_id] == [dataset.id for dataset in datasets(told)]
    assert datasets(told)[0].is_complete


def test_a_master_that_was_told_is_read_at_once(told: Site) -> None:
    notice = tell(told, told.write(aged=ago(seconds=1)))
    work(told)
    assert look(told, notice).master_state == "ingested"


def test_told_again_it_is_the_same_and_nothing_is_read(told: Site) -> None:
    master = told.write_folder()
    first = tell(told, master.parent)
    work(told)
    before = told.master(master).read_at
    assert tell(told, f"{master.parent}/../{master.parent.name}/") == first
    work(told)
    assert look(told, first).times_told == 2
    assert told.master(master).read_at == before
    assert len(datasets(told)) == 1


def test_told_again_after_a_change_it_is_read_again(told: Site) -> None:
    path = told.write(scans=1)
    notice = tell(told, path)
    work(told)
    told.write(scans=2, aged=OLD + timedelta(days=1))
    tell(told, path)
    work(told)
    assert len(told.scans(look(told, notice).dataset_id)) == 2


def test_what_is_new_in_a_notice_is_stored_though_the_file_stands(told: Site) -> None:
    path = told.write()
    tell(told, path)
    work(told)
    before = datasets(told)[0].revision
    tell(told, path, parameters={ENERGY: "15.2"})
    work(told)
    assert values(told, ENERGY)[Layer.NOTICE] == (15.2, None, True)
    assert datasets(told)[0].revision == before + 1


@on_both_databases
def test_a_notice_is_shown_before_the_file_and_erases_nothing(told: Site) -> None:
    path = told.write(instrument__monochromator__energy=(12.0, "keV"))
    told.crawl()
    assert values(told, ENERGY) == {Layer.FILE: (12.0, None, True)}
    tell(told, path, parameters={ENERGY: "15.2"})
    work(told)
    assert values(told, ENERGY) == {Layer.FILE: (12.0, None, False), Layer.NOTICE: (15.2, None, True)}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (ENERGY, "fast", (None, "fast", True)),
        ("Sample_description", "a powder", (None, "a powder", True)),
        ("SomethingOfOurs", "12", (None, "12", True)),
    ],
)
def test_what_is_no_number_stays_the_text_that_was_told(
    told: Site, name: str, text: str, expected: tuple[float | None, str | None, bool]
) -> None:
    tell(told, told.write(), parameters={name: text})
    work(told)
    assert values(told, name)[Layer.NOTICE] == expected


@pytest.mark.parametrize(
    ("said", "flag"),
    [
        ({"parameters": {ENERGY: "15.2"}}, "InstrumentMonochromator_energy is 15.2 keV, "),
        ({"parameters": {ENERGY: "12.0001"}}, ""),
        ({"parameters": {ENERGY: "12 13"}}, "InstrumentMonochromator_energy is 12 13 keV, "),
        ({"parameters": {ENERGY: "fast", "Sample_description": "9"}}, ""),
        ({"sample_name": "quartz"}, "the sample is quartz, "),
        ({"sample_name": "CERIA"}, ""),
        ({"start_date": OLD, "end_date": OLD}, "it was measured from "),
        ({"start_date": STARTED, "end_date": STARTED}, ""),
        ({"start_date": STARTED + timedelta(minutes=50), "end_date": STARTED + timedelta(hours=3)}, ""),
    ],
)
def test_a_notice_that_says_something_else_than_the_file_is_flagged(
    told: Site, said: dict[str, Any], flag: str
) -> None:
    path = told.write(
        instrument__monochromator__energy=(12.0, "keV"),
        sample__name="ceria",
        start_time=STARTED.isoformat(),
        end_time=(STARTED + timedelta(hours=1)).isoformat(),
    )
    tell(told, path, **said)
    work(told)
    flags = datasets(told)[0].flags
    assert [flag in each for each in flags] == ([True] if flag else [])


def test_techniques_of_a_notice_are_those_of_the_file_and_more(told: Site) -> None:
    path = told.write(definition="NXfluo")
    pids = "https://w3id.org/PaN/ESRFET#XRF https://w3id.org/PaN/ESRFET#XRPD"
    tell(told, path, parameters={"technique_pid": pids, "definition": "XRF XRPD"})
    work(told)
    with told.reads() as session:
        sources = get_dataset(session, OPERATOR, utc_now(), 1).technique_sources
    assert [(each.name, each.origin, each.layer, each.original_value) for each in sources] == [
        ("x-ray fluorescence", "inferred", "file", "NXfluo"),
        ("x-ray powder diffraction", "read", "notice", pids),
    ]


def test_several_numbers_are_a_list_with_its_extremes(told: Site) -> None:
    tell(told, told.write(), parameters={ENERGY: "7.0 9.5 8"})
    work(told)
    with told.reads() as session:
        row = session.scalars(select(DatasetParameter).where(DatasetParameter.layer == Layer.NOTICE)).one()
    assert (row.values, row.range_bottom, row.range_top) == ([7.0, 9.5, 8.0], 7.0, 9.5)


def test_a_notice_says_where_the_dataset_belongs(told: Site) -> None:
    path = told.write("some/where.h5", without="sample")
    tell(told, path, proposal="hc6001", instrument="id00", dataset_name="0002_cam", sample_name="LaB6")
    work(told)
    with told.reads() as session:
        dataset = session.scalars(select(Dataset)).one()
        assert session.get_one(Investigation, dataset.investigation_id).name == "hc6001"
        assert dataset.name == "0002_cam"
        assert session.scalars(select(Sample.name).where(Sample.id == dataset.sample_id)).one() == "LaB6"
        assert "id00" in session.scalars(select(Instrument.name)).all()


@on_both_databases
def test_what_ended_later_counts_when_the_order_is_wrong(told: Site) -> None:
    path = told.write()
    tell(told, path, end_date=OLD + timedelta(hours=2), parameters={ENERGY: "2"})
    tell(told, path, end_date=OLD + timedelta(hours=1), parameters={ENERGY: "1"})
    work(told)
    assert values(told, ENERGY)[Layer.NOTICE][0] == 2.0


def test_nothing_there_waits_longer_and_longer_and_comes(told: Site) -> None:
    folder = told.folder / "late"
    notice = tell(told, folder / "late.h5")
    delays = []
    now = utc_now()
    for _ in range(3):
        settle_notices(told.services, now)
        waiting = look(told, notice)
        assert waiting.next_attempt_at is not None
        delays.append(waiting.next_attempt_at - now)
        now = waiting.next_attempt_at
    assert delays == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert (waiting.state, waiting.reason) == ("waiting", "No such file or directory")
    folder.mkdir()
    told.write("late/late.h5")
    settle_notices(told.services, now)
    told.drain_at(now)
    assert look(told, notice).master_state == "ingested"


def test_a_folder_with_several_files_waits_and_says_so(told: Site) -> None:
    for name in "ab":
        told.write(f"both/{name}.h5")
    notice = tell(told, told.folder / "both")
    work(told)
    assert look(told, notice).reason == "2 files in it may be the master"


def test_the_root_says_which_file_of_a_folder_is_the_master(site: Site) -> None:
    site.open_root(include=["*_master.h5"])
    for name in ("x_master", "x_data_1"):
        site.write(f"both/{name}.h5")
    notice = tell(site, site.folder / "both")
    work(site)
    assert look(site, notice).master_state == "ingested"


@pytest.mark.parametrize("path", ["/etc/passwd", "relative/a.h5", "/no\0thing", "/"])
def test_a_place_outside_the_roots_is_refused_and_kept(told: Site, path: str) -> None:
    found = look(told, tell(told, path))
    assert (found.state, found.reason) == ("refused", "it lies outside every root of the catalogue")
    work(told)
    assert datasets(told) == []


def test_a_link_out_of_the_root_is_refused(told: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (told.folder / "link").symlink_to(outside)
    assert look(told, tell(told, told.folder / "link")).state == "refused"


def test_a_link_that_leads_out_by_now_is_not_followed(told: Site, tmp_path: Path) -> None:
    folder = told.write("inside/a.h5").parent
    notice = tell(told, folder)
    shutil.rmtree(folder)
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.symlink_to(outside)
    work(told)
    assert look(told, notice).reason == "it leads out of its root by now"


def test_a_place_that_is_no_file_waits(told: Site) -> None:
    os.mkfifo(told.folder / "pipe.h5")
    notice = tell(told, told.folder / "pipe.h5")
    work(told)
    assert look(told, notice).reason == "it is neither a file nor a folder"


def test_a_master_that_is_still_open_is_read_when_it_is_closed(told: Site) -> None:
    path = told.write()
    mark_open(path)
    notice = tell(told, path)
    work(told)
    assert look(told, notice).master_state == "settling"
    assert told.master(path).next_attempt_at is not None


def test_personal_addresses_in_a_notice_are_not_kept(told: Site) -> None:
    tell(told, told.write(), parameters={"user_email": "a", "Remark": "ask ada@example.org"})
    with told.reads() as session:
        assert session.scalars(select(Notice)).one().parameters == {"Remark": "ask [redacted]"}


def test_ten_thousand_notices_with_repeats_make_each_dataset_once(told: Site) -> None:
    paths = [told.write(f"many/{number}.h5") for number in range(20)]
    with told.services.write_sessions.begin() as session:
        for number in range(1000):
            path = paths[number * 7 % len(paths)]
            record_notice(session, ToldDataset(path=str(path)), "message", utc_now())
    work(told)
    assert len(datasets(told)) == len(paths)
    with told.reads() as session:
        assert sum(session.scalars(select(Notice.times_told))) == 1000


@on_both_databases
def test_a_lost_worker_leaves_the_notice_to_the_next(told: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    notice = tell(told, told.write())
    now = utc_now()
    with monkeypatch.context() as patched:
        patched.setattr("ingest.noticing._settle", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            settle_notices(told.services, now)
    assert settle_notices(told.services, now) == 0
    assert settle_notices(told.services, now + timedelta(minutes=3)) == 1
    assert look(told, notice).state == "accepted"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_notices_are_listed_newest_first_page_by_page(told: Site) -> None:
    ids = [tell(told, told.folder / f"{number}.h5") for number in range(3)]
    refused = tell(told, "/elsewhere")
    seen = list(_walk(told, ()))
    assert seen == [refused, *reversed(ids)]
    assert list(_walk(told, ("refused",))) == [refused]


def _walk(site: Site, states: tuple[str, ...]) -> Iterator[int]:
    cursor = None
    with site.reads() as session:
        while True:
            page = list_notices(session, PageRequest(limit=2, cursor=cursor), states=states)
            yield from (item.id for item in page.items)
            cursor = page.next_cursor
            if cursor is None:
                return


MESSAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
<tns:dataset xmlns:tns="http://www.esrf.fr/icat" complete="true">
  <tns:investigation>hc6001</tns:investigation><tns:instrument>id00</tns:instrument>
  <tns:name>0002</tns:name><tns:location>/data/a</tns:location>
  <tns:startDate>2026-11-20T11:39:50Z</tns:startDate><tns:endDate>2026-11-20T11:40:00</tns:endDate>
  <tns:sample><tns:name>LaB6</tns:name></tns:sample>
  <tns:parameter><tns:name>InstrumentMonochromator_energy</tns:name><tns:value>15.2</tns:value></tns:parameter>
</tns:dataset>"""


@pytest.mark.parametrize("time", [b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:00:00-02:00", b"2026-13-01", b"noon"])
def test_a_time_that_is_none_is_left_out_of_a_message(time: bytes) -> None:
    assert to_told_dataset(MESSAGE.replace(b"2026-11-20T11:39:50Z", time)).start_date is None


def test_a_message_of_the_acquisition_says_all_that_it_holds() -> None:
    assert to_told_dataset(MESSAGE) == ToldDataset(
        path="/data/a",
        proposal="hc6001",
        instrument="id00",
        dataset_name="0002",
        sample_name="LaB6",
        start_date=datetime(2026, 11, 20, 11, 39, 50, tzinfo=UTC),
        parameters={ENERGY: "15.2"},
    )


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "its XML cannot be read"),
        (b"<a>", "its XML cannot be read"),
        (b"<a/>", "its root is a"),
        (MESSAGE.replace(b"tns:location", b"tns:place"), "it names no location"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "its XML cannot be read"),
        (b"<a>" + b" " * (4 << 20) + b"</a>", "bytes are more than"),
    ],
)
def test_a_message_that_is_none_is_refused_with_the_reason(body: bytes, problem: str) -> None:
    with pytest.raises(MessageError, match=problem):
        to_told_dataset(body)


def test_a_master_that_moves_takes_its_notice_along(told: Site) -> None:
    path = told.write(instrument__monochromator__energy=(12.0, "keV"))
    tell(told, path, parameters={ENERGY: "15.2"})
    work(told)
    moved = told.folder / "moved.h5"
    path.rename(moved)
    set_age(moved)
    told.crawl()
    with told.reads() as session:
        assert session.scalars(select(MasterFile.path)).all() == [str(moved)]
    assert values(told, ENERGY)[Layer.NOTICE][0] == 15.2
