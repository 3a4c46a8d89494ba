"""schema.org's Dataset as search engines take it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from ingest.catalogue.jsonld import to_access, to_json_ld, to_script
from ingest.catalogue.publication_views import Addresses, DataView, Download
from tests.publishing import ADDRESSES, HOSTILE, ORCID, addresses, publications, to_view

if TYPE_CHECKING:
    from ingest.catalogue.publication_views import PublicationView

FILE = Download("a.h5", "https://data.example.org/files/1/a.h5", "application/x-hdf5", 30)
ARCHIVE = Download("b.zip", "https://data.example.org/archives/2.zip", "application/zip", None)


class Scripts(HTMLParser):
    """Collects what stands in script elements, as a browser takes it apart."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._is_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._is_script = tag == "script"
        if self._is_script:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._is_script = False

    def handle_data(self, data: str) -> None:
        if self._is_script:
            self.texts[-1] += data


@pytest.fixture
def document() -> dict[str, Any]:
    return to_json_ld(to_view(), replace(ADDRESSES, downloads=(FILE, ARCHIVE)))


def test_dataset_is_told_as_search_engines_ask(document: dict[str, Any]) -> None:
    told = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": "https://doi.org/10.5072/abcde-fgh12",
        "identifier": "https://doi.org/10.5072/abcde-fgh12",
        "url": ADDRESSES.landing,
        "name": "LaB6 at ID00",
        "datePublished": "2026-11-21",
        "license": "https://creativecommons.org/licenses/by/4.0/legalcode",
        "keywords": ["diffraction", "LaB6"],
        "isAccessibleForFree": True,
        "conditionsOfAccess": "open access",
        "temporalCoverage": "2023-05-01T10:00:00Z/2023-05-02T10:00:00Z",
        "size": "1 dataset, 2 files, 30 bytes",
        "publisher": {"@type": "Organization", "name": "European Synchrotron", "url": "https://www.example.org"},
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": "European Synchrotron",
            "url": "https://data.example.org/",
        },
        "hasPart": [{"@type": "Dataset", "@id": "https://doi.org/10.5072/part1-00000"}],
    }
    assert {name: document[name] for name in told} == told


def test_creators_are_known_by_their_orcid(document: dict[str, Any]) -> None:
    assert document["creator"] == [
        {
            "@type": "Person",
            "@id": f"https://orcid.org/{ORCID}",
            "name": "Ada Example",
            "givenName": "Ada",
            "familyName": "Example",
            "affiliation": [{"@type": "Organization", "name": "ESRF"}],
        },
        {"@type": "Person", "name": "Bob Other", "givenName": "Bob", "familyName": "Other"},
    ]


def test_downloads_are_told_with_their_sizes_in_plain_bytes(document: dict[str, Any]) -> None:
    assert document["distribution"] == [
        {
            "@type": "DataDownload",
            "name": "a.h5",
            "contentUrl": FILE.address,
            "encodingFormat": "application/x-hdf5",
            "contentSize": "30",
        },
        {
            "@type": "DataDownload",
            "name": "b.zip",
            "contentUrl": ARCHIVE.address,
            "encodingFormat": "application/zip",
        },
    ]


def test_what_was_measured_and_how_is_told(document: dict[str, Any]) -> None:
    assert document["variableMeasured"] == [
        {"@type": "PropertyValue", "name": "energy", "minValue": 12.0, "maxValue": 13.5, "unitText": "keV"},
        {"@type": "PropertyValue", "name": "transmission", "value": 0.5},
    ]
    term = {
        "@type": "DefinedTerm",
        "@id": "http://purl.org/x",
        "name": "diffraction",
        "inDefinedTermSet": "http://purl.org/x.owl",
    }
    assert document["measurementTechnique"] == [term, "LaB6", "fluorescence"]


@pytest.mark.parametrize("end", [datetime(2029, 5, 1, tzinfo=UTC), None])
def test_embargo_is_a_condition_and_there_is_nothing_to_download(end: datetime | None) -> None:
    closed = to_view(is_open=False, embargo_end=end, data=DataView(), terms=())
    document = to_json_ld(closed, ADDRESSES)
    assert document["conditionsOfAccess"] == to_access(closed) == ("embargoed until 2029-05-01" if end else "embargoed")
    assert document["isAccessibleForFree"] is True
    assert set(document).isdisjoint({"distribution", "size", "variableMeasured", "measurementTechnique", "keywords"})


def test_short_description_says_where_it_is_from() -> None:
    bare = to_view(title="X", abstract=None, data=DataView())
    text = to_json_ld(bare, ADDRESSES)["description"]
    assert text == "X\n\nPublished by European Synchrotron as https://doi.org/10.5072/abcde-fgh12."


@given(publications(), addresses())
def test_anything_is_within_what_search_engines_take(publication: PublicationView, where: Addresses) -> None:
    document = to_json_ld(publication, where)
    assert 50 <= len(document["description"]) <= 5000
    assert document["name"]
    assert all(person["name"] for person in document["creator"])
    assert json.loads(json.dumps(document, allow_nan=False)) == document


@given(publications(), addresses())
def test_script_element_holds_the_document_and_nothing_ends_it(publication: PublicationView, where: Addresses) -> None:
    document = to_json_ld(publication, where)
    parser = Scripts()
    parser.feed(f'<head><script type="application/ld+json">{to_script(document)}</script></head>')
    assert [json.loads(text) for text in parser.texts] == [document]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_tag_stands_in_the_script(text: str) -> None:
    script = to_script(to_json_ld(to_view(title=text), ADDRESSES))
    assert "<" not in script
    assert "&" not in script
