"""How long the stages of a master's way take: measured where they are, told to whoever asks for it, if anybody does."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_told: ContextVar[Callable[[str, float], None] | None] = ContextVar("nxcat_stages", default=None)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measure what is done meanwhile, also if it fails, as a stage of this name."""
    began = time.perf_counter()
    try:
        yield
    finally:
        tell = _told.get()
        if tell is not None:
            tell(name, time.perf_counter() - began)


@contextmanager
def telling_stages(tell: Callable[[str, float], None]) -> Iterator[None]:
    """Have each stage's name and seconds told."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)
