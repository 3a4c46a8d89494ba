"""Terms for experimental techniques: PaNET's, and ESRF's below them, each with the broader ones that it falls under.

PaNET's table is `panet.tsv`, made by `generators/panet.py`. ESRF's is `esrfet.tsv`; its package is not asked at run
time, since it has no broader terms and no tie to PaNET, which are what is needed here. Where both have a term for
the same, there is one, PaNET's, which has the other identifier beside its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ingest.catalogue.search.folding import to_token_text

if TYPE_CHECKING:
    from collections.abc import Mapping

PANET: Final = "http://purl.org/pan-science/PaNET/PaNET"
"""What a PaNET identifier begins with; a number of five digits follows."""

ESRFET: Final = "https://w3id.org/PaN/ESRFET#"
"""What an ESRFET identifier begins with; an abbreviation follows."""
_PANET_FORM: Final = re.compile(r"(?:https?://purl\.org/pan-science/PaNET/|PaNET:)?PaNET(\d{5})", re.IGNORECASE)
_ESRFET_FORM: Final = re.compile(
    r"(?:https?://w3id\.org/PaN/)?ESRFET(?:/v[\w.]{1,20})?/?[#:]([\w.\-\u2010-\u2015]{1,100})", re.IGNORECASE
)
"""With or without the version that BLISS writes: `https://w3id.org/PaN/ESRFET/v0.1.0/#XRF`."""
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
    same_as: tuple[str, ...] = ()
    """Identifiers that another ontology has for it."""


@lru_cache(maxsize=4096)
def find_technique(text: str) -> TechniqueTerm | None:
    """Return the term that an identifier, a label or another name means, in any case of letters.

    A label goes before another term's abbreviation, that before other names; a name that two terms have means none.
    """
    pid = to_pid(text)
    return _by_name().get(to_token_text(text)) if pid is None else _by_pid().get(pid)


def to_pid(text: str) -> str | None:
    """Return the identifier in PaNET or ESRFET that is written in one of their ways; None if it is neither."""
    written = text.strip()
    match = _PANET_FORM.fullmatch(written)
    if match is not None:
        return f"{PANET}{match[1]}"
    match = _ESRFET_FORM.fullmatch(written)
    return None if match is None else f"{ESRFET}{match[1]}"


def ancestors(pid: str) -> tuple[TechniqueTerm, ...]:
    """Return all the terms that the one falls under, each once, the nearest first; none if nobody knows it."""
    found: dict[str, None] = {}
    level = _broader_of(pid)
    while level:
        found |= dict.fromkeys(level)
        level = tuple(above for one in level for above in _broader_of(one) if above not in found)
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
    terms = {term.pid: term for term in map(_to_panet_term, _read_rows("panet.tsv"))}
    for pid, names, is_same, panet in map(_to_esrfet_cells, _read_rows("esrfet.tsv")):
        if not is_same:
            terms[pid] = TechniqueTerm(pid, names[0], names[1:], panet)
            continue
        term = terms[panet[0]]
        known = {to_token_text(name) for name in (term.label, *term.alternatives)}
        more = tuple(name for name in reversed(names) if to_token_text(name) not in known)
        terms[term.pid] = replace(term, alternatives=term.alternatives + more, same_as=(*term.same_as, pid))
    return MappingProxyType(terms)


def _read_rows(name: str) -> list[list[str]]:
    lines = files(__package__).joinpath(name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def _to_panet_term(cells: list[str]) -> TechniqueTerm:
    number, label, alternatives, broader, definition = cells
    return TechniqueTerm(
        pid=f"{PANET}{number}",
        label=label,
        alternatives=tuple(filter(None, alternatives.split("|"))),
        broader=_to_pids(broader),
        definition=definition,
    )


def _to_esrfet_cells(cells: list[str]) -> tuple[str, tuple[str, ...], bool, tuple[str, ...]]:
    short, names, how, panet = cells
    return f"{ESRFET}{short}", tuple(names.split("|")), how != "under", _to_pids(panet)


def _to_pids(numbers: str) -> tuple[str, ...]:
    return tuple(f"{PANET}{number}" for number in numbers.split())


def _broader_of(pid: str) -> tuple[str, ...]:
    term = load_terms().get(pid)
    return () if term is None else term.broader


@cache
def _by_pid() -> Mapping[str, TechniqueTerm]:
    terms = load_terms()
    return dict(terms) | {other: term for term in terms.values() for other in term.same_as}


@cache
def _by_name() -> Mapping[str, TechniqueTerm]:
    """Return the terms by name, folded: `X-ray Diffraction` is `x ray diffraction`."""
    claims: dict[str, dict[str, TechniqueTerm]] = {}
    for term in load_terms().values():
        for name in term.alternatives:
            claims.setdefault(to_token_text(name), {})[term.pid] = term
    clear = {name: next(iter(claimed.values())) for name, claimed in claims.items() if len(claimed) == 1}
    short = {to_token_text(pid.removeprefix(ESRFET)): term for pid, term in _by_pid().items() if ESRFET in pid}
    return clear | short | {to_token_text(term.label): term for term in load_terms().values()}
