"""Pages lead to the end, and together they are the whole list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from ingest.catalogue.model import Scan
from tests.entities import START, add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> list[int]:
    with module_catalogue.sessions.begin() as session:
        made = [
            add_dataset(
                session, f"zinnia{n}", start_date=START.replace(year=2000 + n % 3), scans=10 if n == 0 else 1, files=7
            )
            for n in range(7)
        ]
        # A withdrawn scan keeps its ordinal, which a new one has again.
        session.execute(
            update(Scan).where(Scan.dataset_id == made[0], Scan.ordinal == 9).values(ordinal=2, is_withdrawn=True)
        )
    module_catalogue.index_all()
    return made


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


def read_all(client: TestClient, path: str) -> tuple[list[Any], int]:
    items, pages = [], 0
    while path:
        page = client.get(path).json()
        items += page["items"]
        pages += 1
        assert pages <= 100, "the pages have no end"
        assert (page["next"] is None) == (page["links"]["next"] is None)
        path = page["links"]["next"]
        assert (path or "").count("cursor=") <= 1
    return items, pages


@pytest.mark.parametrize("asked", ["", "sort=oldest", "sort=name", "q=zinnia*", "q=zinnia*&sort=relevance&facets=user"])
def test_pages_of_a_search_are_all_of_it(client: TestClient, ids: list[int], asked: str) -> None:
    whole, _ = read_all(client, f"{DATASETS}?limit=1000&{asked}")
    paged, pages = read_all(client, f"{DATASETS}?limit=2&{asked}")
    assert (paged, pages) == (whole, 4)
    assert {item["id"] for item in paged} == set(ids)


@pytest.mark.parametrize("part", ["scans", "parameters", "files"])
def test_pages_of_a_list_are_all_of_it(client: TestClient, ids: list[int], part: str) -> None:
    path = f"{DATASETS}/{ids[0]}/{part}"
    whole, _ = read_all(client, f"{path}?limit=1000")
    for limit in (1, 2, len(whole) - 1, len(whole)):
        paged, pages = read_all(client, f"{path}?limit={limit}")
        assert (paged, pages) == (whole, -(-len(whole) // limit))
    assert len(whole) == {"scans": 10, "parameters": 3, "files": 7}[part]


def test_pages_of_a_scans_parameters_keep_to_the_scan(client: TestClient, ids: list[int]) -> None:
    page = client.get(f"{DATASETS}/{ids[0]}/parameters?scan=1.1").json()
    assert [item["numeric_value"] for item in page["items"]] == [12.5]
    assert page == {**client.get(f"{DATASETS}/{ids[0]}/parameters?scan=/1.1").json(), "links": page["links"]}


def test_order_of_lists(client: TestClient, ids: list[int]) -> None:
    scans, _ = read_all(client, f"{DATASETS}/{ids[0]}/scans?limit=2")
    assert [scan["ordinal"] for scan in scans] == [0, 1, 2, 2, 3, 4, 5, 6, 7, 8]
    parameters, _ = read_all(client, f"{DATASETS}/{ids[0]}/parameters?limit=2")
    assert [each["name"] for each in parameters] == sorted(each["name"] for each in parameters)


def test_cursor_of_another_list_is_refused(client: TestClient, ids: list[int]) -> None:
    scans = client.get(f"{DATASETS}/{ids[0]}/scans?limit=1").json()["next"]
    search = client.get(f"{DATASETS}?limit=1").json()["next"]
    for path in (
        f"{DATASETS}/{ids[0]}/files?cursor={scans}",
        f"{DATASETS}/{ids[0]}/parameters?cursor={scans}",
        f"{DATASETS}/{ids[1]}/scans?cursor={scans}",
        f"{DATASETS}/{ids[0]}/scans?cursor={search}",
        f"{DATASETS}?cursor={scans}",
        f"{DATASETS}?sort=name&cursor={search}",
        f"{DATASETS}?q=other&cursor={search}",
    ):
        assert (client.get(path).status_code, "begin again" in client.get(path).json()["detail"]) == (400, True)


def test_empty_cursor_of_a_form_is_none(client: TestClient, ids: list[int]) -> None:
    assert len(client.get(f"{DATASETS}?cursor=&instrument=&start_date=").json()["items"]) == len(ids)
    assert len(client.get(f"{DATASETS}/{ids[0]}/files?cursor=").json()["items"]) == 7
