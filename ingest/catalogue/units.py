"""Units: every parameter has one, and whatever a file or a person writes is converted to it.

The units that real files use stand in a table, so that converting costs a look-up; pint knows the rest and is only
loaded when the table does not help. Case counts: meV is not MeV.
"""

from __future__ import annotations

import math
import re
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Final

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.unit_table import AFFINE, AFFINE_SPELLINGS, BY_DIMENSION, TABLE, Unit


class UnknownUnitError(CatalogueError):
    """Nobody knows this unit."""

    def __init__(self, unit: str, target: str | None = None) -> None:
        self.unit = unit
        self.target = target
        advice = f"; for this value write one of {_suggest(target)}" if target else ""
        super().__init__(f"{unit!r} is not a known unit (case matters: meV is not MeV){advice}")


class DimensionError(CatalogueError):
    """A unit was given that measures something else."""

    def __init__(self, source: str, target: str) -> None:
        self.source = source
        self.target = target
        super().__init__(f"{source!r} cannot be converted to {target!r}: write one of {_suggest(target)}")


class Probe(StrEnum):
    """What hits the sample, as far as energy and wavelength are tied by it."""

    PHOTON = "photon"
    NEUTRON = "neutron"


HC_KEV_ANGSTROM: Final = 12.398419843320026
"""h c, exact since 2019."""
NEUTRON_KEV_ANGSTROM2: Final = 8.180421009e-05
"""h^2 / (2 m_n), CODATA 2018: 81.80421 meV for a neutron of 1 angstrom."""

_ANGSTROM: Final = re.compile(r"[aå]ngstr(o|oe|ø)ms?")
_BLANKS: Final = " \t\r\n\0"
_MOJIBAKE: Final = re.compile(r"[ÃÂâÎ]")
"""What UTF-8 begins with where somebody took it for Latin-1: `Ã…` is `Å`, `Â°` a degree, `Âµ` a mu."""
_SUPERSCRIPTS: Final = re.compile("[⁺⁻⁰¹²³⁴-⁹]+")
_BARE_POWERS: Final = re.compile(r"(?<=[A-Za-z])(-?[1-9])(?![0-9.])")
_LETTERS: Final = frozenset("NCFHLl")
_ALONE: Final = re.compile(r"[A-Za-z]|a\.u\.?")
"""Other letters, and `a.u.`, pint takes for constants of nature, or years and atomic masses: no file means those."""
_ELECTRON_VOLTS: Final = re.compile(r"([mukKMgG]?)[eE][vV]s?")
_FOR_PINT: Final = re.compile(r"(?!.*\d{3})(?!.*\*\*.*\*\*)(?:1/)?[A-Za-z%_][A-Za-z0-9_%*/^(). -]{0,39}")
"""What may reach pint's parser: nothing long, no tower of powers, no large exponent."""
_PROBES: Final = (
    (re.compile(r"neutrons?\b"), Probe.NEUTRON),
    (
        re.compile(r"(hard |soft )?x-? ?rays?\b|photons?\b|ultra-?violet|visible( light)?|infrared|laser|uv\b"),
        Probe.PHOTON,
    ),
)


def parse_unit(text: str, target: str | None = None) -> str | None:
    """Return the one spelling we keep of a unit, or None if it is not known.

    `target` says what is measured where the letter alone does not: `A` is an angstrom where the target is a length,
    else an ampere; `C` is a degree Celsius where it is a temperature, else nothing a scientist means.
    """
    unit = _find_unit(text, target)
    return None if unit is None else unit.name


def convert(magnitude: float, source: str, target: str) -> float:
    """Return the magnitude in the target unit; temperatures with their offset.

    Raises UnknownUnitError if one of the two is not a unit, DimensionError if they measure different things.
    """
    if source == target:
        return magnitude
    factor, offset, divisor = _relation(source, target)
    # 0.000172 m are 172 um, not 172.00000000000003: the last digit of a product is noise.
    return float(f"{(magnitude * factor + offset) / divisor:.15g}")


