"""Files and archives are had by those who may open them, by whatever door they ask; others learn nothing."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.app import create_app
from api.dependencies import get_now
from ingest.catalogue.access import Scope, create_token, revoke_token
from ingest.catalogue.model import Dataset
from ingest.catalogue.model.base import utc_now
from tests.api.folders import Shelf
from tests.entities import FUTURE, PAST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from fastapi import FastAPI
    from httpx2 import Response

    from ingest.catalogue.access import NewToken
    from tests.entities import Catalogue

OPEN, ANNOUNCED, EMBARGOED, SECRET, SECRET_LATE = "zinnia", "marigold", "hellebore", "nightshade", "wolfsbane"
CLOSED = (EMBARGOED, SECRET, SECRET_LATE)
DATASETS: dict[str, dict[str, Any]] = {
    OPEN: {},
    ANNOUNCED: {"release_date": FUTURE, "is_metadata_public": True},
    EMBARGOED: {"release_date": FUTURE},
    SECRET: {"is_secret": True},
    SECRET_LATE: {"is_secret": True, "release_date": None, "is_metadata_public": True},
}
ANSWERS = {OPEN: 200, ANNOUNCED: 403, EMBARGOED: 404, SECRET: 404, SECRET_LATE: 404}
LATER_ANSWERS = ANSWERS | {ANNOUNCED: 200, EMBARGOED: 200}
FILE, ARCHIVE = "/files/{}/scan/a.h5", "/archives/{}.zip"
DOORS = (FILE, ARCHIVE)
NAME, CONTENT = "scan/a.h5", "content of {}"
numbers = count(1)


@pytest.fixture(scope="module")
def app(module_catalogue: Catalogue) -> FastAPI:
    return create_app(module_catalogue.settings)


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
def ids(shelf: Shelf) -> dict[str, int]:
    return {word: add(shelf, word, **said) for word, said in DATASETS.items()}


@pytest.fixture(scope="module")
def token(module_catalogue: Catalogue) -> NewToken:
    """Give out a token that sees all."""
    return make_token(module_catalogue, Scope.READ)


def add(shelf: Shelf, word: str, **said: Any) -> int:
    return shelf.add(word, {NAME: CONTENT.format(word).encode()}, **said)


def make_token(catalogue: Catalogue, *scopes: Scope) -> NewToken:
    with catalogue.sessions.begin() as session:
        return create_token(session, "somebody", scopes, PAST, None)


def carry(token: NewToken | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.text}"} if token else {}


def sign(client: TestClient, dataset_id: int, token: NewToken | None = None, **said: Any) -> dict[str, str]:
    """Return the signed addresses of file and archive by their doors, without the host."""
    answer = client.post(f"/api/v1/datasets/{dataset_id}/links", headers=carry(token), json=said or None)
    assert answer.status_code == 200, answer.text
    links = answer.json()
    places = {FILE: links["items"][0]["address"], ARCHIVE: links["archive"]}
    return {door: address.removeprefix("http://testserver") for door, address in places.items()}


def change(catalogue: Catalogue, dataset_id: int, **values: Any) -> None:
    with catalogue.sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset_id).values(**values))


def set_clock(app: FastAPI, now: datetime) -> None:
    app.dependency_overrides[get_now] = lambda: now


def assert_tells_nothing(answer: Response) -> None:
    said = f"{answer.text} {answer.headers}"
    assert not [word for word in CLOSED if word in said]
    assert "etag" not in answer.headers


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("word", DATASETS)
def test_everybody_is_answered_by_the_class_of_the_dataset(
    client: TestClient, module_catalogue: Catalogue, ids: dict[str, int], door: str, word: str
) -> None:
    # A token without `read` opens no more than none.
    for headers in ({}, carry(make_token(module_catalogue, Scope.OPERATE, Scope.NOTIFY))):
        answer = client.get(door.format(ids[word]), headers=headers)
        head = client.head(door.format(ids[word]), headers=headers)
        assert (answer.status_code, head.status_code) == (ANSWERS[word], ANSWERS[word])
        assert (CONTENT.format(word) in answer.text) == (word == OPEN)
        if word != OPEN:
            assert_tells_nothing(answer)
            assert_tells_nothing(head)


@pytest.mark.parametrize("name", [NAME, "none.h5", "../a.h5"])
@pytest.mark.parametrize("word", CLOSED)
def test_file_of_a_closed_dataset_is_answered_as_one_of_no_dataset(
    client: TestClient, ids: dict[str, int], word: str, name: str
) -> None:
    closed, absent = (client.get(f"/files/{number}/{name}") for number in (ids[word], 999_999))
    assert (closed.status_code, absent.status_code) == (404, 404)
    assert closed.text.replace(f"dataset {ids[word]}", "dataset 999999") == absent.text
    assert closed.headers.keys() == absent.headers.keys()


@pytest.mark.parametrize("word", CLOSED)
def test_archive_and_links_of_a_closed_dataset_are_answered_as_those_of_none(
    client: TestClient, ids: dict[str, int], word: str
) -> None:
    for path, method in ((ARCHIVE, "GET"), (ARCHIVE, "HEAD"), ("/api/v1/datasets/{}/links", "POST")):
        closed, absent = (client.request(method, path.format(number)) for number in (ids[word], 999_999))
        assert closed.status_code == absent.status_code == 404
        assert closed.text.replace(f"dataset {ids[word]}", "dataset 999999") == absent.text
        assert closed.headers.keys() == absent.headers.keys()


def test_file_that_was_announced_is_refused_whether_it_is_there_or_not(client: TestClient, ids: dict[str, int]) -> None:
    there, absent = (client.get(f"/files/{ids[ANNOUNCED]}/{name}") for name in (NAME, "none.h5"))
    assert there.json() == absent.json()
    assert there.json()["code"] == "not_released"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("word", DATASETS)
def test_reader_has_every_file_and_no_cache_keeps_it_for_others(
    client: TestClient, ids: dict[str, int], token: NewToken, door: str, word: str
) -> None:
    answer = client.get(door.format(ids[word]), headers=carry(token))
    assert answer.status_code == 200
    assert CONTENT.format(word) in answer.text
    assert answer.headers["cache-control"] == "private, no-cache"
    # Having had it once is no key: the entity tag of a reader opens nothing for others.
    asked_again = client.get(door.format(ids[word]), headers={"If-None-Match": answer.headers["etag"]})
    assert asked_again.status_code == (304 if word == OPEN else ANSWERS[word])


def test_open_data_may_be_kept_by_caches_that_ask_each_time(client: TestClient, ids: dict[str, int]) -> None:
    assert {client.get(door.format(ids[OPEN])).headers["cache-control"] for door in DOORS} == {"no-cache"}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.usefixtures("token")
def test_worthless_token_is_refused_also_for_open_data(client: TestClient, ids: dict[str, int], door: str) -> None:
    answer = client.get(door.format(ids[OPEN]), headers={"Authorization": "Bearer nxcat_none"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("word", DATASETS)
def test_release_is_judged_by_the_clock_of_the_request(
    app: FastAPI, client: TestClient, ids: dict[str, int], door: str, word: str
) -> None:
    set_clock(app, FUTURE - timedelta(microseconds=1))
    assert client.get(door.format(ids[word])).status_code == ANSWERS[word]
    set_clock(app, FUTURE)
    assert client.get(door.format(ids[word])).status_code == LATER_ANSWERS[word]


# --- signed links ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("word", DATASETS)
def test_link_of_a_reader_opens_for_whoever_has_it(
    client: TestClient, ids: dict[str, int], token: NewToken, door: str, word: str
) -> None:
    link = sign(client, ids[word], token)[door]
    answer = client.get(link)
    assert answer.status_code == client.head(link).status_code == 200
    assert CONTENT.format(word) in answer.text
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("door", DOORS)
def test_link_opens_what_it_was_made_for_and_nothing_else(
    client: TestClient, ids: dict[str, int], token: NewToken, door: str
) -> None:
    _, question = sign(client, ids[SECRET], token)[door].split("?")
    for word in DATASETS:
        if word != SECRET:
            answer = client.get(f"{door.format(ids[word])}?{question}")
            assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")
            assert_tells_nothing(answer)


@pytest.mark.parametrize("door", DOORS)
def test_link_ends_with_the_token_that_it_was_made_with(
    client: TestClient, module_catalogue: Catalogue, ids: dict[str, int], door: str
) -> None:
    token = make_token(module_catalogue, Scope.READ)
    link = sign(client, ids[EMBARGOED], token)[door]
    with module_catalogue.sessions.begin() as session:
        revoke_token(session, token.id, utc_now())
    answer = client.get(link)
    assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")
    assert_tells_nothing(answer)


@pytest.mark.parametrize("door", DOORS)
def test_link_ends_at_its_second(
    app: FastAPI, client: TestClient, ids: dict[str, int], token: NewToken, door: str
) -> None:
    begun = utc_now().replace(microsecond=999_999)
    set_clock(app, begun)
    link = sign(client, ids[SECRET], token, expires_in=60)[door]
    end = begun.replace(microsecond=0) + timedelta(seconds=60)
    set_clock(app, end - timedelta(microseconds=1))
    assert client.get(link).status_code == 200
    set_clock(app, end)
    answer = client.get(link)
    assert (answer.status_code, answer.json()["code"]) == (410, "link_expired")
    assert f"{end:%Y-%m-%d %H:%M:%S} UTC" in answer.json()["detail"]


@pytest.mark.parametrize("scopes", [(), (Scope.OPERATE,)])
@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"release_date": FUTURE}, 404),
        ({"release_date": None}, 404),
        ({"is_secret": True}, 404),
        ({"release_date": FUTURE, "is_metadata_public": True}, 403),
    ],
    ids=str,
)
def test_link_made_while_data_were_open_opens_nothing_when_they_are_closed_again(
    client: TestClient, shelf: Shelf, scopes: tuple[Scope, ...], values: dict[str, Any], status: int
) -> None:
    dataset_id = add(shelf, f"poppy{next(numbers)}")
    links = sign(client, dataset_id, make_token(shelf.catalogue, *scopes) if scopes else None)
    assert {client.get(link).status_code for link in links.values()} == {200}
    change(shelf.catalogue, dataset_id, **values)
    for link in links.values():
        answer = client.get(link)
        assert answer.status_code == status
        assert "poppy" not in answer.text


def test_link_is_asked_about_whom_it_was_made_for_and_not_about_who_carries_it(
    client: TestClient, shelf: Shelf, token: NewToken
) -> None:
    dataset_id = add(shelf, f"poppy{next(numbers)}")
    links = sign(client, dataset_id)
    change(shelf.catalogue, dataset_id, is_secret=True)
    assert {client.get(link, headers=carry(token)).status_code for link in links.values()} == {404}


def test_links_are_made_only_by_who_may_open_the_files(client: TestClient, ids: dict[str, int]) -> None:
    for word, status in ANSWERS.items():
        answer = client.post(f"/api/v1/datasets/{ids[word]}/links")
        assert answer.status_code == status
        assert ("signature=" in answer.text) == (word == OPEN)


# --- links between folders ------------------------------------------------------------------------------------------


def add_linked(shelf: Shelf, word: str, target: Path) -> int:
    """Add an open dataset whose only file is a link; return its id."""
    folder = shelf.root / f"link to {word}"
    (folder / "scan").mkdir(parents=True)
    (folder / NAME).symlink_to(target)
    return shelf.add_rows(f"link{next(numbers)}", folder, [NAME])


@pytest.mark.parametrize("word", [ANNOUNCED, *CLOSED])
@pytest.mark.usefixtures("ids")
def test_link_within_the_root_does_not_open_a_dataset_that_is_closed(
    client: TestClient, shelf: Shelf, token: NewToken, word: str
) -> None:
    linked_id = add_linked(shelf, word, shelf.root / word / NAME)
    for door in DOORS:
        answer = client.get(door.format(linked_id))
        assert (answer.status_code, answer.json()["code"]) == (403, "file_elsewhere")
        assert word not in answer.text
        read = client.get(door.format(linked_id), headers=carry(token))
        assert read.status_code == 200
        assert CONTENT.format(word) in read.text


@pytest.mark.usefixtures("ids")
def test_link_within_the_root_opens_what_is_open_or_nobodys(client: TestClient, shelf: Shelf) -> None:
    (shelf.root / "masks").mkdir()
    (shelf.root / "masks/mask.h5").write_bytes(b"a mask")
    for word, target in ((OPEN, shelf.root / OPEN / NAME), ("mask", shelf.root / "masks/mask.h5")):
        linked_id = add_linked(shelf, word, target)
        for door in DOORS:
            answer = client.get(door.format(linked_id))
            assert answer.status_code == 200
            assert target.read_text() in answer.text


def test_open_dataset_in_the_folder_of_a_closed_one_opens_its_own_files(client: TestClient, shelf: Shelf) -> None:
    inner = shelf.add("outer/inner", {"a.h5": b"open"})
    shelf.add("outer", {"b.h5": b"closed"}, release_date=FUTURE)
    for name, target in (("own.h5", "inner/a.h5"), ("other.h5", "b.h5"), ("unlisted.h5", "c.h5")):
        (shelf.root / "outer/c.h5").write_bytes(b"nobody listed it")
        (shelf.root / "outer/inner" / name).symlink_to(shelf.root / "outer" / target)
    links = shelf.add_rows("links", shelf.root / "outer/inner", ["own.h5", "other.h5", "unlisted.h5"])
    assert client.get(f"/files/{inner}/a.h5").text == "open"
    assert client.get(f"/files/{links}/own.h5").text == "open"
    assert client.get(f"/files/{links}/other.h5").status_code == 403
    assert client.get(f"/files/{links}/unlisted.h5").status_code == 403


def test_of_two_datasets_in_one_folder_the_closed_one_stays_closed(client: TestClient, shelf: Shelf) -> None:
    shelf.add("shared", {"b.h5": b"closed"}, release_date=FUTURE)
    (shelf.root / "shared/a.h5").write_bytes(b"open")
    shelf.add_rows("sharing", shelf.root / "shared", ["a.h5"])
    for name, status in (("a.h5", 200), ("b.h5", 403)):
        assert (
            client.get(FILE.format(add_linked(shelf, f"shared {name}", shelf.root / "shared" / name))).status_code
            == status
        )
