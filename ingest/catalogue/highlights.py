"""Why a dataset was found: which values hold what was asked for, and where in them. Pure.

It is worked out from the documents of a page alone, by the tokens that every index is given, so that it says the same
whatever the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingest.catalogue.search import And, FieldMatch, Match, Noun, Or, Phrase, Query, Word
from ingest.catalogue.search.folding import list_tokens
from ingest.catalogue.search.fuzzy import count_edits, to_distance
from ingest.catalogue.search.nouns import to_sought_values
from ingest.catalogue.search.wildcards import is_like, to_asked_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.catalogue.document import SearchDocument

MAX_HIGHLIGHTS: Final = 10
"""The most values that are shown of a dataset."""
MAX_LENGTH: Final = 200
"""Of a longer value a fragment is shown around what was found first."""
_BEFORE: Final = 40


@dataclass(frozen=True, slots=True)
class Highlight:
    """A value of a noun or of a text parameter, or a fragment of it, and where in it what was asked for stands.

    `spans` are half-open, in characters of `text`, rising and apart.
    """

    field: str
    text: str
    spans: tuple[tuple[int, int], ...]


def to_highlights(query: Query, document: SearchDocument) -> tuple[Highlight, ...]:
    """Return the values that hold words of the query, the first ones; what is negated or a number has none."""
    leaves = list(_walk(query))
    found = (_to_highlight(field, value, leaves) for field, value in _list_values(document)) if leaves else ()
    known = dict.fromkeys(highlight for highlight in found if highlight is not None)
    # An abstract may be a text parameter, too: it is shown once.
    abstracts = {(each.text, each.spans) for each in known if each.field == Noun.ABSTRACT}
    told = [each for each in known if each.field in set(Noun) or (each.text, each.spans) not in abstracts]
    return tuple(told[:MAX_HIGHLIGHTS])


def _walk(query: Query) -> Iterator[Word | Phrase | FieldMatch]:
    match query:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _walk(part)
        case Word() | Phrase() | FieldMatch():
            yield query
        case _:
            pass


def _list_values(document: SearchDocument) -> Iterator[tuple[str, str]]:
    for noun in Noun:
        if noun is not Noun.COMPLETE:
            yield from ((noun.value, value) for value in to_sought_values(document, noun))
    yield from ((text.name, text.value) for text in document.texts)


def _to_highlight(field: str, value: str, leaves: list[Word | Phrase | FieldMatch]) -> Highlight | None:
    tokens = list_tokens(value)
    spans = [
        span
        for leaf in leaves
        if not isinstance(leaf, FieldMatch) or leaf.field == field
        for span in _find_spans(tokens, leaf)
    ]
    return _cut(field, value, _join(spans)) if spans else None


def _find_spans(tokens: list[tuple[str, int, int]], leaf: Word | Phrase | FieldMatch) -> Iterator[tuple[int, int]]:
    written = leaf.value if isinstance(leaf, FieldMatch) else leaf.text
    asked = to_asked_tokens(written, leaf.match)
    distance = to_distance(asked) if leaf.match is Match.FUZZY else 0
    for start in range(len(tokens) - len(asked) + 1) if asked else ():
        window = tokens[start : start + len(asked)]
        if all(_fits(token, each, distance) for (token, _, _), each in zip(window, asked, strict=True)):
            yield window[0][1], window[-1][2]


def _fits(token: str, asked: str, distance: int) -> bool:
    """Return whether a token is what is asked for: a pattern, or a word that is this far away at most."""
    return is_like(token, asked) or (distance > 0 and token.isascii() and count_edits(asked, token) <= distance)


def _join(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans rising, those that overlap made one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _cut(field: str, value: str, spans: list[tuple[int, int]]) -> Highlight:
    start = max(0, spans[0][0] - _BEFORE) if len(value) > MAX_LENGTH else 0
    end = start + MAX_LENGTH
    shown = tuple((first - start, min(last, end) - start) for first, last in spans if first < end)
    return Highlight(field, value[start:end], shown)
