"""Personal data that the catalogue never holds: e-mail addresses, telephone numbers, postal addresses.

Found by the name of a field, an attribute or a parameter, and by pattern inside any text. Used while a file is read and
when a notice comes in, so that neither record nor index nor API ever had them. The one module of this room that the
HDF5 room may use: it knows nothing but text.
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
    words = {word.lower() for word in _WORD.findall(name.replace("e-mail", "email").replace("e_mail", "email"))}
    return not words.isdisjoint(_PERSONAL_WORDS_OF_A_USER if of_a_user else _PERSONAL_WORDS)


def to_redacted(text: str) -> str:
    """Return the text with every e-mail address and telephone number in it replaced by `[redacted]`."""
    if "@" in text or ("at" in text and ("(" in text or "[" in text)):
        text = _EMAIL.sub(REDACTED, text)
    if "+" in text:
        text = _INTERNATIONAL.sub(REDACTED, text)
    if len(text) > len("tel 123456"):
        text = _LABELLED.sub(rf"\1\2{REDACTED}", text)
    return text
