"""Personal data: e-mail addresses, telephone numbers, postal addresses, and what tells of a patient.

The first three the catalogue never holds, the last only where a rule file says so. Found by the name of a field, an
attribute or a parameter, and by pattern inside any text. Used while a file is read, before a record is stored, and when
a notice comes in, so that neither record nor index nor API ever had them. The one module of this room that the HDF5
room may use: it knows nothing but text.
"""

from __future__ import annotations

import re
from functools import cache

REDACTED = "[redacted]"

_PERSONAL_WORDS = frozenset(
    {
        *("email", "mail", "emails", "mails", "address", "addresses", "phone", "phones", "telephone", "telephones"),
        *("tel", "fax", "facsimile", "cellphone", "telefax", "telefon", "telefono", "courriel", "correo"),
        *("adresse", "adressen", "anschrift", "indirizzo", "direccion"),
    }
)
_PERSONAL_ENDS = ("address", "adresse", "email", "telephone", "telefon", "cellphone", "phonenumber")
_PERSONAL_WORDS_OF_A_USER = _PERSONAL_WORDS | {
    *("mobile", "mobil", "handy", "contact", "contacts", "street", "strasse", "rue", "zip", "zipcode", "postcode"),
    *("postal", "plz", "city", "wohnort", "location"),
}
_KEPT_OF_A_USER = frozenset(
    {
        *("name", "names", "username", "usernames", "usernamelist", "userlist", "firstname", "lastname", "surname"),
        *("given", "family", "initials", "login", "role", "roles", "orcid", "id", "ids", "uid", "identifier"),
        *("identifiers", "service", "type", "proposal", "proposals", "experiment"),
    }
)
_NAMES = frozenset({"role", "roles", "initials", "given", "family", "surname", "userlist"})
_PATIENT_GROUPS = frozenset({"patient", "patients", "donor", "donors"})
_SUBJECT_GROUPS = frozenset({"subject", "subjects", "person", "human", "individual"})
"""Groups that hold what tells of a patient if they stand in a sample."""
_PATIENT_WORDS = frozenset(
    {
        *("patient", "patients", "medical", "clinical", "diagnosis", "diagnoses", "anamnesis", "comorbidity"),
        *("comorbidities", "gender", "sex", "ethnicity", "birth", "birthday", "birthdate", "dob", "bmi", "smoker"),
    }
)
_OF_A_SUBJECT = frozenset({"donor", "donors", "subject", "subjects", "person", "human"})
_WITH_A_SUBJECT = frozenset(
    {
        *("age", "weight", "height", "size", "id", "identifier", "number", "name", "history", "info", "institute"),
        *("race", "disease", "illness", "death", "hospital"),
    }
)
"""A donor may be one of electrons; one that has an age is a person."""
_PATIENT_WORDS_OF_A_SAMPLE = frozenset({"age", "race", "disease", "illness", "hospital"})
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_AT = r"(?:[@\uff20\ufe6b]|&#(?:64|x40);|\s?[\[(]\s?at\s?[\])]\s?)"
_DOT = r"(?:\.|\s?[\[(]\s?dot\s?[\])]\s?)"
_EMAIL = re.compile(
    rf"(?:\"[^\"\n]{{1,64}}\"|[^\s@<>,;:\"'()\[\]\uff20\ufe6b&]{{1,64}}){_AT}"
    rf"(?:[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,8}}{_DOT}[^\W\d_]{{2,24}}(?!\w)|\[[0-9a-fA-F.:]{{3,45}}\])"
)
_INTERNATIONAL = re.compile(r"(?<![\w.+-])\+[1-9](?:[\s()/-]{0,3}\d){8,14}(?![\w.])")
_DOTTED = re.compile(r"(?<![\w.+-])\+[1-9]\d{0,2}(?:[\s()./-]{1,3}\d{1,4}){4,7}(?![\w.])")
"""With its country, in groups of digits: `+33.4.76.88.20.00`."""
_LABELLED = re.compile(
    r"(?i)(?<![a-z])(tel|t\u00e9l|telephone|t\u00e9l\u00e9phone|telefon|telefono|telefax|phone|fax|mobile|mobil|handy|gsm)\b"
    r"(\s*(?:no|nr|number)?\s*[.:=]?\s*)\+?\(?\d(?:[\s()./-]{0,3}\d){5,14}"
)
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|<[^<>]*>")
_ANY_NUMBER = re.compile(r"(?<![\w-])\+?\(?\d(?:[\s()./-]{0,3}\d){6,16}(?![\w-])")
_NO_NUMBER = re.compile(r"\d{4}-\d{4}-\d{4}-\d{4}|\d{4}-\d\d-\d\d|[1-9]\d*")
"""An ORCID iD, a day, an id: what looks like a number to call and is none."""
_PARTS = re.compile(r"[\n,;|]")
_STREET = re.compile(r"\d.*\s|\s.*\d")