def energy_to_wavelength(kev: float, probe: Probe) -> float:
    """Return the wavelength in angstrom: h c / E for photons, h / sqrt(2 m E) for neutrons; the energy in keV."""
    return HC_KEV_ANGSTROM / kev if probe is Probe.PHOTON else math.sqrt(NEUTRON_KEV_ANGSTROM2 / kev)


def wavelength_to_energy(angstrom: float, probe: Probe) -> float:
    """Return the energy in keV: h c / lambda for photons, h^2 / (2 m lambda^2) for neutrons; the length in angstrom."""
    return HC_KEV_ANGSTROM / angstrom if probe is Probe.PHOTON else NEUTRON_KEV_ANGSTROM2 / angstrom**2


@lru_cache(maxsize=256)
def find_probe(text: str) -> Probe | None:
    """Return which probe a text such as `X-ray` or `neutrons` names; None for muons, electrons and the unknown."""
    lowered = text.strip().casefold()
    return next((probe for pattern, probe in _PROBES if pattern.match(lowered)), None)


@lru_cache(maxsize=4096)
def _find_unit(text: str, target: str | None) -> Unit | None:
    spelled = _to_plain(text)
    if target is not None:
        wanted = _spellings().get(target)
        by_dimension = BY_DIMENSION.get((spelled, wanted.dimension)) if wanted else None
        if by_dimension is not None:
            return _spellings()[by_dimension]
    joined = spelled.replace(" ", "_")
    known = _spellings().get(spelled) or _spellings().get(joined) or _spellings().get(joined.replace("_", ""))
    if known is None and _ANGSTROM.fullmatch(_without_accents(spelled)):
        known = _spellings()["angstrom"]
    if target is not None and "angstrom" in target:
        spelled = re.sub(r"(?<![A-Za-z])A(?![A-Za-z])", "angstrom", spelled)
    return known or _find_electron_volts(spelled) or _find_with_pint(spelled)


def _to_plain(text: str) -> str:
    """Return the text with one character for each sign: angstrom, degree, mu, ohm, product, and powers as `^-2`."""
    spelled = unicodedata.normalize("NFC", text.strip(_BLANKS))
    if _MOJIBAKE.search(spelled):
        spelled = _unscramble(spelled)
    spelled = re.sub("[·⋅∙\N{MULTIPLICATION SIGN}]", "*", re.sub(r"[º˚]", "°", _plain_mu(spelled)))
    return _SUPERSCRIPTS.sub(
        lambda match: "^" + unicodedata.normalize("NFKC", match[0]).replace("\N{MINUS SIGN}", "-"), spelled
    )


def _unscramble(text: str) -> str:
    for encoding in ("cp1252", "latin-1"):
        try:
            return unicodedata.normalize("NFC", text.encode(encoding).decode("utf-8"))
        except UnicodeError:
            continue
    return text


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _find_electron_volts(spelled: str) -> Unit | None:
    """`KeV`, `kev` and `EV` are clear; only the prefix's case may decide, so `mev` is a milli-electronvolt."""
    match = _ELECTRON_VOLTS.fullmatch(spelled)
    if match is None:
        return None
    prefix = {"K": "k", "g": "G"}.get(match[1], match[1])
    return _spellings()[f"{prefix}eV"]


def _find_with_pint(spelled: str) -> Unit | None:
    """Return what pint makes of it. Its parser raises whatever its tokenizer does, hence the guard before it."""
    if _means_nothing(spelled):
        return None
    compact = spelled.replace("Å", "angstrom").replace("°", "deg").replace("Ω", "ohm").replace("cts", "count")
    compact = compact.replace("Angstrom", "angstrom")
    unit = _parse_with_pint(compact) or _parse_with_pint(_BARE_POWERS.sub(r"^\1", compact))
    return unit if unit is None or unit.name == spelled else _find_by_name(unit)


