"""What facilities ask together costs what is answered: SQLite finds it in an index and does not sort all there is."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ingest.catalogue.panosc.answering import count_records, list_records
from ingest.catalogue.panosc.request import parse_filter
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests.catalogue.test_list_plans import NOW, explain
from tests.entities import add_dataset
from tests.panosc import add_reference

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

VALUE = "SEARCH dataset_parameter USING COVERING INDEX ix_dataset_parameter_value"
ENERGY = {"and": [{"name": "photon_energy"}, {"value": {"between": [0.9, 1]}}, {"unit": "keV"}]}
TEMPERATURE = {"and": [{"name": "sample_temperature"}, {"value": {"gt": 1}}, {"unit": "K"}]}
ASKED: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "by identifier": ("Dataset", {}, ["SCAN dataset USING INDEX ix_dataset_pid"]),
    "newest first": ("Dataset", {"order": "creationDate DESC"}, ["SCAN dataset USING INDEX ix_dataset_creation_date"]),
    "of a day": (
        "Dataset",
        {"where": {"creationDate": {"between": ["2030-01-01", "2030-01-02"]}}},
        ["SEARCH dataset USING INDEX ix_dataset_creation_date (<expr>>? AND <expr><?)"],
    ),
    "of an energy": (
        "Dataset",
        {"include": [{"relation": "parameters", "scope": {"where": ENERGY}}]},
        [
            f"{VALUE} (type_id=? AND range_bottom=? AND numeric_value>? AND numeric_value<?)",
            f"{VALUE} (type_id=? AND range_bottom>? AND range_bottom<?)",
        ],
    ),
    "of a technique": (
        "Dataset",
        {"include": [{"relation": "techniques", "scope": {"where": {"name": "x-ray absorption"}}}]},
        ["SEARCH dataset_technique USING COVERING INDEX ix_dataset_technique_of_technique (technique_id=?)"],
    ),
    "of an instrument": (
        "Dataset",
        {"include": [{"relation": "instrument", "scope": {"where": {"name": "LoKI"}}}]},
        ["SEARCH dataset_instrument USING COVERING INDEX ix_dataset_instrument_of_instrument (instrument_id=?)"],
    ),
    "of an instrument's identifier": (
        "Dataset",
        {"where": {"instrumentId": "7"}},
        ["SEARCH dataset_instrument USING COVERING INDEX ix_dataset_instrument_of_instrument (instrument_id=?)"],
    ),
    "of a document's identifier": (
        "Dataset",
        {"where": {"documentId": "7"}},
        ["SEARCH dataset USING INDEX ix_dataset_of_investigation (investigation_id=?)"],
    ),
    "a text": ("Dataset", {"where": {"text": "aster"}}, ["SEARCH scan USING INDEX ix_scan_first (dataset_id=?)"]),
    "with samples": (
        "Dataset",
        {"include": ["samples"]},
        ["SEARCH scan USING INDEX sqlite_autoindex_scan_1 (dataset_id=?)"],
    ),
    "with parameters": (
        "Dataset",
        {"include": ["parameters"]},
        ["SEARCH dataset_parameter USING INDEX ix_dataset_parameter_dataset_id_type_id (dataset_id=?)"],
    ),
    "documents": (
        "Document",
        {},
        ["SEARCH dataset USING COVERING INDEX ix_dataset_of_investigation (investigation_id=?)"],
    ),
}


@pytest.fixture
def filled(session: Session) -> Session:
    add_reference(session)
    for word in ("zinnia", "daisy", "aster"):
        add_dataset(session, word)
    return session


def to_steps(catalogue: Catalogue, session: Session, model: str, asked: dict[str, Any]) -> list[list[str]]:
    with closing(EmbeddedIndex(catalogue.settings.index_folder)) as index:
        question = parse_filter(json.dumps({"limit": 3, **asked}), model)
        return explain(catalogue, session, lambda: list_records(session, index, NOW, model, question))


@pytest.mark.parametrize("name", ASKED)
def test_what_is_asked_is_found_in_an_index(catalogue: Catalogue, filled: Session, name: str) -> None:
    model, asked, expected = ASKED[name]
    steps = [step for plan in to_steps(catalogue, filled, model, asked) for step in plan]
    assert [step for step in expected if step not in steps] == [], steps


@pytest.mark.parametrize("asked", [{}, {"skip": 4}])
def test_a_list_of_datasets_is_not_sorted(catalogue: Catalogue, filled: Session, asked: dict[str, Any]) -> None:
    plan = to_steps(catalogue, filled, "Dataset", asked)[0]
    assert plan == ["SCAN dataset USING INDEX ix_dataset_pid"]


@pytest.mark.parametrize("where", [{"value": {"gt": 0}}, ENERGY, TEMPERATURE], ids=["any", "two types", "one type"])
def test_what_many_are_like_is_found_among_the_first(
    catalogue: Catalogue, filled: Session, where: dict[str, Any]
) -> None:
    parameters = {"relation": "parameters", "scope": {"where": where}}
    plans = to_steps(catalogue, filled, "Dataset", {"include": [parameters], "limit": 1})
    steps = [step for plan in plans for step in plan]
    assert any("ix_dataset_parameter_dataset_id_type_id" in step for step in steps)
    assert not any("ix_dataset_parameter_value" in step or step.startswith("SCAN dataset_parameter") for step in steps)


def test_datasets_of_an_instrument_are_asked_for_one_instrument_at_a_time(
    catalogue: Catalogue, filled: Session
) -> None:
    instrument = {"relation": "datasets", "scope": {"limit": 1, "where": {"title": {"neq": "nothing"}}}}
    plans = to_steps(catalogue, filled, "Instrument", {"include": [instrument]})
    assert not any("SCAN dataset_instrument" in step for plan in plans for step in plan)
    assert sum(any("ix_dataset_pid" in step for step in plan) for plan in plans) >= 3


def test_datasets_are_counted_in_an_index(catalogue: Catalogue, filled: Session) -> None:
    plan = explain(catalogue, filled, lambda: count_records(filled, NOW, "Dataset", None))[-1]
    assert len(plan) == 1
    assert plan[0].startswith("SCAN dataset USING COVERING INDEX")
