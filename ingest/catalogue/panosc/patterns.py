"""Patterns that strangers write: what they find on both databases, and what is refused because it might take for ever.

`like` finds its text anywhere, as LoopBack does; `%` stands for any signs, `_` for one. Regular expressions are those
that RE2 takes, which needs a time in proportion to the text: no looking around and no reference back.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import re2
from sqlalchemy import ColumnElement, String, cast, false, func

from ingest.catalogue.panosc.errors import InvalidFilterError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MAX_PATTERN: Final = 1000
MAX_WILDCARDS: Final = 8
"""Each of them multiplies what a database tries."""
MAX_REPEATS: Final = 255
"""PostgreSQL counts no further."""
REGEXP_FUNCTION: Final = "nxcat_regexp"
_LITERAL: Final = re.compile(r"/(.*)/([a-z]*)", re.DOTALL)
_REPEATS: Final = re.compile(r"\{\d*(?:,\d*)?\}")
_ESCAPES: Final = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES: Final = frozenset("dDwWsStnrfvbB")
_ESCAPE: Final = "\\"


def check_like(pattern: str) -> str:
    """Return the pattern; raises InvalidFilterError for one that is too long or has too many wildcards."""
    if len(pattern) > MAX_PATTERN or pattern.count("%") > MAX_WILDCARDS:
        raise InvalidFilterError(f"A pattern has at most {MAX_PATTERN} characters and {MAX_WILDCARDS} %")
    return pattern


def check_regexp(name: str, given: Any) -> tuple[str, bool]:
    """Return the regular expression, written `abc` or `/abc/i`, and whether case does not matter.

    Raises InvalidFilterError for what is none, or is none that can be answered in time.
    """
    if not isinstance(given, str) or len(given) > MAX_PATTERN:
        raise InvalidFilterError(
            f"The {name} property has an invalid regexp: a text of at most {MAX_PATTERN} characters"
        )
    literal = _LITERAL.fullmatch(given)
    pattern, flags = (literal[1], literal[2]) if literal else (given, "")
    reason = _find_fault(pattern)
    if reason:
        raise InvalidFilterError(f"The {name} property has an invalid regexp: {reason}")
    return pattern, "i" in flags


def _find_fault(pattern: str) -> str:
    """Return why the expression is refused, or nothing: both databases must mean the same by it."""
    if "\x00" in pattern or any("\ud800" <= letter <= "\udfff" for letter in pattern):
        return "it holds a character that is none"
    if re.search(r"\(\?(?!:)", pattern):
        return "of groups that begin with (? only (?: is known"
    if any(letter.isalnum() and letter not in _KNOWN_ESCAPES for letter in _ESCAPES.findall(pattern)):
        return f"of letters with a backslash only {' '.join(sorted(_KNOWN_ESCAPES))} are known"
    for repeats in _REPEATS.findall(pattern):
        if repeats.startswith("{,") or repeats == "{}" or max(map(int, re.findall(r"\d+", repeats))) > MAX_REPEATS:
            return f"{repeats} is not of the form {{1,{MAX_REPEATS}}}"
    try:
        _compile(pattern, ignores_case=False)
    except re2.error as error:
        told = error.args[0] if error.args else ""
        return told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    return ""


@lru_cache(maxsize=64)
def _compile(pattern: str, *, ignores_case: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignores_case
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def is_like(column: ColumnElement[Any], pattern: str, dialect: str, *, ignores_case: bool) -> ColumnElement[bool]:
    """Return the condition that the column holds what the pattern stands for; null where the column is."""
    text = cast(column, String) if not isinstance(column.type, String) else column
    signs = "%".join(["", *_to_pieces(pattern), ""])
    if ignores_case:
        return text.ilike(signs, escape=_ESCAPE)
    if dialect == "postgresql":
        return text.like(signs, escape=_ESCAPE)
    # LIKE knows no case there.
    return text.op("GLOB", is_comparison=True)(_to_glob(signs))


def matches_like(text: str, pattern: str, *, ignores_case: bool) -> bool:
    """Return whether the text holds what the pattern stands for."""
    signs = "%".join(["", *_to_pieces(pattern), ""])
    known = {"%": ".*", "_": "."}
    written = "".join(known.get(sign, re.escape(sign[-1])) for sign in _to_signs(signs))
    return re.fullmatch(written, text, re.DOTALL | (re.IGNORECASE if ignores_case else 0)) is not None


def matches_regexp(text: str, pattern: str, *, ignores_case: bool) -> bool:
    """Return whether the expression is found in the text."""
    return _compile(pattern, ignores_case=ignores_case).search(text) is not None


def is_found(column: ColumnElement[Any], pattern: str, dialect: str, *, ignores_case: bool) -> ColumnElement[bool]:
    """Return the condition that the expression is found in the column; see `register_regexp`."""
    if not isinstance(column.type, String):
        return false()
    if dialect == "postgresql":
        words = {"b": "y", "B": "Y"}
        own = _ESCAPES.sub(lambda match: f"\\{words.get(match[1], match[1])}", pattern)
        return column.op("~*" if ignores_case else "~", is_comparison=True)(own)
    return func.nxcat_regexp(pattern, ignores_case, column) == 1


def register_regexp(session: Session) -> None:
    """Let SQLite, which has none of its own, know regular expressions on this connection."""
    if session.get_bind().dialect.name != "sqlite":
        return
    connection: Any = session.connection().connection.driver_connection
    connection.create_function(REGEXP_FUNCTION, 3, _search, deterministic=True)


def _search(pattern: str, ignores_case: int, text: str | None) -> bool:
    return text is not None and matches_regexp(text, pattern, ignores_case=bool(ignores_case))


def _to_pieces(pattern: str) -> list[str]:
    """Return what stands between the wildcards, so that several in a row are one."""
    pieces, piece = [], ""
    for sign in _to_signs(pattern):
        if sign == "%":
            pieces.append(piece)
            piece = ""
        else:
            piece += sign
    return [each for each in [*pieces, piece] if each]


def _to_signs(pattern: str) -> list[str]:
    """Return the signs one by one; one after a backslash, which then means itself, together with it."""
    signs = re.findall(r"\\.|.", pattern, re.DOTALL)
    return ["\\\\" if sign == "\\" else sign for sign in signs]


def _to_glob(signs: str) -> str:
    wild = {"%": "*", "_": "?"}
    literal = {"*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(wild.get(sign) or literal.get(sign[-1], sign[-1]) for sign in _to_signs(signs))
