"""Words with wildcards: `*` stands for any letters and digits, or none, and `?` for one; the same in every index."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

from ingest.catalogue.search.folding import MAX_TOKEN_LENGTH, fold, to_tokens
from ingest.catalogue.search.keys import to_safe
from ingest.catalogue.search.query import Match

MAX_WILDCARDS: Final = 6
"""In one word; with nine the automaton may have more than the 1,000 states that tantivy takes."""
MAX_LETTERS: Final = 50
"""In one word that is no mere beginning: a letter takes up to 9 of the 1,000 signs of Elasticsearch's patterns."""

_PATTERN: Final = re.compile(r"(?:[^\W_]|[*?])+")
_LETTER: Final = "([a-z0-9]|__[0-9a-f]+_)"
"""One letter or digit as `to_safe` writes it, so that no wildcard stands for a part of one."""
_SIGNS: Final = {"*": f"{_LETTER}*", "?": _LETTER}


def has_wildcards(text: str) -> bool:
    """Return whether a wildcard stands in the text."""
    return "*" in text or "?" in text


def to_patterns(text: str) -> list[str]:
    """Return the folded runs of letters, digits and wildcards in order: `La?6_2*` is `la?6`, `2*`.

    A `*` alone before or behind others is left out: it may stand for nothing, and otherwise for every word there is.
    """
    found = _PATTERN.findall(re.sub(r"\*+", "*", fold(text)))
    asked = [place for place, pattern in enumerate(found) if pattern != "*"] or [0]
    return [pattern[:MAX_TOKEN_LENGTH] for pattern in found[asked[0] : asked[-1] + 1]]


def to_asked_tokens(text: str, match: Match) -> list[str]:
    """Return the tokens of what is asked for, patterns where it has wildcards."""
    return to_patterns(text) if match is Match.WILDCARD else to_tokens(text)


def to_regex(pattern: str) -> str:
    """Return the tokens that a pattern stands for, as they are in an index, in the language of both engines."""
    return "".join(_SIGNS.get(sign) or to_safe(sign) for sign in pattern)


def get_beginning(pattern: str) -> str | None:
    """Return what all tokens begin with that a pattern of a single wildcard at its end stands for; of another None."""
    beginning = pattern.removesuffix("*")
    return None if beginning == pattern or has_wildcards(beginning) else beginning


def is_like(token: str, pattern: str) -> bool:
    """Return whether the pattern stands for the token, which is letters and digits alone."""
    return fnmatchcase(token, pattern)
