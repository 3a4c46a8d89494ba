"""What a search is asked and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.model import Dataset, DatasetParameter, Keyword
from tests.entities import START, add_dataset

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS = "/api/v1/datasets"


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {
            "zinnia": add_dataset(session, "zinnia", start_date=START.replace(year=2017), doi="10.5072/z"),
            "daisy": add_dataset(session, "daisy", start_date=START.replace(year=2018), end_date=None),
            "aster": add_dataset(session, "aster", is_complete=False, sample_formula="Fe2O3"),
        }
        of_zinnia = session.get_one(Dataset, made["zinnia"]).investigation_id
        session.get_one(Dataset, made["zinnia"]).file_size = 2_500_000_000
        session.get_one(Dataset, made["aster"]).file_count = 3
        session.add(Keyword(investigation_id=of_zinnia, name="zinnia upright"))
        warm = session.query(DatasetParameter).filter_by(dataset_id=made["aster"], numeric_value=12.4).one()
        warm.numeric_value, warm.range_bottom, warm.range_top = None, 20.0, 30.0
    module_catalogue.index_all()
    return made


@pytest.fixture
def catalogue(module_catalogue: Catalogue) -> Catalogue:
    return module_catalogue


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["aster", "daisy", "zinnia"]),
        ({"sort": "oldest"}, ["zinnia", "daisy", "aster"]),
        ({"sort": "name"}, ["aster", "daisy", "zinnia"]),
        ({"q": "daisy"}, ["daisy"]),
        ({"q": "daisy or zinnia", "sort": "newest"}, ["daisy", "zinnia"]),
        ({"q": "loop", "instrument": "Daisy-BM"}, ["daisy"]),
        ({"instrument": ["daisy-bm", "aster-bm"]}, ["aster", "daisy"]),
        ({"instrument": "daisy-bm", "sample": "aster sample"}, []),
        ({"instrument": "daisy"}, []),
        ({"name": "zinnia_0001"}, ["zinnia"]),
        ({"investigation": "zinnia/v1"}, ["zinnia"]),
        ({"proposal": "zinnia"}, ["zinnia"]),
        ({"sample": "zinnia sample"}, ["zinnia"]),
        ({"formula": "zinniao2"}, ["zinnia"]),
        ({"technique": "zinnia diffraction"}, ["zinnia"]),
        ({"keyword": "Zinnia upright"}, ["zinnia"]),
        ({"keyword": "upright"}, []),
        ({"doi": "10.5072/Z"}, ["zinnia"]),
        ({"doi": "https://doi.org/10.5072/z"}, ["zinnia"]),
        ({"doi": "10.5072"}, []),
        ({"q": "https://doi.org/10.5072/z"}, ["zinnia"]),
        ({"elements": "Fe,O"}, ["aster"]),
        ({"elements": "=Fe"}, []),
        ({"q": "elements:=Fe,O"}, ["aster"]),
        ({"q": "zinia~"}, ["zinnia"]),
        ({"parameter": "energy:~25 keV"}, ["aster"]),
        ({"definition": "NXzinnia"}, ["zinnia"]),
        ({"user": "ada zinnia"}, ["zinnia"]),
        ({"detector": "zinniacam"}, ["zinnia"]),
        ({"probe": "zinnia-ray"}, ["zinnia"]),
        ({"facility": "zinnia facility"}, ["zinnia"]),
        ({"complete": "false"}, ["aster"]),
        ({"complete": "true"}, ["daisy", "zinnia"]),
        ({"start_date": "2018"}, ["daisy"]),
        ({"start_date": "2018.."}, ["aster", "daisy"]),
        ({"start_date": "2017-03..2018-03"}, ["daisy", "zinnia"]),
        ({"end_date": "..2019"}, ["aster", "zinnia"]),
        ({"release_date": "2020"}, ["aster", "daisy", "zinnia"]),
        ({"release_date": "2021.."}, []),
        ({"parameter": "energy:12..13 keV"}, ["daisy", "zinnia"]),
        ({"parameter": "energy:12000..13000 eV"}, ["daisy", "zinnia"]),
        ({"parameter": "energy:25..26 keV"}, ["aster"]),
        ({"parameter": "zinnia_pressure:>0.04 mbar"}, ["zinnia"]),
        ({"parameter": "zinnia_pressure:>0.06 mbar"}, []),
        ({"parameter": ["energy:>1 keV", "daisy_pressure:5 Pa"]}, ["daisy"]),
        ({"parameter": "energy:12..13 keV", "q": "zinnia or aster"}, ["zinnia"]),
        ({"q": "zinnia_remark:is"}, ["zinnia"]),
        ({"q": "size:>1 kB"}, ["zinnia"]),
        ({"parameter": "File_Size:<0.1 kB"}, ["aster", "daisy"]),
        ({"parameter": "file_size:2..3 GiB"}, ["zinnia"]),
        ({"q": "file_count:2..100"}, ["aster"]),
        ({"q": "file_count:*"}, ["aster", "daisy", "zinnia"]),
    ],
    ids=str,
)
def test_search_finds(
    client: TestClient, ids: dict[str, int], asked: dict[str, str | list[str]], found: list[str]
) -> None:
    answer = client.get(DATASETS, params=asked)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert [item["id"] for item in page["items"]] == [ids[word] for word in found]
    assert page["total"] == len(found)


def test_words_are_sorted_by_relevance_and_scored(client: TestClient, ids: dict[str, int]) -> None:
    page = client.get(DATASETS, params={"q": "zinnia_0001"}).json()
    assert (page["sort"], page["items"][0]["id"]) == ("relevance", ids["zinnia"])
    assert page["items"][0]["score"] > 0


def test_without_words_the_newest_come_first_unscored(client: TestClient, ids: dict[str, int]) -> None:
    page = client.get(DATASETS, params={"parameter": "energy:>1 keV"}).json()
    assert (page["sort"], len(page["items"])) == ("newest", len(ids))
    assert [item["score"] for item in page["items"]] == [None] * 3


def test_hit_tells_what_was_measured(client: TestClient, ids: dict[str, int]) -> None:
    hit = client.get(DATASETS, params={"q": "daisy", "sort": "newest"}).json()["items"][0]
    dataset_id = ids["daisy"]
    assert hit == {
        "id": dataset_id,
        "name": "daisy_0001",
        "title": "daisy loop 0",
        "definition": "NXdaisy",
        "facility": "daisy facility",
        "investigation": {
            "id": hit["investigation"]["id"],
            "name": "daisy/v1",
            "proposal": "daisy",
            "visit_id": "v1",
            "title": "daisy proposal",
            "is_inferred": False,
        },
        "instruments": ["daisy-bm"],
        "sample": {"id": hit["sample"]["id"], "name": "daisy sample", "formula": "daisyO2"},
        "techniques": ["daisy diffraction"],
        "start_date": "2018-03-04T09:30:00Z",
        "end_date": None,
        "is_complete": True,
        "file_count": 1,
        "file_size": 10,
        "visibility": "open",
        "release_date": "2020-01-01T00:00:00Z",
        "doi": None,
        "score": None,
        "highlights": [],
        "links": {
            "self": f"{DATASETS}/{dataset_id}",
            "scans": f"{DATASETS}/{dataset_id}/scans",
            "parameters": f"{DATASETS}/{dataset_id}/parameters",
            "files": f"{DATASETS}/{dataset_id}/files",
            "linked_files": f"{DATASETS}/{dataset_id}/linked-files",
            "record": f"{DATASETS}/{dataset_id}/record",
            "landing": None,
        },
    }


def test_facets_count_the_whole_result(client: TestClient, ids: dict[str, int]) -> None:
    asked = {"q": "daisy or zinnia", "facets": "instrument, complete,", "limit": 1}
    page = client.get(DATASETS, params=asked).json()
    counted = {noun: {v["value"]: v["count"] for v in facet["values"]} for noun, facet in page["facets"].items()}
    assert counted == {"instrument": {"daisy-bm": 1, "zinnia-bm": 1}, "complete": {"true": len(ids) - 1}}
    assert {facet["others"] for facet in page["facets"].values()} == {0}


def test_unit_of_another_quantity_is_refused(client: TestClient, ids: dict[str, int]) -> None:
    assert ids
    problem = client.get(DATASETS, params={"parameter": "zinnia_pressure:1..2 keV"}).json()
    assert (problem["code"], problem["text"]) == ("invalid_query", "zinnia_pressure:1..2 keV")
    assert "Pa" in problem["detail"]
