"""What Prometheus reads: answers counted by the route that gave them, and what waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from api.app import create_app
from api.settings import ApiSettings
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import MasterState
from ingest.catalogue.model.base import utc_now
from tests.entities import PAST, add_dataset, to_master

if TYPE_CHECKING:
    from tests.entities import Catalogue

Figures = dict[tuple[str, ...], float]


@pytest.fixture
def operator(catalogue: Catalogue) -> dict[str, str]:
    with catalogue.sessions.begin() as session:
        token = create_token(session, "prometheus", [Scope.OPERATE], PAST, None)
    return {"Authorization": f"Bearer {token.text}"}


def read_figures(client: TestClient, headers: dict[str, str]) -> Figures:
    """Return each figure by its name and the values of its labels."""
    answer = client.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def list_requests(figures: Figures) -> set[tuple[str, ...]]:
    return {key[1:] for key in figures if key[0] == "nxcat_http_requests_total"}


def test_requests_are_counted_by_their_route(
    client: TestClient, operator: dict[str, str], catalogue: Catalogue
) -> None:
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "zinnia")
    for path in (
        f"/api/v1/datasets/{dataset_id}",
        "/api/v1/datasets/999",
        f"/datasets/{dataset_id}",
        "/a/b",
        "/static/x",
    ):
        client.get(path)
    client.head(f"/api/v1/datasets/{dataset_id}")
    client.request("BREW", "/api/v1/datasets")
    client.delete("/api/v1/datasets")
    client.post("/api/v1/notices", content=b"x" * 9_000_000)
    figures = read_figures(client, operator)
    assert list_requests(figures) == {
        ("GET", "/api/v1/datasets/{dataset_id}", "200"),
        ("GET", "/api/v1/datasets/{dataset_id}", "404"),
        ("HEAD", "/api/v1/datasets/{dataset_id}", "200"),
        ("GET", "/datasets/{dataset_id}", "200"),
        ("GET", "/static", "404"),
        ("GET", "other", "404"),
        ("other", "/api/v1/datasets", "405"),
        ("DELETE", "/api/v1/datasets", "405"),
        ("POST", "other", "413"),
    }
    assert figures["nxcat_http_request_seconds_count", "GET", "/api/v1/datasets/{dataset_id}"] == 2
    assert figures[("nxcat_http_requests_in_flight",)] == 1
    assert ("GET", "/metrics", "200") in list_requests(read_figures(client, operator))


def test_what_fails_is_counted_as_such(client: TestClient, operator: dict[str, str]) -> None:
    engine = client.app.state.services.engine

    @event.listens_for(engine, "before_cursor_execute")
    def fail(*_asked: object) -> None:
        raise ValueError("our own mistake")

    client.get("/api/v1/datasets/1")
    event.remove(engine, "before_cursor_execute", fail)
    assert ("GET", "/api/v1/datasets/{dataset_id}", "500") in list_requests(read_figures(client, operator))


def test_below_a_proxys_path_the_route_is_the_same(catalogue: Catalogue, operator: dict[str, str]) -> None:
    app = create_app(catalogue.settings, ApiSettings(root_path="/catalogue"))
    with TestClient(app, root_path="/catalogue") as client:
        client.get("/catalogue/api/v1/datasets/1")
        client.get("/catalogue/static/x")
        client.get("/api/v1/datasets")
        found = list_requests(read_figures(client, operator))
    assert found == {
        ("GET", "/api/v1/datasets/{dataset_id}", "404"),
        ("GET", "/static", "404"),
        ("GET", "/api/v1/datasets", "200"),
    }


def test_what_waits_is_counted_by_state_and_named_nowhere(
    client: TestClient, operator: dict[str, str], catalogue: Catalogue
) -> None:
    now = utc_now()
    with catalogue.sessions.begin() as session:
        add_dataset(session, "nightshade", is_secret=True, revision=4, indexed_revision=1, modified_at=now)
        session.add(to_master(1, "/data/q.h5", state=MasterState.QUARANTINED, reason="nightshade"))
        for number, instrument in enumerate(["nightshade", "id11"]):
            row = {"state": MasterState.READY, "instrument": instrument, "next_attempt_at": PAST}
            session.add(to_master(1, f"/data/nightshade{number}.h5", **row))
        add_dataset(
            session,
            "daisy",
            closed_at=now - timedelta(seconds=8),
            searchable_at=now - timedelta(seconds=2),
            indexed_revision=1,
        )
    figures = read_figures(client, operator)
    assert figures["nxcat_masters_waiting", "ready", "due"] == 2
    assert figures[("nxcat_masters_quarantined",)] == 1
    assert figures[("nxcat_oldest_due_timestamp_seconds",)] == PAST.timestamp()
    assert (figures[("nxcat_datasets_unindexed",)], figures[("nxcat_index_revisions_behind",)]) == (1, 3)
    assert figures[("nxcat_searchable_median_seconds",)] == 6
    assert not any("nightshade" in word or "id11" in word for key in figures for word in key)


def test_what_is_not_there_is_no_zero(client: TestClient, operator: dict[str, str]) -> None:
    names = {key[0] for key in read_figures(client, operator)}
    assert names.isdisjoint(
        {"nxcat_oldest_due_timestamp_seconds", "nxcat_index_behind_timestamp_seconds", "nxcat_searchable_p95_seconds"}
    )
