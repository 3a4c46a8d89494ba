"""`nxcat publish`, from crawled files to the pages that the service shows of them."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import bibtexparser
import pytest
from click.testing import CliRunner, Result
from datacite import schema45
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.cli import main
from tests.builders import write_master
from tests.publishing import ORCID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG_AGO = 1_600_000_000
ADA = f"Example, Ada; {ORCID}; ESRF"
SAID = ("--title", "LaB6 standard", "--licence", "cc-by-4.0", "--creator", ADA, "--creator", "Other, Bob")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crawl two open datasets, one that opens never and one that is secret; return the data folder."""
    folder = tmp_path_factory.mktemp("crawled")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NXCAT_DATA", str(folder / "data"))
        for name, release in (
            ("open", ("--release", "0")),
            ("never", ("--release", "never")),
            ("secret", ("--secret",)),
        ):
            for number in range(2 if name == "open" else 1):
                path = write_master(folder / name / f"{name}{number}.h5", title=f"{name} {number}")
                os.utime(path, (LONG_AGO, LONG_AGO))
            invoke("crawl", str(folder / name), "--facility", "ESRF", *release)
    return folder / "data"


@pytest.fixture
def ids(crawled: Path, data_folder: Path) -> list[int]:
    """Return the ids of the two open datasets, of the one that opens never, and of the secret one."""
    shutil.copytree(crawled, data_folder)
    found = json.loads(invoke("search", "--json").stdout)["datasets"]
    numbers = {each["name"]: each["id"] for each in found}
    return [numbers[name] for name in ("open0", "open1", "never0", "secret0")]


def invoke(*arguments: str, status: int = 0) -> Result:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def publish(*ids: int, status: int = 0, said: tuple[str, ...] = SAID) -> Result:
    return invoke("publish", *map(str, ids), *said, status=status)


def publish_as_json(*ids: int) -> Any:
    return json.loads(publish(*ids, said=(*SAID, "--json")).stdout)


@pytest.fixture
def client(ids: list[int]) -> Iterator[TestClient]:
    assert ids
    with TestClient(create_app(), base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as started:
        yield started


def test_doi_and_landing_page_are_told(ids: list[int]) -> None:
    result = publish(ids[0])
    found = re.fullmatch(
        r"published as (10\.5072/\S+)\nlanding page: http://127\.0\.0\.1:8000/doi/(10\.5072/\S+)\n", result.stdout
    )
    assert found
    assert found[1] == found[2]
    assert "10.5072 is for tests: this DOI is registered nowhere; NXCAT_DOI_PREFIX names your own" in result.stderr


def test_address_and_prefix_are_those_of_the_settings(ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NXCAT_API_PUBLIC_URL", "https://data.example.org/catalogue/")
    monkeypatch.setenv("NXCAT_DOI_PREFIX", "10.15151")
    result = publish(ids[0])
    assert re.search(
        r"^landing page: https://data\.example\.org/catalogue/doi/10\.15151/\S+$", result.stdout, re.MULTILINE
    )
    assert result.stderr == ""
    monkeypatch.delenv("NXCAT_API_PUBLIC_URL")
    monkeypatch.setenv("NXCAT_API_PORT", "9000")
    monkeypatch.setenv("NXCAT_API_ROOT_PATH", "/inner")
    assert "http://127.0.0.1:9000/inner/doi/" in publish(ids[1]).stdout


def test_what_was_published_is_shown_and_found(ids: list[int], client: TestClient) -> None:
    made = publish_as_json(ids[0])
    assert made.keys() == {"doi", "address", "landing", "is_new"}
    assert (made["is_new"], made["address"]) == (True, f"https://doi.org/{made['doi']}")
    page = client.get(made["landing"], headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "LaB6 standard" in page.text
    (entry,) = bibtexparser.parse_string(client.get(f"{made['landing']}?format=bibtex").text).entries
    assert (entry["author"], entry["doi"]) == ("Example, Ada and Other, Bob", made["doi"])
    document = client.get(made["landing"], headers={"Accept": "application/vnd.datacite.datacite+json"}).json()
    schema45.validate(document)
    assert document["url"] == made["landing"]
    assert document["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"
    # The index follows at once: the hit has the DOI.
    (hit,) = [each for each in client.get("/api/v1/datasets").json()["items"] if each["id"] == ids[0]]
    assert hit["doi"] == made["doi"]
    assert json.loads(invoke("show", str(ids[0]), "--json").stdout)["dataset"]["doi"] == made["doi"]


def test_publishing_again_tells_the_same_doi(ids: list[int]) -> None:
    first, again = publish_as_json(ids[0]), publish_as_json(ids[0])
    assert (again["doi"], again["is_new"]) == (first["doi"], False)
    assert f"is published already, as {first['doi']}" in publish(ids[0]).stdout
    assert publish_as_json(*ids[:2])["doi"] != first["doi"]


def test_what_a_doi_says_is_not_changed(ids: list[int]) -> None:
    doi = publish_as_json(ids[0])["doi"]
    result = publish(ids[0], said=(*SAID, "--abstract", "Something else."), status=1)
    assert f"these datasets are published already, as {doi}, with another abstract" in result.stderr


def test_several_are_one_collection(ids: list[int], client: TestClient) -> None:
    own = publish_as_json(ids[0])["doi"]
    made = publish_as_json(ids[1], ids[0], ids[1])
    document = client.get(f"{made['landing']}?format=datacite").json()
    assert document["types"]["resourceTypeGeneral"] == "Collection"
    assert document["sizes"][0] == "2 datasets"
    assert [each["relatedIdentifier"] for each in document["relatedIdentifiers"]] == [own]
    assert made["doi"] == publish_as_json(*ids[:2])["doi"]


def test_refusals_say_what_is_wrong_and_leave_nothing(ids: list[int], client: TestClient) -> None:
    open_id, _, closed_id, secret_id = ids
    refused: list[tuple[tuple[int, ...], tuple[str, ...], str]] = [
        ((closed_id,), SAID, f"dataset {closed_id} are not released yet"),
        ((open_id, closed_id), SAID, f"dataset {closed_id} are not released yet"),
        ((secret_id,), SAID, f"dataset {secret_id} is secret: it cannot be published"),
        ((open_id, 999), SAID, "no dataset 999"),
        ((open_id,), (*SAID, "--licence", "free for all"), "no licence 'free for all': give one SPDX identifier"),
        ((open_id,), (*SAID, "--licence", "MIT OR Apache-2.0"), "give one SPDX identifier, such as CC-BY-4.0"),
        ((open_id,), (*SAID, "--title", " "), "title ' ': it is empty"),
        ((open_id,), SAID[:4], "no creator: name who made the data"),
        ((open_id,), (*SAID, "--creator", "Ada Example"), "write 'Family, Given; ORCID; Affiliation'"),
        ((open_id,), (*SAID, "--creator", "X, Y; 0000-0002-1825-0098"), "is no ORCID iD"),
        ((open_id,), (*SAID, "--creator", "Other, Bob"), "creator 'Other, Bob' is named twice"),
    ]
    for numbers, said, reason in refused:
        result = publish(*numbers, said=said, status=1)
        assert reason in result.stderr
        assert result.stdout == ""
    assert client.get("/api/v1/publications").json()["items"] == []


@pytest.mark.parametrize("arguments", [(), ("1",), ("1", "--title", "x"), ("x", *SAID)])
def test_command_that_lacks_something_is_not_understood(arguments: tuple[str, ...]) -> None:
    invoke("publish", *arguments, status=2)
