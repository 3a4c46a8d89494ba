"""The one mapping from a publication to DataCite's metadata, schema 4.5. Pure.

Every other format derives from it. Names and vocabularies are those of the DataCite Metadata Schema, and
docs/publication.md has the table. Stay inside of 4.5: its JSON schema knows no word of a later one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.licences import SCHEME, SCHEME_ADDRESS
from ingest.catalogue.publication_views import ORCID_REGISTRY, DateType

if TYPE_CHECKING:
    from ingest.catalogue.publication_request import Creator
    from ingest.catalogue.publication_views import Addresses, DataView, PublicationView

SCHEMA_VERSION: Final = "http://datacite.org/schema/kernel-4"
RESOURCE_TYPE: Final = "NeXus data"
HDF5: Final = "application/x-hdf5"
UNAVAILABLE: Final = ":unav"
"""DataCite's code for a mandatory value that nobody knows (appendix 3)."""
_ACCESS_RIGHTS: Final = "http://purl.org/coar/access_right"
_OPEN: Final = ("open access", f"{_ACCESS_RIGHTS}/c_abf2")
_EMBARGOED: Final = ("embargoed access", f"{_ACCESS_RIGHTS}/c_f1cf")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")


def to_datacite(publication: PublicationView, addresses: Addresses) -> dict[str, Any]:
    """Return the metadata as DataCite's JSON: what is not known, or not told now, is left out."""
    document: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "doi": publication.doi,
        "url": addresses.landing,
        "types": {"resourceTypeGeneral": str(publication.kind), "resourceType": RESOURCE_TYPE},
        "creators": [_to_person(creator) for creator in publication.creators],
        "titles": [{"title": to_text(publication.title)}],
        "publisher": {"name": to_text(publication.publisher) or UNAVAILABLE},
        "publicationYear": f"{publication.publication_date.year:04}",
        "subjects": _to_subjects(publication),
        "contributors": [_to_host(publication)],
        "dates": _to_dates(publication),
        "descriptions": _to_descriptions(publication),
        "sizes": _to_sizes(publication.data),
        "formats": [HDF5] if publication.data.dataset_count else [],
        "rightsList": _to_rights(publication),
        "relatedIdentifiers": [_to_part(doi) for doi in publication.part_dois],
    }
    return {name: value for name, value in document.items() if value != []}


def to_text(text: str) -> str:
    """Return the text on one line, without what no format has a place for: files hold anything."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _to_person(creator: Creator) -> dict[str, Any]:
    person: dict[str, Any] = {
        "name": to_text(creator.full_name),
        "nameType": "Personal",
        "familyName": to_text(creator.family_name),
    }
    if creator.given_name:
        person["givenName"] = to_text(creator.given_name)
    if creator.orcid:
        scheme = {"nameIdentifierScheme": "ORCID", "schemeUri": ORCID_REGISTRY}
        person["nameIdentifiers"] = [{"nameIdentifier": f"{ORCID_REGISTRY}{creator.orcid}", **scheme}]
    if creator.affiliations:
        person["affiliation"] = [{"name": name} for name in dict.fromkeys(map(to_text, creator.affiliations))]
    return person


def _to_subjects(publication: PublicationView) -> list[dict[str, str]]:
    subjects: dict[str, dict[str, str]] = {}
    for term in publication.terms:
        subject = {"subject": to_text(term.name)}
        if term.scheme and term.scheme_address and term.address:
            subject |= {
                "subjectScheme": term.scheme,
                "schemeUri": term.scheme_address,
                "valueUri": term.address,
            }
        subjects.setdefault(subject["subject"], subject)
    # Names that differ only in what is no text are one; DataCite wants each once.
    return [subject for name, subject in subjects.items() if name]


def _to_host(publication: PublicationView) -> dict[str, str]:
    name = to_text(publication.publisher) or UNAVAILABLE
    return {"name": name, "nameType": "Organizational", "contributorType": "HostingInstitution"}


def _to_dates(publication: PublicationView) -> list[dict[str, str]]:
    """Return the dates; while there is an embargo the data become available at its end, if that is known."""
    dates = dict(publication.dates)
    if not publication.is_open:
        dates.pop(DateType.AVAILABLE, None)
        if publication.embargo_end is not None:
            dates[DateType.AVAILABLE] = publication.embargo_end.date().isoformat()
    return [{"date": dates[kind], "dateType": str(kind)} for kind in DateType if kind in dates]


def _to_descriptions(publication: PublicationView) -> list[dict[str, str]]:
    texts = {"Abstract": publication.abstract, "TechnicalInfo": "\n".join(_to_technical_lines(publication.data))}
    return [{"description": text, "descriptionType": kind} for kind, text in texts.items() if text]


def _to_technical_lines(data: DataView) -> list[str]:
    facts = {
        "Instrument": [instrument.shown_name for instrument in data.instruments],
        "Technique": data.techniques,
        "Sample": data.samples,
    }
    lines = [f"{name}: {'; '.join(filter(None, texts))}" for name, texts in facts.items() if any(texts)]
    lines += [f"{span.label[:1].upper()}{span.label[1:]}: {span.amount}" for span in data.spans]
    return [to_text(line) for line in lines]


def _to_sizes(data: DataView) -> list[str]:
    if not data.dataset_count:
        return []
    counted = [(data.dataset_count, "dataset"), (data.file_count, "file"), (data.file_size, "byte")]
    return [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counted]


def _to_rights(publication: PublicationView) -> list[dict[str, str]]:
    licence = publication.licence
    rights, address = _OPEN if publication.is_open else _EMBARGOED
    return [
        {
            "rights": licence.name,
            "rightsUri": licence.address,
            "rightsIdentifier": licence.identifier,
            "rightsIdentifierScheme": SCHEME,
            "schemeUri": SCHEME_ADDRESS,
        },
        {"rights": rights, "rightsUri": address, "schemeUri": _ACCESS_RIGHTS},
    ]


def _to_part(doi: str) -> dict[str, str]:
    return {
        "relatedIdentifier": doi,
        "relatedIdentifierType": "DOI",
        "relationType": "HasPart",
        "resourceTypeGeneral": "Dataset",
    }