@cache
def is_personal(name: str, of_a_user: bool = False) -> bool:
    """Whether a field or attribute of that name holds an e-mail, telephone or postal address.

    `of_a_user` is true inside an NXuser, where also `mobile` or `city` are part of an address.
    """
    words = _to_words(name.replace("e-mail", "email").replace("e_mail", "email"))
    if any(word.endswith(_PERSONAL_ENDS) for word in words):
        return True
    return not words.isdisjoint(_PERSONAL_WORDS_OF_A_USER if of_a_user else _PERSONAL_WORDS)


@cache
def is_kept_of_a_user(name: str) -> bool:
    """Whether a member of an NXuser of that name is kept: who it is and in which role, and no more."""
    return not is_personal(name, of_a_user=True) and not _to_words(name).isdisjoint(_KEPT_OF_A_USER)


@cache
def names_somebody(name: str) -> bool:
    """Whether a member of an NXuser of that name says what a person is called, or does."""
    return any("name" in word or word in _NAMES for word in _to_words(name))


@cache
def is_patient_group(name: str, in_sample: bool) -> bool:
    """Whether all in a group of that name tells of a patient; `in_sample` is true below an NXsample."""
    words = _to_words(name)
    return not words.isdisjoint(_PATIENT_GROUPS) or (in_sample and not words.isdisjoint(_SUBJECT_GROUPS))


@cache
def is_patients(name: str, in_sample: bool = False) -> bool:
    """Whether a field, an attribute or a parameter of that name tells of a patient: age, sex, medical history.

    `in_sample` is true for members of an NXsample, where also a mere `age` does.
    """
    words = _to_words(name)
    if not words.isdisjoint(_PATIENT_WORDS):
        return True
    if not words.isdisjoint(_OF_A_SUBJECT) and not words.isdisjoint(_WITH_A_SUBJECT):
        return True
    return in_sample and not words.isdisjoint(_PATIENT_WORDS_OF_A_SAMPLE)


def _to_words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name)}


def to_redacted(text: str) -> str:
    """Return the text with every e-mail address and telephone number in it replaced by `[redacted]`."""
    is_bracketed = "at" in text and ("(" in text or "[" in text)
    if "@" in text or is_bracketed or "&#" in text or not text.isascii():
        text = _EMAIL.sub(REDACTED, text)
    if "+" in text:
        text = _DOTTED.sub(REDACTED, _INTERNATIONAL.sub(REDACTED, text))
    if len(text) > len("tel 123456"):
        text = _LABELLED.sub(rf"\1\2{REDACTED}", text)
    return text


def to_person_text(text: str) -> str:
    """Return what a file says of a person's name or role without what stands beside it: numbers, places, streets.

    What is in brackets goes, and of several parts those with a number and a blank: `71 avenue des Martyrs`.
    """
    text = _ASIDE.sub(" ", to_redacted(text).replace(REDACTED, " "))
    text = _ANY_NUMBER.sub(lambda found: found[0] if _NO_NUMBER.fullmatch(found[0]) else " ", text)
    parts = _PARTS.split(text)
    if len(parts) > 1:
        marks = _PARTS.findall(text)
        kept = [
            (part, mark) for part, mark in zip(parts, ["", *marks], strict=True) if not _STREET.search(part.strip())
        ]
        text = "".join(f"{mark if number else ''}{part}" for number, (part, mark) in enumerate(kept))
    return text.strip(" ,;|\n")
