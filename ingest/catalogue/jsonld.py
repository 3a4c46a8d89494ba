"""A publication as schema.org's Dataset, for search engines, derived from its DataCite metadata. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.datacite import to_datacite, to_text
from ingest.catalogue.publication_views import DOI_RESOLVER, DateType

if TYPE_CHECKING:
    from ingest.catalogue.publication_views import Addresses, Download, PublicationView, Span

SHORTEST_DESCRIPTION: Final = 50
LONGEST_DESCRIPTION: Final = 5000
"""Characters that Google's dataset search takes."""


def to_json_ld(publication: PublicationView, addresses: Addresses) -> dict[str, Any]:
    """Return the Dataset; where the data can be had stands in it only as far as the viewer may have them."""
    document = to_datacite(publication, addresses)
    publisher = {"@type": "Organization", "name": document["publisher"]["name"], "url": publication.publisher_address}
    found: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": publication.doi_address,
        "identifier": publication.doi_address,
        "url": addresses.landing,
        "name": document["titles"][0]["title"],
        "description": _to_description(publication, document),
        "creator": [_to_person(person) for person in document["creators"]],
        "publisher": _without_gaps(publisher),
        "datePublished": publication.publication_date.date().isoformat(),
        "license": publication.licence.address,
        "keywords": [subject["subject"] for subject in document.get("subjects", ())],
        "isAccessibleForFree": True,
        "conditionsOfAccess": to_access(publication),
        "includedInDataCatalog": {"@type": "DataCatalog", "name": publisher["name"], "url": addresses.catalogue},
        "distribution": [_to_download(download) for download in addresses.downloads],
        "temporalCoverage": publication.dates.get(DateType.COLLECTED),
        "variableMeasured": [_to_variable(span) for span in publication.data.spans],
        "measurementTechnique": _to_techniques(publication, document),
        "size": ", ".join(document.get("sizes", ())) or None,
        "hasPart": [{"@type": "Dataset", "@id": f"{DOI_RESOLVER}{doi}"} for doi in publication.part_dois],
    }
    return _without_gaps(found)


def to_script(document: dict[str, Any]) -> str:
    """Return the document for a script element of a page: nothing in it can end the element."""
    return json.dumps(document, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")


def to_access(publication: PublicationView) -> str:
    """Return in words whether everybody may have the data."""
    if publication.is_open:
        return "open access"
    end = publication.embargo_end
    return f"embargoed until {end.date().isoformat()}" if end else "embargoed"


def _without_gaps(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None and value != []}


def _to_description(publication: PublicationView, document: dict[str, Any]) -> str:
    """Return abstract and technical lines; where these are too short for a search engine, with where they are from."""
    text = "\n\n".join(said["description"] for said in document.get("descriptions", ()))
    if len(text) < SHORTEST_DESCRIPTION:
        origin = f"Published by {document['publisher']['name']} as {publication.doi_address}."
        text = "\n\n".join(part for part in (text or document["titles"][0]["title"], origin) if part)
    return text[:LONGEST_DESCRIPTION]


def _to_person(person: dict[str, Any]) -> dict[str, Any]:
    identifiers = [each["nameIdentifier"] for each in person.get("nameIdentifiers", ())]
    return _without_gaps(
        {
            "@type": "Person",
            "@id": identifiers[0] if identifiers else None,
            "name": " ".join(part for part in (person.get("givenName"), person["familyName"]) if part),
            "givenName": person.get("givenName"),
            "familyName": person["familyName"],
            "affiliation": [{"@type": "Organization", **place} for place in person.get("affiliation", ())],
        }
    )


def _to_download(download: Download) -> dict[str, Any]:
    size = None if download.file_size is None else str(download.file_size)
    return _without_gaps(
        {
            "@type": "DataDownload",
            "name": to_text(download.name),
            "contentUrl": download.address,
            "encodingFormat": download.media_type,
            "contentSize": size,
        }
    )


def _to_variable(span: Span) -> dict[str, Any]:
    is_one = span.bottom == span.top
    numbers = {"value": span.bottom} if is_one else {"minValue": span.bottom, "maxValue": span.top}
    unit = None if span.unit in ("", "1") else span.unit
    return _without_gaps({"@type": "PropertyValue", "name": span.label, **numbers, "unitText": unit})


def _to_techniques(publication: PublicationView, document: dict[str, Any]) -> list[Any]:
    """Return the techniques, as terms of their ontology where they are ones."""
    terms = {each["subject"]: each for each in document.get("subjects", ()) if "valueUri" in each}
    return [
        {
            "@type": "DefinedTerm",
            "@id": terms[name]["valueUri"],
            "name": name,
            "inDefinedTermSet": terms[name]["schemeUri"],
        }
        if name in terms
        else name
        for name in dict.fromkeys(map(to_text, publication.data.techniques))
    ]
