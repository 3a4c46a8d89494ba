"""How text becomes tokens: the one place, for documents and for queries, whatever the index.

Elasticsearch without its analysis module cannot fold accents or split names, and two engines never split alike; so both
are given tokens that were made here, joined by blanks, and split at blanks only.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_TOKEN_LENGTH: Final = 100
"""A longer token is cut, in documents and in queries alike: engines drop long ones, each at its own length."""

_TOKEN: Final = re.compile(r"[^\W_]+")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Return the text without accents and case: `Ångström` is `angstrom`, `LaB₆` is `lab6`, `µ` is a Greek mu."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", to_clean(text).casefold())
    kept = "".join(character for character in decomposed if not unicodedata.combining(character))
    return unicodedata.normalize("NFKD", kept.casefold())


def to_tokens(text: str) -> list[str]:
    """Return the folded runs of letters and digits in order: `LaB6_20-BM` is `lab6`, `20`, `bm`."""
    return [token[:MAX_TOKEN_LENGTH] for token in _TOKEN.findall(fold(text))]


def list_tokens(text: str) -> list[tuple[str, int, int]]:
    """Return the same tokens, each with where it begins and ends in the text as it is written."""
    places = [place for place, letter in enumerate(text) for _ in fold(letter)]
    folded = "".join(fold(letter) for letter in text)
    return [
        (found[0][:MAX_TOKEN_LENGTH], places[found.start()], places[found.end() - 1] + 1)
        for found in _TOKEN.finditer(folded)
    ]


@lru_cache(maxsize=8192)
def to_token_text(text: str) -> str:
    """Return the tokens with a blank between them: what an engine is given, that splits at blanks only."""
    return " ".join(to_tokens(text))


def to_clean(text: str) -> str:
    """Return the text with what no engine stores, lone surrogates out of undecodable bytes, replaced by `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
