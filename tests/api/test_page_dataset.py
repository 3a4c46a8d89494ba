"""A dataset's page: facts, scans, parameters with where they come from, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.routes.pages import SHOWN_ROWS
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Datafile, Dataset, DatasetParameter, Layer, MasterFile, Scan
from tests.entities import FUTURE, PAST, START, add_dataset
from tests.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {
            "zinnia": add_dataset(session, "zinnia", scans=3, files=2, doi="10.5072/abc"),
            "daisy": add_dataset(session, "daisy", release_date=FUTURE, is_metadata_public=True),
            "aster": add_dataset(session, "aster", release_date=None, is_metadata_public=True),
            "secret": add_dataset(session, "nightshade", is_secret=True),
            "bare": add_dataset(session, "bare", scans=0, files=0, start_date=None, end_date=None, flags=[]),
            "long": add_dataset(session, "tansy", scans=SHOWN_ROWS + 1, files=SHOWN_ROWS + 1),
        }
        copy = session.get_one(Dataset, made["daisy"])
        copy.copy_of_id = made["zinnia"]
        turned = session.query(Scan).filter_by(dataset_id=made["daisy"]).one()
        turned.kind, turned.frames = "projection", {"projection": 900, "dark": 10}
        turned.served_by = [{"kind": "empty_beam", "entry_name": "/7.1"}]
        turned.linked_files = {"missing": 2, "present": 1}
        scan = session.query(Scan).filter_by(dataset_id=made["zinnia"], ordinal=1).one()
        scan.command, scan.end_reason, scan.point_count = "ascan samx 0 1 1000 0.1", "ABORTED", 1234
        scan.end_date = START.replace(minute=31, second=5)
        scan.sources = scan.sources | {"start_date": {"path": "/2.1/start", "original": "9:30", "zone_known": False}}
        open_scan = session.query(Scan).filter_by(dataset_id=made["zinnia"], ordinal=2).one()
        open_scan.is_ended, open_scan.end_date = False, None
        session.query(Datafile).filter_by(dataset_id=made["zinnia"], ordinal=1).one().is_vanished = True
        value = session.query(DatasetParameter).filter_by(dataset_id=made["zinnia"], numeric_value=12.4).one()
        value.original_value, value.original_unit, value.error = "12400", "eV", 0.01
        remark = session.query(DatasetParameter).filter_by(dataset_id=made["zinnia"], string_value="zinnia as it is")
        remark.one().layer, remark.one().origin = int(Layer.PERSON), "derived"
        master = session.get_one(MasterFile, session.get_one(Dataset, made["aster"]).master_file_id)
        master.reason = "a scan has no end"
    module_catalogue.index_all()
    return made


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue, ids: dict[str, int]) -> Iterator[TestClient]:
    assert ids
    with TestClient(create_app(module_catalogue.settings)) as started:
        yield started


def ask(client: TestClient, address: str, token: str = "") -> Page:
    answer = client.get(address, headers={"Authorization": f"Bearer {token}"} if token else {})
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def to_facts(page: Page) -> dict[str, str]:
    names, values = page.all("dt"), page.all("dd")
    return {name.text: value.text for name, value in zip(names, values, strict=True)}


def to_rows(page: Page, table: str) -> list[str]:
    """Return the rows of the table as lines."""
    text = page.one("table", class_=table).text
    return [row.text for row in page.all("tr") if row.text in text and "Name Size" not in row.text][1:]


def test_facts_are_told(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['zinnia']}")
    facts = to_facts(page)
    assert (page.one("h1").text, page.one("title").text) == ("zinnia_0001", "zinnia_0001 \N{EN DASH} nxcat")
    told = {
        "Sample": "zinnia sample (zinniaO2)",
        "Instrument": "zinnia-bm",
        "Facility": "zinnia facility",
        "Technique": "zinnia diffraction",
        "NeXus definition": "NXzinnia",
        "Investigation": "zinnia/v1zinnia proposal",
        "Measured": "2019-03-04 09:30:00 to 10:30:00 UTC",
        "Size": "20 bytes in 2 files",
        "Rules": "nexus, version 1",
        "Revision": "1",
        "Master": "ingested",
        "DOI": "10.5072/abc",
    }
    assert facts | told == facts
    assert page.link("10.5072/abc") == "/doi/10.5072/abc"
    assert page.one("section", class_="remarks").text == "Remarks zinnia puzzles"
    for part in page.all("a"):
        if part["href"].startswith("#"):
            assert part["href"][1:] in {e.attributes.get("id") for e in page.elements}


@pytest.mark.parametrize(
    ("text", "noun"),
    [
        ("zinnia sample", "sample"),
        ("zinnia-bm", "instrument"),
        ("zinnia facility", "facility"),
        ("zinnia diffraction", "technique"),
        ("NXzinnia", "definition"),
        ("zinnia/v1", "investigation"),
    ],
)
def test_facts_lead_to_their_other_datasets(client: TestClient, ids: dict[str, int], text: str, noun: str) -> None:
    page = ask(client, f"/datasets/{ids['zinnia']}")
    assert page.link(text).startswith(f"/?{noun}=")
    assert ask(client, page.link(text)).one("h2", id="total").text == "1 dataset"


def test_scans_are_listed_with_what_became_of_them(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['zinnia']}")
    assert page.one("h2", id="scans").text == "3 scans"
    first, second, third = to_rows(page, "scans")
    assert "zinnia loop 0" in first
    assert "2019-03-04 09:30:00 to 10:30:00 UTC" in first
    assert "zinniacam" in first
    for told in ("/2.1", "ascan samx 0 1 1000 0.1", "09:30:00 to 09:31:05 UTC", "ABORTED", "1,234"):
        assert told in second
    assert "title: /1.1/title says \N{LEFT DOUBLE QUOTATION MARK}zinnia loop" in second
    assert "start date: /2.1/start" in second
    assert "(time zone not in the file)" in second
    assert "person: Ada zinnia /1.1/user/name" in second
    assert "no end" in third
    assert "no end" not in first


def test_scan_tells_its_kind_its_way_its_counters_and_what_is_missing(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['daisy']}")
    (row,) = to_rows(page, "scans")
    for told in (
        "projection 900 projection, 10 dark",
        "with empty beam /7.1",
        "of its files 2 missing, 1 present",
        "moved daisyx 0 .. 1 mm",
        "daisydiode 11",
    ):
        assert told in row
    assert "/?motor=daisyx" in [link["href"] for link in page.all("a") if "motor" in link["href"]]


def test_parameters_tell_what_the_file_says_and_where(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['zinnia']}")
    energy, pressure, remark = to_rows(page, "parameters")
    assert energy.split() == [
        "InstrumentBeam_incident_energy",
        "12.4",
        "±",
        "0.01",
        "keV",
        "12400",
        "eV",
        "/1.1/energy",
    ]
    assert "5 Pa 50 ubar" in pressure
    assert "zinnia as it is by a person derived" in remark


def test_parameters_of_a_scan_are_shown_on_choosing_it(client: TestClient, ids: dict[str, int]) -> None:
    address = f"/datasets/{ids['zinnia']}"
    page = ask(client, address)
    assert not page.all("tr", aria_current="true")
    chosen = page.link("Parameters of scan /2.1")
    assert chosen == f"{address}?scan=%2F2.1#parameters"
    for way in (chosen, f"{address}?scan=2.1"):
        page = ask(client, way)
        assert page.one("h2", id="parameters").text.startswith("Parameters of scan ")
        assert [row.split()[1:] for row in to_rows(page, "parameters")] == [["12.5", "keV"]]
        assert "/2.1" in page.one("tr", aria_current="true").text
        assert page.link("Show the parameters of the whole dataset") == f"{address}#parameters"


def test_files_lead_to_their_content(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['zinnia']}")
    assert page.link("zinnia_0000.h5") == f"/files/{ids['zinnia']}/zinnia_0000.h5"
    assert page.link("Download all as one archive") == f"/archives/{ids['zinnia']}.zip"
    first, gone = to_rows(page, "files")
    assert first == "zinnia_0000.h5 10 bytes 2020-09-13 12:26:40 UTC"
    assert "no longer there" in gone
    assert "zinnia_0001.h5" not in [e.text for e in page.all("a")]


@pytest.mark.parametrize(("word", "told"), [("daisy", "The files open on 2999-01-01."), ("aster", "not open yet")])
def test_closed_files_are_announced_and_not_named(
    client: TestClient, ids: dict[str, int], word: str, told: str
) -> None:
    page = ask(client, f"/datasets/{ids[word]}")
    assert told in page.one("main").text
    assert f"{word}_0000.h5" not in page.one("main").text
    for address in page.addresses():
        assert "/files" not in address
        assert "/archives" not in address


def test_why_it_is_incomplete_is_told(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['aster']}")
    assert to_facts(page)["Master"] == "ingested: a scan has no end"


def test_copy_leads_to_what_it_is_a_copy_of(client: TestClient, ids: dict[str, int]) -> None:
    assert ask(client, f"/datasets/{ids['daisy']}").link(f"dataset {ids['zinnia']}") == f"/datasets/{ids['zinnia']}"


def test_dataset_of_which_little_is_known_has_a_page(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['bare']}")
    assert not page.all("table", class_="scans")
    assert not page.all("table", class_="files")
    assert not page.all("section", class_="remarks")
    assert "Measured" not in to_facts(page)


def test_each_list_is_leafed_by_itself(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['long']}")
    assert (len(page.all("nav", class_="leaves")), len(page.all("tr", aria_current="true"))) == (2, 0)
    files = next(e["href"] for e in page.all("a", rel="next") if e["href"].endswith("#files"))
    page = ask(client, files)
    assert to_rows(page, "files") == [f"tansy_{SHOWN_ROWS:04}.h5 10 bytes 2020-09-13 12:26:40 UTC"]
    scans = next(e["href"] for e in page.all("a", rel="next") if e["href"].endswith("#scans"))
    page = ask(client, scans)
    assert [f"/{SHOWN_ROWS + 1}.1" in row for row in to_rows(page, "scans")] == [True]
    assert len(to_rows(page, "files")) == 1
    back = [e["href"] for e in page.all("a") if e.text == "Back to the beginning"]
    assert [len(to_rows(ask(client, address), "scans")) for address in back] == [SHOWN_ROWS, 1]
    assert [len(to_rows(ask(client, address), "files")) for address in back] == [1, SHOWN_ROWS]


def test_choosing_a_scan_keeps_the_other_lists_where_they_are(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['long']}")
    page = ask(client, next(e["href"] for e in page.all("a", rel="next") if e["href"].endswith("#files")))
    page = ask(client, page.link("Parameters of scan /7.1"))
    assert len(to_rows(page, "files")) == 1
    assert page.one("h2", id="parameters").text == "Parameters of scan /7.1"


def test_page_leads_to_the_same_as_json(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, f"/datasets/{ids['zinnia']}")
    for text in ("dataset", "scans", "parameters", "files"):
        assert client.get(page.link(text)).headers["content-type"] == "application/json"
    assert page.one("link", rel="alternate")["href"] == page.link("dataset")


def test_places_on_the_server_are_for_its_operators(
    client: TestClient, module_catalogue: Catalogue, ids: dict[str, int]
) -> None:
    with module_catalogue.sessions.begin() as session:
        token = create_token(session, "operator", [Scope.READ], PAST, None).text
    assert "/data/zinnia" not in ask(client, f"/datasets/{ids['zinnia']}").one("main").text
    assert "/data/zinnia" in ask(client, f"/datasets/{ids['zinnia']}", token).one("main").text
    assert client.get(f"/datasets/{ids['secret']}").status_code == 404
    assert "secret" in ask(client, f"/datasets/{ids['secret']}", token).one("main").text


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("scan=9.9", 404),
        ("scan=%00", 422),
        ("scans=abc", 400),
        ("files=abc", 400),
        ("parameters=abc", 400),
        ("limit=3", 422),
    ],
)
def test_what_is_not_there_is_refused(client: TestClient, ids: dict[str, int], asked: str, status: int) -> None:
    answer = client.get(f"/datasets/{ids['zinnia']}?{asked}")
    assert answer.status_code == status
    assert Page(answer.text).link("Search the datasets") == "/"
