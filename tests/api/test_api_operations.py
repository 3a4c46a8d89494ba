"""What the operator sees and does by the API is what the command line shows and does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, select

from ingest import console
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import MasterFile, MasterState, Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.status import get_status
from tests.entities import PAST, add_dataset, to_master

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

STATUS, QUARANTINE, RETRY = "/api/v1/status", "/api/v1/quarantine", "/api/v1/quarantine/retry"


@pytest.fixture
def paths(catalogue: Catalogue) -> list[str]:
    """Put three masters into quarantine, beside one that was read."""
    with catalogue.sessions.begin() as session:
        add_dataset(session, "nightshade", is_secret=True)
        root_id = session.scalars(select(Root.id)).one()
        named = [f"/data/bad-{number}.h5" for number in range(3)]
        bad = {"state": MasterState.QUARANTINED, "reason": "not HDF5", "last_error": "no signature", "failures": 3}
        session.add_all(to_master(root_id, path, **bad) for path in named)
    return named


@pytest.fixture
def operator(catalogue: Catalogue, client: TestClient) -> TestClient:
    with catalogue.sessions.begin() as session:
        token = create_token(session, "night shift", [Scope.OPERATE], PAST, None)
    client.headers["Authorization"] = f"Bearer {token.text}"
    return client


def list_states(catalogue: Catalogue) -> dict[str, str]:
    chosen = select(MasterFile.path, MasterFile.state).where(MasterFile.path.like("/data/bad%"))
    with catalogue.sessions() as session:
        return dict(session.execute(chosen).all())


@pytest.mark.usefixtures("paths")
def test_status_is_what_the_command_prints(
    catalogue: Catalogue, operator: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    with catalogue.sessions() as session:
        console.print_json(get_status(session, utc_now()))
    printed = json.loads(capsys.readouterr().out)
    answered = operator.get(STATUS).json()
    assert answered == printed
    assert (answered["masters"], answered["quarantine"]) == ({"ingested": 1, "quarantined": 3}, {"not HDF5": 3})
    assert answered["roots"][0]["facility"] == "nightshade facility"


def test_quarantine_is_listed_in_pages(operator: TestClient, paths: list[str]) -> None:
    first = operator.get(QUARANTINE, params={"limit": 2}).json()
    second = operator.get(first["links"]["next"]).json()
    items: list[dict[str, Any]] = first["items"] + second["items"]
    assert [item["path"] for item in items] == paths
    assert second["next"] is None
    assert {key: items[0][key] for key in ("reason", "last_error", "failures", "file_size")} == {
        "reason": "not HDF5",
        "last_error": "no signature",
        "failures": 3,
        "file_size": 10,
    }


def test_named_masters_are_made_due_and_no_others(catalogue: Catalogue, operator: TestClient, paths: list[str]) -> None:
    with catalogue.sessions() as session:
        read = session.scalars(select(MasterFile.path).where(MasterFile.state == MasterState.INGESTED)).one()
    answer = operator.post(RETRY, json={"paths": [paths[1], read, "/data/nowhere.h5"]})
    assert (answer.status_code, answer.json()) == (200, {"count": 1})
    assert list_states(catalogue) == {paths[0]: "quarantined", paths[1]: "ready", paths[2]: "quarantined"}
    assert [item["path"] for item in operator.get(QUARANTINE).json()["items"]] == [paths[0], paths[2]]
    assert operator.get(STATUS).json()["waiting_count"] == 1


def test_all_are_made_due(catalogue: Catalogue, operator: TestClient, paths: list[str]) -> None:
    assert operator.post(RETRY, json={"all": True}).json() == {"count": 3}
    assert operator.post(RETRY, json={"all": True}).json() == {"count": 0}
    assert list_states(catalogue) == dict.fromkeys(paths, "ready")


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"all": False},
        {"all": True, "paths": ["/data/bad-0.h5"]},
        {"paths": []},
        {"paths": [""]},
        {"paths": ["/data/bad-0.h5\0"]},
        {"paths": ["/a"] * 1001},
        {"path": "/data/bad-0.h5"},
        [],
        None,
        "all",
    ],
    ids=lambda order: str(order)[:30],
)
def test_order_that_is_not_clear_is_refused_and_retries_nothing(
    catalogue: Catalogue, operator: TestClient, paths: list[str], order: Any
) -> None:
    answer = operator.post(RETRY, json=order)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert list_states(catalogue) == dict.fromkeys(paths, "quarantined")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
@pytest.mark.usefixtures("paths")
def test_body_that_is_no_json_is_refused(operator: TestClient, body: bytes) -> None:
    answer = operator.post(RETRY, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_retry_is_committed_before_it_is_answered_and_undone_if_it_fails(
    catalogue: Catalogue, operator: TestClient, paths: list[str]
) -> None:
    engine = operator.app.state.services.engine

    @event.listens_for(engine, "commit")
    def fail(_connection: Any) -> None:
        raise ValueError("the disk is full")

    assert operator.post(RETRY, json={"all": True}).status_code == 500
    event.remove(engine, "commit", fail)
    assert list_states(catalogue) == dict.fromkeys(paths, "quarantined")


def test_stranger_neither_retries_nor_sees(catalogue: Catalogue, client: TestClient, paths: list[str]) -> None:
    for answer in (client.get(QUARANTINE), client.post(RETRY, json={"all": True}), client.get(STATUS)):
        assert answer.status_code == 401
        assert "bad-" not in answer.text
    assert list_states(catalogue) == dict.fromkeys(paths, "quarantined")
