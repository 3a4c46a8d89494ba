"""Which tokens are nearly a word that was asked for: the same in every index, whatever its engine calls fuzzy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_LENGTH: Final = 4
"""Nearly each shorter word is nearly some other."""
_LONG: Final = 8
"""From here on two edits are allowed."""


def to_distance(tokens: Sequence[str]) -> int:
    """Return how many edits away from these tokens others are found; 0 where only they themselves are.

    An edit is a letter or digit more, less or changed, or two neighbours swapped, no place edited twice: the optimal
    string alignment, which is what both Lucene and tantivy count. It is for one token of ASCII letters and digits and
    finds such tokens alone: beyond them the two engines count in different units.
    """
    if len(tokens) != 1 or not tokens[0].isascii() or len(tokens[0]) < MIN_LENGTH:
        return 0
    return 1 if len(tokens[0]) < _LONG else 2


def count_edits(one: str, other: str) -> int:
    """Return the optimal string alignment distance: letters more, less or changed, or neighbours swapped."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, counterpart in enumerate(other, 1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (letter != counterpart))
            is_swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == counterpart
            line.append(min(cost, before[column - 2] + 1) if is_swapped else cost)
        before, last = last, line
    return last[-1]
