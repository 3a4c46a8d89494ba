"""Nobody but those who may know of a closed dataset sees, names or counts it, at any route."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from api.dependencies import get_now
from api.routes.panosc import COLLECTIONS
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Dataset, DatasetInstrument, DatasetParameter, DatasetTechnique, Root
from ingest.catalogue.notices import ToldDataset, record_notice
from ingest.catalogue.search import Noun
from ingest.catalogue.search.nouns import UNCOUNTED
from tests.entities import FUTURE, PAST, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastapi import FastAPI
    from httpx2 import Response

    from tests.entities import Catalogue

OPEN, ANNOUNCED, EMBARGOED, SECRET, SECRET_LATE = "zinnia", "marigold", "hellebore", "nightshade", "wolfsbane"
CLOSED = (EMBARGOED, SECRET, SECRET_LATE)
DATASETS = {
    OPEN: {},
    ANNOUNCED: {"release_date": FUTURE, "is_metadata_public": True},
    EMBARGOED: {"release_date": FUTURE},
    SECRET: {"is_secret": True},
    SECRET_LATE: {"is_secret": True, "release_date": None, "is_metadata_public": True},
}
KNOWN = {OPEN: 200, ANNOUNCED: 200, EMBARGOED: 404, SECRET: 404, SECRET_LATE: 404}
RELEASED = KNOWN | {ANNOUNCED: 403}
NO_DATASET = None
PANOSC = [
    f"/panosc/api/{collection}{place}{end}"
    for end in ("", "/")
    for collection in COLLECTIONS
    for place in ("", "/count", "/{pid:path}", "/{pid:path}/files", "/{pid:path}/files/count")
    if COLLECTIONS[collection] == "Dataset" or "files" not in place
]
# For each route: what anonymous is answered by the class of the dataset (whoever carries `read` is answered 200), or
# nothing where it is about no single dataset, or the scope without which it answers nobody.
ROUTES: dict[str, dict[str, int] | Scope | None] = {
    "/": NO_DATASET,
    "/static": NO_DATASET,
    "/docs": NO_DATASET,
    "/docs/assets": NO_DATASET,
    "/api/v1/openapi.json": NO_DATASET,
    "/health/live": NO_DATASET,
    "/health/ready": NO_DATASET,
    "/metrics": Scope.OPERATE,
    "/api/v1/status": Scope.OPERATE,
    "/api/v1/quarantine": Scope.OPERATE,
    "/api/v1/quarantine/retry": Scope.OPERATE,
    "/api/v1/notices": Scope.NOTIFY,
    "/api/v1/notices/{notice_id}": Scope.NOTIFY,
    "/icatplus/dataacquisition/{api_key}/investigation": NO_DATASET,
    "/icatplus/dataacquisition/{api_key}/dataset": NO_DATASET,
    "/api/v1/publications": NO_DATASET,
    "/doi/{prefix}/{suffix:path}": NO_DATASET,  # see test_landing_visibility.py
    "/api/v1/datasets": NO_DATASET,
    "/api/v1/export": NO_DATASET,
    "/api/v1/facets/{noun}": NO_DATASET,
    "/api/v1/histograms/dates": NO_DATASET,
    "/api/v1/histograms/numbers": NO_DATASET,  # see test_closed_datasets.py
    "/api/v1/suggest": NO_DATASET,  # as above
    "/api/v1/search": NO_DATASET,
    "/api/v1/datasets/{dataset_id}": KNOWN,
    "/api/v1/datasets/{dataset_id}/corrections": NO_DATASET,  # see test_corrections_visibility.py, also for PATCH
    "/api/v1/datasets/{dataset_id}/scans": KNOWN,
    "/api/v1/datasets/{dataset_id}/scans/{entry_name:path}": KNOWN,
    "/api/v1/datasets/{dataset_id}/parameters": KNOWN,
    "/api/v1/datasets/{dataset_id}/files": RELEASED,
    "/api/v1/datasets/{dataset_id}/linked-files": RELEASED,
    "/api/v1/datasets/{dataset_id}/links": RELEASED,
    "/api/v1/datasets/{dataset_id}/record": KNOWN,
    # Of the one that only this dataset has:
    "/api/v1/investigations": NO_DATASET,
    "/api/v1/investigations/{investigation_id}": KNOWN,
    "/api/v1/samples": NO_DATASET,
    "/api/v1/samples/{sample_id}": KNOWN,
    "/api/v1/instruments": NO_DATASET,
    "/api/v1/instruments/{instrument_id}": KNOWN,
    "/api/v1/techniques": NO_DATASET,
    "/api/v1/techniques/{technique_id}": KNOWN,
    "/api/v1/parameter-types": NO_DATASET,
    "/api/v1/parameter-types/{parameter_type_id}": KNOWN,
    "/files/{dataset_id}/{name:name}": NO_DATASET,  # of files that are there: see test_download_visibility.py
    "/archives/{dataset_id}.zip": NO_DATASET,  # as above
    "/datasets/{dataset_id}": KNOWN,
    **dict.fromkeys(PANOSC, NO_DATASET),  # see test_panosc_visibility.py: everybody is answered alike, by identifiers
}
PER_DATASET = {path: row for path, row in ROUTES.items() if isinstance(row, dict)}
SCOPED = {path: row for path, row in ROUTES.items() if isinstance(row, Scope)}
# What is asked of a route besides what belongs to a dataset.
PLACES: dict[str, str | int] = {
    "entry_name": "1.1",
    "notice_id": 1,
    "api_key": "nxcat_none",
    "prefix": "10.5072",
    "suffix": "none",
    "pid": "none",
    "name": "a.h5",
    "noun": "sample",
}
TOLD = "/data/told"
BODIES: dict[str, Any] = {
    "/api/v1/quarantine/retry": {"all": True},
    "/api/v1/notices": {"path": f"{TOLD}/a.h5"},
    "/api/v1/search": {"facets": "instrument,technique,sample"},
}
Carried = dict[Scope, dict[str, str]]
Keys = dict[str, int]
OF_A_DATASET = {
    "investigation_id": select(Dataset.investigation_id),
    "sample_id": select(Dataset.sample_id),
    "instrument_id": select(DatasetInstrument.instrument_id).join(Dataset),
    "technique_id": select(DatasetTechnique.technique_id).join(Dataset),
    "parameter_type_id": select(DatasetParameter.type_id).join(Dataset).where(DatasetParameter.numeric_value == 5.0),
}
ABSENT: Keys = dict.fromkeys(["dataset_id", *OF_A_DATASET], 999_999)


@pytest.fixture(scope="module")
def app(module_catalogue: Catalogue) -> FastAPI:
    return create_app(module_catalogue.settings)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {word: add_dataset(session, word, **values) for word, values in DATASETS.items()}
        session.add(Root(path=TOLD, facility_id=1))
        session.flush()
        record_notice(session, ToldDataset(path=f"{TOLD}/a.h5"), "http", PAST)
    module_catalogue.index_all()
    return made


@pytest.fixture(scope="module")
def keys(module_catalogue: Catalogue, ids: dict[str, int]) -> dict[str, Keys]:
    """Look up what belongs to each dataset."""
    with module_catalogue.sessions() as session:
        return {
            word: {"dataset_id": dataset_id}
            | {
                name: session.scalars(statement.where(Dataset.id == dataset_id)).one()
                for name, statement in OF_A_DATASET.items()
            }
            for word, dataset_id in ids.items()
        }


@pytest.fixture(scope="module")
def carried(module_catalogue: Catalogue) -> Carried:
    """Give out one token for each scope; return the header that carries it."""
    with module_catalogue.sessions.begin() as session:
        made = {scope: create_token(session, scope, [scope], PAST, None) for scope in Scope}
    return {scope: {"Authorization": f"Bearer {token.text}"} for scope, token in made.items()}


def names_closed(text: str) -> bool:
    return any(word in text for word in CLOSED)


def to_methods(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        nested = getattr(route, "original_router", None)
        if nested is not None:
            context = route.include_context
            yield from to_methods(nested.routes, prefix + context.prefix)
        else:
            yield prefix + route.path, getattr(route, "methods", {"GET"})


def ask(client: TestClient, path: str, keys: Keys = ABSENT, headers: dict[str, str] | None = None) -> Response:
    """Ask by each method that the route has, and return the last answer: they are to be the same."""
    methods = [methods for known, methods in to_methods(client.app.routes) if known == path]
    place = re.sub(r":\w+}", "}", path).format(**keys, **PLACES)
    answers = [
        client.request(method, place, headers=headers, json=BODIES.get(path))
        for method in sorted(set[str]().union(*methods) - {"HEAD", "PATCH"}, reverse=True)
    ]
    assert len({answer.status_code // 100 for answer in answers}) == 1
    return answers[-1]


def test_every_route_has_a_row(app: FastAPI) -> None:
    assert {path for path, _ in to_methods(app.routes)} == set(ROUTES)


@pytest.mark.parametrize("path", [path for path, row in ROUTES.items() if row is NO_DATASET])
@pytest.mark.usefixtures("ids")
def test_route_without_a_dataset_names_nothing_closed(client: TestClient, path: str) -> None:
    assert not names_closed(ask(client, path).text)


@pytest.mark.parametrize("path", SCOPED)
@pytest.mark.usefixtures("ids")
def test_route_for_few_answers_only_who_carries_its_scope(client: TestClient, carried: Carried, path: str) -> None:
    anonymous = ask(client, path)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "missing_token")
    for scope, headers in carried.items():
        answer = ask(client, path, headers=headers)
        if scope is SCOPED[path]:
            assert answer.is_success
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
            assert f"scope {SCOPED[path]}" in answer.json()["detail"]
            assert not names_closed(answer.text)


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", CLOSED)
def test_scope_of_the_operator_shows_no_closed_dataset(
    client: TestClient, keys: dict[str, Keys], carried: Carried, path: str, word: str
) -> None:
    assert ask(client, path, keys[word], carried[Scope.OPERATE]).status_code == 404


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", DATASETS)
def test_anonymous_is_answered_by_the_class_of_the_dataset(
    client: TestClient, keys: dict[str, Keys], path: str, word: str
) -> None:
    answer = ask(client, path, keys[word])
    assert answer.status_code == PER_DATASET[path][word]
    assert not names_closed(answer.text)


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", CLOSED)
def test_closed_dataset_is_answered_as_one_that_is_not_there(
    client: TestClient, keys: dict[str, Keys], path: str, word: str
) -> None:
    (asked,) = keys[word].keys() & set(re.findall(r"\w+", path))
    closed, absent = (ask(client, path, each) for each in (keys[word], ABSENT))
    assert re.sub(rf"\b{keys[word][asked]}\b", "999999", closed.text) == absent.text
    assert closed.status_code == absent.status_code == 404
    assert dict(closed.headers, **{"x-request-id": ""}).keys() == dict(absent.headers).keys()


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", DATASETS)
def test_reader_sees_every_dataset(
    client: TestClient, keys: dict[str, Keys], carried: Carried, path: str, word: str
) -> None:
    answer = ask(client, path, keys[word], carried[Scope.READ])
    assert answer.status_code == 200
    assert word in answer.text


def test_release_is_judged_by_the_clock_of_the_request(
    app: FastAPI, client: TestClient, keys: dict[str, Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.dependency_overrides, get_now, lambda: FUTURE)
    for path in PER_DATASET:
        assert ask(client, path, keys[EMBARGOED]).status_code == 200
        assert ask(client, path, keys[SECRET]).status_code == 404
    assert client.get("/api/v1/datasets").json()["total"] == 3


def test_search_counts_and_shows_only_what_may_be_found(client: TestClient, ids: dict[str, int]) -> None:
    facets = ",".join(noun for noun in Noun if noun not in UNCOUNTED)
    answer = client.get("/api/v1/datasets", params={"facets": facets})
    found = answer.json()
    assert found["total"] == 2
    assert {item["id"] for item in found["items"]} == {ids[OPEN], ids[ANNOUNCED]}
    assert {v["value"] for v in found["facets"]["instrument"]["values"]} == {f"{OPEN}-bm", f"{ANNOUNCED}-bm"}
    assert found["facets"]["complete"]["values"] == [{"value": "true", "count": 2}]
    assert not names_closed(answer.text)


@pytest.mark.parametrize("word", CLOSED)
@pytest.mark.parametrize(
    "asked",
    [
        {"q": "{}"},
        {"q": "{}*"},
        {"q": "?*{}"},
        {"q": "sample:*{}*"},
        {"q": "not zinnia not marigold"},
        {"q": "name:{}"},
        {"instrument": "{}-bm"},
        {"sample": "{} sample"},
        {"formula": "{}O2"},
        {"technique": "{} diffraction"},
        {"definition": "NX{}"},
        {"user": "Ada {}"},
        {"detector": "{}cam"},
        {"probe": "{}-ray"},
        {"facility": "{} facility"},
        {"proposal": "{}"},
        {"investigation": "{}/v1"},
        {"name": "{}_0001"},
    ],
    ids=str,
)
@pytest.mark.usefixtures("ids")
def test_search_for_closed_data_finds_nothing(client: TestClient, word: str, asked: dict[str, str]) -> None:
    found = client.get("/api/v1/datasets", params={key: text.format(word) for key, text in asked.items()}).json()
    assert (found["total"], found["items"]) == (0, [])


@pytest.mark.parametrize("word", CLOSED)
@pytest.mark.parametrize(
    "clause", [{"text": "{}"}, {"text": "{}", "match": "fuzzy"}, {"field": "sample", "value": "{}"}], ids=str
)
@pytest.mark.usefixtures("ids")
def test_search_by_a_tree_finds_nothing_closed(client: TestClient, word: str, clause: dict[str, str]) -> None:
    query = {key: text.format(word) for key, text in clause.items()}
    found = client.post("/api/v1/search", json={"query": query, "facets": "instrument"}).json()
    assert (found["total"], found["items"], found["facets"]["instrument"]["values"]) == (0, [], [])


@pytest.mark.parametrize(
    "asked", [{"parameter": "energy:12..13 keV"}, {"q": "energy:12..13 keV"}, {"start_date": "2019"}]
)
def test_range_finds_only_what_may_be_found(client: TestClient, ids: dict[str, int], asked: dict[str, str]) -> None:
    found = client.get("/api/v1/datasets", params=asked).json()
    assert {item["id"] for item in found["items"]} == {ids[OPEN], ids[ANNOUNCED]}


@pytest.mark.usefixtures("ids")
def test_refusal_does_not_offer_the_parameters_of_closed_data(client: TestClient) -> None:
    offered = client.get("/api/v1/datasets", params={"q": "incident_enrgy:1..2"}).json()["detail"]
    assert "incident_energy" in offered
    for word in CLOSED:
        answer = client.get("/api/v1/datasets", params={"q": f"{word[:-1]}_pressure:1..2"})
        assert answer.status_code == 400
        assert not names_closed(answer.text)


@pytest.mark.parametrize("word", CLOSED)
@pytest.mark.usefixtures("ids")
def test_parameter_of_closed_data_is_refused_as_one_that_is_not_there(client: TestClient, word: str) -> None:
    closed, absent = (
        client.get("/api/v1/datasets", params={"q": f"{name}:1..2"}) for name in (f"{word}_pressure", "qqqq")
    )
    assert closed.status_code == absent.status_code == 400
    assert closed.json()["detail"].startswith("no field or parameter is called")


def test_places_on_the_server_are_shown_to_readers_only(
    client: TestClient, ids: dict[str, int], carried: Carried
) -> None:
    path = f"/api/v1/datasets/{ids[OPEN]}"
    assert "/data/" not in client.get(path).text
    assert "/data/" not in client.get(path, headers=carried[Scope.OPERATE]).text
    assert client.get(path, headers=carried[Scope.READ]).json()["location"] == f"/data/{OPEN}"


@pytest.mark.parametrize(
    ("word", "visibility"), [(OPEN, "open"), (ANNOUNCED, "embargoed"), (EMBARGOED, "embargoed"), (SECRET, "secret")]
)
def test_class_is_told(client: TestClient, ids: dict[str, int], carried: Carried, word: str, visibility: str) -> None:
    answer = client.get(f"/api/v1/datasets/{ids[word]}", headers=carried[Scope.READ])
    assert answer.json()["visibility"] == visibility
