"""Lists and the queue cost what they give: SQLite looks rows up in an index and never reads through them."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select

from ingest.catalogue.browsing import list_files, list_parameters, list_scans
from ingest.catalogue.investigations import (
    InvestigationQuestion,
    InvestigationSort,
    get_investigation,
    list_investigations,
)
from ingest.catalogue.masters import claim_next, release_abandoned
from ingest.catalogue.model import ParameterType
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.parameter_types import get_parameter_type
from ingest.catalogue.samples import SampleQuestion, get_sample, list_samples
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR, Viewer
from tests.entities import END, add_dataset

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

NOW = END.replace(year=2026)
GROWING = ("dataset", "scan", "dataset_parameter", "datafile", "master_file", "master_record", "dataset_instrument")
FIRST = PageRequest(limit=2)
ASKED: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str | None]] = {
    "newest investigations": (list_investigations, (InvestigationQuestion(), FIRST), "ix_dataset_of_investigation"),
    "investigations by name": (
        list_investigations,
        (InvestigationQuestion(sort=InvestigationSort.NAME), FIRST),
        "ix_dataset_of_investigation",
    ),
    "some investigations": (
        list_investigations,
        (InvestigationQuestion(instruments=("zinnia-bm",), samples=("zinnia sample",), date="2019"), FIRST),
        "ix_scan_sample_id_dataset_id",
    ),
    "investigation": (get_investigation, (1,), "ix_dataset_of_investigation"),
    "samples": (list_samples, (SampleQuestion(), FIRST), "ix_sample_name_id"),
    "samples by name": (list_samples, (SampleQuestion(names=("zinnia sample",)), FIRST), "ix_sample_name_id"),
    "samples by formula": (list_samples, (SampleQuestion(formulas=("zinniaO2",)), FIRST), "ix_sample_type_id"),
    "samples of an investigation": (list_samples, (SampleQuestion(investigation_id=1), FIRST), None),
    "sample": (get_sample, (1,), "ix_scan_sample_id_dataset_id"),
    "scans": (list_scans, (1, FIRST), None),
    "parameters": (list_parameters, (1, FIRST), "ix_dataset_parameter_dataset_id_type_id"),
    "files": (list_files, (1, FIRST), None),
}


def explain(catalogue: Catalogue, session: Session, ask: Callable[[], Any]) -> list[list[str]]:
    """Return SQLite's plan of each statement that is asked."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(catalogue.engine, "before_cursor_execute", note)
    ask()
    event.remove(catalogue.engine, "before_cursor_execute", note)
    assert asked
    explained = session.connection().exec_driver_sql
    return [[row[3] for row in explained(f"EXPLAIN QUERY PLAN {one}", values)] for one, values in asked]


@pytest.mark.parametrize("viewer", [ANONYMOUS, OPERATOR], ids=["anonymous", "operator"])
@pytest.mark.parametrize("name", ASKED)
def test_nothing_that_grows_is_read_through(catalogue: Catalogue, session: Session, name: str, viewer: Viewer) -> None:
    for word in ("zinnia", "daisy", "aster"):
        add_dataset(session, word)
    read, arguments, index = ASKED[name]
    plans = explain(catalogue, session, lambda: read(session, viewer, NOW, *arguments))
    steps = [step for plan in plans for step in plan]
    for step in steps:
        assert not any(f"{step} ".startswith(f"SCAN {table} ") for table in GROWING), step
    assert index is None or any(index in step for step in steps), steps


def test_samples_are_read_in_their_order_and_no_further(catalogue: Catalogue, session: Session) -> None:
    add_dataset(session, "zinnia")
    plan = explain(catalogue, session, lambda: list_samples(session, ANONYMOUS, NOW, SampleQuestion(), FIRST))[0]
    assert plan[0] == "SCAN sample USING COVERING INDEX ix_sample_name_id"
    assert not any("ORDER BY" in step for step in plan)


def test_files_are_read_in_their_order_and_no_further(catalogue: Catalogue, session: Session) -> None:
    dataset_id = add_dataset(session, "zinnia", files=3)
    cursor = list_files(session, ANONYMOUS, NOW, dataset_id, FIRST).next_cursor
    request = PageRequest(limit=2, cursor=cursor)
    plan = explain(catalogue, session, lambda: list_files(session, ANONYMOUS, NOW, dataset_id, request))[-1]
    assert len(plan) == 1
    assert "(dataset_id=? AND ordinal>?)" in plan[0]


def test_examples_are_looked_up_by_dataset_and_parameter(catalogue: Catalogue, session: Session) -> None:
    with catalogue.sessions.begin() as other:
        add_dataset(other, "zinnia")
    catalogue.index_all()
    type_id = session.scalars(select(ParameterType.id).where(ParameterType.name == "zinnia_remark")).one()
    with closing(EmbeddedIndex(catalogue.settings.index_folder)) as index:
        plan = explain(catalogue, session, lambda: get_parameter_type(session, index, ANONYMOUS, NOW, type_id))[-1]
    assert any("(dataset_id=? AND type_id=?)" in step for step in plan), plan
    assert not any("ORDER BY" in step for step in plan), plan


@pytest.mark.parametrize("root_ids", [None, [1]], ids=["of all roots", "of one root"])
def test_the_next_master_is_claimed_however_many_are_due(
    catalogue: Catalogue, session: Session, root_ids: list[int] | None
) -> None:
    plan = explain(catalogue, session, lambda: claim_next(session, "host:1:1:1", NOW, root_ids))[-1]
    assert any("ix_master_file_queue (next_attempt_at<?)" in step for step in plan), plan
    assert not any("ORDER BY" in step for step in plan), plan


def test_abandoned_masters_are_found_however_many_are_due(catalogue: Catalogue, session: Session) -> None:
    plan = explain(catalogue, session, lambda: release_abandoned(session, NOW, timedelta(minutes=1), 3))[-1]
    assert any("ix_master_file_claimed" in step for step in plan), plan
