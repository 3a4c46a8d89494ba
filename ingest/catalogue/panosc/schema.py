"""PaNOSC's models: what properties they have, which of them are texts to search, and what they are related to.

Source: the data model of PaNOSC's search API. Its names are kept as they are, since they go over the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a property holds, and so how it is compared."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    WORDS = "words"
    """Several texts; one that fits is enough."""
    ANY = "any"
    """A number or a text."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a model is related to: to many of them, or to one at most."""

    model: str
    is_many: bool = True


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `text` are the properties that `{"text": ...}` looks into."""

    name: str
    properties: Mapping[str, Kind]
    relations: Mapping[str, Relation] = field(default_factory=dict)
    text: tuple[str, ...] = ()


_TEXT, _NUMBER, _DATE = Kind.TEXT, Kind.NUMBER, Kind.DATE
_ALL: Final = (
    Model(
        "Dataset",
        {
            "pid": _TEXT,
            "title": _TEXT,
            "isPublic": Kind.BOOLEAN,
            "creationDate": _DATE,
            "size": _NUMBER,
            "documentId": _TEXT,
            "instrumentId": _TEXT,
        },
        {
            "documents": Relation("Document"),
            "document": Relation("Document", is_many=False),
            "techniques": Relation("Technique"),
            "instrument": Relation("Instrument", is_many=False),
            "files": Relation("File"),
            "parameters": Relation("Parameter"),
            "samples": Relation("Sample"),
        },
        ("title",),
    ),
    Model(
        "Document",
        {
            "pid": _TEXT,
            "isPublic": Kind.BOOLEAN,
            "type": _TEXT,
            "title": _TEXT,
            "summary": _TEXT,
            "doi": _TEXT,
            "startDate": _DATE,
            "endDate": _DATE,
            "releaseDate": _DATE,
            "license": _TEXT,
            "keywords": Kind.WORDS,
        },
        {"datasets": Relation("Dataset"), "members": Relation("Member"), "parameters": Relation("Parameter")},
        ("title", "summary"),
    ),
    Model(
        "File",
        {"id": _TEXT, "name": _TEXT, "path": _TEXT, "size": _NUMBER, "datasetId": _TEXT},
        {"dataset": Relation("Dataset", is_many=False)},
        ("name",),
    ),
    Model(
        "Instrument",
        {"pid": _TEXT, "name": _TEXT, "facility": _TEXT},
        {"datasets": Relation("Dataset")},
        ("name", "facility"),
    ),
    Model(
        "Member",
        {"id": _TEXT, "role": _TEXT, "documentId": _TEXT, "personId": _TEXT, "affiliationId": _TEXT},
        {
            "document": Relation("Document", is_many=False),
            "person": Relation("Person", is_many=False),
            "affiliation": Relation("Affiliation", is_many=False),
        },
    ),
    Model(
        "Parameter",
        {"id": _NUMBER, "name": _TEXT, "value": Kind.ANY, "unit": _TEXT, "datasetId": _TEXT},
        {"dataset": Relation("Dataset", is_many=False), "document": Relation("Document", is_many=False)},
    ),
    Model(
        "Person",
        {"id": _TEXT, "fullName": _TEXT, "orcid": _TEXT, "researcherId": _TEXT, "firstName": _TEXT, "lastName": _TEXT},
    ),
    Model("Sample", {"pid": _TEXT, "name": _TEXT, "description": _TEXT}, text=("name", "description")),
    Model("Technique", {"pid": _TEXT, "name": _TEXT, "panetId": _TEXT}, text=("name",)),
    Model(
        "Affiliation",
        {"id": _TEXT, "name": _TEXT, "address": _TEXT, "city": _TEXT, "country": _TEXT},
    ),
)
MODELS: Final[Mapping[str, Model]] = MappingProxyType({model.name: model for model in _ALL})
