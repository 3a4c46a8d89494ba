"""Users as files name them. Names and roles only: contact data is neither looked for nor let through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ingest.catalogue.identifiers import find_orcid
from ingest.catalogue.redaction import to_person_text
from ingest.mapping.drafts import PersonDraft, Taken

if TYPE_CHECKING:
    from ingest.mapping.findings import Search
    from ingest.mapping.positions import Place
    from ingest.mapping.rule_schema import PeopleRule
    from ingest.nexus.record import Value

_SEPARATORS: Final = re.compile(r"\s*(?:[;/&\n|]|\s(?:and|und|et)\s)\s*")
_WORDS: Final = re.compile(r"\S+\s+\S+")
LONGEST_NAME: Final = 255
"""Characters: as long as ICAT lets names of people and of what they do be."""
_CONTACT: Final = re.compile(r"\S+@\S+|\[redacted\]|\+?\d[\d\s()./-]{5,}\d")


def find_people(search: Search, rule: PeopleRule) -> tuple[PersonDraft, ...]:
    """Return everybody whom the entry names, each once."""
    people: dict[str, PersonDraft] = {}
    for position in search.plan.people:
        for place in search.index.find(position):
            for person in _read_people(search, place, rule):
                people.setdefault(person.name.value.casefold(), person)
    return tuple(people.values())


def _read_people(search: Search, place: Place, rule: PeopleRule) -> list[PersonDraft]:
    for field_name in rule.name:
        field = place.find_field(field_name.casefold())
        names = _to_names(search, field.value) if field is not None else []
        if field is None or not names:
            continue
        role = _first_text(search, place, rule.role)
        role = (to_person_text(role) or None) if role else None
        orcid = find_orcid(_first_text(search, place, rule.orcid)) if len(names) == 1 else None
        path = place.group.path_of(field.name)
        return [PersonDraft(Taken(name[:LONGEST_NAME], path, name), role, orcid) for name in names]
    return []


def _to_names(search: Search, value: Value | None) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    names = [name for text in texts if isinstance(text, str) for name in split_names(text)]
    return [name for name in names if not _is_placeholder(search, name)]


def split_names(text: str) -> list[str]:
    """Return the people in one string. A comma parts people only if what stands around it are whole names.

    `Hildebrandt, Ron` is one person, `A. Smith, B. Jones` are two. What looks like contact data is cut away.
    """
    names = []
    for part in _SEPARATORS.split(_CONTACT.sub(" ", to_person_text(text))):
        pieces = [piece.strip() for piece in part.split(",")]
        whole = len(pieces) > 1 and all(_WORDS.fullmatch(piece) or piece.count(" ") > 1 for piece in pieces if piece)
        names += pieces if whole else [part]
    return [name for name in (re.sub(r"\s+", " ", name).strip(" ,<>()") for name in names) if name]


def _is_placeholder(search: Search, text: str) -> bool:
    return text.casefold() in search.plan.placeholders or bool(search.plan.placeholder_form.fullmatch(text))


def _first_text(search: Search, place: Place, names: tuple[str, ...]) -> str | None:
    for name in names:
        field = place.find_field(name.casefold())
        if field is not None and isinstance(field.value, str) and not _is_placeholder(search, field.value):
            return field.value[:LONGEST_NAME]
    return None
