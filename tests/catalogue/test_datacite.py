"""The one mapping to DataCite's metadata: complete, valid for anything that is accepted, and silent under embargo."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from datacite import schema45
from hypothesis import given
from lxml import etree

from ingest.catalogue.datacite import to_datacite, to_text
from ingest.catalogue.publication_request import Creator
from ingest.catalogue.publication_views import DataView, PublicationKind
from tests.publishing import ADDRESSES, HOSTILE, ORCID, publications, to_view

if TYPE_CHECKING:
    from ingest.catalogue.publication_views import PublicationView

DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?")


def to_problems(document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in schema45.validator.iter_errors(document)]


@pytest.fixture
def document() -> dict[str, Any]:
    return to_datacite(to_view(), ADDRESSES)


def test_publication_with_all_that_one_can_have_is_valid(document: dict[str, Any]) -> None:
    assert to_problems(document) == []
    assert set(document) == {
        *("schemaVersion", "doi", "url", "types", "creators", "titles", "publisher", "publicationYear", "subjects"),
        *("contributors", "dates", "descriptions", "sizes", "formats", "rightsList", "relatedIdentifiers"),
    }


def test_what_identifies_it_is_told(document: dict[str, Any]) -> None:
    assert document["doi"] == "10.5072/abcde-fgh12"
    assert document["url"] == ADDRESSES.landing
    assert document["types"]["resourceTypeGeneral"] == "Dataset"
    assert document["titles"] == [{"title": "LaB6 at ID00"}]
    assert document["publicationYear"] == "2026"
    assert document["publisher"] == {"name": "European Synchrotron"}
    assert document["contributors"] == [
        {"name": "European Synchrotron", "nameType": "Organizational", "contributorType": "HostingInstitution"}
    ]


def test_creators_are_people_with_their_orcid_and_affiliation(document: dict[str, Any]) -> None:
    assert document["creators"] == [
        {
            "name": "Example, Ada",
            "nameType": "Personal",
            "givenName": "Ada",
            "familyName": "Example",
            "nameIdentifiers": [
                {
                    "nameIdentifier": f"https://orcid.org/{ORCID}",
                    "nameIdentifierScheme": "ORCID",
                    "schemeUri": "https://orcid.org/",
                }
            ],
            "affiliation": [{"name": "ESRF"}],
        },
        {"name": "Other, Bob", "nameType": "Personal", "givenName": "Bob", "familyName": "Other"},
    ]


def test_person_of_one_name_has_no_given_name() -> None:
    (person,) = to_datacite(to_view(creators=(Creator("Plato"),)), ADDRESSES)["creators"]
    assert person == {"name": "Plato", "nameType": "Personal", "familyName": "Plato"}


def test_subjects_are_terms_of_their_scheme(document: dict[str, Any]) -> None:
    assert document["subjects"] == [
        {
            "subject": "diffraction",
            "subjectScheme": "PaNET",
            "schemeUri": "http://purl.org/x.owl",
            "valueUri": "http://purl.org/x",
        },
        {"subject": "LaB6"},
    ]


def test_dates_are_told_by_their_types(document: dict[str, Any]) -> None:
    assert {each["dateType"]: each["date"] for each in document["dates"]} == {
        "Issued": "2026-11-21",
        "Available": "2026-05-01",
        "Collected": "2023-05-01T10:00:00Z/2023-05-02T10:00:00Z",
    }


def test_technical_information_is_a_line_for_each_fact(document: dict[str, Any]) -> None:
    texts = {each["descriptionType"]: each["description"] for each in document["descriptions"]}
    assert texts == {
        "Abstract": "A standard.",
        "TechnicalInfo": (
            "Instrument: Beamline ID00; id01\nTechnique: diffraction; LaB6; fluorescence\nSample: LaB6\n"
            "Energy: 12 to 13.5 keV\nTransmission: 0.5"
        ),
    }


def test_sizes_and_formats_are_told(document: dict[str, Any]) -> None:
    assert document["sizes"] == ["1 dataset", "2 files", "30 bytes"]
    assert document["formats"] == ["application/x-hdf5"]


def test_licence_and_access_are_told(document: dict[str, Any]) -> None:
    licence, access = document["rightsList"]
    assert licence == {
        "rights": "Creative Commons Attribution 4.0 International",
        "rightsUri": "https://creativecommons.org/licenses/by/4.0/legalcode",
        "rightsIdentifier": "CC-BY-4.0",
        "rightsIdentifierScheme": "SPDX",
        "schemeUri": "https://spdx.org/licenses/",
    }
    assert access["rightsUri"] == "http://purl.org/coar/access_right/c_abf2"


def test_parts_are_related(document: dict[str, Any]) -> None:
    assert document["relatedIdentifiers"] == [
        {
            "relatedIdentifier": "10.5072/part1-00000",
            "relatedIdentifierType": "DOI",
            "relationType": "HasPart",
            "resourceTypeGeneral": "Dataset",
        }
    ]
    assert (
        to_datacite(to_view(kind=PublicationKind.COLLECTION), ADDRESSES)["types"]["resourceTypeGeneral"] == "Collection"
    )


def test_embargo_is_told_with_its_end_and_nothing_of_the_data() -> None:
    end = datetime(2029, 5, 1, tzinfo=UTC)
    closed = to_view(is_open=False, embargo_end=end, data=DataView(), terms=(), part_dois=())
    document = to_datacite(closed, ADDRESSES)
    assert to_problems(document) == []
    assert {"date": "2029-05-01", "dateType": "Available"} in document["dates"]
    assert document["rightsList"][1]["rightsUri"] == "http://purl.org/coar/access_right/c_f1cf"
    assert [each["descriptionType"] for each in document["descriptions"]] == ["Abstract"]
    assert set(document).isdisjoint({"sizes", "formats", "subjects", "relatedIdentifiers"})
    unknown = to_datacite(replace(closed, embargo_end=None), ADDRESSES)
    assert "Available" not in {each["dateType"] for each in unknown["dates"]}


@pytest.mark.parametrize("name", ["", " \x00 "])
def test_publisher_without_a_name_is_said_to_be_unknown(name: str) -> None:
    document = to_datacite(to_view(publisher=name), ADDRESSES)
    assert document["publisher"]["name"] == document["contributors"][0]["name"] == ":unav"


@given(publications())
def test_whatever_is_accepted_is_valid(publication: PublicationView) -> None:
    document = to_datacite(publication, ADDRESSES)
    assert to_problems(document) == []
    assert json.loads(json.dumps(document).encode()) == document
    assert all(DATE.fullmatch(each["date"]) for each in document["dates"])
    # XML has no place for control characters: its library would refuse them.
    assert etree.fromstring(schema45.tostring(document).encode()).tag == "{http://datacite.org/schema/kernel-4}resource"


@pytest.mark.parametrize("text", [*HOSTILE, "a\udc80b"])
def test_text_out_of_a_file_is_one_line_that_every_format_has_a_place_for(text: str) -> None:
    line = to_text(text)
    assert "\n" not in line
    assert line.isprintable() or "\u202e" in line
    line.encode()
