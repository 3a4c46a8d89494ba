"""The search page: what it shows, and that its address is the question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.questions import SearchParameters
from tests.entities import FUTURE, START, add_dataset, opened_copy
from tests.pages import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.entities import Catalogue

WORDS = ("zinnia", "daisy", "aster")


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {
            "zinnia": add_dataset(
                session, "zinnia", start_date=START.replace(year=2017), file_size=73_400_000, doi="10.5072/abc"
            ),
            "daisy": add_dataset(session, "daisy", release_date=FUTURE, is_metadata_public=True, files=3),
            "aster": add_dataset(session, "aster", is_complete=False, start_date=None),
        }
    module_catalogue.index_all()
    return made


@pytest.fixture
def client_of_nothing(migrated: Path, tmp_path: Path) -> Iterator[TestClient]:
    with opened_copy(migrated, tmp_path / "data") as empty, TestClient(create_app(empty.settings)) as started:
        yield started


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue, ids: dict[str, int]) -> Iterator[TestClient]:
    assert ids
    with TestClient(create_app(module_catalogue.settings)) as started:
        yield started


def ask(client: TestClient, address: str = "/", status: int = 200, **asked: Any) -> Page:
    answer = client.get(address, params=asked) if asked else client.get(address)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


def to_asked(address: str) -> list[tuple[str, str]]:
    """Return what the address asks; it must be the search page's own."""
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/")
    return parse_qsl(parts.query, strict_parsing=bool(parts.query))


def to_names(page: Page) -> list[str]:
    return [element.text for element in page.all("h3") if element.text.endswith("_0001")]


def test_hit_tells_what_was_measured_and_leads_to_its_page(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, q="zinnia")
    assert page.link("zinnia_0001") == f"/datasets/{ids['zinnia']}"
    hit = page.one("article").text
    for told in (
        "zinnia loop 0",
        "2017-03-04",
        "sample zinnia sample",
        "instrument zinnia-bm",
        "technique zinnia diffraction",
        "investigation zinnia/v1",
        "1 file, 73.4 MB",
        "published as 10.5072/abc",
        "open",
    ):
        assert told in hit
    assert page.link("10.5072/abc") == "/doi/10.5072/abc"
    assert page.one("h2", id="total").text == "1 dataset"


def test_hit_says_when_it_opens_and_what_it_lacks(client: TestClient) -> None:
    page = ask(client)
    assert "opens on 2999-01-01" in next(hit.text for hit in page.all("article") if "daisy" in hit.text)
    assert "incomplete" in next(hit.text for hit in page.all("article") if "aster" in hit.text)
    assert page.one("h2", id="total").text == "3 datasets"
    assert to_names(page) == ["daisy_0001", "zinnia_0001", "aster_0001"]


def test_values_are_counted_and_lead_to_the_same_search_with_them(client: TestClient) -> None:
    page = ask(client, q="zinnia or daisy", sort="name")
    groups = {e.text for e in page.all("h3")} - set(to_names(page))
    nouns = {"Instrument", "Technique", "Sample", "Facility", "Probe", "NeXus definition", "State"}
    assert groups == {*nouns, "Began in"}
    assert to_asked(page.link("daisy-bm 1")) == [("q", "zinnia or daisy"), ("sort", "name"), ("instrument", "daisy-bm")]
    assert to_names(ask(client, page.link("daisy-bm 1"))) == ["daisy_0001"]
    assert to_asked(page.link("complete 2"))[-1] == ("complete", "true")


def test_values_that_could_be_chosen_instead_stay(client: TestClient) -> None:
    page = ask(client, instrument="daisy-bm")
    assert to_names(page) == ["daisy_0001"]
    assert to_asked(page.link("zinnia-bm 1")) == [("instrument", "daisy-bm"), ("instrument", "zinnia-bm")]
    assert page.link("daisy diffraction 1")
    assert "zinnia diffraction 1" not in {e.text for e in page.all("a")}


def test_periods_are_counted_and_lead_to_the_same_search_in_them(client: TestClient) -> None:
    page = ask(client, q="loop")
    (period,) = [e for e in page.all("a") if e.text.startswith("2019-03")]
    chosen = ask(client, period["href"])
    assert to_asked(period["href"]) == [("q", "loop"), ("start_date", "2019-03")]
    count = period.text.removeprefix("2019-03 ")
    assert chosen.one("h2", id="total").text.startswith(count)
    assert to_asked(chosen.link(f"Remove the filter 2019-03 {count}")) == [("q", "loop")]


def test_mistyped_word_leads_to_what_may_be_meant(client: TestClient) -> None:
    page = ask(client, q="zinnai")
    assert to_asked(page.link("zinnia")) == [("q", "zinnia")]


