"""What both engines count ranges in bins by."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def count_overlaps(begun: Sequence[int], ended: Sequence[int]) -> list[int]:
    """Return how many ranges overlap each bin.

    `begun` counts where they begin and `ended` where they end: before all bins, in each of them, and behind all.
    """
    ended_before = list(accumulate(ended))[:-2]
    begun_until = list(accumulate(begun))[1:-1]
    return [until - before for before, until in zip(ended_before, begun_until, strict=True)]
