"""A bad token is refused everywhere, a good one opens what its scopes say, and none is ever repeated."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from api.dependencies import get_now
from ingest.catalogue.access import Scope, create_token, revoke_token
from ingest.catalogue.model.base import utc_now
from tests.entities import PAST, add_dataset

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from tests.entities import Catalogue

DATASETS, STATUS = "/api/v1/datasets", "/api/v1/status"
GUESS = "nxcat_" + "A" * 43


def give_out(catalogue: Catalogue, *scopes: Scope, expires_at: datetime | None = None) -> str:
    with catalogue.sessions.begin() as session:
        return create_token(session, "somebody", scopes, PAST, expires_at).text


@pytest.mark.parametrize("path", [DATASETS, f"{DATASETS}/1", f"{DATASETS}/1/files", STATUS])
@pytest.mark.parametrize(
    "given",
    [
        f"Bearer {GUESS}",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        f"Bearer {GUESS},{GUESS}",
        "Bearer \xe4\xf6",
        "Bearer " + "A" * 10_000,
        f"Basic {GUESS}",
        GUESS,
        "",
        " ",
    ],
    ids=lambda given: repr(given[:20]),
)
def test_what_is_no_good_token_is_refused_everywhere(client: TestClient, path: str, given: str) -> None:
    answer = client.get(path, headers={"Authorization": given.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="nxcat", error="invalid_token"'
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid_token"
    assert "AAAA" not in answer.text


def test_two_tokens_are_no_token(catalogue: Catalogue, client: TestClient) -> None:
    header = ("Authorization", f"Bearer {give_out(catalogue, Scope.READ)}")
    assert client.get(DATASETS, headers=[header]).status_code == 200
    assert client.get(DATASETS, headers=[header, header]).status_code == 401


def test_name_of_the_scheme_is_read_in_any_case(catalogue: Catalogue, client: TestClient) -> None:
    token = give_out(catalogue, Scope.OPERATE)
    assert client.get(STATUS, headers={"Authorization": f"bearer {token}"}).status_code == 200
    assert client.get(STATUS, headers={"Authorization": f"Bearer {token.lower()}"}).status_code == 401


def test_token_ends_at_its_instant(app: FastAPI, catalogue: Catalogue, client: TestClient) -> None:
    end = utc_now()
    headers = {"Authorization": f"Bearer {give_out(catalogue, Scope.READ, expires_at=end)}"}
    for moment, status in ((end - timedelta(microseconds=1), 200), (end, 401)):
        app.dependency_overrides[get_now] = lambda moment=moment: moment
        assert client.get(DATASETS, headers=headers).status_code == status


def test_revoked_token_is_refused_from_the_next_request_on(catalogue: Catalogue, client: TestClient) -> None:
    headers = {"Authorization": f"Bearer {give_out(catalogue, Scope.READ)}"}
    assert client.get(DATASETS, headers=headers).status_code == 200
    with catalogue.sessions.begin() as session:
        revoke_token(session, 1, utc_now())
    assert client.get(DATASETS, headers=headers).status_code == 401


def test_without_a_token_one_is_asked_for_and_nothing_is_said_to_be_wrong(client: TestClient) -> None:
    answer = client.get(STATUS)
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="nxcat"'
    assert "operate" in answer.json()["detail"]


def test_missing_scope_is_named(catalogue: Catalogue, client: TestClient) -> None:
    answer = client.get(STATUS, headers={"Authorization": f"Bearer {give_out(catalogue, Scope.READ)}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert answer.headers["www-authenticate"] == 'Bearer realm="nxcat", error="insufficient_scope", scope="operate"'
    assert "scope operate" in answer.json()["detail"]


def test_token_is_never_repeated(catalogue: Catalogue, client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Neither in an answer nor in a line of the log, whatever goes wrong while it is carried."""
    token = give_out(catalogue, Scope.READ, Scope.OPERATE)
    secret = token.removeprefix("nxcat_")
    answers = []
    with caplog.at_level(logging.DEBUG):
        for headers in ({"Authorization": f"Bearer {token}"}, {"Authorization": f"Token {token}"}):
            answers += [client.get(path, headers=headers) for path in (DATASETS, STATUS, f"{DATASETS}?limit=0", "/nix")]
        with catalogue.engine.begin() as connection:
            connection.execute(text("ALTER TABLE token RENAME TO gone"))
        answers.append(client.get(STATUS, headers={"Authorization": f"Bearer {token}"}))
    assert [answer.status_code for answer in answers] == [200, 200, 422, 404, 401, 401, 401, 404, 503]
    assert not any(secret in answer.text + str(answer.headers) for answer in answers)
    assert any("no such table: token" in str(record.exc_info) for record in caplog.records)
    assert secret not in caplog.text


def test_reader_finds_what_is_closed(catalogue: Catalogue, client: TestClient) -> None:
    with catalogue.sessions.begin() as session:
        add_dataset(session, "nightshade", is_secret=True)
    catalogue.index_all()
    headers = {"Authorization": f"Bearer {give_out(catalogue, Scope.READ)}"}
    assert client.get(DATASETS).json()["total"] == 0
    assert client.get(DATASETS, headers=headers).json()["total"] == 1
