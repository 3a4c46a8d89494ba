"""Values of nouns, histograms and suggestions over a whole result."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.catalogue.model import DatasetParameter, Layer, ParameterType
from tests.entities import add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

DATES = {"hematite": (2024, 12), "magnetite": (2025, 1), "quartz": (2025, 3), "opal": (2025, 3)}
SIZES = {
    "hematite": {"file_size": 1_000, "file_count": 1},
    "magnetite": {"file_size": 2_500, "file_count": 7},
    "quartz": {"file_size": 1_999, "file_count": 2},
    "opal": {"file_size": 2_501, "file_count": 3},
}
SPANS = {"hematite": (7.0, 7.0), "magnetite": (12.0, 12.0), "quartz": (12.0, 14.0)}


@pytest.fixture(scope="module")
def client(module_catalogue: Catalogue) -> Iterator[TestClient]:
    with module_catalogue.sessions.begin() as session:
        made = {
            word: add_dataset(session, word, start_date=datetime(*month, 5, tzinfo=UTC), end_date=None, **SIZES[word])
            for word, month in DATES.items()
        }
        gap = ParameterType(facility_id=1, name="undulator_gap", units="mm", value_type="NUMERIC")
        session.add(gap)
        session.flush()
        for word, (low, high) in SPANS.items():
            common = {"dataset_id": made[word], "type_id": gap.id, "layer": int(Layer.FILE), "origin": "read"}
            held = {"numeric_value": low} if low == high else {"range_bottom": low, "range_top": high}
            session.add(DatasetParameter(**common, **held))
    module_catalogue.index_all()
    with TestClient(create_app(module_catalogue.settings)) as started:
        yield started


def get(client: TestClient, path: str, **asked: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_values_of_a_noun_are_sought_within_the_result(client: TestClient) -> None:
    found = get(client, "facets/sample", contains="TITE")
    assert found == {
        "noun": "sample",
        "values": [{"value": "hematite sample", "count": 1}, {"value": "magnetite sample", "count": 1}],
        "others": 0,
    }
    assert get(client, "facets/sample", contains="tite", at_word=True)["values"] == []
    assert [each["value"] for each in get(client, "facets/sample", q="name:opal*")["values"]] == ["opal sample"]
    assert get(client, "facets/sample", size=1)["others"] == 3


@pytest.mark.parametrize("mode", ["narrow", "wide"])
def test_facet_counts_without_its_own_filter_where_it_is_wide(client: TestClient, mode: str) -> None:
    count = 4 if mode == "wide" else 1
    asked = {"sample": "opal sample", "facet_mode": mode}
    assert len(get(client, "facets/sample", **asked)["values"]) == count
    found = get(client, "datasets", facets="sample,instrument", **asked)
    assert found["total"] == 1
    assert len(found["facets"]["sample"]["values"]) == count
    assert len(found["facets"]["instrument"]["values"]) == 1


def test_noun_that_is_not_counted_is_refused(client: TestClient) -> None:
    answer = client.get("/api/v1/facets/title")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_query")


def test_dates_are_counted_by_periods(client: TestClient) -> None:
    months = get(client, "histograms/dates")
    assert [(each["start_date"][:7], each["end_date"][:10], each["count"]) for each in months["periods"]] == [
        ("2024-12", "2025-01-01", 1),
        ("2025-01", "2025-02-01", 1),
        ("2025-03", "2025-04-01", 2),
    ]
    years = get(client, "histograms/dates", interval="year", q="not opal")["periods"]
    assert [(each["start_date"][:4], each["end_date"][:4], each["count"]) for each in years] == [
        ("2024", "2025", 1),
        ("2025", "2026", 2),
    ]
    assert get(client, "histograms/dates", field="end_date")["periods"] == []


def test_dates_are_counted_without_their_own_filter_where_it_is_wide(client: TestClient) -> None:
    narrow, wide = (
        get(client, "histograms/dates", start_date="2025-01", facet_mode=mode)["periods"] for mode in ("narrow", "wide")
    )
    assert (len(narrow), len(wide)) == (1, 3)


def test_numbers_are_counted_in_round_bins_of_the_unit(client: TestClient) -> None:
    found = get(client, "histograms/numbers", field="undulator_gap", unit="cm", bins=4)
    assert (found["name"], found["unit"]) == ("undulator_gap", "cm")
    assert [(each["low"], each["high"], each["count"]) for each in found["bins"]] == [
        (0.6, 0.8, 1),
        (0.8, 1.0, 0),
        (1.0, 1.2, 0),
        (1.2, 1.4, 2),
        (1.4, 1.6, 1),
    ]


def test_numbers_are_counted_between_bounds(client: TestClient) -> None:
    found = get(client, "histograms/numbers", field="undulator_gap", low=10, high=13, bins=3)
    assert [(each["low"], each["high"], each["count"]) for each in found["bins"]] == [
        (10.0, 11.0, 0),
        (11.0, 12.0, 0),
        (12.0, 13.0, 2),
    ]
    assert get(client, "histograms/numbers", field="undulator_gap", q="opal")["bins"] == []


def test_sizes_are_counted_as_numbers_are(client: TestClient) -> None:
    found = get(client, "histograms/numbers", field="size", unit="kB", low=0, high=3, bins=3, q="file_count:<5")
    assert (found["name"], found["unit"], [each["count"] for each in found["bins"]]) == ("file_size", "kB", [0, 2, 1])
    found = get(client, "histograms/numbers", field="file_count", bins=4)
    assert (found["unit"], [each["count"] for each in found["bins"]]) == ("1", [1, 2, 0, 1])
    listed = get(client, "parameter-types")["items"]
    assert not {each["name"] for each in listed} & {"file_size", "file_count"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"field": "file_size", "unit": "keV"}, "'keV' cannot be converted to 'byte': write one of byte, kB, MB"),
        ({"field": "undulator_gp"}, "no field or parameter is called 'undulator_gp'"),
        ({"field": "undulator_gap", "unit": "keV"}, "cannot be converted"),
        ({"field": "undulator_gap", "low": 1}, "both bounds"),
        ({"field": "undulator_gap", "low": 2, "high": 1}, "both bounds"),
        ({"field": "undulator_gap", "low": 1, "high": 1.0000000000000002}, "too narrow"),
    ],
)
def test_histogram_that_cannot_be_is_refused(client: TestClient, asked: dict[str, Any], message: str) -> None:
    answer = client.get("/api/v1/histograms/numbers", params=asked)
    assert answer.status_code == 400
    assert message in answer.json()["detail"]


def test_values_and_parameters_are_suggested_while_typing(client: TestClient) -> None:
    found = get(client, "suggest", text="hem")
    assert {"kind": "sample", "value": "hematite sample", "count": 1, "query": 'sample:"hematite sample"'} in found[
        "suggestions"
    ]
    assert found["did_you_mean"] is None
    gap = {"kind": "parameter", "value": "undulator_gap", "count": 3, "query": "undulator_gap:"}
    assert get(client, "suggest", text="gap")["suggestions"] == [gap]
    assert get(client, "suggest", text="h")["suggestions"] == []
    assert len(get(client, "suggest", text="hem", limit=1)["suggestions"]) == 1
    assert [each["value"] for each in get(client, "suggest", text="Hematite sa")["suggestions"]] == ["hematite sample"]
    assert get(client, "suggest", text="sample hem")["suggestions"] == []
    assert get(client, "suggest", text="--")["suggestions"] == []


@pytest.mark.parametrize(
    ("text", "meant"), [("hemtaite", "hematite"), ("sample magnetit", "sample magnetite"), ("zzzzzzzz", None)]
)
def test_mistyped_word_is_told_what_may_be_meant(client: TestClient, text: str, meant: str | None) -> None:
    assert get(client, "suggest", text=text)["did_you_mean"] == meant
    assert get(client, "datasets", q=text)["did_you_mean"] == meant


def test_what_is_found_is_what_was_meant(client: TestClient) -> None:
    assert get(client, "datasets", q="hematite")["did_you_mean"] is None
    # Each word is known, and nothing has both.
    assert get(client, "datasets", q="hematite quartz")["did_you_mean"] is None


@pytest.mark.parametrize(
    ("order_by", "expected"),
    [
        ("undulator_gap", ["hematite", "quartz", "magnetite", "opal"]),
        ("-undulator_gap", ["quartz", "magnetite", "hematite", "opal"]),
        ("-id", ["opal", "quartz", "magnetite", "hematite"]),
        ("end_date", ["opal", "quartz", "magnetite", "hematite"]),
        ("-name", ["quartz", "opal", "magnetite", "hematite"]),
        ("Beamline", ["hematite", "magnetite", "opal", "quartz"]),
        ("-linked_file", ["opal", "quartz", "magnetite", "hematite"]),
        ("-complete", ["opal", "quartz", "magnetite", "hematite"]),
        ("size", ["hematite", "quartz", "magnetite", "opal"]),
        ("-file_count", ["magnetite", "opal", "quartz", "hematite"]),
    ],
)
def test_hits_are_ordered_by_any_field(client: TestClient, order_by: str, expected: list[str]) -> None:
    asked = {"order_by": order_by, "limit": 3}
    first = get(client, "datasets", **asked)
    assert (first["sort"], first["order_by"]) == (None, order_by)
    rest = get(client, "datasets", **asked, cursor=first["next"])
    assert rest["next"] is None
    names = [item["name"].removesuffix("_0001") for page in (first, rest) for item in page["items"]]
    assert names == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"order_by": "zz"}, "no field or parameter is called 'zz': nothing is called nearly so"),
        ({"order_by": "-titel"}, "no field or parameter is called 'titel': did you mean title?"),
        ({"order_by": "filesize"}, "no field or parameter is called 'filesize': did you mean file_size?"),
        ({"order_by": "id", "sort": "name"}, "give either sort or order_by, not both"),
    ],
)
def test_order_that_cannot_be_is_refused(client: TestClient, asked: dict[str, str], message: str) -> None:
    answer = client.get("/api/v1/datasets", params=asked)
    assert (answer.status_code, answer.json()["detail"]) == (400, message)


def test_hits_tell_which_values_hold_the_words(client: TestClient) -> None:
    (hit,) = get(client, "datasets", q="sample:hem*", highlights=True)["items"]
    assert hit["highlights"] == [{"field": "sample", "text": "hematite sample", "spans": [[0, 8]]}]
    (hit,) = get(client, "datasets", q="sample:hem*")["items"]
    assert hit["highlights"] == []