def _means_nothing(spelled: str) -> bool:
    return spelled not in _LETTERS and _ALONE.fullmatch(spelled) is not None


def _find_by_name(unit: Unit) -> Unit | None:
    """Return the unit as its name is read again; None where that is another: pint writes `Eh` for an exahour."""
    if _means_nothing(unit.name) or _parse_with_pint(unit.name) != unit:
        return None
    again = _spellings().get(unit.name) or _find_electron_volts(unit.name)
    return unit if again is None else again if _is_same(unit, again) else None


def _is_same(unit: Unit, other: Unit) -> bool:
    try:
        factor, offset, divisor = _scale_by_pint(unit, other)
    except DimensionError:
        return False
    return math.isclose(factor, divisor) and offset == 0


def _parse_with_pint(compact: str) -> Unit | None:
    if not _FOR_PINT.fullmatch(compact):
        return None
    try:
        unit = _registry().parse_units(compact)
        name = _plain_mu(f"{unit:~C}").replace("Ω", "ohm").replace("Å", "angstrom").replace("**", "^")
        factor = float(_registry().Quantity(1.0, unit).to_base_units().magnitude)
    except Exception:  # noqa: BLE001 - pint raises what Python's tokenizer does, and which that is changes
        return None
    return Unit(name, str(unit.dimensionality), factor) if name else None


def _plain_mu(text: str) -> str:
    """Two characters look like a mu, and pint's releases disagree on which one they write."""
    return text.replace("\N{GREEK SMALL LETTER MU}", "u").replace("\N{MICRO SIGN}", "u")


@lru_cache(maxsize=4096)
def _relation(source: str, target: str) -> tuple[float, float, float]:
    """Return factor, offset and divisor. The two are kept apart: 800 meV shall be 0.0008 keV to the last digit."""
    wanted = _find_unit(target, None)
    if wanted is None:
        raise UnknownUnitError(target)
    given = _find_unit(source, wanted.name)
    if given is None:
        raise UnknownUnitError(source, wanted.name)
    if given.dimension != wanted.dimension:
        return _scale_by_pint(given, wanted)
    return given.factor, given.offset - wanted.offset, wanted.factor


def _scale_by_pint(given: Unit, wanted: Unit) -> tuple[float, float, float]:
    """Convert between a unit of the table and one that only pint knows, if they measure the same thing."""
    ends = [_registry().Quantity(value, given.name.replace("%", "percent")) for value in (0.0, 1.0)]
    unit = _registry().Unit(wanted.name.replace("%", "percent"))
    if not ends[0].is_compatible_with(unit):
        raise DimensionError(given.name, wanted.name)
    low, high = (float(end.to(unit).magnitude) for end in ends)
    return high - low, low, 1.0


@cache
def _spellings() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for dimension, members in TABLE.items():
        for name, (factor, others) in members.items():
            unit = Unit(name, dimension, factor)
            units.update(dict.fromkeys([name, *others.split()], unit))
    for name, unit in AFFINE.items():
        units.update(dict.fromkeys([name, *AFFINE_SPELLINGS[name].split()], unit))
    return units


@cache
def _registry() -> Any:
    """Pint's registry: half a second to build, so only when the table did not help."""
    import pint  # noqa: PLC0415 - a light start of everything that never needs it

    registry: Any = pint.UnitRegistry(cache_folder=None, on_redefinition="ignore")
    registry.define("photon = count")
    registry.define("electrons = count")
    registry.define("@alias torr = Torr")
    return registry


def _suggest(target: str | None) -> str:
    unit = _spellings().get(target or "")
    if unit is None:
        return str(target)
    with_offset = [name for name, other in AFFINE.items() if other.dimension == unit.dimension]
    return ", ".join([*TABLE[unit.dimension], *with_offset])
