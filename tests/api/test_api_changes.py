"""What the API shows follows the database at once, whatever the index knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from api.dependencies import get_now
from ingest.catalogue.model import Dataset
from tests.entities import END, FUTURE, add_dataset

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue


@pytest.mark.parametrize(
    ("original", "is_named"),
    [
        ({}, True),
        ({"release_date": FUTURE, "is_metadata_public": True}, True),
        ({"release_date": FUTURE}, False),
        ({"is_secret": True}, False),
    ],
)
def test_copy_names_its_original_only_to_who_may_know_of_it(
    catalogue: Catalogue, client: TestClient, original: dict[str, Any], is_named: bool
) -> None:
    with catalogue.sessions.begin() as session:
        first = add_dataset(session, "zinnia", **original)
        copy = add_dataset(session, "daisy", copy_of_id=first)
    assert client.get(f"/api/v1/datasets/{copy}").json()["copy_of_id"] == (first if is_named else None)


def test_dataset_that_became_secret_is_not_shown_while_the_index_lags(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.sessions.begin() as session:
        zinnia, daisy = add_dataset(session, "zinnia"), add_dataset(session, "daisy")
    catalogue.index_all()
    with catalogue.sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == daisy).values(is_secret=True))
    answer = client.get("/api/v1/datasets")
    assert [item["id"] for item in answer.json()["items"]] == [zinnia]
    assert "daisy" not in answer.text


def test_released_in_this_moment_is_open(app: FastAPI, catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "zinnia", release_date=END)
    app.dependency_overrides[get_now] = lambda: END
    assert client.get(f"/api/v1/datasets/{dataset_id}/files").status_code == 200
    assert client.get(f"/api/v1/datasets/{dataset_id}").json()["visibility"] == "open"


def test_what_another_process_indexed_is_found(catalogue: Catalogue, client: TestClient) -> None:
    assert client.get("/api/v1/datasets").json()["total"] == 0
    with catalogue.sessions.begin() as session:
        add_dataset(session, "zinnia")
    catalogue.index_all()
    assert client.get("/api/v1/datasets").json()["total"] == 1
