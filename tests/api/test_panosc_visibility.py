"""PaNOSC's search API knows of nothing closed, at any path and through any condition, for whoever asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.dependencies import get_now
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    Investigation,
    InvestigationUser,
    Scan,
    User,
)
from tests.entities import FUTURE, PAST, add_dataset
from tests.publishing import publish
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

BASE = "/panosc/api"
OPEN, ANNOUNCED, EMBARGOED, SECRET = "zinnia", "marigold", "hellebore", "nightshade"
BESIDE = "wolfsbane"
"""A closed dataset in the investigation of the open one."""
CLOSED = (EMBARGOED, SECRET, BESIDE)
MODELS = ("Datasets", "Documents", "Instruments")
EVERYTHING = {
    "Datasets": ["documents", "document", "techniques", "instrument", "files", "parameters", "samples"],
    "Documents": [
        {"relation": "datasets", "scope": {"include": ["files", "parameters", "samples", "techniques", "instrument"]}},
        {"relation": "members", "scope": {"include": ["person", "affiliation", "document"]}},
        "parameters",
    ],
    "Instruments": [{"relation": "datasets", "scope": {"include": ["documents", "files", "samples"]}}],
}


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {
            OPEN: add_dataset(session, OPEN, files=2),
            ANNOUNCED: add_dataset(session, ANNOUNCED, release_date=FUTURE, is_metadata_public=True),
            EMBARGOED: add_dataset(session, EMBARGOED, release_date=FUTURE),
            SECRET: add_dataset(session, SECRET, is_secret=True),
        }
        made[BESIDE] = add_dataset(session, BESIDE, beside=made[OPEN], is_secret=True, start_date=FUTURE)
        for word, dataset_id in made.items():
            add_people(session, dataset_id, word)
        session.query(DatasetParameter).filter_by(string_value=f"{OPEN} as it is").update({"is_public": False})
    module_catalogue.index_all()
    return made


def add_people(session: Session, dataset_id: int, word: str) -> None:
    """Make the person whom the scan names a member of the investigation, as it is done for files."""
    dataset = session.get_one(Dataset, dataset_id)
    session.query(Scan).filter_by(dataset_id=dataset_id).update({"users": [{"name": f"Ada {word}", "role": None}]})
    user = User(name=f"Ada {word}", full_name=f"Ada {word}", affiliation=f"{word} institute")
    session.add(user)
    session.flush()
    session.add(InvestigationUser(user_id=user.id, investigation_id=dataset.investigation_id, role="user"))


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue, ids: dict[str, int]) -> Iterator[TestClient]:
    assert ids
    with TestClient(create_app(module_catalogue.settings), raise_server_exceptions=False) as started:
        yield started


def find(client: TestClient, model: str, asked: Any = None) -> list[dict[str, Any]]:
    answer = client.get(f"{BASE}/{model}", params={"filter": json.dumps(asked or {})})
    assert answer.status_code == 200, answer.text
    assert not names_closed(answer.text), answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def names_closed(text: str) -> bool:
    return any(word in text for word in CLOSED)


def test_lists_show_and_count_only_what_is_public(client: TestClient, ids: dict[str, int]) -> None:
    datasets = find(client, "Datasets", {"include": EVERYTHING["Datasets"]})
    assert [each["pid"] for each in datasets] == [str(ids[OPEN]), str(ids[ANNOUNCED])]
    assert [each["isPublic"] for each in datasets] == [True, False]
    documents = find(client, "Documents", {"include": EVERYTHING["Documents"]})
    assert [each["title"] for each in documents] == [f"{OPEN} proposal", f"{ANNOUNCED} proposal"]
    assert [each["isPublic"] for each in documents] == [True, False]
    instruments = find(client, "Instruments", {"include": EVERYTHING["Instruments"]})
    assert [each["name"] for each in instruments] == [f"{OPEN}-bm", f"{ANNOUNCED}-bm"]
    for model in MODELS:
        assert client.get(f"{BASE}/{model}/count").json() == {"count": 2}


@pytest.mark.parametrize("word", CLOSED)
def test_closed_records_are_answered_as_if_they_were_not_there(
    client: TestClient, module_catalogue: Catalogue, ids: dict[str, int], word: str
) -> None:
    with module_catalogue.sessions() as session:
        dataset = session.get_one(Dataset, ids[word])
        instrument = session.query(DatasetInstrument).filter_by(dataset_id=dataset.id).one().instrument_id
    places = [
        ("Datasets", dataset.id, ""),
        ("Datasets", dataset.id, "/files"),
        ("Datasets", dataset.id, "/files/count"),
    ]
    places += [("Instruments", instrument, "")]
    places += [("Documents", dataset.investigation_id, "")] if word != BESIDE else []
    for model, key, place in places:
        closed, absent = (client.get(f"{BASE}/{model}/{each}{place}") for each in (key, 999_999))
        assert closed.status_code == absent.status_code == 404
        assert closed.text.replace(f'"{key}', '"999999').replace(f'\\"{key}', '\\"999999') == absent.text


def test_files_are_only_those_that_are_open(client: TestClient, ids: dict[str, int]) -> None:
    assert len(client.get(f"{BASE}/Datasets/{ids[OPEN]}/files").json()) == 2
    assert client.get(f"{BASE}/Datasets/{ids[ANNOUNCED]}/files").json() == []
    assert client.get(f"{BASE}/Datasets/{ids[ANNOUNCED]}/files/count").json() == {"count": 0}
    included = find(client, "Datasets", {"include": ["files"]})
    assert [len(each["files"]) for each in included] == [2, 0]
    wanted = {"include": [{"relation": "files", "scope": {"where": {"text": "h5"}}}]}
    assert [each["pid"] for each in find(client, "Datasets", wanted)] == [str(ids[OPEN])]


@pytest.mark.parametrize("word", CLOSED)
@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("Datasets", {"where": {"text": "{}"}}),
        ("Datasets", {"where": {"title": {"like": "{}"}}}),
        ("Datasets", {"include": [{"relation": "files", "scope": {"where": {"text": "{}"}}}]}),
        ("Datasets", {"include": [{"relation": "samples", "scope": {"where": {"name": "{} sample"}}}]}),
        ("Datasets", {"include": [{"relation": "techniques", "scope": {"where": {"text": "{}"}}}]}),
        ("Datasets", {"include": [{"relation": "instrument", "scope": {"where": {"name": "{}-bm"}}}]}),
        ("Datasets", {"include": [{"relation": "parameters", "scope": {"where": {"name": "{}_pressure"}}}]}),
        ("Documents", {"include": [{"relation": "datasets", "scope": {"where": {"text": "{}"}}}]}),
        ("Documents", {"include": [{"relation": "members", "scope": {
            "include": [{"relation": "person", "scope": {"where": {"fullName": "Ada {}"}}}]}}]}),
        ("Documents", {"include": [{"relation": "members", "scope": {
            "include": [{"relation": "affiliation", "scope": {"where": {"name": "{} institute"}}}]}}]}),
        ("Instruments", {"where": {"name": "{}-bm"}}),
        ("Instruments", {"include": [{"relation": "datasets", "scope": {"where": {"text": "{}"}}}]}),
        ("Datasets", {"query": "{}"}),
        ("Documents", {"query": "{}"}),
        ("Instruments", {"query": "{}"}),
    ],
    ids=str,
)  # fmt: skip
def test_question_for_closed_data_finds_nothing(client: TestClient, model: str, asked: Any, word: str) -> None:
    closed = find(client, model, json.loads(json.dumps(asked).replace("{}", word)))
    assert closed == []
    assert find(client, model, json.loads(json.dumps(asked).replace("{}", OPEN))) != []
    if list(asked) == ["where"]:
        where = json.dumps(asked["where"]).replace("{}", word)
        assert client.get(f"{BASE}/{model}/count", params={"where": where}).json() == {"count": 0}


def test_document_tells_of_its_public_datasets_alone(client: TestClient, ids: dict[str, int]) -> None:
    (document,) = find(client, "Documents", {"where": {"text": OPEN}, "include": EVERYTHING["Documents"]})
    assert [each["pid"] for each in document["datasets"]] == [str(ids[OPEN])]
    assert [each["person"]["fullName"] for each in document["members"]] == [f"Ada {OPEN}"]
    assert document["startDate"].startswith("2019")
    assert document["releaseDate"].startswith("2020")


def test_parameter_that_is_not_public_is_not_told(client: TestClient) -> None:
    datasets = find(client, "Datasets", {"include": ["parameters"]})
    names = [[each["name"] for each in dataset["parameters"]] for dataset in datasets]
    assert names[0] == [f"{OPEN}_pressure", "InstrumentBeam_incident_energy"]
    assert names[1] == [f"{ANNOUNCED}_pressure", "InstrumentBeam_incident_energy", f"{ANNOUNCED}_remark"]
    wanted = {"relation": "parameters", "scope": {"where": {"value": {"like": "as it is"}}}}
    assert len(find(client, "Datasets", {"include": [wanted]})) == 1


def test_tokens_show_no_more(client: TestClient, module_catalogue: Catalogue) -> None:
    with module_catalogue.sessions.begin() as session:
        token = create_token(session, "all", Scope, PAST, None).text
    for model in MODELS:
        answer = client.get(f"{BASE}/{model}", headers={"Authorization": f"Bearer {token}"})
        assert answer.json() == client.get(f"{BASE}/{model}").json()


def test_release_is_judged_by_the_clock_of_the_request(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(client.app.dependency_overrides, get_now, lambda: FUTURE)  # type: ignore[attr-defined]
    assert client.get(f"{BASE}/Datasets/count").json() == {"count": 3}


@on_both_databases
def test_people_are_those_whom_public_datasets_name(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        first = add_dataset(session, OPEN)
        second = add_dataset(session, SECRET, beside=first)
        for word, dataset_id in ((OPEN, first), (SECRET, second)):
            add_people(session, dataset_id, word)
    asked = {"include": [{"relation": "members", "scope": {"include": ["person"]}}]}

    def list_people(client: TestClient) -> list[str]:
        (found,) = client.get(f"{BASE}/Documents", params={"filter": json.dumps(asked)}).json()
        return [each["person"]["fullName"] for each in found["members"]]

    with TestClient(create_app(catalogue.settings)) as client:
        for is_secret, expected in ((True, [f"Ada {OPEN}"]), (False, [f"Ada {OPEN}", f"Ada {SECRET}"])):
            with catalogue.sessions.begin() as session:
                session.get_one(Dataset, second).is_secret = is_secret
            assert list_people(client) == expected


@on_both_databases
def test_publication_of_embargoed_data_is_a_document_without_them(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        first = add_dataset(session, EMBARGOED)
        doi = publish(session, first, title="Cited before it is seen")
        session.get_one(Dataset, first).release_date = FUTURE
    catalogue.index_all()
    with TestClient(create_app(catalogue.settings)) as client:
        (found,) = client.get(f"{BASE}/Documents", params={"filter": '{"include": ["datasets", "members"]}'}).json()
        assert (found["pid"], found["isPublic"], found["datasets"]) == (doi, False, [])
        assert "startDate" not in found
        assert "keywords" not in found
        assert client.get(f"{BASE}/Datasets/count").json() == {"count": 0}
        with catalogue.sessions.begin() as session:
            session.get_one(Dataset, first).is_secret = True
        assert client.get(f"{BASE}/Documents").json() == []


@on_both_databases
def test_publication_is_a_document_beside_the_investigation(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        first = add_dataset(session, OPEN)
        second = add_dataset(session, ANNOUNCED, beside=first, start_date=FUTURE)
        investigation = str(session.query(Investigation).one().id)
        doi = publish(session, first, second, title="Two together")
    catalogue.index_all()
    with TestClient(create_app(catalogue.settings)) as client:
        asked = {"include": ["datasets", {"relation": "members", "scope": {"include": ["person", "affiliation"]}}]}
        own, published = client.get(f"{BASE}/Documents", params={"filter": json.dumps(asked)}).json()
        assert (own["pid"], own["type"]) == (investigation, "proposal")
        assert published.items() >= {
            "pid": doi, "doi": doi, "type": "publication", "title": "Two together", "license": "CC-BY-4.0",
            "summary": "A standard.", "isPublic": True, "keywords": [f"{ANNOUNCED} diffraction", f"{OPEN} diffraction"],
        }.items()  # fmt: skip
        assert [each["pid"] for each in published["datasets"]] == [str(first), str(second)]
        assert [each["role"] for each in published["members"]] == ["Creator", "Creator"]
        assert published["members"][0]["person"]["lastName"] == "Example"
        assert published["members"][0]["affiliation"]["name"] == "ESRF"
        assert "affiliation" not in published["members"][1]
        (dataset, _) = client.get(f"{BASE}/Datasets", params={"filter": '{"include": "documents"}'}).json()
        assert sorted(each["pid"] for each in dataset["documents"]) == sorted([investigation, doi])
        assert dataset["documentId"] == investigation
        where = json.dumps({"keywords": f"{OPEN} diffraction", "license": {"neq": None}})
        assert client.get(f"{BASE}/Documents/count", params={"where": where}).json() == {"count": 1}
        wanted = {"relation": "documents", "scope": {"where": {"pid": doi}}}
        found = client.get(f"{BASE}/Datasets", params={"filter": json.dumps({"include": [wanted]})}).json()
        assert len(found) == 2
