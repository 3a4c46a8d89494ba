"""PaNOSC's search API over HTTP: paths, encodings, errors, scores."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import Dataset
from ingest.catalogue.search.elastic_client import make_client
from ingest.catalogue.search.engines import open_index
from tests.panosc import DATASETS, DOCUMENTS, INSTRUMENTS, add_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx2 import Response

    from tests.entities import Catalogue

BASE = "/panosc/api"


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue) -> Iterator[TestClient]:
    with module_catalogue.sessions.begin() as session:
        add_reference(session)
    module_catalogue.index_all()
    with TestClient(create_app(module_catalogue.settings), raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="module", params=["embedded", "elasticsearch"])
def scoring(request: pytest.FixtureRequest, module_catalogue: Catalogue, client: TestClient) -> Iterator[TestClient]:
    """Yield a client of the service on either index."""
    if request.param == "embedded":
        yield client
        return
    own = {"elasticsearch_url": request.getfixturevalue("elasticsearch_server"), "elasticsearch_index": uuid4().hex}
    settings = module_catalogue.settings.model_copy(update=own)
    with closing(open_index(settings)) as index, module_catalogue.sessions() as session:
        index.write(load_documents(session, session.scalars(select(Dataset.id)).all()))
    with TestClient(create_app(settings), raise_server_exceptions=False) as started:
        yield started
    with make_client(own["elasticsearch_url"]) as engine:
        for name in engine.indices.get(index=f"{own['elasticsearch_index']}*", expand_wildcards="all"):
            engine.indices.delete(index=name)


def ask(client: TestClient, path: str, **asked: Any) -> Response:
    """Ask with JSON for each parameter."""
    return client.get(f"{BASE}{path}", params={name: json.dumps(value) for name, value in asked.items()})


def escaped(pid: str) -> str:
    return quote(pid, safe="")


def has_error(answer: Response, status: int, message: str, **more: Any) -> bool:
    told = answer.json()["error"]
    assert message in told.pop("message"), answer.text
    return answer.status_code == status and told == {"statusCode": status, "name": "Error", **more}


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("end", ["", "/"])
def test_all_endpoints_answer_in_both_cases(client: TestClient, lower: bool, end: str) -> None:
    def path(name: str) -> str:
        return f"{BASE}/{name.lower() if lower else name}"

    pids = {"Datasets": DATASETS, "Documents": DOCUMENTS, "Instruments": list(INSTRUMENTS.values())}
    for name, expected in pids.items():
        assert sorted(each["pid"] for each in client.get(path(name) + end).json()) == sorted(expected)
        assert client.get(f"{path(name)}/count{end}").json() == {"count": len(expected)}
        assert client.get(f"{path(name)}/{escaped(expected[0])}{end}").json()["pid"] == expected[0]
    files = f"{path('Datasets')}/{escaped(DATASETS[0])}/files"
    assert [each["name"] for each in client.get(files + end).json()] == ["panosc-file1.hdf"]
    assert client.get(f"{files}/count{end}").json() == {"count": 1}


@pytest.mark.parametrize("path", ["/Datasets/none", "/Documents/none", "/Instruments/none", "/datasets/10.1%2Fnone"])
def test_unknown_record_is_not_found(client: TestClient, path: str) -> None:
    model, pid = path.split("/")[1].title().removesuffix("s"), path.split("/")[2].replace("%2F", "/")
    answer = client.get(BASE + path)
    assert has_error(answer, 404, f'Unknown "{model}" id "{pid}".', code="MODEL_NOT_FOUND")
    assert answer.headers["content-type"] == "application/json"


def test_files_of_an_unknown_dataset_are_not_found(client: TestClient) -> None:
    for place in ("files", "files/count"):
        answer = client.get(f"{BASE}/Datasets/none/{place}")
        assert has_error(answer, 404, 'Unknown "Dataset" id "none".', code="MODEL_NOT_FOUND")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "is not an object"),
        (5, "is not an object"),
        ("pid", "is not an object"),
        ({"limit": -1}, "The limit parameter -1 is not valid"),
        ({"limit": 1.5}, "The limit parameter 1.5 is not valid"),
        ({"limit": "many"}, "is not valid"),
        ({"limit": {"a": 1}}, "is not valid"),
        ({"limit": {}}, "The limit parameter {} is not valid"),
        ({"skip": []}, "The offset/skip parameter [] is not valid"),
        ({"order": {}}, "The order {} is not valid"),
        ({"limit": float("1e999")}, "Value is not an object"),
        ({"skip": -1}, "The offset/skip parameter -1 is not valid"),
        ({"order": 5}, "The order 5 is not valid"),
        ({"order": "title UP"}, "has invalid direction"),
        ({"fields": 5}, "neither a list nor an object"),
        ({"query": 5}, "is not a text"),
        ({"query": " ".join(f"word{n}" for n in range(99))}, "at most 32 words"),
        ({"where": []}, "The where clause [] is not an object"),
        ({"where": "a"}, "is not an object"),
        ({"where": {"and": {"pid": "a"}}}, "The and operator has invalid clauses"),
        ({"where": {"or": ["a"]}}, "is not an object"),
        ({"where": {"pid": {"between": [1]}}}, "Expected precisely 2 values, received 1"),
        ({"where": {"pid": {"inq": "a"}}}, "Value is not an array"),
        ({"where": {"pid": {"nin": {"a": 1}}}}, "Value is not an array"),
        ({"where": {"pid": {"like": 5}}}, "Expected a string"),
        ({"where": {"pid": {"about": "a"}}}, "expected one of eq, neq"),
        ({"where": {"pid": {"eq": {"a": 1}}}}, "invalid clause"),
        ({"where": {"pid": {}}}, "expected one of eq, neq"),
        ({"where": {"pid": "\x00"}}, "a character that is none"),
        ({"where": {"pid": {"inq": ["\ud800"]}}}, "a character that is none"),
        ({"where": {"\x00": 1}}, "a character that is none"),
        ({"where": {"creationDate": "yesterday"}}, "Invalid date"),
        ({"where": {"pid": {"regexp": "("}}}, "invalid regexp: missing )"),
        ({"where": {"pid": {"regexp": "(a)\\1"}}}, "invalid regexp"),
        ({"where": {"pid": {"regexp": "(?=a)"}}}, "invalid regexp"),
        ({"where": {"pid": {"regexp": "a{9999}"}}}, "invalid regexp"),
        ({"where": {"pid": {"regexp": "a{,2}"}}}, "invalid regexp"),
        ({"where": {"pid": {"regexp": 5}}}, "invalid regexp"),
        ({"where": {"pid": {"like": "%a" * 9}}}, "8 %"),
        ({"where": {"text": "a" * 1001}}, "at most 1000 characters"),
        ({"where": {"or": [{"pid": "a"}] * 300}}, "at most 256 conditions"),
        ({"where": {"pid": {"inq": ["a"] * 1001}}}, "1000 are the most"),
        ({"include": 5}, "neither a relation nor a list"),
        ({"include": ["nothing"]}, 'Relation "nothing" is not defined for Dataset model'),
        ({"include": [{"relation": "techniques", "scope": {"include": "dataset"}}]}, "is not defined for Technique"),
        ({"include": [{"relation": "techniques", "scope": 5}]}, "is not an object"),
        ({"include": ["files"] * 40}, "at most 32 inclusions"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_invalid_filter_is_told(client: TestClient, asked: Any, message: str) -> None:
    assert has_error(ask(client, "/Datasets", filter=asked), 400, message)


@pytest.mark.parametrize(
    "text", ["{", "abc", "{'a': 1}", '{"limit": NaN}', '{"limit": Infinity}', "[" * 20_000], ids=lambda text: text[:20]
)
def test_what_is_no_json_is_told(client: TestClient, text: str) -> None:
    for parameter, path in (("filter", "/Datasets"), ("where", "/Datasets/count")):
        assert has_error(client.get(BASE + path, params={parameter: text}), 400, "Value is not an object.")


def test_depth_is_bounded(client: TestClient) -> None:
    where: dict[str, Any] = {"pid": "a"}
    include: dict[str, Any] = {"relation": "documents"}
    for _ in range(40):
        where = {"and": [where]}
    for step in range(20):
        include = {"relation": "datasets" if step % 2 else "documents", "scope": {"include": [include]}}
    assert has_error(ask(client, "/Datasets", filter={"where": where}), 400, "levels deep")
    assert has_error(ask(client, "/Instruments", filter={"include": [include]}), 400, "levels deep")


def test_invalid_condition_of_a_count_is_told(client: TestClient) -> None:
    assert has_error(ask(client, "/Datasets/count", where=[]), 400, "is not an object")
    files = f"/Datasets/{escaped(DATASETS[0])}/files/count"
    assert has_error(ask(client, files, where={"name": {"like": 1}}), 400, "Expected a string")


@pytest.mark.parametrize("text", ["", "null", "{}", '{"where": null, "include": null, "limit": null}'])
def test_filter_that_asks_nothing_is_no_filter(client: TestClient, text: str) -> None:
    assert client.get(f"{BASE}/Datasets", params={"filter": text}).json() == client.get(f"{BASE}/Datasets").json()


@pytest.mark.parametrize(
    "parameters",
    [
        {"filter[limit]": "2"},
        {"filter[where][or][0][pid]": DATASETS[0], "filter[where][or][1][pid]": DATASETS[1]},
        {"filter[where][pid][inq][]": [DATASETS[0], DATASETS[1]]},
        {"filter[where][documentId]": DOCUMENTS[0], "filter[order]": "pid ASC"},
        {"filter[where][size][lt]": "2500"},
        {"filter[where][size][between][0]": "1", "filter[where][size][between][1]": "2000"},
        {"filter[include][0][relation]": "techniques",
         "filter[include][0][scope][where][name]": "small-angle neutron scattering"},
        {"filter[include][relation]": "document", "filter[include][scope][where][type]": "publication"},
        {"filter[order][0]": "pid ASC", "filter[order][1]": "title", "filter[limit]": "2"},
        {"filter[fields][2]": "title", "filter[fields][5]": "pid", "filter[limit]": "2"},
    ],
    ids=str,
)  # fmt: skip
def test_filter_may_stand_in_parts_in_the_address(client: TestClient, parameters: dict[str, Any]) -> None:
    found = client.get(f"{BASE}/Datasets", params=parameters).json()
    assert [each["pid"] for each in found] == DATASETS[:2]


def test_condition_of_a_count_may_stand_in_parts_in_the_address(client: TestClient) -> None:
    answer = client.get(f"{BASE}/Datasets/count", params={"where[pid]": DATASETS[0]})
    assert answer.json() == {"count": 1}


@pytest.mark.parametrize(
    "parameters",
    [
        {"filter[limit]x": "2"},
        {"filter[where]": "a", "filter[where][pid]": "b"},
        {"filter" + "[a]" * 30: "1"},
        {f"filter[{number}]": "a" for number in range(300)},
        {"filter[where][0]": "a"},
        {"filter[0]": "a"},
    ],
    ids=["behind", "twice", "deep", "many", "list", "all a list"],
)  # fmt: skip
def test_parts_that_make_no_filter_are_told(client: TestClient, parameters: dict[str, str]) -> None:
    assert client.get(f"{BASE}/Datasets", params=parameters).status_code == 400


@pytest.mark.parametrize("path", ["/Datasets", "/Documents", "/Instruments"])
def test_scores_lie_strictly_between_0_and_1(scoring: TestClient, path: str) -> None:
    for words in ("", "dataset", "PaNOSC loki ess document1 x-ray absorption copper", "panosc"):
        for found in (ask(scoring, path, filter={"query": words}), scoring.get(BASE + path, params={"query": words})):
            assert all(0 < each["score"] < 1 for each in found.json())
        assert bool(found.json()) or words == "dataset" or path == "/Instruments"


def test_words_find_and_sort(scoring: TestClient) -> None:
    found = ask(scoring, "/Datasets", filter={"query": "heimdal copper"}).json()
    assert [each["pid"] for each in found] == [DATASETS[3], DATASETS[0], DATASETS[1], DATASETS[2]]
    assert found[0]["score"] > found[1]["score"]
    assert ask(scoring, "/Datasets", filter={"query": "nowhere"}).json() == []
    assert ask(scoring, "/Datasets", filter={"query": "?!"}).json() == []
    (found,) = ask(scoring, "/Datasets", filter={"query": "copper", "limit": 1, "skip": 1}).json()
    assert found["pid"] == DATASETS[1]


def test_words_go_with_all_else_that_is_asked(scoring: TestClient) -> None:
    technique = {"relation": "techniques", "scope": {"where": {"name": "x-ray absorption"}}}
    found = ask(scoring, "/Datasets", filter={"query": "copper", "include": [technique], "order": "pid DESC"}).json()
    assert [each["pid"] for each in found] == [DATASETS[3], DATASETS[2]]
    found = ask(scoring, "/Datasets", filter={"query": "copper", "where": {"pid": DATASETS[1]}}).json()
    assert [each["pid"] for each in found] == [DATASETS[1]]


def test_words_find_documents_by_their_own_texts_and_by_their_datasets(scoring: TestClient) -> None:
    assert [each["pid"] for each in ask(scoring, "/Documents", filter={"query": "proposal"}).json()] == [DOCUMENTS[1]]
    assert [each["pid"] for each in ask(scoring, "/Documents", filter={"query": "odin"}).json()] == [DOCUMENTS[0]]
    found = ask(scoring, "/Instruments", filter={"query": "odin loki"}).json()
    assert {each["name"] for each in found} == {"ODIN", "LoKI"}


def test_answers_can_be_cached_and_asked_for_by_head(client: TestClient) -> None:
    answer = client.get(f"{BASE}/Datasets")
    again = client.get(f"{BASE}/Datasets", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert client.head(f"{BASE}/Datasets").status_code == 200
    assert client.post(f"{BASE}/Datasets").status_code == 405
