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
        *("tel", "fax", "facsimile", "cellphone"),
    }
)
_PERSONAL_WORDS_OF_A_USER = _PERSONAL_WORDS | {"mobile", "street", "zip", "zipcode", "postcode", "postal", "city"}
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
_EMAIL = re.compile(
    r"[^\s@<>,;:\"'()\[\]]{1,64}(?:@|\s?[\[(]\s?at\s?[\])]\s?)[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[^\W\d_]{2,24}(?!\w)"
)
_INTERNATIONAL = re.compile(r"(?<![\w.+-])\+[1-9](?:[\s()/-]{0,3}\d){8,14}(?![\w.])")
_LABELLED = re.compile(
    r"(?i)(?<![a-z])(tel|t\u00e9l|telephone|t\u00e9l\u00e9phone|phone|fax|mobile|gsm)\b"
    r"(\s*(?:no|nr|number)?\s*[.:=]?\s*)\+?\(?\d(?:[\s()./-]{0,3}\d){5,14}"
)


@cache
def is_personal(name: str, of_a_user: bool = False) -> bool:
    """Whether a field or attribute of that name holds an e-mail, telephone or postal address.

    `of_a_user` is true inside an NXuser, where also `mobile` or `city` are part of an address.
    """
    words = _to_words(name.replace("e-mail", "email").replace("e_mail", "email"))
    return not words.isdisjoint(_PERSONAL_WORDS_OF_A_USER if of_a_user else _PERSONAL_WORDS)


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
    if "@" in text or ("at" in text and ("(" in text or "[" in text)):
        text = _EMAIL.sub(REDACTED, text)
    if "+" in text:
        text = _INTERNATIONAL.sub(REDACTED, text)
    if len(text) > len("tel 123456"):
        text = _LABELLED.sub(rf"\1\2{REDACTED}", text)
    return text
