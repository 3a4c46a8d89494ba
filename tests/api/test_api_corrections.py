"""PATCH of a dataset: what is said then, what is refused, and of two who saw the same one wins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from tests.entities import PAST, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

ENERGY = "InstrumentBeam_incident_energy"


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue) -> Iterator[TestClient]:
    with module_catalogue.sessions.begin() as session:
        token = create_token(session, "Ada", [Scope.EDIT, Scope.OPERATE], PAST, None)
    headers = {"Authorization": f"Bearer {token.text}"}
    with TestClient(create_app(module_catalogue.settings), headers=headers, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture
def path(module_catalogue: Catalogue, request: pytest.FixtureRequest) -> str:
    """Add a dataset for this test alone; return where it is."""
    with module_catalogue.sessions.begin() as session:
        return f"/api/v1/datasets/{add_dataset(session, f'w{abs(hash(request.node.name))}', scans=2)}"


def order(**members: Any) -> dict[str, Any]:
    return {"reason": "logbook"} | members


def parameters(client: TestClient, path: str) -> dict[str, Any]:
    return {each["name"]: each for each in client.get(f"{path}/parameters").json()["items"]}


def test_it_answers_with_the_dataset_as_it_is_now(client: TestClient, path: str) -> None:
    before = client.get(path).json()
    answer = client.patch(path, json=order(set={"title": "rust", "sample_name": "Fe2O3"}))
    assert answer.status_code == 200
    after = answer.json()
    assert (after["title"], after["sample"]["name"]) == ("rust", "Fe2O3")
    assert after["corrected"] == ["sample_name", "title"]
    assert after["revision"] == before["revision"] + 1
    again = client.get(path)
    assert (again.json(), again.headers["etag"]) == (after, answer.headers["etag"])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("12400 eV", {"numeric_value": 12.4, "original_value": "12400", "original_unit": "eV"}),
        ({"value": 7.1, "unit": "keV"}, {"numeric_value": 7.1}),
        ({"value": "7..8", "unit": "keV"}, {"range_bottom": 7.0, "range_top": 8.0}),
        ({"value": [8, 7.5], "unit": "keV"}, {"values": [8.0, 7.5], "range_bottom": 7.5, "range_top": 8.0}),
    ],
)
def test_a_value_is_written_as_text_or_with_its_unit_apart(
    client: TestClient, path: str, written: Any, said: dict[str, Any]
) -> None:
    assert client.patch(path, json=order(set={"energy": written})).status_code == 200
    found = parameters(client, path)[ENERGY]
    assert {name: found[name] for name in said} == said
    assert (found["unit"], found["layer"], found["origin"], found["source_path"]) == ("keV", "person", "stated", None)


def test_removed_and_undone(client: TestClient, path: str) -> None:
    client.patch(path, json=order(remove=["energy"], set={"title": "rust"}))
    assert ENERGY not in parameters(client, path)
    client.patch(path, json=order(undo=["energy", "title"]))
    assert parameters(client, path)[ENERGY]["layer"] == "file"
    assert client.get(path).json()["corrected"] == []


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (order(set={"titel": "x"}), "unknown_field", "write title"),
        (order(set={"energy": "9 mm"}), "unfit_value", "write one of keV"),
        (order(set={"energy": 9}), "unfit_value", "write 12.4 keV"),
        (order(set={"energy": "9 keV"}, undo=[ENERGY]), "correction", "more than one thing"),
        (order(set={"title": "x"}, reason=" "), "correction", "say why"),
        (order(), "correction", "set, remove or undo"),
        ({"set": {"title": "x"}}, "invalid_parameter", "reason"),
        (order(set={"title": None}), "invalid_parameter", "title"),
        (order(set={"title": True}), "invalid_parameter", "title"),
        (order(set={"title": {"value": "x", "units": "K"}}), "invalid_parameter", "units"),
        (order(sets={"title": "x"}), "invalid_parameter", "sets"),
        (order(set={"title": "a\0b"}), "invalid_parameter", "NUL"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_do(
    client: TestClient, path: str, body: dict[str, Any], code: str, detail: str
) -> None:
    before = client.get(path).json()
    answer = client.patch(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422 if code == "invalid_parameter" else 400, code)
    assert detail in answer.json()["detail"]
    assert client.get(path).json() == before
    assert client.get(f"{path}/corrections").json()["items"] == []


def test_of_what_is_refused_nothing_is_done(client: TestClient, path: str) -> None:
    assert client.patch(path, json=order(set={"title": "rust", "energy": "9 mm"})).status_code == 400
    assert client.get(path).json()["title"] != "rust"


def test_it_is_done_only_if_the_dataset_is_as_it_was_seen(client: TestClient, path: str) -> None:
    seen = client.get(path).headers["etag"]
    first = client.patch(path, json=order(set={"title": "rust"}), headers={"If-Match": seen})
    assert first.status_code == 200
    late = client.patch(path, json=order(set={"title": "dust"}), headers={"If-Match": f'"other", {seen}'})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert client.get(path).json()["title"] == "rust"
    for state in (first.headers["etag"], "*"):
        assert client.patch(path, json=order(set={"title": state}), headers={"If-Match": state}).status_code == 200
    weak = f"W/{client.get(path).headers['etag']}"
    assert client.patch(path, json=order(set={"title": "x"}), headers={"If-Match": weak}).status_code == 412
    assert client.patch(path, json=order(set={"title": "x"}), headers={"If-None-Match": "*"}).status_code == 412


def test_of_two_who_saw_the_same_one_is_refused(client: TestClient, path: str) -> None:
    seen = {"If-Match": client.get(path).headers["etag"]}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda n: client.patch(path, json=order(set={"title": f"{n}"}), headers=seen), range(4))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    (winner,) = (answer for answer in answers if answer.status_code == 200)
    assert client.get(path).json() == winner.json()


def test_corrections_are_listed_page_by_page_the_newest_first(client: TestClient, path: str) -> None:
    for number in range(3):
        client.patch(path, json=order(set={"title": f"{number}"}, reason=f"because {number}"))
    page = client.get(f"{path}/corrections", params={"limit": 2}).json()
    rest = client.get(f"{path}/corrections", params={"limit": 2, "cursor": page["next"]}).json()
    items = page["items"] + rest["items"]
    assert [each["reason"] for each in items] == ["because 2", "because 1", "because 0"]
    assert (items[0]["value"], items[0]["former"]) == (
        {"text": "2", "original": "2"},
        {"text": "1", "layer": "person"},
    )
    assert rest["next"] is None
    assert client.get("/api/v1/datasets/999999/corrections").status_code == 404


def test_it_is_shown_on_the_page_of_the_dataset(client: TestClient, path: str) -> None:
    client.patch(path, json=order(set={"title": "rust & dust"}))
    assert "rust &amp; dust" in client.get(path.removeprefix("/api/v1")).text
