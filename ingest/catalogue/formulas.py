"""Chemical formulas as files and people write them: which elements they hold, and the one way in which we write them.

Own code, since no library reads hydrates, fractions, subscripts, brackets and unknown fractions alike. Pure.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_TABLE: Final = (
    "H D T He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr "
    "Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt "
    "Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv "
    "Ts Og"
)
ELEMENTS: Final = tuple(_TABLE.split())
"""Their symbols (IUPAC), by atomic number; deuterium and tritium, which neutrons tell from hydrogen, by their own."""

_MAX_LENGTH: Final = 200
_MAX_DEPTH: Final = 5
_SYMBOLS: Final = {symbol.lower(): symbol for symbol in ELEMENTS}
_BRACKETS: Final = str.maketrans("[]{}", "()()")
_NUMBER: Final = r"\d+(?:\.\d+)?"
_ADDUCT: Final = re.compile(r"[·⋅∙•*]")
_WATER: Final = re.compile(rf"(?<!0)\.(?=(?:{_NUMBER})?H2O$)")
"""`CuSO4.5H2O` are five of water."""
_LEADING: Final = re.compile(f"({_NUMBER})?")
# A symbol or the end of a bracket, and behind it a number, a letter for one, or both: La1-x, O7+δ, Srx.
_PART: Final = re.compile(
    rf"(?:({'|'.join(sorted(ELEMENTS, key=len, reverse=True))})|(\()|(\)))"
    rf"({_NUMBER})?([+-](?:(?:{_NUMBER})?[xyzδ]|d)|[xyzδ])?"
)


@dataclass(frozen=True, slots=True)
class Composition:
    """What a formula says: its elements by their symbols, and the formula in Hill's order, None if a number is open."""

    elements: frozenset[str]
    hill: str | None


def find_symbol(written: str) -> str | None:
    """Return the symbol of the element that is written so, whatever the case, or None if there is none."""
    return _SYMBOLS.get(written.lower())


@lru_cache(maxsize=8192)
def find_composition(formula: str) -> Composition | None:
    """Return what the formula holds, or None if the text is no formula.

    `Fe2O3`, `O3 Fe2` and `Fe₂O₃` are one; `CuSO4·5H2O`, `[Co(NH3)6]Cl3`, `La0.7Sr0.3MnO3` and `La1-xSrxMnO3` are read
    as well. A charge, a state or a mixture is not.
    """
    if len(formula) > _MAX_LENGTH:
        return None
    plain = "".join(unicodedata.normalize("NFKC", formula).translate(_BRACKETS).split())
    counts: dict[str, float] = {}
    for part in _ADDUCT.split(_WATER.sub("·", plain, count=1)):
        counted = _count(part)
        if not counted:
            return None
        _add(counts, counted, 1.0)
    is_open = any(map(math.isnan, counts.values()))
    return Composition(frozenset(counts), None if is_open else _to_hill(counts))


def _count(part: str) -> dict[str, float] | None:
    """Return how many atoms of each element there are, NaN where that is open; None if this is no formula."""
    match = _LEADING.match(part)
    times, at = (float(match[1] or 1), match.end()) if match else (1.0, 0)
    stack: list[dict[str, float]] = [{}]
    while match := _PART.match(part, at):
        symbol, opened, closed, number, unknown = match.groups()
        count = math.nan if unknown else float(number or 1)
        at = match.end()
        if opened and len(stack) <= _MAX_DEPTH and not number and not unknown:
            stack.append({})
        elif closed and len(stack) > 1:
            inner = stack.pop()
            _add(stack[-1], inner, count)
        elif symbol:
            _add(stack[-1], {symbol: 1.0}, count)
        else:
            return None
    if at < len(part) or len(stack) > 1:
        return None
    return {symbol: count * times for symbol, count in stack[0].items()}


def _add(counts: dict[str, float], more: dict[str, float], times: float) -> None:
    for symbol, count in more.items():
        counts[symbol] = counts.get(symbol, 0.0) + count * times


def _to_hill(counts: dict[str, float]) -> str:
    """Return the formula with carbon, hydrogen and the rest by the alphabet; without carbon all by the alphabet."""
    first = ("C", "H") if "C" in counts else ()
    ordered = sorted(counts, key=lambda symbol: (first.index(symbol) if symbol in first else len(first), symbol))
    return "".join(symbol if counts[symbol] == 1 else f"{symbol}{counts[symbol]:.6g}" for symbol in ordered)
