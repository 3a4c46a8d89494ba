"""What a DOI leads to, in the form that is asked for: read back by the libraries of those who ask."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import bibtexparser
import pytest
from datacite import schema45
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.app import create_app
from api.publication_links import MAX_FILES
from api.routes.landing import FORMS, Form
from api.settings import ApiSettings
from ingest.catalogue.model import Datafile, Facility, Investigation
from ingest.catalogue.publication_request import Creator
from tests.entities import add_dataset
from tests.pages import Page
from tests.publishing import ADA, HOSTILE, ORCID, publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from tests.entities import Catalogue

PUBLIC = "https://data.example.org/catalogue"
PAGE, DATACITE, SCHEMA_ORG, JSON_LD, BIBTEX = FORMS
SCRIPT = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
LINK = re.compile(r'<([^<>]*)>; rel="([^"]*)"(?:; type="([^"]*)")?')


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue) -> Iterator[TestClient]:
    app = create_app(module_catalogue.settings, ApiSettings(public_url=PUBLIC))
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="module")
def dois(module_catalogue: Catalogue) -> dict[str, str]:
    """Publish a dataset, several with more files than are linked singly, and one of which hostile things are said."""
    with module_catalogue.sessions.begin() as session:
        one = add_dataset(session, "daisy", files=2)
        many = [add_dataset(session, "zinnia", files=MAX_FILES), add_dataset(session, "tulip")]
        hostile = add_dataset(session, "</script><b>&")
        session.execute(update(Investigation).values(facility_id=1))
        session.execute(update(Facility).values(full_name="The Source", url="https://source.example.org"))
        session.execute(
            update(Datafile).where(Datafile.dataset_id == one, Datafile.ordinal == 1).values(name="a b/µ.txt")
        )
        return {
            "one": publish(session, one),
            "many": publish(session, *many),
            "hostile": publish(session, hostile, title=HOSTILE[0], creators=(ADA, Creator("Other", HOSTILE[3]))),
        }


def ask(client: TestClient, doi: str, accept: str | None = None, **asked: Any) -> Response:
    # A client that says nothing of what it takes is none of the library's.
    request = client.build_request("GET", f"/doi/{doi}", params=asked or None)
    del request.headers["accept"]
    if accept is not None:
        request.headers["accept"] = accept
    return client.send(request)


def find_number(client: TestClient, doi: str) -> int:
    """Return the number of the only dataset, as its archive's address has it."""
    found = re.search(r"/datasets/(\d+)", ask(client, doi).text)
    assert found
    return int(found[1])


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, PAGE),
        ("*/*", PAGE),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PAGE),
        (DATACITE, DATACITE),
        (SCHEMA_ORG, SCHEMA_ORG),
        (JSON_LD, JSON_LD),
        (BIBTEX, BIBTEX),
        (f"{BIBTEX};q=0.5, {DATACITE};q=0.9, text/html;q=0.1", DATACITE),
        (f"application/rdf+xml, {JSON_LD};q=0.2", JSON_LD),
        ("text/html;q=0, application/*", DATACITE),
    ],
)
def test_accept_header_chooses_the_form(
    client: TestClient, dois: dict[str, str], accept: str | None, media_type: str
) -> None:
    answer = ask(client, dois["one"], accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert {each.strip() for each in answer.headers["vary"].split(",")} == {"Accept", "Authorization"}


def test_several_accept_headers_are_one(client: TestClient, dois: dict[str, str]) -> None:
    headers = [("accept", "application/pdf"), ("accept", BIBTEX)]
    assert client.get(f"/doi/{dois['one']}", headers=headers).headers["content-type"].startswith(BIBTEX)


def test_form_of_the_address_is_taken_whatever_the_header_says(client: TestClient, dois: dict[str, str]) -> None:
    kinds = {Form.PAGE: PAGE, Form.DATACITE: DATACITE, Form.JSON_LD: JSON_LD, Form.BIBTEX: BIBTEX}
    for form in Form:
        for accept in (None, "text/html", "application/pdf"):
            answer = ask(client, dois["one"], accept, format=str(form))
            assert answer.status_code == 200
            assert answer.headers["content-type"].partition(";")[0] == kinds[form]
            assert answer.headers["vary"] == "Authorization"
    assert ask(client, dois["one"], None, format="ris").status_code == 422


@pytest.mark.parametrize("accept", ["application/pdf", "image/*, application/json;q=0.5"])
def test_form_that_there_is_not_is_refused_with_those_that_there_are(
    client: TestClient, dois: dict[str, str], accept: str
) -> None:
    answer = ask(client, dois["one"], accept)
    assert answer.status_code == 406
    assert answer.json()["offers"] == list(FORMS)
    assert "Accept" in answer.headers["vary"]


def test_doi_that_is_not_there_is_told_to_people_and_programs(client: TestClient) -> None:
    page, problem = (ask(client, "10.5072/none0-00000", accept) for accept in ("text/html", DATACITE))
    assert page.status_code == problem.status_code == 404
    assert "No publication 10.5072/none0-00000" in Page(page.text).one("main").text
    assert problem.json()["detail"] == "no publication 10.5072/none0-00000"
    # Whether there is one comes first: a form that there is not tells nothing of it.
    assert ask(client, "10.5072/none0-00000", "application/pdf").status_code == 404


@pytest.mark.parametrize("suffix", ["", "/", "a/b/c", "%00", "%0a", "%ff", "..%2f..", "x" * 5000])
def test_anything_else_is_no_doi(client: TestClient, suffix: str) -> None:
    assert client.get(f"/doi/10.5072/{suffix}").status_code == 404


def test_doi_is_known_in_any_case_of_letters(client: TestClient, dois: dict[str, str]) -> None:
    for form in Form:
        lower, upper = (ask(client, doi, None, format=str(form)) for doi in (dois["one"], dois["one"].upper()))
        assert lower.status_code == upper.status_code == 200
        assert lower.text == upper.text


@pytest.mark.parametrize("kind", ["one", "many", "hostile"])
def test_datacite_is_valid_by_its_schema(client: TestClient, dois: dict[str, str], kind: str) -> None:
    document = ask(client, dois[kind], DATACITE).json()
    assert [error.message for error in schema45.validator.iter_errors(document)] == []
    assert document["doi"] == dois[kind]
    assert document["url"] == f"{PUBLIC}/doi/{dois[kind]}"
    assert document["types"]["resourceTypeGeneral"] == ("Collection" if kind == "many" else "Dataset")


def test_datacite_tells_what_the_data_say(client: TestClient, dois: dict[str, str]) -> None:
    document = ask(client, dois["one"], DATACITE).json()
    assert document["publisher"] == {"name": "The Source"}
    assert document["sizes"] == ["1 dataset", "2 files", "20 bytes"]
    assert document["subjects"] == [{"subject": "daisy diffraction"}]
    assert document["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
    abstract, technical = (each["description"] for each in document["descriptions"])
    assert abstract == "A standard."
    assert technical.splitlines() == [
        "Instrument: daisy-bm",
        "Technique: daisy diffraction",
        "Sample: daisy sample",
        "Energy: 12.4 keV",
    ]


@pytest.mark.parametrize("kind", ["one", "many", "hostile"])
def test_bibtex_is_read_back(client: TestClient, dois: dict[str, str], kind: str) -> None:
    answer = ask(client, dois[kind], BIBTEX)
    assert answer.headers["content-type"] == f"{BIBTEX}; charset=utf-8"
    library = bibtexparser.parse_string(answer.text)
    assert not library.failed_blocks
    (entry,) = library.entries
    assert entry.entry_type == "misc"
    assert entry["doi"] == dois[kind]
    assert entry["url"] == f"https://doi.org/{dois[kind]}"
    assert entry["author"].startswith("Example, Ada and Other, ")


@pytest.mark.parametrize("kind", ["one", "many", "hostile"])
def test_json_ld_in_the_page_is_the_negotiated_one(client: TestClient, dois: dict[str, str], kind: str) -> None:
    (script,) = SCRIPT.findall(ask(client, dois[kind], "text/html").text)
    negotiated = [ask(client, dois[kind], accept).json() for accept in (JSON_LD, SCHEMA_ORG)]
    assert [json.loads(script), json.loads(script)] == negotiated


def test_json_ld_links_few_files_singly_and_many_as_archives(client: TestClient, dois: dict[str, str]) -> None:
    number = find_number(client, dois["one"])
    few = ask(client, dois["one"], JSON_LD).json()
    assert [(each["contentUrl"], each["encodingFormat"], each["contentSize"]) for each in few["distribution"]] == [
        (f"{PUBLIC}/files/{number}/daisy_0000.h5", "application/x-hdf5", "10"),
        (f"{PUBLIC}/files/{number}/a%20b/%C2%B5.txt", "application/octet-stream", "10"),
    ]
    many = ask(client, dois["many"], JSON_LD).json()
    assert [each["name"] for each in many["distribution"]] == ["zinnia_0001.zip", "tulip_0001.zip"]
    assert {each["encodingFormat"] for each in many["distribution"]} == {"application/zip"}


def test_page_tells_the_same(client: TestClient, dois: dict[str, str]) -> None:
    page = Page(ask(client, dois["one"]).text)
    assert page.one("h1").text == "LaB6 at ID00"
    assert page.link("Ada Example") == f"https://orcid.org/{ORCID}"
    assert page.link("Creative Commons Attribution 4.0 International").startswith("https://creativecommons.org/")
    assert page.link("The Source") == "https://source.example.org"
    assert page.one("link", rel="canonical")["href"] == f"{PUBLIC}/doi/{dois['one']}"
    text = page.one("main").text
    assert f"Example, Ada; Other, Bob (2026). LaB6 at ID00 [Dataset]. The Source. https://doi.org/{dois['one']}" in text
    for said in ("A standard.", "daisy sample", "daisy diffraction", "12.4 keV", "a b/µ.txt"):
        assert said in text


def test_hostile_texts_are_text(client: TestClient, dois: dict[str, str]) -> None:
    answer = ask(client, dois["hostile"])
    page = Page(answer.text)
    assert page.one("h1").text == HOSTILE[0]
    assert len(page.all("script")) == 1
    assert not page.all("b")


def test_links_of_the_page_lead_there(client: TestClient, dois: dict[str, str]) -> None:
    for kind in ("one", "many"):
        page = ask(client, dois[kind])
        links = LINK.findall(page.headers["link"])
        by_relation = {relation: [target for target, name, _ in links if name == relation] for _, relation, _ in links}
        assert by_relation["cite-as"] == [f"https://doi.org/{dois[kind]}"]
        assert by_relation["author"] == [f"https://orcid.org/{ORCID}"]
        assert by_relation["license"] == ["https://creativecommons.org/licenses/by/4.0/legalcode"]
        assert by_relation["type"] == ["https://schema.org/AboutPage", "https://schema.org/Dataset"]
        assert len(by_relation["item"]) == 2
        described = [(target, media_type) for target, relation, media_type in links if relation == "describedby"]
        assert [media_type for _, media_type in described] == [DATACITE, JSON_LD, BIBTEX]
        for target, media_type in described:
            form = client.get(target.removeprefix(PUBLIC))
            assert form.headers["content-type"].partition(";")[0] == media_type
            back = LINK.findall(form.headers["link"])
            assert back == [
                (f"{PUBLIC}/doi/{dois[kind]}", "describes", "text/html"),
                (by_relation["cite-as"][0], "cite-as", ""),
            ]


def test_head_is_what_get_is_without_the_body(client: TestClient, dois: dict[str, str]) -> None:
    for accept in FORMS:
        head, got = (
            client.request(method, f"/doi/{dois['one']}", headers={"Accept": accept}) for method in ("HEAD", "GET")
        )
        assert head.status_code == got.status_code == 200
        assert head.text == ""
        for name in ("content-type", "link", "vary"):
            assert head.headers[name] == got.headers[name]


def test_addresses_are_those_of_the_request_where_none_is_set(
    module_catalogue: Catalogue, dois: dict[str, str]
) -> None:
    app = create_app(module_catalogue.settings)
    with TestClient(app, base_url="http://here:8000", root_path="/inner") as started:
        document = started.get(f"/inner/doi/{dois['one']}?format=datacite").json()
    assert document["url"] == f"http://here:8000/inner/doi/{dois['one']}"


def test_list_of_publications_leads_to_them(client: TestClient, dois: dict[str, str]) -> None:
    found = client.get("/api/v1/publications?limit=2").json()
    assert [item["doi"] for item in found["items"]] == [dois["hostile"], dois["many"]]
    item = found["items"][1]
    assert (item["kind"], item["title"], item["licence"]) == ("Collection", "LaB6 at ID00", "CC-BY-4.0")
    assert item["links"]["doi"] == f"https://doi.org/{dois['many']}"
    assert client.get(item["links"]["landing"]).status_code == 200
    assert client.get(item["links"]["datacite"]).json()["doi"] == dois["many"]
    rest = client.get(found["links"]["next"]).json()
    assert [item["doi"] for item in rest["items"]] == [dois["one"]]


def test_dataset_tells_its_doi_and_where_it_leads(client: TestClient, dois: dict[str, str]) -> None:
    number = find_number(client, dois["one"])
    dataset = client.get(f"/api/v1/datasets/{number}").json()
    assert dataset["doi"] == dois["one"]
    assert client.get(dataset["links"]["landing"]).status_code == 200
