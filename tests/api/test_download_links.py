"""Signed links: made for a while, good as they stand, and for nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from api.app import create_app
from api.dependencies import get_now
from api.settings import ApiSettings
from api.signing import Signer
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.link_keys import list_link_keys, rotate_link_keys
from ingest.catalogue.model import LinkKey, Token
from ingest.catalogue.model.base import utc_now
from tests.api.folders import Shelf, fetch, serving
from tests.api.test_download_files import AWKWARD
from tests.entities import FUTURE, PAST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from httpx2 import Response

    from ingest.catalogue.access import NewToken
    from tests.entities import Catalogue

PUBLIC = "https://data.example.org/catalogue"
FILES = {"a.h5": b"first", "scan 1/µ.h5": b"second", "c.h5": b"third"}
A_DAY = 86_400


@pytest.fixture(scope="module")
def app(module_catalogue: Catalogue) -> FastAPI:
    return create_app(module_catalogue.settings, ApiSettings(public_url=PUBLIC))


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as started:
        yield started


@pytest.fixture(autouse=True)
def _put_the_clock_back(app: FastAPI) -> Iterator[None]:
    yield
    app.dependency_overrides.clear()


@pytest.fixture(scope="module")
def shelf(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(module_catalogue, tmp_path_factory.mktemp("root").resolve())


@pytest.fixture(scope="module")
def closed_id(shelf: Shelf) -> int:
    return shelf.add("hellebore", FILES, release_date=FUTURE)


@pytest.fixture(scope="module")
def open_id(shelf: Shelf) -> int:
    return shelf.add("zinnia", FILES)


@pytest.fixture(scope="module")
def token(module_catalogue: Catalogue) -> NewToken:
    with module_catalogue.sessions.begin() as session:
        return create_token(session, "reader", [Scope.READ], PAST, None)


def order(
    client: TestClient, dataset_id: int, token: NewToken | None = None, question: str = "", **said: Any
) -> Response:
    headers = {"Authorization": f"Bearer {token.text}"} if token else {}
    return client.post(f"/api/v1/datasets/{dataset_id}/links{question}", headers=headers, json=said or None)


def sign(client: TestClient, dataset_id: int, token: NewToken | None = None, **said: Any) -> str:
    """Return the link to the first file, as this client asks for it."""
    answer = order(client, dataset_id, token, **said)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["items"][0]["address"]).removeprefix(PUBLIC)


def change(link: str, **parts: str | None) -> str:
    """Return the link with other parts, or without those that are None."""
    path, _, query = link.partition("?")
    known = dict(parse_qsl(query)) | parts
    return f"{path}?{urlencode({name: value for name, value in known.items() if value is not None})}"


def assert_invalid(answer: Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")
    assert "ask for a new one" in answer.json()["detail"]


# --- ordering -------------------------------------------------------------------------------------------------------


def test_links_are_those_of_all_files_and_of_the_archive(
    client: TestClient, app: FastAPI, closed_id: int, token: NewToken
) -> None:
    now = utc_now()
    app.dependency_overrides[get_now] = lambda: now
    links = order(client, closed_id, token).json()
    assert links["expires_at"] == f"{now.replace(microsecond=0) + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"
    assert [(item["name"], item["file_size"]) for item in links["items"]] == [
        (name, len(content)) for name, content in FILES.items()
    ]
    for item, content in zip(links["items"], FILES.values(), strict=True):
        assert item["address"].startswith(f"{PUBLIC}/files/{closed_id}/{quote(item['name'])}?")
        assert client.get(item["address"].removeprefix(PUBLIC)).content == content
    assert links["archive"].startswith(f"{PUBLIC}/archives/{closed_id}.zip?")
    assert client.get(links["archive"].removeprefix(PUBLIC)).status_code == 200


def test_link_to_a_file_of_any_name_opens_it(app: FastAPI, shelf: Shelf, token: NewToken) -> None:
    """Over a real socket: the client of the other tests decodes addresses twice."""
    dataset_id = shelf.add("awkward", {name: name.encode() for name in AWKWARD}, release_date=FUTURE)
    with serving(app) as address:
        ordered = fetch(address, f"/api/v1/datasets/{dataset_id}/links", "POST", Authorization=f"Bearer {token.text}")
        links = json.loads(ordered.body)["items"]
        assert [link["name"] for link in links] == list(AWKWARD)
        for link in links:
            assert fetch(address, link["address"].removeprefix(PUBLIC)).body == link["name"].encode()


def test_link_says_until_when_for_whom_and_by_which_key(
    client: TestClient, shelf: Shelf, closed_id: int, open_id: int, token: NewToken
) -> None:
    with shelf.catalogue.sessions() as session:
        newest = list_link_keys(session)[0].id
    for dataset_id, who, subject in ((closed_id, token, str(token.id)), (open_id, None, "none")):
        parts = dict(parse_qsl(urlsplit(sign(client, dataset_id, who, expires_in=3600)).query))
        assert parts.keys() == {"expires", "subject", "key", "signature"}
        assert (parts["subject"], parts["key"]) == (subject, str(newest))
        assert 3590 <= int(parts["expires"]) - utc_now().timestamp() <= 3600


def test_links_are_made_page_by_page(client: TestClient, closed_id: int, token: NewToken) -> None:
    first = order(client, closed_id, token, "?limit=2").json()
    assert [item["name"] for item in first["items"]] == list(FILES)[:2]
    rest = order(client, closed_id, token, f"?limit=2&cursor={first['next']}").json()
    assert [item["name"] for item in rest["items"]] == list(FILES)[2:]
    assert rest["next"] is None
    other = client.get(
        f"/api/v1/datasets/{closed_id}/scans?cursor={first['next']}", headers={"Authorization": f"Bearer {token.text}"}
    )
    assert other.status_code == 400


def test_links_are_made_to_the_files_that_are_named(client: TestClient, closed_id: int, token: NewToken) -> None:
    wanted = list(FILES)[::-2]
    answer = order(client, closed_id, token, "?limit=1", files=wanted).json()
    assert [item["name"] for item in answer["items"]] == wanted
    assert answer["next"] is None


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"files": ["none.h5"]}, 404),
        ({"files": ["a.h5", "none.h5"]}, 404),
        ({"files": ["../a.h5"]}, 404),
        ({"files": ["a.h5\0"]}, 422),
        ({"files": []}, 422),
        ({"files": ["a.h5"] * 1001}, 422),
        ({"files": "a.h5"}, 422),
        ({"expires_in": 0}, 422),
        ({"expires_in": -1}, 422),
        ({"expires_in": A_DAY + 1}, 422),
        ({"expires_in": "soon"}, 422),
        ({"expires": 60}, 422),
    ],
    ids=str,
)
def test_order_that_cannot_be_is_refused(
    client: TestClient, closed_id: int, token: NewToken, said: dict[str, Any], status: int
) -> None:
    assert order(client, closed_id, token, **said).status_code == status


def test_file_that_is_gone_has_no_link(client: TestClient, shelf: Shelf, token: NewToken) -> None:
    dataset_id = shelf.add("vanishing", FILES)
    shelf.set(dataset_id, "a.h5", is_vanished=True)
    assert order(client, dataset_id, token, files=["a.h5"]).status_code == 410
    assert [item["name"] for item in order(client, dataset_id).json()["items"]] == list(FILES)[1:]


def test_link_holds_for_a_day_at_most(client: TestClient, app: FastAPI, closed_id: int, token: NewToken) -> None:
    now = utc_now().replace(microsecond=0)
    app.dependency_overrides[get_now] = lambda: now
    link = sign(client, closed_id, token, expires_in=A_DAY)
    app.dependency_overrides[get_now] = lambda: now + timedelta(seconds=A_DAY - 1)
    assert client.get(link).status_code == 200
    app.dependency_overrides[get_now] = lambda: now + timedelta(seconds=A_DAY)
    assert client.get(link).status_code == 410


# --- links that were changed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        {"expires": "99999999999"},
        {"expires": "9" * 30},
        {"expires": "soon"},
        {"expires": ""},
        {"expires": "-1"},
        {"expires": None},
        {"subject": "none"},
        {"subject": "999"},
        {"subject": "0"},
        {"subject": "x"},
        {"subject": "9" * 30},
        {"subject": None},
        {"key": "999"},
        {"key": "0"},
        {"key": "-1"},
        {"key": "x"},
        {"key": "9" * 19},
        {"key": "9" * 30},
        {"key": None},
        {"signature": ""},
        {"signature": "x"},
        {"signature": "\u00e9\ud7ff"},
        {"signature": None},
        {"more": "1"},
    ],
    ids=str,
)
def test_link_of_which_a_part_was_changed_opens_nothing(
    client: TestClient, closed_id: int, token: NewToken, parts: dict[str, str | None]
) -> None:
    answer = client.get(change(sign(client, closed_id, token), **parts))
    assert_invalid(answer)
    assert "hellebore" not in answer.text


def test_link_is_good_in_one_spelling_only(client: TestClient, closed_id: int, token: NewToken) -> None:
    link = sign(client, closed_id, token)
    parts = dict(parse_qsl(urlsplit(link).query))
    for name in ("expires", "subject", "key"):
        for spelling in (f"0{parts[name]}", f"+{parts[name]}", f"{parts[name]} ", f"{parts[name]}.0"):
            assert_invalid(client.get(change(link, **{name: spelling})))
    assert_invalid(client.get(change(link, signature=f"{parts['signature']}=")))
    assert_invalid(client.get(f"{link}&key={parts['key']}"))
    for place in (0, 20, -1):
        other = "A" if parts["signature"][place] != "A" else "B"
        signature = list(parts["signature"])
        signature[place] = other
        assert_invalid(client.get(change(link, signature="".join(signature))))


def test_number_of_any_length_is_none(client: TestClient, closed_id: int, token: NewToken) -> None:
    link = sign(client, closed_id, token)
    for name in ("expires", "subject", "key"):
        assert_invalid(client.get(change(link, **{name: "9" * 5000})))


def test_every_part_is_signed() -> None:
    now = utc_now()
    signers = [
        Signer(key, b"x" * 32, who, now + timedelta(days=day))
        for key in (1, 2)
        for who in (1, 2, None)
        for day in (0, 1)
    ]
    queries = [signer.sign_path(path) for signer in signers for path in ("/files/1/a", "/files/1/b")]
    assert len({dict(parse_qsl(query))["signature"] for query in queries}) == len(queries) == 24


def test_link_opens_its_own_path_only(client: TestClient, closed_id: int, open_id: int, token: NewToken) -> None:
    path, _, query = sign(client, closed_id, token).partition("?")
    for other in ("c.h5", "A.h5", "scan%201/%C2%B5.h5", "none.h5", ""):
        assert_invalid(client.get(f"/files/{closed_id}/{other}?{query}"))
    assert_invalid(client.get(f"/archives/{closed_id}.zip?{query}"))
    # Also where everybody may: a link that somebody made up is no link.
    assert_invalid(client.get(f"/files/{open_id}/a.h5?{query}"))
    # However the same path is percent-encoded: clients and proxies differ in that.
    assert client.get(f"{path.replace('a.h5', '%61%2Eh5')}?{query}").content == b"first"
    assert client.get(f"/api/v1/datasets/{closed_id}?{query}").status_code in (404, 422)


def test_link_is_for_reading(client: TestClient, closed_id: int, token: NewToken) -> None:
    link = sign(client, closed_id, token)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.request(method, link).status_code == 405
    head = client.head(link)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")
    assert client.get(link, headers={"Range": "bytes=1-2"}).content == b"ir"


def test_link_made_elsewhere_opens_nothing(client: TestClient, closed_id: int, token: NewToken) -> None:
    signer = Signer(1, b"x" * 32, token.id, utc_now() + timedelta(hours=1))
    assert_invalid(client.get(f"/files/{closed_id}/a.h5?{signer.sign_path(f'/files/{closed_id}/a.h5')}"))


def test_link_of_a_token_that_has_expired_opens_nothing(client: TestClient, shelf: Shelf, closed_id: int) -> None:
    with shelf.catalogue.sessions.begin() as session:
        short = create_token(session, "short", [Scope.READ], PAST, utc_now() + timedelta(minutes=5))
    link = sign(client, closed_id, short, expires_in=3600)
    with shelf.catalogue.sessions.begin() as session:
        session.execute(update(Token).where(Token.id == short.id).values(expires_at=utc_now()))
    assert_invalid(client.get(link))


def test_link_holds_whatever_path_a_proxy_puts_before_it(
    module_catalogue: Catalogue, closed_id: int, token: NewToken
) -> None:
    app = create_app(module_catalogue.settings)
    with TestClient(app, base_url="http://here:8000", root_path="/files") as proxied:
        answer = proxied.post(
            f"/files/api/v1/datasets/{closed_id}/links", headers={"Authorization": f"Bearer {token.text}"}
        )
        address = answer.json()["items"][0]["address"]
        assert address.startswith(f"http://here:8000/files/files/{closed_id}/a.h5?")
        assert proxied.get(address).content == b"first"
    with TestClient(app, base_url="http://there") as direct:
        assert direct.get(address.replace("http://here:8000/files", "")).content == b"first"


# --- keys -----------------------------------------------------------------------------------------------------------


def test_rotation_leaves_links_good_until_they_expire_and_the_service_running(
    client: TestClient, shelf: Shelf, closed_id: int, token: NewToken
) -> None:
    before = sign(client, closed_id, token)
    with shelf.catalogue.sessions.begin() as session:
        rotation = rotate_link_keys(session, utc_now())
    assert client.get(before).status_code == 200
    after = sign(client, closed_id, token)
    assert f"key={rotation.key_id}&" in after
    assert f"key={rotation.key_id}&" not in before
    assert client.get(after).status_code == 200
    # What one key signed the other does not vouch for.
    assert_invalid(client.get(change(before, key=str(rotation.key_id))))


def test_old_key_signs_nothing_that_holds_longer_than_a_day_from_its_rotation(
    client: TestClient, app: FastAPI, shelf: Shelf, closed_id: int, token: NewToken
) -> None:
    """Also not in the hands of somebody who has a copy of it, and whether it is deleted or not."""
    with shelf.catalogue.sessions.begin() as session:
        stolen = list_link_keys(session)[0]
        rotate_link_keys(session, utc_now())
    signer = Signer(stolen.id, stolen.secret, token.id, utc_now() + timedelta(days=30_000))
    link = f"/files/{closed_id}/a.h5?{signer.sign_path(f'/files/{closed_id}/a.h5')}"
    assert client.get(link).status_code == 200
    tomorrow = utc_now() + timedelta(days=1)
    app.dependency_overrides[get_now] = lambda: tomorrow
    assert_invalid(client.get(link))


def test_key_that_is_deleted_takes_its_links_with_it(
    client: TestClient, shelf: Shelf, closed_id: int, token: NewToken
) -> None:
    link = sign(client, closed_id, token)
    with shelf.catalogue.sessions.begin() as session:
        signing = list_link_keys(session)[0].id
        rotate_link_keys(session, utc_now())
        session.execute(delete(LinkKey).where(LinkKey.id == signing))
    assert_invalid(client.get(link))
    assert client.get(sign(client, closed_id, token)).status_code == 200


def test_service_makes_a_key_when_it_starts_and_says_so_when_it_is_gone(catalogue: Catalogue, shelf: Shelf) -> None:
    with TestClient(create_app(catalogue.settings), raise_server_exceptions=False) as started:
        with catalogue.sessions() as session:
            (key,) = list_link_keys(session)
        assert len(key.secret) == 32
        dataset_id = Shelf(catalogue, shelf.root / "other").add("daisy", FILES)
        assert order(started, dataset_id).status_code == 200
        with catalogue.sessions.begin() as session:
            session.execute(delete(LinkKey))
        answer = order(started, dataset_id)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    with TestClient(create_app(catalogue.settings)) as started:
        assert order(started, dataset_id).status_code == 200
    with TestClient(create_app(catalogue.settings)), catalogue.sessions() as session:
        assert len(list_link_keys(session)) == 1
