"""A whole result as NDJSON and as CSV."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.exports import to_harmless, to_pieces
from ingest.catalogue import exporting
from ingest.catalogue.exporting import plan_export, walk_datasets
from ingest.catalogue.finding import SearchQuestion
from ingest.catalogue.model import Dataset, DatasetParameter, Layer, ParameterType
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.visibility import ANONYMOUS
from tests.entities import FUTURE, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

WORDS = ["hematite", "magnetite", "quartz", "opal", "talc"]


@pytest.fixture(scope="module")
def ids(module_catalogue: Catalogue) -> dict[str, int]:
    with module_catalogue.sessions.begin() as session:
        made = {word: add_dataset(session, word) for word in WORDS}
        add_dataset(session, "nightshade", is_secret=True)
        add_dataset(session, "hellebore", release_date=FUTURE)
        session.get_one(Dataset, made["opal"]).title = "=1+1"
        session.get_one(Dataset, made["opal"]).start_date = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
        gap = ParameterType(facility_id=1, name="gap", units="mm", value_type="NUMERIC")
        session.add(gap)
        session.flush()
        common = {"type_id": gap.id, "layer": int(Layer.FILE), "origin": "read"}
        held: dict[str, dict[str, Any]] = {
            "hematite": {"numeric_value": 5.0},
            "magnetite": {"range_bottom": 5.0, "range_top": 6.0},
            "quartz": {"range_bottom": 5.0, "range_top": 6.0, "values": [6.0, 5.0]},
            "talc": {"numeric_value": 7.0, "is_public": False},
        }
        for word, values in held.items():
            session.add(DatasetParameter(dataset_id=made[word], **common, **values))
    module_catalogue.index_all()
    return made


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue, ids: dict[str, int]) -> Iterator[TestClient]:
    assert ids
    with TestClient(create_app(module_catalogue.settings)) as started:
        yield started


def export(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/export", params={"format": "ndjson"} | asked)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def read_table(client: TestClient, **asked: Any) -> list[dict[str, str]]:
    answer = client.get("/api/v1/export", params={"format": "csv"} | asked)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(StringIO(answer.text, newline="")))


def test_lines_are_what_search_shows(client: TestClient, ids: dict[str, int]) -> None:
    lines = export(client)
    assert [line["id"] for line in lines] == sorted(ids.values())
    hits = client.get("/api/v1/datasets", params={"sort": "oldest"}).json()["items"]
    shown = {
        hit["id"]: {key: value for key, value in hit.items() if key not in {"links", "score", "highlights"}}
        for hit in hits
    }
    for line in lines:
        assert line.pop("parameters") == {}
        assert line == shown[line["id"]]


def test_only_what_is_found_is_exported(client: TestClient, ids: dict[str, int]) -> None:
    assert [line["id"] for line in export(client, q="opal or talc")] == sorted([ids["opal"], ids["talc"]])
    assert [line["id"] for line in export(client, start_date="2024")] == [ids["opal"]]
    assert export(client, q="nightshade or hellebore") == []


def test_parameters_are_told_in_the_unit_that_is_asked_for(client: TestClient) -> None:
    told = {line["name"]: line["parameters"].get("gap") for line in export(client, column="gap:cm")}
    empty = {"value": None, "low": None, "high": None, "values": [], "texts": []}
    assert told == {
        "hematite_0001": empty | {"value": 0.5},
        "magnetite_0001": empty | {"low": 0.5, "high": 0.6},
        "quartz_0001": empty | {"low": 0.5, "high": 0.6, "values": [0.6, 0.5]},
        "opal_0001": None,
        "talc_0001": None,
    }


def test_sizes_are_told_in_the_unit_that_is_asked_for(client: TestClient) -> None:
    told = {line["name"]: line["parameters"] for line in export(client, column=["size:kB", "file_count"])}
    empty = {"low": None, "high": None, "values": [], "texts": []}
    assert told["opal_0001"] == {"size": empty | {"value": 0.01}, "file_count": empty | {"value": 1.0}}
    refused = client.get("/api/v1/export", params={"column": "file_size:keV"})
    assert "'keV' cannot be converted to 'byte': write one of byte, kB, MB" in refused.json()["detail"]


def test_letter_that_is_a_unit_of_that_kind_on_one_side_alone_is_refused_in_time(client: TestClient) -> None:
    assert client.get("/api/v1/export", params={"column": "gap:A"}).status_code == 400


def test_table_has_a_column_for_each_parameter(client: TestClient) -> None:
    rows = read_table(client, column=["gap", "opal_remark"])
    assert {row["name"]: row["gap (mm)"] for row in rows} == {
        "hematite_0001": "5.0",
        "magnetite_0001": "5.0..6.0",
        "quartz_0001": "6.0; 5.0",
        "opal_0001": "",
        "talc_0001": "",
    }
    opal = next(row for row in rows if row["name"] == "opal_0001")
    assert opal["opal_remark"] == "opal as it is"
    assert opal["start_date"] == "2024-01-02T03:04:05Z"
    assert (opal["sample"], opal["formula"], opal["instruments"]) == ("opal sample", "opalO2", "opal-bm")
    assert (opal["file_size (bytes)"], opal["is_complete"], opal["visibility"]) == ("10", "true", "open")


def test_text_that_a_program_would_calculate_is_harmless(client: TestClient) -> None:
    titles = {row["name"]: row["title"] for row in read_table(client)}
    assert titles["opal_0001"] == "'=1+1"
    assert titles["talc_0001"] == "talc loop 0"
    assert [to_harmless(text) for text in ("=a", "+a", "-a", "@a", "\ta", "\ra", "a=", "")] == [
        "'=a",
        "'+a",
        "'-a",
        "'@a",
        "'\ta",
        "'\ra",
        "a=",
        "",
    ]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [("text/csv", "text/csv"), ("*/*", "application/x-ndjson"), ("application/x-ndjson", "application/x-ndjson")],
)
def test_form_is_negotiated(client: TestClient, accept: str, media_type: str) -> None:
    answer = client.get("/api/v1/export", headers={"Accept": accept})
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert answer.headers["vary"] == "Accept, Authorization"
    assert answer.headers["content-disposition"].startswith('attachment; filename="datasets.')


def test_what_cannot_be_understood_is_refused_before_anything_is_sent(client: TestClient) -> None:
    for asked in ({"column": "gap:keV"}, {"column": "nothing"}, {"q": "("}):
        assert client.get("/api/v1/export", params=asked).status_code == 400
    assert client.get("/api/v1/export", headers={"Accept": "image/png"}).status_code == 406


def test_head_walks_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EmbeddedIndex, "walk", None)
    answer = client.head("/api/v1/export")
    assert (answer.status_code, answer.content) == (200, b"")


def test_datasets_are_those_of_the_moment_in_which_it_begins(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_BATCH", 1)
    with catalogue.sessions.begin() as session:
        first, hidden, last = (add_dataset(session, word) for word in WORDS[:3])
    catalogue.index_all()
    index = EmbeddedIndex(catalogue.settings.index_folder)
    now = utc_now()
    with catalogue.sessions() as session:
        plan = plan_export(session, ANONYMOUS, now, SearchQuestion(), ())
        assert not session.in_transaction()
    walked = walk_datasets(catalogue.sessions, index, ANONYMOUS, now, plan)
    assert next(walked).dataset.id == first
    with catalogue.sessions.begin() as session:
        session.get_one(Dataset, hidden).is_secret = True
        add_dataset(session, "late")
    catalogue.index_all()
    assert [exported.dataset.id for exported in walked] == [last]
    index.close()


def test_pieces_are_sent_before_all_is_read() -> None:
    def lines() -> Iterator[str]:
        yield "a" * 70_000
        raise AssertionError("nobody asked for more")

    assert next(to_pieces(lines())) == b"a" * 70_000