@pytest.mark.parametrize("written", ["daisy-bm", "Daisy-BM"])
def test_chosen_value_is_shown_and_can_be_taken_back(client: TestClient, written: str) -> None:
    page = ask(client, q="loop", instrument=[written, "zinnia-bm"], complete="true")
    assert sorted(to_names(page)) == ["daisy_0001", "zinnia_0001"]
    others = [("q", "loop"), ("instrument", "zinnia-bm"), ("complete", "true")]
    assert to_asked(page.link(f"Remove the filter instrument: {written}")) == others
    assert to_asked(page.link("Remove the filter daisy-bm 1")) == others
    assert to_asked(page.link("Remove the filter state: complete")) == [
        ("q", "loop"),
        ("instrument", written),
        ("instrument", "zinnia-bm"),
    ]
    assert to_asked(page.link("Remove the filter complete 2"))[-1] == ("instrument", "zinnia-bm")
    assert [e.text for e in page.all("a", aria_current="true")][:1] == ["Remove the filter daisy-bm 1"]


def test_without_its_last_filter_the_address_is_the_plain_one(client: TestClient) -> None:
    page = ask(client, complete="false")
    assert page.link("Remove the filter incomplete 1") == "/"
    assert page.link("Remove the filter state: incomplete") == "/"


def test_ranges_and_dates_of_the_address_are_filters(client: TestClient) -> None:
    page = ask(client, parameter="energy:12..13 keV", start_date="2017..2019", q="")
    assert to_names(page) == ["daisy_0001", "zinnia_0001"]
    assert to_asked(page.link("Remove the filter parameter: energy:12..13 keV")) == [("start_date", "2017..2019")]
    assert to_asked(page.link("Remove the filter start date: 2017..2019")) == [("parameter", "energy:12..13 keV")]


def test_asking_again_keeps_what_was_chosen_and_begins_at_the_beginning(client: TestClient) -> None:
    asked = {"q": "loop", "instrument": ["daisy-bm", "zinnia-bm"], "sort": "name", "limit": "1", "facets": "probe"}
    cursor = client.get("/api/v1/datasets", params=asked).json()["next"]
    page = ask(client, **asked, cursor=cursor)
    assert (page.one("form")["action"], page.one("form").attributes.get("method", "get")) == ("/", "get")
    assert page.one("input", id="q")["value"] == "loop"
    assert [(e["name"], e["value"]) for e in page.all("input", type="hidden")] == [
        ("instrument", "daisy-bm"),
        ("instrument", "zinnia-bm"),
        ("sort", "name"),
        ("limit", "1"),
        ("facets", "probe"),
    ]


def test_one_leafs_to_the_end_and_back_to_the_beginning(client: TestClient) -> None:
    page = ask(client, limit=1, sort="name")
    names, first = to_names(page), "/?limit=1&sort=name"
    assert not [e for e in page.all("a") if e.text == "Back to the beginning"]
    for _ in range(2):
        page = ask(client, page.link("Next page"))
        names += to_names(page)
        assert page.link("Back to the beginning") == first
    assert names == ["aster_0001", "daisy_0001", "zinnia_0001"]
    assert not page.all("a", rel="next")


def test_order_is_chosen_and_shown(client: TestClient) -> None:
    page = ask(client, q="loop")
    assert page.one("a", aria_current="true").text == "relevance"
    assert to_asked(page.link("oldest")) == [("q", "loop"), ("sort", "oldest")]
    page = ask(client, page.link("oldest"))
    assert page.one("a", aria_current="true").text == "oldest"
    assert "relevance" not in [e.text for e in ask(client).all("a")]


def test_same_question_has_the_same_answer_as_json(client: TestClient, ids: dict[str, int]) -> None:
    page = ask(client, q="loop", instrument=["daisy-bm", "zinnia-bm"], limit=1)
    following = ask(client, page.link("Next page"))
    for each in (page, following):
        answer = client.get(each.link("The same as JSON")).json()
        assert [f"/datasets/{item['id']}" for item in answer["items"]] == [
            e["href"] for e in each.all("a") if e.text.endswith("_0001")
        ]
        assert list(answer["facets"]) == [
            "instrument",
            "technique",
            "sample",
            "facility",
            "probe",
            "definition",
            "complete",
        ]
        assert each.one("link", rel="alternate")["href"] == each.link("The same as JSON")
    assert ids


