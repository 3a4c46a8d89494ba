"""What a person writes about a name or a text in the database, as SQL conditions. Case does not matter.

That goes for ASCII's letters, on both databases; the search index folds all, and accents as well.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, and_, cast, func, or_, true

from ingest.catalogue.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import InstrumentedAttribute

MAX_WORDS: Final = 8
"""Each is looked for in every row."""
_ESCAPE: Final = "\\"


def contains_words(text: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that every word of the text stands in one of the columns.

    Raises InvalidQueryError for more than MAX_WORDS.
    """
    words = text.split()
    if len(words) > MAX_WORDS:
        raise InvalidQueryError(f"{len(words)} words are given, {MAX_WORDS} are the most")
    found = [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words]
    return and_(true(), *found)


def matches_name(pattern: str, column: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return the condition that a name holds the text; with `*` or `?` in it, that the whole name is like it."""
    if not set(pattern) & set("*?"):
        return column.icontains(pattern, autoescape=True)
    signs = {"*": "%", "?": "_", "%": rf"{_ESCAPE}%", "_": rf"{_ESCAPE}_", _ESCAPE: _ESCAPE * 2}
    return column.ilike("".join(signs.get(letter, letter) for letter in pattern), escape=_ESCAPE)


def holds_name(names: Iterable[str], column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that a JSON list of objects, `name` first in each, holds one with one of the names."""
    written = (json.dumps({"name": name}).removesuffix("}") for name in names)
    return or_(*(cast(column, Text).icontains(each, autoescape=True) for each in written))


def holds_text(text: str, key: str, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that a JSON list of objects holds one with this text under the key, letter by letter."""
    # As the driver writes it: what is not ASCII stands there as its code.
    return cast(column, Text).contains(json.dumps({key: text})[1:-1], autoescape=True)


def is_one_of(values: Iterable[str], column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that a name is one of the values, whole."""
    return func.lower(column).in_([func.lower(value) for value in values])
