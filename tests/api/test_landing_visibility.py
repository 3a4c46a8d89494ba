"""What a DOI leads to when its data are closed again, or secret: nothing closed is seen, named or counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.app import create_app
from api.dependencies import get_now
from api.routes.landing import FORMS, Form
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Datafile, Dataset, Facility, Investigation
from tests.entities import FUTURE, PAST, add_dataset
from tests.publishing import publish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from httpx2 import Response

    from tests.entities import Catalogue

SAID = "LaB6 at ID00"
ASKED = [*FORMS, *(f"?format={form}" for form in Form)]
"""All doors to what a DOI leads to: media types of an Accept header, and addresses of forms."""
CLOSED_AGAIN = [
    {"release_date": FUTURE},
    {"release_date": None},
]
HIDDEN: dict[str, Any] = {"is_secret": True}
numbers = count(1)


@dataclass(frozen=True)
class Shown:
    """A publication of datasets whose texts hold a word each."""

    catalogue: Catalogue
    client: TestClient
    doi: str
    words: tuple[str, ...]
    ids: tuple[int, ...]

    def change(self, place: int = 0, **values: Any) -> None:
        with self.catalogue.sessions.begin() as session:
            session.execute(update(Dataset).where(Dataset.id == self.ids[place]).values(**values))

    def ask(self, door: str, headers: dict[str, str] | None = None) -> Response:
        return ask(self.client, self.doi, door, headers)


def ask(client: TestClient, doi: str, door: str, headers: dict[str, str] | None = None) -> Response:
    if door.startswith("?"):
        return client.get(f"/doi/{doi}{door}", headers=headers)
    return client.get(f"/doi/{doi}", headers={"Accept": door, **(headers or {})})


@pytest.fixture(scope="module")
def app(module_catalogue: Catalogue) -> FastAPI:
    return create_app(module_catalogue.settings)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(scope="module")
def reader(module_catalogue: Catalogue) -> dict[str, str]:
    with module_catalogue.sessions.begin() as session:
        token = create_token(session, "reader", [Scope.READ], PAST, None)
    return {"Authorization": f"Bearer {token.text}"}


@pytest.fixture
def shown(module_catalogue: Catalogue, client: TestClient) -> Shown:
    """Publish one open dataset."""
    return show(module_catalogue, client, 1)


@pytest.fixture
def collection(module_catalogue: Catalogue, client: TestClient) -> Shown:
    """Publish two open datasets together, each of which has a DOI of its own, too."""
    return show(module_catalogue, client, 2)


def show(catalogue: Catalogue, client: TestClient, datasets: int) -> Shown:
    words = tuple(f"hellebore{next(numbers)}x" for _ in range(datasets))
    with catalogue.sessions.begin() as session:
        ids = tuple(add_dataset(session, word) for word in words)
        session.execute(update(Investigation).values(facility_id=1))
        session.execute(update(Facility).values(full_name="The Source"))
        if datasets > 1:
            for dataset_id in ids:
                publish(session, dataset_id)
        doi = publish(session, *ids)
    return Shown(catalogue, client, doi, words, ids)


def names(answer: Response, *words: str) -> bool:
    said = f"{answer.text} {answer.headers}"
    return any(word in said for word in words)


@pytest.mark.parametrize("door", ASKED)
def test_open_data_are_told_and_linked(shown: Shown, door: str) -> None:
    answer = shown.ask(door)
    assert answer.status_code == 200
    assert SAID in answer.text
    assert names(answer, *shown.words) == ("bibtex" not in door)


@pytest.mark.parametrize("values", CLOSED_AGAIN, ids=str)
def test_under_embargo_title_people_and_dates_stay_and_nothing_of_the_data(
    shown: Shown, values: dict[str, Any]
) -> None:
    shown.change(**values)
    for door in ASKED:
        answer = shown.ask(door)
        assert answer.status_code == 200
        assert SAID in answer.text
        assert "Example" in answer.text
        assert not names(answer, *shown.words)
        assert not names(answer, f"/files/{shown.ids[0]}", f"/archives/{shown.ids[0]}", f"/datasets/{shown.ids[0]}")
        assert not re.search(r"\b1 (dataset|file)\b|\b10 B\b", answer.text)


def test_end_of_the_embargo_is_told(shown: Shown) -> None:
    shown.change(release_date=FUTURE)
    assert "embargoed until 2999-01-01" in shown.ask("text/html").text
    dates = {each["dateType"]: each["date"] for each in shown.ask("?format=datacite").json()["dates"]}
    assert dates["Available"] == "2999-01-01"
    assert shown.ask("application/ld+json").json()["conditionsOfAccess"] == "embargoed until 2999-01-01"


def test_data_that_were_announced_are_told_and_not_linked(shown: Shown) -> None:
    shown.change(release_date=FUTURE, is_metadata_public=True)
    for door in ASKED:
        answer = shown.ask(door)
        assert names(answer, *shown.words) == ("bibtex" not in door)
        assert not names(answer, f"/files/{shown.ids[0]}", f"/archives/{shown.ids[0]}", ".h5")


def test_embargo_ends_by_the_clock_of_the_request(app: FastAPI, shown: Shown) -> None:
    shown.change(release_date=FUTURE)
    app.dependency_overrides[get_now] = lambda: FUTURE
    try:
        assert all(names(shown.ask(door), *shown.words) for door in ASKED if "bibtex" not in door)
    finally:
        app.dependency_overrides.clear()


@pytest.mark.parametrize("door", ASKED)
@pytest.mark.parametrize("values", [HIDDEN, HIDDEN | {"release_date": None, "is_metadata_public": True}], ids=str)
def test_doi_of_secret_data_is_answered_as_one_that_is_not_there(
    shown: Shown, door: str, values: dict[str, Any]
) -> None:
    shown.change(**values)
    absent_doi = f"10.5072/{'0' * (len(shown.doi) - len('10.5072/'))}"
    closed, absent = shown.ask(door), ask(shown.client, absent_doi, door)
    assert closed.status_code == absent.status_code == 404
    assert closed.text.replace(shown.doi, absent_doi) == absent.text
    assert closed.headers.keys() == absent.headers.keys()


@pytest.mark.parametrize("values", [{"release_date": FUTURE}, HIDDEN], ids=str)
def test_reader_sees_the_data_that_are_closed(shown: Shown, reader: dict[str, str], values: dict[str, Any]) -> None:
    shown.change(**values)
    for door in ASKED:
        answer = shown.ask(door, reader)
        assert answer.status_code == 200
        assert names(answer, *shown.words) == ("bibtex" not in door)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "Authorization" in answer.headers["vary"]


@pytest.mark.parametrize("values", [{"release_date": FUTURE}, HIDDEN], ids=str)
def test_closed_part_of_a_collection_is_neither_named_nor_counted(collection: Shown, values: dict[str, Any]) -> None:
    before = collection.ask("?format=datacite").json()
    assert before["sizes"] == ["2 datasets", "2 files", "20 bytes"]
    collection.change(**values)
    for door in ASKED:
        answer = collection.ask(door)
        assert not names(answer, collection.words[0])
        assert not names(answer, *(f"/{kind}/{collection.ids[0]}" for kind in ("files", "archives", "datasets")))
        assert names(answer, collection.words[1]) == ("bibtex" not in door)
    after = collection.ask("?format=datacite").json()
    assert after["sizes"] == ["1 dataset", "1 file", "10 bytes"]
    assert f"{collection.words[0]} diffraction" not in {each["subject"] for each in after["subjects"]}


def test_doi_of_a_secret_part_is_not_told(collection: Shown) -> None:
    parts = [each["relatedIdentifier"] for each in collection.ask("?format=datacite").json()["relatedIdentifiers"]]
    assert len(parts) == 2
    collection.change(**HIDDEN)
    for door in ASKED:
        assert not names(collection.ask(door), parts[0])
    document = collection.ask("?format=datacite").json()
    assert [each["relatedIdentifier"] for each in document["relatedIdentifiers"]] == parts[1:]
    # When all were measured would tell when the secret one was.
    assert "Collected" not in {each["dateType"] for each in document["dates"]}


def test_list_holds_what_is_under_embargo_and_nothing_secret(shown: Shown, reader: dict[str, str]) -> None:
    def is_listed(headers: dict[str, str] | None = None) -> bool:
        return shown.doi in shown.client.get("/api/v1/publications?limit=1", headers=headers).text

    assert is_listed()
    shown.change(release_date=FUTURE)
    assert is_listed()
    assert not names(shown.client.get("/api/v1/publications?limit=1"), *shown.words)
    shown.change(**HIDDEN)
    assert not is_listed()
    assert is_listed(reader)


def test_page_stays_when_the_files_are_gone(shown: Shown) -> None:
    with shown.catalogue.sessions.begin() as session:
        session.execute(update(Datafile).where(Datafile.dataset_id == shown.ids[0]).values(is_vanished=True))
    for door in ASKED:
        answer = shown.ask(door)
        assert answer.status_code == 200
        assert f"{shown.words[0]}_0000.h5" not in answer.text