def test_every_parameter_of_the_api_is_one_of_the_page(client: TestClient) -> None:
    """An address of the one is an address of the other."""
    examples = {
        name: example[0] if isinstance(example := (field.examples or [""])[0], list) else example
        for name, field in SearchParameters.model_fields.items()
    } | {"complete": "true", "sort": "name", "limit": "7", "facet_mode": "wide", "highlights": "true", "order_by": ""}
    assert client.get("/api/v1/datasets", params=examples).status_code == 200
    page = ask(client, **examples)
    chosen = {e.text for e in page.all("a") if e.text.startswith("Remove the filter")}
    unchosen = {"q", "facets", "facet_mode", "highlights", "order_by", "sort", "limit", "cursor"}
    assert len(chosen) == len(examples) - len(unchosen)


@pytest.mark.parametrize(
    ("asked", "marked", "told"),
    [
        ({"q": "LaB6 (tooth"}, "(", "never closed"),
        ({"q": "energy:13..12 keV"}, None, "13"),
        ({"q": "nothing:1..2"}, "n", "nothing"),
        ({"q": "LaB6 and"}, "…", "and"),
        ({"q": "tooth", "start_date": "2025..soon"}, "s", "start_date"),
        ({"q": "tooth", "parameter": "energy"}, "e", "parameter"),
    ],
    ids=str,
)
def test_what_is_not_understood_is_shown_with_its_place(
    client: TestClient, asked: dict[str, str], marked: str | None, told: str
) -> None:
    problem = client.get("/api/v1/datasets", params=asked).json()
    page = ask(client, status=400, **asked)
    assert page.one("input", id="q")["value"] == asked["q"]
    assert page.one("input", id="q")["aria-describedby"].split() == ["problem", "hint"]
    assert page.one("input", id="q")["aria-invalid"] == "true"
    alert = page.one("div", role="alert", id="problem")
    assert told in alert.text
    assert problem["detail"] in alert.text
    assert page.one("code", class_="place").text.rstrip("…") == problem["text"]
    if marked is not None:
        assert page.one("mark").text == marked
    chosen = {name for name in asked if name != "q"}
    assert len([e for e in page.all("a") if e.text.startswith("Remove the filter")]) == len(chosen)


def test_a_bad_cursor_leads_back_to_the_beginning(client: TestClient) -> None:
    page = ask(client, status=400, q="loop", cursor="abc")
    assert "cursor" in page.one("div", role="alert").text
    assert not page.all("mark")
    assert page.link("Begin again") == "/?q=loop"


def test_nothing_found_says_what_to_do(client: TestClient) -> None:
    page = ask(client, q="behenate", instrument="daisy-bm")
    assert page.one("h2", id="total").text == "0 datasets"
    assert page.link("ask without them") == "/?q=behenate"
    assert page.link("See all datasets") == "/"
    assert not page.all("aside")
    assert "ask without them" not in ask(client, q="behenate").one("main").text


def test_examples_are_questions_that_are_understood(client: TestClient) -> None:
    page = ask(client)
    examples = [e["href"] for e in page.all("a") if e["href"].startswith("/?q=")]
    assert len(examples) > 10
    for address in examples:
        assert ask(client, address).one("input", id="q")["value"] == dict(to_asked(address))["q"]


def test_what_was_asked_stands_in_the_title(client: TestClient) -> None:
    assert ask(client).one("title").text == "nxcat"
    assert ask(client, q="daisy").one("title").text == "daisy \N{EN DASH} nxcat"
    assert len(ask(client, q="daisy or " * 40 + "aster").one("title").text) < 80


def test_every_control_has_its_label(client: TestClient) -> None:
    page = ask(client, q="loop")
    visible = [e for e in page.all("input") if e.attributes.get("type") != "hidden"]
    assert [e["id"] for e in visible] == [e["for"] for e in page.all("label")]
    for name in ("aria-labelledby", "aria-describedby"):
        named = {part for e in page.elements for part in e.attributes.get(name, "").split()}
        assert named <= {e.attributes.get("id") for e in page.elements}
    assert page.one("a", class_="skip")["href"] == "#" + page.one("main")["id"]
    assert page.elements.index(page.one("a", class_="skip")) < page.elements.index(page.all("a")[1])


def test_empty_catalogue_says_how_to_fill_it(client_of_nothing: TestClient) -> None:
    assert "nxcat crawl" in ask(client_of_nothing).one("main").text


def test_address_survives_what_addresses_are_made_of(client: TestClient) -> None:
    asked = [("q", 'a&b=c "d" +%23'), ("instrument", "a&b=ö#"), ("instrument", "100%")]
    page = ask(client, f"/?{urlencode(asked)}")
    assert page.one("input", id="q")["value"] == asked[0][1]
    assert to_asked(page.link("Remove the filter instrument: 100%")) == asked[:2]
