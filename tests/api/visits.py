"""Four visits, one of them with a dataset that is closed beside open ones: `from tests.api.visits import ...`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Dataset
from tests.entities import FUTURE, PAST, START, add_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

CLOSED = "nightshade"
"""Stands in every text of the dataset that nobody but a reader may know of, and of nothing else."""


@dataclass(frozen=True)
class Visits:
    """Ids of datasets and investigations by the word they are made of, and what a reader carries."""

    datasets: Mapping[str, int]
    investigations: Mapping[str, int]
    reader: Mapping[str, str]


def add_visits(catalogue: Catalogue) -> Visits:
    """Leave the catalogue with the visits, indexed.

    zinnia: two datasets, of 2019 and 2021, and the closed one, of 2010. daisy: one of 2018, announced. aster: one of
    2020. clover: one of which no date is known.
    """
    with catalogue.sessions.begin() as session:
        zinnia = add_dataset(session, "zinnia", scans=2, files=3)
        datasets = {
            "zinnia": zinnia,
            "zinnia_0002": add_dataset(session, "zinnia", beside=zinnia, name="zinnia_0002", **_in_year(2021)),
            CLOSED: add_dataset(session, CLOSED, beside=zinnia, files=5, is_secret=True, **_in_year(2010)),
            "daisy": add_dataset(
                session, "daisy", **_in_year(2018), release_date=FUTURE, is_metadata_public=True, is_complete=False
            ),
            "aster": add_dataset(session, "aster", **_in_year(2020)),
            "clover": add_dataset(session, "clover", start_date=None, end_date=None),
        }
        of_dataset = dict(session.execute(select(Dataset.id, Dataset.investigation_id)).all())
        token = create_token(session, "reader", [Scope.READ], PAST, None)
    catalogue.index_all()
    investigations = {word: of_dataset[datasets[word]] for word in ("zinnia", "daisy", "aster", "clover")}
    return Visits(datasets, investigations, {"Authorization": f"Bearer {token.text}"})


def list_names(client: TestClient, path: str, asked: Any = None, headers: Any = None) -> list[str]:
    """Return the names on the first page."""
    answer = client.get(path, params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def _in_year(year: int) -> dict[str, Any]:
    return {"start_date": START.replace(year=year), "end_date": START.replace(year=year, hour=10)}
