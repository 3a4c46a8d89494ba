"""A landing page as people see it: who, what, how to cite it, and where the files are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.routes.landing import SHOWN_FILES
from ingest.catalogue.model import Dataset
from tests.entities import FUTURE, add_dataset
from tests.pages import Page
from tests.publishing import ORCID, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        zinnia = add_dataset(session, "zinnia", files=2)
        visit = session.get_one(Dataset, zinnia).investigation_id
        return {
            "zinnia": zinnia,
            "daisy": add_dataset(session, "daisy", investigation_id=visit),
            "tansy": add_dataset(session, "tansy", files=SHOWN_FILES + 1),
            "aster": add_dataset(session, "aster"),
        }


@pytest.fixture(scope="module")
def dois(module_catalogue: Catalogue, ids: dict[str, int]) -> dict[str, str]:
    with module_catalogue.sessions.begin() as session:
        made = {
            "one": publish(session, ids["zinnia"], title="Zinnia at night"),
            "many": publish(session, ids["zinnia"], ids["daisy"]),
            "long": publish(session, ids["tansy"]),
            "closed": publish(session, ids["aster"]),
        }
        closed = session.get_one(Dataset, ids["aster"])
        closed.release_date = FUTURE
    return made


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue, dois: dict[str, str]) -> Iterator[TestClient]:
    assert dois
    with TestClient(create_app(module_catalogue.settings)) as started:
        yield started


def ask(client: TestClient, doi: str) -> Page:
    answer = client.get(f"/doi/{doi}", headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return Page(answer.text)


def to_facts(page: Page) -> dict[str, str]:
    return {name.text: value.text for name, value in zip(page.all("dt"), page.all("dd"), strict=True)}


def test_people_dates_and_licence_are_told(client: TestClient, dois: dict[str, str]) -> None:
    page = ask(client, dois["one"])
    assert page.one("h1").text == "Zinnia at night"
    assert page.link("Ada Example") == f"https://orcid.org/{ORCID}"
    facts = to_facts(page)
    told = {
        "DOI": f"https://doi.org/{dois['one']}",
        "Published": "2026-11-21",
        "Licence": "Creative Commons Attribution 4.0 International",
        "Measured": "2019-03-04",
        "Sample": "zinnia sample",
        "Instrument": "zinnia-bm",
        "Energy": "12.4 keV",
    }
    assert facts | told == facts


def test_how_to_cite_it_stands_there_for_people_and_for_programs(client: TestClient, dois: dict[str, str]) -> None:
    page = ask(client, dois["one"])
    cited = page.one("blockquote").text
    for told in ("Example, Ada; Other, Bob (2026).", "Zinnia at night", f"https://doi.org/{dois['one']}"):
        assert told in cited
    assert page.one("pre").text.startswith("@misc{")
    for text, kind in (("DataCite", "datacite"), ("JSON-LD (schema.org)", "ld+json"), ("BibTeX", "bibtex")):
        assert kind in client.get(page.link(text)).headers["content-type"]


def test_files_of_one_dataset_lead_to_their_content(
    client: TestClient, ids: dict[str, int], dois: dict[str, str]
) -> None:
    page = ask(client, dois["one"])
    assert page.one("h2", id="files").text == "2 files, 20 bytes"
    assert page.link("zinnia_0001.h5") == f"/files/{ids['zinnia']}/zinnia_0001.h5"
    assert page.link("All files of zinnia_0001 as ZIP") == f"/archives/{ids['zinnia']}.zip"
    assert page.link("zinnia_0001") == f"/datasets/{ids['zinnia']}"
    assert not page.all("td", data_label="Dataset")


def test_files_of_several_datasets_say_whose_they_are(client: TestClient, dois: dict[str, str]) -> None:
    page = ask(client, dois["many"])
    assert page.one("h2", id="datasets").text == "2 datasets"
    assert [cell.text for cell in page.all("td", data_label="Dataset")] == ["zinnia_0001", "zinnia_0001", "daisy_0001"]


def test_many_files_are_named_in_part_and_the_page_says_so(client: TestClient, dois: dict[str, str]) -> None:
    page = ask(client, dois["long"])
    assert len([link for link in page.all("a") if link["href"].startswith("/files/")]) == SHOWN_FILES
    assert f"The first {SHOWN_FILES} of {SHOWN_FILES + 1} files" in page.one("main").text


def test_what_is_closed_again_says_when_it_opens_and_shows_nothing_of_the_data(
    client: TestClient, dois: dict[str, str]
) -> None:
    page = ask(client, dois["closed"])
    assert to_facts(page)["Files"] == "open on 2999-01-01"
    for closed in ("aster_0001", "aster_0000.h5", "aster sample", "aster-bm", "12.4 keV"):
        assert closed not in page.one("main").text
    assert not [address for address in page.addresses() if address.startswith(("/files", "/archives", "/datasets"))]
