"""What a person asks to be published, checked before anything is written. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.identifiers import find_orcid, is_orcid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.catalogue.licences import Licence

MAX_TITLE: Final = 1000
MAX_NAME: Final = 200
MAX_AFFILIATION: Final = 255
MAX_ABSTRACT: Final = 5000
"""Characters that search engines take of a description (schema.org's by Google)."""
CREATOR_FORM: Final = "'Family, Given; ORCID; Affiliation'"
_ECHO: Final = 60
_NO_CHARACTERS: Final = "\ufffe\uffff"


class PublicationTextError(CatalogueError):
    """A part of what is to be published cannot stand as it is."""

    def __init__(self, part: str, text: str, remedy: str) -> None:
        self.part, self.text = part, text
        shown = text if len(text) <= _ECHO else f"{text[:_ECHO]}..."
        super().__init__(f"{part} {shown!r}: {remedy}")


class InvalidOrcidError(CatalogueError):
    """No ORCID iD is written so."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(
            f"{text[:_ECHO]!r} is no ORCID iD such as 0000-0002-1825-0097: mistyped? "
            f"Without one leave the place empty: 'Family, Given;; Affiliation'"
        )


class NoCreatorError(CatalogueError):
    """Nobody is named who made the data."""

    def __init__(self) -> None:
        super().__init__(f"no creator: name who made the data, each with --creator {CREATOR_FORM}")


class SameCreatorError(CatalogueError):
    """One creator stands there twice, or two cannot be told apart."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"creator {name!r} is named twice: if these are two people, give their ORCID iDs")


class NoDatasetError(CatalogueError):
    """Nothing is named that shall be published."""

    def __init__(self) -> None:
        super().__init__("no dataset: name at least one by its id")


@dataclass(frozen=True, slots=True)
class Creator:
    """A person who made the data, as DataCite wants them. A person of one name has no given name."""

    family_name: str
    given_name: str = ""
    orcid: str | None = None
    affiliations: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The name as DataCite writes it: family name first."""
        return f"{self.family_name}, {self.given_name}" if self.given_name else self.family_name

    @property
    def shown_name(self) -> str:
        """The name as people say it."""
        return f"{self.given_name} {self.family_name}" if self.given_name else self.family_name


@dataclass(frozen=True, slots=True)
class PublicationRequest:
    """What shall be published, and what is said about it: see `to_request`."""

    dataset_ids: tuple[int, ...]
    title: str
    creators: tuple[Creator, ...]
    licence: Licence
    abstract: str | None


def to_request(
    dataset_ids: Iterable[int], title: str, creators: Iterable[Creator], licence: Licence, abstract: str | None
) -> PublicationRequest:
    """Return what is asked, its texts on one line each and the datasets in order, each once.

    Raises PublicationTextError, NoDatasetError, NoCreatorError or SameCreatorError.
    """
    ids = tuple(sorted(set(dataset_ids)))
    people = tuple(creators)
    if not ids:
        raise NoDatasetError
    if not people:
        raise NoCreatorError
    known: set[str] = set()
    for person in people:
        key = person.orcid or person.full_name
        if key in known:
            raise SameCreatorError(person.full_name)
        known.add(key)
    said = to_paragraphs("abstract", abstract or "", MAX_ABSTRACT)
    return PublicationRequest(ids, to_line("title", title, MAX_TITLE), people, licence, said or None)


def to_creator(text: str) -> Creator:
    """Return the person of 'Family, Given; ORCID; Affiliation', of which only the name must be there.

    What follows the third part is further affiliations. Raises PublicationTextError or InvalidOrcidError.
    """
    name, _, rest = text.partition(";")
    orcid, *affiliations = (part.strip() for part in rest.split(";"))
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma:
        raise PublicationTextError("creator", text, f"write {CREATOR_FORM}; a person of one name: 'Name,'")
    if not family:
        raise PublicationTextError("creator", text, f"there is no family name in it: write {CREATOR_FORM}")
    if orcid and not is_orcid(orcid):
        raise InvalidOrcidError(orcid)
    to_line("creator", name, MAX_NAME)
    places = dict.fromkeys(to_line("affiliation", place, MAX_AFFILIATION) for place in affiliations if place)
    return Creator(
        family_name=to_line("creator", family, MAX_NAME),
        given_name=to_line("creator", given, MAX_NAME) if given else "",
        orcid=find_orcid(orcid),
        affiliations=tuple(places),
    )


def to_line(part: str, text: str, longest: int) -> str:
    """Return the text with single spaces; raises PublicationTextError if it is empty, too long or no text."""
    line = " ".join(to_paragraphs(part, text, longest).split())
    if not line:
        raise PublicationTextError(part, text, "it is empty")
    return line


def to_paragraphs(part: str, text: str, longest: int) -> str:
    """Return the text with its lines kept, without blanks around them; raises PublicationTextError as `to_line`."""
    lines = "\n".join(" ".join(line.split()) for line in text.splitlines())
    kept = re.sub(r"\n{3,}", "\n\n", lines).strip()
    if len(kept) > longest:
        raise PublicationTextError(part, text, f"it has {len(kept)} characters, at most {longest} are taken")
    if any(_is_no_text(character) for character in kept):
        raise PublicationTextError(part, text, "a control character stands in it, leave it out")
    return kept


def _is_no_text(character: str) -> bool:
    """Return whether no text holds it: control characters, halves of pairs, and what XML has no place for."""
    return (unicodedata.category(character) in ("Cc", "Cs") and character != "\n") or character in _NO_CHARACTERS
