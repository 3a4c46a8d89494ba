"""The door for whoever closes datasets: what is told is kept and can be followed; what is unclear is refused whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import Dataset, Facility, MasterFile, Notice, NoticeState, Root
from tests.entities import PAST, add_dataset
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

PATH = "/api/v1/notices"
ROOT = "/data/told"


@pytest.fixture
def notifier(catalogue: Catalogue, client: TestClient) -> TestClient:
    """Make a root, and carry a token that may tell."""
    with catalogue.sessions.begin() as session:
        facility = Facility(name="local")
        session.add(facility)
        session.flush()
        session.add(Root(path=ROOT, facility_id=facility.id))
        token = create_token(session, "acquisition", [Scope.NOTIFY], PAST, None)
    client.headers["Authorization"] = f"Bearer {token.text}"
    return client


def list_stored(catalogue: Catalogue) -> list[str]:
    with catalogue.sessions() as session:
        return list(session.scalars(select(Notice.path).order_by(Notice.id)))


@on_both_databases
def test_one_is_told_and_followed(catalogue: Catalogue, notifier: TestClient) -> None:
    order = {
        "path": f"{ROOT}/LaB6/",
        "proposal": "hc6001",
        "sample_name": "LaB6",
        "start_date": "2026-11-01T11:00:00+01:00",
        "parameters": {"InstrumentMonochromator_energy": "15.2"},
    }
    answer = notifier.post(PATH, json=order)
    (item,) = answer.json()["items"]
    assert (answer.status_code, answer.headers["location"]) == (202, f"{PATH}/{item['id']}")
    told = {
        "path": f"{ROOT}/LaB6",
        "state": "announced",
        "reason": None,
        "source": "http",
        "times_told": 1,
        "master_state": None,
        "dataset_id": None,
        "is_searchable": False,
        "links": {"self": f"{PATH}/{item['id']}", "dataset": None},
    }
    assert {name: item[name] for name in told} == told
    assert notifier.get(answer.headers["location"]).json() == item
    with catalogue.sessions() as session:
        stored = session.scalars(select(Notice)).one()
        assert (stored.proposal, stored.sample_name, stored.parameters) == ("hc6001", "LaB6", order["parameters"])
        assert stored.start_date is not None
        assert stored.start_date.isoformat() == "2026-11-01T10:00:00+00:00"


def test_told_again_it_is_the_same(notifier: TestClient) -> None:
    first, second = (notifier.post(PATH, json={"path": f"{ROOT}/a.h5"}).json()["items"][0] for _ in range(2))
    assert (second["id"], second["times_told"], second["told_at"]) == (first["id"], 2, first["told_at"])
    assert second["repeated_at"] >= first["repeated_at"]


def test_several_are_told_in_their_order(notifier: TestClient) -> None:
    paths = [f"{ROOT}/{name}.h5" for name in ("b", "a", "c")]
    answer = notifier.post(PATH, json=[{"path": path} for path in paths])
    assert (answer.status_code, "location" in answer.headers) == (202, False)
    assert [item["path"] for item in answer.json()["items"]] == paths


def test_place_outside_the_roots_is_refused_and_kept(catalogue: Catalogue, notifier: TestClient) -> None:
    mixed = notifier.post(PATH, json=[{"path": "/etc/a.h5"}, {"path": f"{ROOT}/a.h5"}])
    assert (mixed.status_code, [item["state"] for item in mixed.json()["items"]]) == (202, ["refused", "announced"])
    refused = notifier.post(PATH, json={"path": "/etc/b.h5"})
    assert (refused.status_code, refused.json()["code"]) == (403, "path_outside_roots")
    assert refused.headers["content-type"] == "application/problem+json"
    assert list_stored(catalogue) == ["/etc/a.h5", f"{ROOT}/a.h5", "/etc/b.h5"]


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"path": ""},
        {"path": "a.h5"},
        {"path": f"{ROOT}/a.h5\0"},
        {"path": "/" + "a" * 4096},
        {"path": f"{ROOT}/a.h5", "colour": "red"},
        {"path": f"{ROOT}/a.h5", "proposal": ""},
        {"path": f"{ROOT}/a.h5", "proposal": "\0"},
        {"path": f"{ROOT}/a.h5", "sample_name": "a" * 256},
        {"path": f"{ROOT}/a.h5", "start_date": "2026-11-01T10:00:00"},
        {"path": f"{ROOT}/a.h5", "start_date": "yesterday"},
        {"path": f"{ROOT}/a.h5", "start_date": "0001-01-01T00:00:00+14:00"},
        {"path": f"{ROOT}/a.h5", "end_date": "9999-12-31T23:00:00-14:00"},
        {"path": f"{ROOT}/a.h5", "parameters": {"a": 1}},
        {"path": f"{ROOT}/a.h5", "parameters": {"a\0": "1"}},
        {"path": f"{ROOT}/a.h5", "parameters": {"a": "\0"}},
        [],
        [{"path": f"{ROOT}/a.h5"}] * 1001,
        [{"path": f"{ROOT}/a.h5"}, {"path": "a.h5"}],
        None,
    ],
    ids=lambda order: str(order)[:70],
)
def test_order_that_is_not_clear_is_refused_and_kept_nowhere(
    catalogue: Catalogue, notifier: TestClient, order: Any
) -> None:
    answer = notifier.post(PATH, json=order)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameter")
    assert list_stored(catalogue) == []


def test_list_is_what_is_asked_for(catalogue: Catalogue, notifier: TestClient) -> None:
    notifier.post(PATH, json=[{"path": f"{ROOT}/{name}.h5"} for name in "abc"])
    notifier.post(PATH, json={"path": "/etc/d.h5"})
    with catalogue.sessions.begin() as session:
        waits = {"state": NoticeState.WAITING, "reason": "no master is there yet"}
        session.execute(update(Notice).where(Notice.path == f"{ROOT}/b.h5").values(**waits))
    for asked, found in (
        ({}, "dcba"),
        ({"state": "waiting"}, "b"),
        ({"state": ["waiting", "refused"]}, "db"),
        ({"path": f"{ROOT}/c.h5"}, "c"),
        ({"path": f"{ROOT}/c"}, ""),
        ({"path": ""}, "dcba"),
    ):
        items = notifier.get(PATH, params=asked).json()["items"]
        assert [item["path"][-4] for item in items] == list(found), asked
    first = notifier.get(PATH, params={"limit": 3}).json()
    second = notifier.get(first["links"]["next"]).json()
    assert [item["path"][-4] for item in (*first["items"], *second["items"])] == list("dcba")
    cursor = {"cursor": first["next"], "state": "waiting"}
    assert notifier.get(PATH, params=cursor).json()["code"] == "invalid_query"
    assert notifier.get(PATH, params={"state": "lost"}).status_code == 422


def test_notice_leads_to_its_dataset(catalogue: Catalogue, notifier: TestClient) -> None:
    number = notifier.post(PATH, json={"path": f"{ROOT}/a.h5"}).json()["items"][0]["id"]
    with catalogue.sessions.begin() as session:
        dataset_id = add_dataset(session, "nightshade", is_secret=True)
        master_id = session.get_one(Dataset, dataset_id).master_file_id
        session.execute(update(MasterFile).where(MasterFile.id == master_id).values(reason="a scan has no end"))
        accepted = {"state": NoticeState.ACCEPTED, "master_file_id": master_id}
        session.execute(update(Notice).values(**accepted))
    notice = notifier.get(f"{PATH}/{number}").json()
    assert (notice["dataset_id"], notice["links"]["dataset"]) == (dataset_id, f"/api/v1/datasets/{dataset_id}")
    assert (notice["master_state"], notice["reason"]) == ("ingested", "a scan has no end")
    catalogue.index_all()
    assert notifier.get(f"{PATH}/{number}").json() == notice | {"is_searchable": True}
    assert not notice["is_searchable"]


def test_notice_that_is_not_there(notifier: TestClient) -> None:
    answer = notifier.get(f"{PATH}/7")
    assert (answer.status_code, answer.json()["detail"]) == (404, "no notice 7")
