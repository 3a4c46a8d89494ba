"""Techniques are found by the terms of PaNET: the ten examples of its requirements, on ten datasets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.catalogue.model import Dataset, DatasetTechnique, Technique
from ingest.catalogue.panosc.answering import list_records
from ingest.catalogue.panosc.request import parse_filter
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.technique_terms import find_technique
from tests.entities import add_dataset
from tests.panosc import PANET
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

NOW = datetime(2026, 11, 21, tzinfo=UTC)
EMISSION, TOMOGRAPHY = "x-ray emission spectroscopy", "magnetic x-ray tomography"
GRAZING, ANOMALOUS = "grazing incidence small angle scattering", "anomalous solution x-ray scattering"
DATASETS = [
    ["resonant inelastic x-ray scattering"],
    [ANOMALOUS],
    ["grazing incidence small angle x-ray scattering"],
    ["inelastic x-ray small angle scattering"],
    ["soft x-ray small angle scattering"],
    [TOMOGRAPHY],
    [EMISSION],
    [EMISSION, TOMOGRAPHY],
    [EMISSION, GRAZING],
    [EMISSION, ANOMALOUS],
]
SMALL, MAGNETIC = {"name": "small angle scattering"}, {"name": "magnetism technique"}
XRAY = {"name": "x-ray probe technique"}


def denied(where: dict[str, str]) -> dict[str, Any]:
    return {name: {"neq": value} for name, value in where.items()}


def by_pid(where: dict[str, str]) -> dict[str, str]:
    term = find_technique(where["name"])
    assert term is not None
    return {"pid": term.pid}


ALL = list(range(1, 11))
EXAMPLES: list[tuple[dict[str, Any], list[int]]] = [
    ({"name": EMISSION}, [7, 8, 9, 10]),
    (SMALL, [2, 3, 4, 5, 9, 10]),
    (denied({"name": EMISSION}), [1, 2, 3, 4, 5, 6]),
    (denied(SMALL), [1, 6, 7, 8]),
    ({"and": [SMALL, MAGNETIC]}, []),
    ({"or": [SMALL, MAGNETIC]}, [2, 3, 4, 5, 6, 8, 9, 10]),
    ({"and": [SMALL, XRAY]}, [2, 3, 4, 5, 9, 10]),
    ({"or": [SMALL, XRAY]}, ALL),
    ({"and": [SMALL, denied(XRAY)]}, []),
    ({"and": [SMALL, denied(MAGNETIC)]}, [2, 3, 4, 5, 9, 10]),
    # The same by identifiers, and by lists of them.
    (by_pid(SMALL), [2, 3, 4, 5, 9, 10]),
    ({"panetId": {"eq": by_pid(SMALL)["pid"]}}, [2, 3, 4, 5, 9, 10]),
    (denied(by_pid(SMALL)), [1, 6, 7, 8]),
    ({"and": [by_pid(SMALL), by_pid(XRAY)]}, [2, 3, 4, 5, 9, 10]),
    ({"pid": {"inq": [by_pid(MAGNETIC)["pid"], by_pid({"name": EMISSION})["pid"]]}}, [6, 7, 8, 9, 10]),
    ({"pid": {"nin": [by_pid(MAGNETIC)["pid"], by_pid({"name": EMISSION})["pid"]]}}, [1, 2, 3, 4, 5]),
    # Other names and spellings of a term, and parts of names.
    ({"name": "SAXS"}, [2, 3, 4, 5, 10]),
    ({"name": "Small-Angle Scattering"}, [2, 3, 4, 5, 9, 10]),
    ({"name": {"ilike": "SMALL ANGLE SCATTER"}}, [2, 3, 4, 5, 9, 10]),
    ({"name": {"nlike": "small angle scatter"}}, [1, 6, 7, 8, 9, 10]),
    ({"text": "emission spectroscopy"}, [7, 8, 9, 10]),
    ({"name": {"regexp": "^magnetism t"}}, [6, 8]),
    # A name that no ontology has is a name like any other, and then each technique is looked at by itself.
    ({"name": "home-made"}, []),
    ({"name": {"neq": "home-made"}}, ALL),
    ({"and": [SMALL, XRAY, {"name": {"neq": "home-made"}}]}, [2, 3, 4, 5, 10]),
    ({"panetId": None}, []),
    ({"panetId": {"neq": None}}, ALL),
    ({"panetId": {"like": "PaNET01313"}}, [6, 8]),
]  # fmt: skip


def add_datasets(session: Session) -> None:
    """Add the ten, their techniques as files write them: with the identifier of the term, or by its name alone."""
    known: dict[str, Technique] = {}
    first = None
    for number, names in enumerate(DATASETS, 1):
        dataset_id = add_dataset(session, f"data{number}", beside=first, doi=f"10.5072/{number:02}")
        first = first or dataset_id
        session.query(DatasetTechnique).filter_by(dataset_id=dataset_id).delete()
        for name in names:
            term = find_technique(name)
            assert term is not None
            pid = None if name == ANOMALOUS else term.pid
            technique = known.setdefault(name, Technique(name=name, pid=pid))
            session.add(technique)
            session.flush()
            session.add(DatasetTechnique(dataset_id=dataset_id, technique_id=technique.id, origin="read"))


@on_both_databases
def test_terms_find_what_is_narrower(catalogue: Catalogue) -> None:
    with catalogue.sessions.begin() as session:
        add_datasets(session)
        pids = [dataset.doi for dataset in session.query(Dataset).order_by(Dataset.id)]
    index = EmbeddedIndex(catalogue.settings.index_folder)

    def find(model: str, *include: Any) -> list[dict[str, Any]]:
        asked = parse_filter(json.dumps({"include": include}), model)
        with catalogue.sessions() as session:
            return list_records(session, index, NOW, model, asked)

    for where, expected in EXAMPLES:
        inclusion = {"relation": "techniques", "scope": {"where": where}}
        found = find("Dataset", inclusion)
        assert [pids.index(each["pid"]) + 1 for each in found] == expected, where
        (document,) = find("Document", {"relation": "datasets", "scope": {"include": [inclusion]}}) or [{}]
        assert len(document.get("datasets", [])) == len(expected), where
    shown = find("Dataset", {"relation": "techniques", "scope": {"where": {"and": [SMALL, XRAY]}}})[4]
    assert {each["name"] for each in shown["techniques"]} == {EMISSION, GRAZING}
    shown = find("Dataset", {"relation": "techniques", "scope": {"where": denied(SMALL)}})[3]
    assert {each["panetId"] for each in shown["techniques"]} == {f"{PANET}01200", f"{PANET}01313"}
    shown = find("Dataset", {"relation": "techniques", "scope": {"where": {"name": EMISSION}}})[3]
    assert [each["name"] for each in shown["techniques"]] == [EMISSION]
    index.close()
