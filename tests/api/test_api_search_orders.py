"""A search as a JSON document: the same answer as the address that it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.entities import START, add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS, SEARCH = "/api/v1/datasets", "/api/v1/search"


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {
            word: add_dataset(session, word, start_date=START.replace(year=year))
            for word, year in {"zinnia": 2017, "daisy": 2018, "aster": 2019}.items()
        }
    module_catalogue.index_all()
    return made


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.parametrize(
    ("clause", "text", "found"),
    [
        (None, None, ["aster", "daisy", "zinnia"]),
        ({"text": "daisy"}, "daisy", ["daisy"]),
        ({"text": "daisy sample"}, '"daisy sample"', ["daisy"]),
        ({"text": "and"}, '"and"', []),
        ({"text": "z?n*", "match": "wildcard"}, "z?n*", ["zinnia"]),
        ({"text": "z?n*"}, '"z?n*"', []),
        ({"text": "zinia", "match": "fuzzy"}, "zinia~", ["zinnia"]),
        ({"or": [{"text": "daisy"}, {"text": "aster"}]}, "daisy or aster", ["aster", "daisy"]),
        ({"and": [{"text": "daisy"}, {"text": "aster"}]}, "daisy aster", []),
        ({"and": [{"text": "daisy"}]}, "daisy", ["daisy"]),
        ({"not": {"text": "daisy"}}, "not daisy", ["aster", "zinnia"]),
        ({"field": "sample", "value": "daisy"}, "sample:daisy", ["daisy"]),
        ({"field": "Beamline", "value": "daisy-bm"}, "instrument:daisy-bm", ["daisy"]),
        ({"field": "sample", "value": "dasy", "match": "fuzzy"}, "sample:dasy~", ["daisy"]),
        ({"field": "sample", "value": "*s?", "match": "wildcard"}, "sample:*s?", ["daisy"]),
        ({"field": "energy", "value": "*", "match": "wildcard"}, "energy:*", ["aster", "daisy", "zinnia"]),
        ({"field": "energy", "low": 12, "high": 13, "unit": "keV"}, "energy:12..13 keV", ["aster", "daisy", "zinnia"]),
        ({"field": "energy", "low": 12000, "unit": "eV"}, "energy:>=12000 eV", ["aster", "daisy", "zinnia"]),
        ({"field": "energy", "below": 12.4}, "energy:<12.4", []),
        ({"field": "Size", "above": 1, "unit": "GB"}, "Size:>1 GB", []),
        ({"field": "energy", "above": 0}, "energy:>0", ["aster", "daisy", "zinnia"]),
        ({"field": "energy", "near": 12, "unit": "keV"}, "energy:11.4..12.6 keV", ["aster", "daisy", "zinnia"]),
        (
            {"field": "start_date", "from": "2017", "to": "2018"},
            "start_date:2017-01-01..2018-12-31",
            ["daisy", "zinnia"],
        ),
        ({"field": "date", "value": "2019"}, "start_date:2019", ["aster"]),
        ({"field": "start_date", "from": "2018"}, "start_date:2018-01-01..", ["aster", "daisy"]),
        ({"elements": ["fe", "O"], "is_exact": True}, "elements:=Fe,O", []),
        (
            {"and": [{"not": {"or": [{"text": "daisy"}, {"text": "aster"}]}}, {"field": "energy", "low": 12}]},
            "not (daisy or aster) energy:>=12",
            ["zinnia"],
        ),
    ],
    ids=str,
)
@pytest.mark.usefixtures("ids")
def test_a_tree_is_answered_as_its_address_is(
    client: TestClient, clause: dict[str, Any] | None, text: str | None, found: list[str]
) -> None:
    body = {"sort": "name", **({} if clause is None else {"query": clause})}
    answer = client.post(SEARCH, json=body).json()
    assert [item["name"].partition("_")[0] for item in answer["items"]] == found
    shared = client.get(answer["links"]["self"])
    assert shared.json() == answer
    assert shared.request.url.params.get("q") == text


@pytest.mark.usefixtures("ids")
def test_everything_else_is_asked_as_in_the_address(client: TestClient) -> None:
    body = {
        "q": "sample or nothing",
        "query": {"text": "loop"},
        "instrument": ["daisy-bm", "aster-bm"],
        "complete": True,
        "parameter": ["energy:12..13 keV"],
        "facets": "sample",
        "sort": "oldest",
        "limit": 1,
    }
    first = client.post(SEARCH, json=body)
    assert client.get(first.json()["links"]["self"]).json() == first.json()
    assert first.json()["total"] == 2
    assert first.headers["Link"] == f'<{first.json()["links"]["next"]}>; rel="next"'
    following = client.post(SEARCH, json={**body, "cursor": first.json()["next"]}).json()
    assert [page["items"][0]["name"] for page in (first.json(), following)] == ["daisy_0001", "aster_0001"]
    assert client.get(first.json()["links"]["next"]).json() == following


@pytest.mark.parametrize(
    ("clause", "advice"),
    [
        ({"field": "energy", "low": 13, "high": 12}, "12..13"),
        ({"field": "energy"}, "give low, high or both"),
        ({"field": "energy", "low": 1, "near": 2}, "give low, high or both"),
        ({"field": "energy", "near": 0}, "nothing is near 0"),
        ({"field": "energy", "low": 1, "unit": "mm"}, "write one of keV"),
        ({"field": "energy", "low": 1, "unit": "k eV"}, "cannot be written"),
        ({"field": "sample", "low": 1}, "sample is no number"),
        ({"field": "no_such_field", "value": "x"}, "no field or parameter is called"),
        ({"field": "start_date", "from": "soon"}, "is no date"),
        ({"elements": ["Fe", "Xx"]}, "no element has the symbol 'Xx'"),
        ({"text": "two word*", "match": "wildcard"}, "cannot be written"),
        ({"text": "word", "match": "wildcard"}, "cannot be written"),
        ({"field": "start_date", "value": "*x", "match": "wildcard"}, "is no date"),
        ({"text": "Fe2", "match": "fuzzy"}, "4 or more letters"),
        ({"text": "--"}, "leave it out"),
        ({"or": [{"text": "a"}] * 64 + [{"text": "b"}]}, None),
        ({"and": [{"text": "a b"}] * 40}, "64 words"),
        ({"text": "daisy", "field": "sample"}, None),
        ({"value": "daisy"}, None),
        ({"and": []}, None),
        ({}, None),
        ("daisy", None),
    ],
    ids=str,
)
@pytest.mark.usefixtures("ids")
def test_what_cannot_be_asked_is_refused(client: TestClient, clause: object, advice: str | None) -> None:
    answer = client.post(SEARCH, json={"query": clause})
    if advice is None:
        assert answer.status_code == 422
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query")
        assert advice in answer.json()["detail"]


@pytest.mark.parametrize("depth", [30, 400, 5000])
@pytest.mark.usefixtures("ids")
def test_a_deep_tree_costs_an_error(client: TestClient, depth: int) -> None:
    body = '{"query": ' + '{"not": ' * depth + '{"text": "a"}' + "}" * depth + "}"
    answer = client.post(SEARCH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("order", [{"query": None}, {"query": {"field": "start_date", "from": "2025", "to": None}}])
def test_null_is_refused(client: TestClient, order: dict[str, Any]) -> None:
    answer = client.post(SEARCH, json=order)
    assert (answer.status_code, "is null: leave it out" in answer.text) == (422, True)


def test_other_methods_are_not_there(client: TestClient) -> None:
    answer = client.get(SEARCH)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "OPTIONS, POST")
