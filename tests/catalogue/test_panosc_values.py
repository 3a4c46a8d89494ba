"""Values of every kind and patterns of strangers: both databases mean the same by them, and nothing breaks one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.catalogue.model import Dataset, DatasetParameter, Layer, ParameterType
from ingest.catalogue.panosc.answering import count_records, list_records
from ingest.catalogue.panosc.request import parse_filter, parse_where
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests.entities import START, add_dataset
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TITLE = r"LaB6 at 300 K, 50% [of] a_b*c? (x) \ {y}"
PARAMETERS: dict[str, dict[str, Any]] = {
    "ramp": {"range_bottom": 100.0, "range_top": 300.0},
    "steps": {"range_bottom": 1.0, "range_top": 5.0, "values": [1.0, 2.5, 5.0]},
    "when": {"date_time_value": START},
    "odd": {"numeric_value": float("inf")},
    "label": {"string_value": "42"},
    "told": {"numeric_value": 7.0, "layer": Layer.PERSON},
}
LIKE: list[tuple[dict[str, Any], bool]] = [
    ({"like": "LaB6"}, True),
    ({"like": "lab6"}, False),
    ({"like": "lab6", "options": "i"}, True),
    ({"ilike": "LAB6"}, True),
    ({"like": "La%K"}, True),
    ({"like": "La__ at"}, True),
    ({"like": "La_ at"}, False),
    ({"like": r"50\% [of]"}, True),
    ({"like": r"300\%"}, False),
    ({"like": r"a\_b*c?"}, True),
    ({"like": r"a\_b%\{y}"}, True),
    ({"like": r"a\_c"}, False),
    ({"like": r"(x) \\ {y}"}, True),
    ({"like": "[a-z]"}, False),
    ({"like": "*"}, True),
    ({"like": "%%%%"}, True),
    ({"nlike": "LaB6"}, False),
    ({"nilike": "cu"}, True),
    ({"regexp": "^LaB\\d at"}, True),
    ({"regexp": "/^lab\\d AT/i"}, True),
    ({"regexp": "^lab"}, False),
    ({"regexp": "^lab", "options": "i"}, True),
    ({"regexp": "\\bat\\b"}, True),
    ({"regexp": "\\Bat"}, False),
    ({"regexp": "\\[of\\] (?:a_b|c)"}, True),
    ({"regexp": "K,\\s[0-9]{2}%"}, True),
    ({"regexp": "(a+)+$"}, False),
    ({"regexp": ""}, True),
    ({"gt": "LaB5"}, True),
    ({"between": ["LaB6", "LaB7"]}, True),
]
VALUES: list[tuple[str, Any, bool]] = [
    ("ramp", {"between": [50, 150]}, True),
    ("ramp", {"between": [150, 160]}, True),
    ("ramp", {"between": [301, 400]}, False),
    ("ramp", {"gt": 299}, True),
    ("ramp", {"gt": 300}, False),
    ("ramp", {"gte": 300}, True),
    ("ramp", {"lt": 100}, False),
    ("ramp", {"lte": 100}, True),
    ("ramp", 200, True),
    ("ramp", {"neq": 200}, False),
    ("ramp", {"neq": 400}, True),
    ("steps", {"inq": [9, 5]}, True),
    ("steps", {"nin": [9, 6]}, True),
    ("when", "2019-03-04T09:30:00Z", True),
    ("when", {"gt": "2019-03-04"}, True),
    ("when", {"between": ["2019-03-01", "2019-03-04"]}, False),
    ("when", {"inq": ["2019-03-04T09:30:00.000Z", "2020"]}, True),
    ("odd", {"gt": 1e308}, True),
    ("odd", {"lt": 1e308}, False),
    ("label", "42", True),
    ("label", {"like": "4"}, True),
    ("label", {"gt": "41"}, True),
    ("label", {"regexp": "^4.$"}, True),
    ("told", 7, True),
    ("told", {"gt": 10**400}, False),
    ("told", {"lt": 10**400}, True),
    ("told", {"inq": ["a", None, 7]}, True),
    ("told", {"between": [None, 9]}, False),
]
SIZES: list[tuple[Any, bool]] = [
    (10, True), ("10", True), (10.0, True), ({"gt": -(10**400)}, True), ({"lt": 10**400}, True), ({"eq": 2**70}, False),
    ({"gt": "many"}, False), ("", False), ({"neq": "many"}, True), (True, False), ({"inq": [10, "many", None]}, True),
    ({"between": [1e-320, 1e300]}, True),
]  # fmt: skip


def fill(session: Session) -> None:
    dataset_id = add_dataset(session, "zinnia", title=TITLE, file_size=10)
    session.query(DatasetParameter).filter_by(dataset_id=dataset_id).delete()
    for name, columns in PARAMETERS.items():
        kind = ParameterType(
            facility_id=1, name=name, units="K" if "range_top" in columns else "", value_type="NUMERIC"
        )
        session.add(kind)
        session.flush()
        said = {"layer": Layer.FILE, "origin": "read"} | columns
        session.add(DatasetParameter(dataset_id=dataset_id, type_id=kind.id, **said))
        hidden = said | {"is_shown": False, "string_value": "hidden", "numeric_value": -1.0}
        session.add(DatasetParameter(dataset_id=dataset_id, type_id=kind.id, **hidden))


@on_both_databases
def test_values_and_patterns_mean_the_same_on_both_databases(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        fill(session)
    index = EmbeddedIndex(catalogue.settings.index_folder)

    def find(asked: Any) -> list[dict[str, Any]]:
        with catalogue.sessions() as session:
            return list_records(session, index, NOW, "Dataset", parse_filter(json.dumps(asked), "Dataset"))

    def count(where: Any) -> int:
        with catalogue.sessions() as session:
            return count_records(session, NOW, "Dataset", parse_where(json.dumps(where), "Dataset"))

    for asked, expected in LIKE:
        assert count({"title": asked}) == expected, asked
    for asked, expected in SIZES:
        assert count({"size": asked}) == expected, asked
    for name, value, is_found in VALUES:
        where = {"and": [{"name": name}, {"value": value}]}
        found = find({"include": [{"relation": "parameters", "scope": {"where": where}}]})
        assert len(found) == is_found, (name, value)
    check_answers(find)
    with catalogue.sessions.begin() as session:
        session.query(Dataset).update({"title": ""})
    assert find(None)[0]["title"] == "zinnia_0001"
    index.close()


def check_answers(find: Callable[[Any], list[dict[str, Any]]]) -> None:
    (found,) = find({"include": ["parameters"]})
    shown = {each["name"]: (each["value"], each["unit"]) for each in found["parameters"]}
    assert shown == {
        "ramp": ("100..300", "K"),
        "steps": ("1, 2.5, 5", "K"),
        "when": ("2019-03-04T09:30:00.000Z", ""),
        "odd": ("inf", ""),
        "label": ("42", ""),
        "told": (7, ""),
    }
    where = {"and": [{"name": "ramp"}, {"unit": "mK"}, {"value": {"between": [299_000, 400_000]}}]}
    (found,) = find({"include": [{"relation": "parameters", "scope": {"where": where}}]})
    shown = {each["name"]: (each["value"], each["unit"]) for each in found["parameters"]}
    assert shown["ramp"] == ("100000..300000", "mK")
    assert shown["steps"] == ("1, 2.5, 5", "K")
    (found,) = find({"include": [{"relation": "parameters", "scope": {"where": {"unit": "celsius"}}}]})
    shown = {each["name"]: (each["value"], each["unit"]) for each in found["parameters"]}
    assert shown["ramp"] == ("-173.15..26.85", "celsius")
