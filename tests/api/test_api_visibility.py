"""Nobody but those who may know of a closed dataset sees, names or counts it, at any route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from api.dependencies import get_now, get_viewer
from ingest.catalogue.search import Noun
from ingest.catalogue.visibility import OPERATOR
from tests.entities import FUTURE, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fastapi import FastAPI
    from fastapi.testclient import TestClient

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
ROUTES = {
    "/": NO_DATASET,
    "/static": NO_DATASET,
    "/docs": NO_DATASET,
    "/docs/assets": NO_DATASET,
    "/api/v1/openapi.json": NO_DATASET,
    "/health/live": NO_DATASET,
    "/health/ready": NO_DATASET,
    "/api/v1/datasets": NO_DATASET,
    "/api/v1/datasets/{dataset_id}": KNOWN,
    "/api/v1/datasets/{dataset_id}/scans": KNOWN,
    "/api/v1/datasets/{dataset_id}/parameters": KNOWN,
    "/api/v1/datasets/{dataset_id}/files": RELEASED,
}
PER_DATASET = [path for path, expected in ROUTES.items() if expected is not NO_DATASET]


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {word: add_dataset(session, word, **values) for word, values in DATASETS.items()}
    module_catalogue.index_all()
    return made


def names_closed(text: str) -> bool:
    return any(word in text for word in CLOSED)


def to_paths(routes: Iterable[Any], prefix: str = "") -> Iterator[str]:
    for route in routes:
        nested = getattr(route, "original_router", None)
        if nested is not None:
            context = route.include_context
            yield from to_paths(nested.routes, prefix + context.prefix)
        else:
            yield prefix + route.path


def test_every_route_has_a_row(app: FastAPI) -> None:
    assert set(to_paths(app.routes)) == set(ROUTES)


@pytest.mark.parametrize("path", [path for path, expected in ROUTES.items() if expected is NO_DATASET])
@pytest.mark.usefixtures("ids")
def test_route_without_a_dataset_names_nothing_closed(client: TestClient, path: str) -> None:
    assert not names_closed(client.get(path).text)


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", DATASETS)
def test_anonymous_is_answered_by_the_class_of_the_dataset(
    client: TestClient, ids: dict[str, int], path: str, word: str
) -> None:
    answer = client.get(path.format(dataset_id=ids[word]))
    assert answer.status_code == ROUTES[path][word]
    assert not names_closed(answer.text)


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", CLOSED)
def test_closed_dataset_is_answered_as_one_that_is_not_there(
    client: TestClient, ids: dict[str, int], path: str, word: str
) -> None:
    closed, absent = (client.get(path.format(dataset_id=each)) for each in (ids[word], 999_999))
    assert closed.text.replace(f"dataset {ids[word]}", "") == absent.text.replace("dataset 999999", "")
    assert closed.status_code == absent.status_code == 404
    assert dict(closed.headers, **{"x-request-id": ""}).keys() == dict(absent.headers).keys()


@pytest.mark.parametrize("path", PER_DATASET)
@pytest.mark.parametrize("word", DATASETS)
def test_operator_sees_every_dataset(
    app: FastAPI, client: TestClient, ids: dict[str, int], path: str, word: str
) -> None:
    app.dependency_overrides[get_viewer] = lambda: OPERATOR
    answer = client.get(path.format(dataset_id=ids[word]))
    assert answer.status_code == 200
    assert word in answer.text


def test_release_is_judged_by_the_clock_of_the_request(app: FastAPI, client: TestClient, ids: dict[str, int]) -> None:
    app.dependency_overrides[get_now] = lambda: FUTURE
    for path in PER_DATASET:
        assert client.get(path.format(dataset_id=ids[EMBARGOED])).status_code == 200
        assert client.get(path.format(dataset_id=ids[SECRET])).status_code == 404
    assert client.get("/api/v1/datasets").json()["total"] == 3


def test_search_counts_and_shows_only_what_may_be_found(client: TestClient, ids: dict[str, int]) -> None:
    facets = ",".join(noun for noun in Noun if noun not in ("name", "title"))
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


def test_places_on_the_server_are_shown_to_the_operator_only(
    app: FastAPI, client: TestClient, ids: dict[str, int]
) -> None:
    path = f"/api/v1/datasets/{ids[OPEN]}"
    assert "/data/" not in client.get(path).text
    app.dependency_overrides[get_viewer] = lambda: OPERATOR
    assert client.get(path).json()["location"] == f"/data/{OPEN}"


@pytest.mark.parametrize(
    ("word", "visibility"), [(OPEN, "open"), (ANNOUNCED, "embargoed"), (EMBARGOED, "embargoed"), (SECRET, "secret")]
)
def test_class_is_told(app: FastAPI, client: TestClient, ids: dict[str, int], word: str, visibility: str) -> None:
    app.dependency_overrides[get_viewer] = lambda: OPERATOR
    assert client.get(f"/api/v1/datasets/{ids[word]}").json()["visibility"] == visibility
