"""The record of a real file: the metadata for all, nothing personal for anybody, places on the server for readers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h5py
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import delete, update

from api.app import create_app
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.model import DatasetParameter, MasterRecord
from tests.entities import PAST
from tests.pipeline.site import OLD, Site, set_age, staying_reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.pipeline import Services

EMAIL, TELEPHONE, STREET = "ada.example@esrf.example", "+33 4 76 88 20 00", "71 avenue des Martyrs"
PERSONAL = (EMAIL, "76 88 20", STREET, "0000-0002-1825-0097", "Some Institute")
ELSEWHERE = "/gpfs/private"


@pytest.fixture
def site(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr("ingest.drain.make_reader", staying_reader.take)
    folder = tmp_path / "root"
    folder.mkdir()
    return Site(services, folder)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    assert site.services
    with TestClient(create_app(), raise_server_exceptions=False) as started:
        yield started


@pytest.fixture
def reader(site: Site) -> dict[str, str]:
    with site.services.write_sessions.begin() as session:
        return {"Authorization": f"Bearer {create_token(session, 'reader', [Scope.READ], PAST, None).text}"}


def write(site: Site) -> Path:
    """Write a master with persons, places and links in it."""
    master = site.write_folder(
        title=f"ask {EMAIL} or call {TELEPHONE}",
        user__name="Ada Example",
        user__role="principal_investigator",
        user__email=EMAIL,
        user__telephone_number=TELEPHONE,
        user__address=STREET,
        user__affiliation="Some Institute",
        user__ORCID="0000-0002-1825-0097",
        sample__description=f"see {ELSEWHERE}/notes.txt, kept in 1/s",
        instrument__name=f"{ELSEWHERE}/calibration.poni",
        instrument__eiger__image=h5py.ExternalLink("scan0001/image_0.h5", "/entry/data"),
        instrument__eiger__dark=h5py.ExternalLink(f"{ELSEWHERE}/dark.h5", "/entry/data"),
        instrument__eiger__flat=h5py.ExternalLink("../../flat.h5", "/entry/data"),
    )
    with h5py.File(master, "r+", locking=False) as file:
        file["1.1"].attrs["file_name"] = str(master)
        file["1.1/title"].attrs["contact_email"] = EMAIL
    set_age(master, OLD)
    return master


def ask(site: Site, client: TestClient, master: Path, headers: Any = None) -> str:
    answer = client.get(f"/api/v1/datasets/{site.dataset(master).id}/record", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.text


def test_open_record_holds_the_metadata_and_no_place(site: Site, client: TestClient) -> None:
    master = write(site)
    site.crawl(release_policy="immediately")
    text = ask(site, client, master)
    record = json.loads(text)
    assert record["entries"][0]["path"] == "/1.1"
    assert "Ada Example" in text
    assert "kept in 1/s" in text
    assert "scan0001/image_0.h5" in text
    for hidden in (*PERSONAL, str(site.folder), ELSEWHERE, "calibration", "dark.h5", "flat.h5"):
        assert hidden not in text, hidden
    kinds = {(link["path"], link["kind"]) for link in record["linked_files"]}
    assert {(f"/1.1/instrument/eiger/{name}", "external") for name in ("image", "dark", "flat")} <= kinds


def test_record_of_announced_data_names_no_file(site: Site, client: TestClient) -> None:
    master = write(site)
    site.crawl(release_policy="never", is_embargoed_metadata_public=True)
    text = ask(site, client, master)
    assert "Ada Example" in text
    assert "image_0.h5" not in text
    assert "target" not in text


def test_reader_is_shown_places_and_nothing_personal(site: Site, client: TestClient, reader: dict[str, str]) -> None:
    master = write(site)
    site.crawl(release_policy="never")
    text = ask(site, client, master, reader)
    for shown in (str(master), f"{ELSEWHERE}/calibration.poni", f"{ELSEWHERE}/dark.h5", "../../flat.h5"):
        assert shown in text
    for hidden in PERSONAL[:3]:
        assert hidden not in text, hidden


def test_what_a_rule_keeps_for_readers_is_not_in_the_record_of_others(
    site: Site, client: TestClient, reader: dict[str, str]
) -> None:
    master = write(site)
    site.crawl(release_policy="immediately")
    with site.services.write_sessions.begin() as session:
        of_sample = DatasetParameter.source_path == "/1.1/sample/temperature"
        changed = session.execute(update(DatasetParameter).where(of_sample).values(is_public=False))
        assert changed.rowcount  # type: ignore[attr-defined]
    assert "temperature" not in ask(site, client, master)
    assert "temperature" in ask(site, client, master, reader)


def test_dataset_without_a_record_says_so(site: Site, client: TestClient) -> None:
    master = write(site)
    site.crawl(release_policy="immediately")
    with site.services.write_sessions.begin() as session:
        session.execute(delete(MasterRecord))
    dataset_id = site.dataset(master).id
    answer = client.get(f"/api/v1/datasets/{dataset_id}/record")
    assert (answer.status_code, answer.json()["detail"]) == (404, f"no record of dataset {dataset_id}")
