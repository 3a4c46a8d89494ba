"""docs/delivery.md and docs/publication.md say what is so, and what they show does what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import bibtexparser
import h5py
import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.ranges import MAX_GAP, MAX_RANGES
from api.routes.landing import FORMS
from api.schemas.downloads import DEFAULT_SECONDS, LONGEST_SECONDS
from ingest.catalogue.access import Scope, create_token
from ingest.catalogue.citations import to_bibtex
from ingest.catalogue.datacite import to_datacite
from ingest.catalogue.jsonld import to_json_ld
from ingest.catalogue.licences import USUAL
from ingest.catalogue.publication_data import KEY_PARAMETERS
from tests.api.folders import Shelf, serving
from tests.entities import PAST
from tests.publishing import ADDRESSES, to_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

DOCS = Path(__file__).parents[2] / "docs"
DELIVERY, PUBLICATION = ((DOCS / name).read_text("utf-8") for name in ("delivery.md", "publication.md"))
SHOWN = "http://127.0.0.1:8000"
SHOWN_DOI = "10.5072/gv4yt-6xy39"


def read_block(page: str, start: str) -> str:
    """Return the example of the page that begins so."""
    (found,) = re.findall(rf"^    {re.escape(start)}.*\n(?:    .*\n)*", page, re.MULTILINE)
    return dedent(found)


def read_table(page: str, title: str) -> dict[str, str]:
    """Return the rows of the table with that first column: what stands in the first two."""
    found = re.search(rf"^\| {re.escape(title)} \|.*\n\|[-:|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert found, title
    rows = (row.strip("| ").split(" | ") for row in found[1].splitlines())
    return {row[0]: row[1] for row in rows}


def named(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


@pytest.fixture(scope="module")
def environment(module_catalogue: Catalogue) -> dict[str, str]:
    """Return the environment of somebody who has nxcat on the path, and a token."""
    with module_catalogue.sessions.begin() as session:
        token = create_token(session, "reader", [Scope.READ], PAST, None).text
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TOKEN": token, "NXCAT_DATA": str(module_catalogue.settings.data)}


@pytest.fixture(scope="module")
def address(module_catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a catalogue in which there is what the pages name: dataset 42 and its files."""
    shelf = Shelf(module_catalogue, tmp_path_factory.mktemp("root").resolve())
    (shelf.root / "daisy").mkdir()
    with h5py.File(shelf.root / "daisy/sample_0001.h5", "w") as file:
        file["1.1/measurement/diode"] = np.arange(100)
    content = (shelf.root / "daisy/sample_0001.h5").read_bytes()
    shelf.add("daisy", {"sample_0001.h5": content, "scan0001/eiger_0000.h5": b"an image"}, id=42)
    with serving(create_app(module_catalogue.settings)) as served:
        yield served


def run(command: str, environment: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["sh", "-ec", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.needs("curl")
@pytest.mark.needs("aria2c")
def test_files_are_had_by_the_commands_that_are_shown(
    address: str, environment: dict[str, str], tmp_path: Path
) -> None:
    run(read_block(DELIVERY, "curl -C").replace(SHOWN, address), environment, tmp_path)
    assert (tmp_path / "eiger_0000.h5").read_bytes() == b"an image"
    with h5py.File(tmp_path / "sample_0001.h5") as file:
        assert len(file["1.1/measurement/diode"]) == 100


def test_hdf5_is_read_in_place_as_shown(address: str, environment: dict[str, str], tmp_path: Path) -> None:
    code = read_block(DELIVERY, "import fsspec").replace(SHOWN, address)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[0 1 2 3 4 5 6 7 8 9]\n"


@pytest.mark.needs("curl")
def test_links_are_ordered_as_shown(address: str, environment: dict[str, str], tmp_path: Path) -> None:
    said = run(read_block(DELIVERY, "curl -X POST").replace(SHOWN, address), environment, tmp_path)
    assert f'"address":"{address}/files/42/scan0001/eiger_0000.h5?expires=' in said
    parts = read_table(DELIVERY, "in the link")
    assert {name.strip("`") for name in parts} == {"expires", "subject", "key", "signature"}
    assert (DEFAULT_SECONDS, LONGEST_SECONDS) == (15 * 60, 24 * 3600)
    assert "15 minutes; a day at most" in DELIVERY


def test_keys_are_changed_as_shown(address: str, environment: dict[str, str], tmp_path: Path) -> None:
    assert address
    assert "key 2 signs from now on" in run(read_block(DELIVERY, "nxcat link-key list"), environment, tmp_path)


def test_numbers_of_the_delivery_page_are_those_of_the_code() -> None:
    assert f"within {MAX_GAP} bytes" in DELIVERY
    assert f"more than {MAX_RANGES} in one request" in DELIVERY


def test_addresses_of_the_delivery_page_are_there(module_catalogue: Catalogue) -> None:
    paths = TestClient(create_app(module_catalogue.settings)).app.openapi()["paths"]  # type: ignore[attr-defined]
    known = {re.sub(r"{\w+}", "{}", path) for path in paths}
    told = {path for row in read_table(DELIVERY, "address") for path in named(row) if path.startswith("/")}
    told |= {each.split()[1] for row in read_table(DELIVERY, "address") for each in named(row) if " /" in each}
    assert len(told) == 4
    assert {re.sub(r"{\w+}", "{}", path) for path in told} <= known


@pytest.mark.needs("curl")
def test_dataset_is_published_and_cited_as_shown(address: str, environment: dict[str, str], tmp_path: Path) -> None:
    said = run(read_block(PUBLICATION, "nxcat publish"), environment, tmp_path)
    (doi,) = re.findall(r"published as (10\.5072/\S+)", said)
    shown = read_block(PUBLICATION, "published as")
    assert shown.replace(SHOWN_DOI, doi).strip() == said.strip()
    cited = read_block(PUBLICATION, "curl -LH").replace(SHOWN, address).replace(SHOWN_DOI, doi)
    (entry,) = bibtexparser.parse_string(run(cited, environment, tmp_path)).entries
    assert (entry["title"], entry["doi"]) == ("{LaB6 standard}", doi)


def test_forms_of_the_publication_page_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| [^|]+ \| (`[^|]+`) \| `(\w+)` \|$", PUBLICATION, re.MULTILINE)
    told = {media_type: form for media_types, form in rows for media_type in named(media_types)}
    assert told == {media_type: str(form) for media_type, form in FORMS.items()}


def test_properties_of_datacite_are_all_told_in_their_order() -> None:
    assert [name.strip("`") for name in read_table(PUBLICATION, "property")] == list(to_datacite(to_view(), ADDRESSES))


def test_properties_of_schema_org_and_bibtex_are_all_told() -> None:
    told = set().union(*map(named, read_table(PUBLICATION, "of the Dataset")))
    view, where = to_view(), ADDRESSES
    assert told >= {name for name in to_json_ld(view, where) if name not in ("@context", "@type")}
    assert told <= {*to_json_ld(view, where), "distribution"}
    (entry,) = bibtexparser.parse_string(to_bibtex(view, where)).entries
    (line,) = [line for line in PUBLICATION.splitlines() if line.startswith("BibTeX is one entry")]
    assert {field.key for field in entry.fields} <= named(line)


def test_licences_and_key_parameters_are_all_told() -> None:
    assert f"data: {', '.join(USUAL)}." in PUBLICATION
    assert f"Key parameters: {', '.join(KEY_PARAMETERS)}." in PUBLICATION
