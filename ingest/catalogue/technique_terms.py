"""Terms for experimental techniques: PaNET's, each with the broader ones that it falls under.

The table is `panet.tsv`, made by `generators/panet.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ingest.catalogue.search.folding import to_token_text

if TYPE_CHECKING:
    from collections.abc import Mapping

PANET: Final = "http://purl.org/pan-science/PaNET/PaNET"
"""What a PaNET identifier begins with; a number of five digits follows."""

_PANET_FORM: Final = re.compile(r"(?:https?://purl\.org/pan-science/PaNET/|PaNET:)?PaNET(\d{5})", re.IGNORECASE)
_TOPS: Final = frozenset(f"{PANET}{number:05d}" for number in range(1, 7))
"""Terms that say no more than that something is a technique, or by what techniques are defined."""


@dataclass(frozen=True, slots=True)
class TechniqueTerm:
    """One term. `broader` are the identifiers right above, `alternatives` other names and abbreviations."""

    pid: str
    label: str
    alternatives: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()
    definition: str = ""


@lru_cache(maxsize=4096)
def find_technique(text: str) -> TechniqueTerm | None:
    """Return the term that an identifier, a label or an alternative label means, in any case of letters.

    A label goes before an alternative label of another term; an alternative label that two terms have means none.
    """
    written = text.strip()
    match = _PANET_FORM.fullmatch(written)
    if match is not None:
        return load_terms().get(f"{PANET}{match[1]}")
    return _by_name().get(to_token_text(written))


def ancestors(pid: str) -> tuple[TechniqueTerm, ...]:
    """Return all the terms that the one falls under, each once, the nearest first; none if nobody knows it."""
    found: dict[str, None] = {}
    level = _broader_of(pid)
    while level:
        found |= dict.fromkeys(level)
        level = [above for one in level for above in _broader_of(one) if above not in found]
    return tuple(load_terms()[one] for one in found)


def narrower(pid: str) -> tuple[TechniqueTerm, ...]:
    """Return all the terms that fall under the one, in the order of their identifiers."""
    return tuple(term for term in load_terms().values() if any(above.pid == pid for above in ancestors(term.pid)))


@lru_cache(maxsize=4096)
def to_search_names(name: str, pid: str | None) -> tuple[str, ...]:
    """Return what else a technique is found by: its other names, and all names of the terms that it falls under."""
    term = find_technique(pid or name)
    if term is None:
        return ()
    terms = (term, *(above for above in ancestors(term.pid) if above.pid not in _TOPS))
    names = dict.fromkeys(name for one in terms for name in (one.label, *one.alternatives))
    return tuple(other for other in names if other != name)


@cache
def load_terms() -> Mapping[str, TechniqueTerm]:
    """Return every term by its identifier."""
    lines = files(__package__).joinpath("panet.tsv").read_text(encoding="utf-8").splitlines()
    terms = [_to_term(line.split("\t")) for line in lines if not line.startswith("#")]
    return MappingProxyType({term.pid: term for term in terms})


def _to_term(cells: list[str]) -> TechniqueTerm:
    number, label, alternatives, broader, definition = cells
    return TechniqueTerm(
        pid=f"{PANET}{number}",
        label=label,
        alternatives=tuple(filter(None, alternatives.split("|"))),
        broader=tuple(f"{PANET}{above}" for above in broader.split()),
        definition=definition,
    )


def _broader_of(pid: str) -> tuple[str, ...]:
    term = load_terms().get(pid)
    return () if term is None else term.broader


@cache
def _by_name() -> Mapping[str, TechniqueTerm]:
    """Return the terms by name, folded: `X-ray Diffraction` is `x ray diffraction`."""
    terms = load_terms().values()
    claims: dict[str, list[TechniqueTerm]] = {}
    for term in terms:
        for name in term.alternatives:
            claims.setdefault(to_token_text(name), []).append(term)
    clear = {name: claimed[0] for name, claimed in claims.items() if len(claimed) == 1}
    return clear | {to_token_text(term.label): term for term in terms}
