"""The beam on the sample: energy and wavelength are one thing said twice, tied by the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingest.catalogue.units import (
    DimensionError,
    Probe,
    UnknownUnitError,
    energy_to_wavelength,
    find_probe,
    wavelength_to_energy,
)
from ingest.mapping.drafts import Origin, Quantity, Taken
from ingest.mapping.findings import is_alike, to_span, to_words
from ingest.mapping.readings import read_candidates, to_numbers, to_quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.mapping.findings import Search
    from ingest.mapping.plan import TargetPlan

DISAGREE: Final = 0.01
"""Relative; energy and wavelength that differ by more are flagged: often a wrong unit."""


def find_beam(
    search: Search, probe_text: Taken[str] | None, definition: Taken[str] | None = None
) -> tuple[Taken[Quantity] | None, Taken[Quantity] | None]:
    """Return the incident energy (keV) and wavelength (angstrom); the missing one derived, if the probe is known.

    A number without a unit is judged by its partner where that has one, else by the rules' ranges.
    """
    search.probe = find_probe(probe_text.value) if probe_text is not None else None
    targets = search.plan.targets
    energy_target, wavelength_target = targets.get("incident_energy"), targets.get("wavelength")
    energy = wavelength = None
    if wavelength_target is not None:
        wavelength = search.find_quantity(wavelength_target, stated_only=True)
    if energy_target is not None:
        expected = _expect(wavelength, search.probe, wavelength_to_energy)
        energy = search.find_quantity(energy_target, expected=expected, stated_only=wavelength is None)
    if wavelength is None and wavelength_target is not None:
        wavelength = search.find_quantity(
            wavelength_target, expected=_expect(energy, search.probe, energy_to_wavelength)
        )
    if energy is None and energy_target is not None:
        energy = search.find_quantity(energy_target, expected=_expect(wavelength, search.probe, wavelength_to_energy))
    for target, taken in ((energy_target, energy), (wavelength_target, wavelength)):
        if target is not None and taken is not None:
            _flag_other_places(search, target, taken)
            _flag_unusual(search, target, taken, definition)
    return _complete(search, energy, wavelength)


def _complete(
    search: Search, energy: Taken[Quantity] | None, wavelength: Taken[Quantity] | None
) -> tuple[Taken[Quantity] | None, Taken[Quantity] | None]:
    probe = search.probe
    if probe is None:
        return energy, wavelength
    if energy is not None and wavelength is not None:
        _flag_disagreement(search, energy, wavelength, probe)
    elif energy is not None:
        wavelength = _derive(energy, "angstrom", lambda kev: energy_to_wavelength(kev, probe))
    elif wavelength is not None:
        energy = _derive(wavelength, "keV", lambda angstrom: wavelength_to_energy(angstrom, probe))
    return energy, wavelength


def _expect(
    partner: Taken[Quantity] | None, probe: Probe | None, relation: Callable[[float, Probe], float]
) -> float | None:
    """Return what the partner makes us expect; only one number with one probe decides anything."""
    if partner is None or probe is None or partner.value.value is None:
        return None
    return relation(partner.value.value, probe)


def _derive(known: Taken[Quantity], unit: str, relation: Callable[[float], float]) -> Taken[Quantity]:
    """Return the partner of a known quantity; it names the place that it was derived from."""
    low, high = to_span(known.value)
    ends = sorted((relation(low), relation(high)))
    if known.value.value is not None:
        quantity = Quantity(unit, value=ends[0])
    else:
        quantity = Quantity(unit, bottom=ends[0], top=ends[1])
    return Taken(quantity, known.path, known.original, known.original_unit, Origin.DERIVED)


def _flag_unusual(search: Search, target: TargetPlan, taken: Taken[Quantity], definition: Taken[str] | None) -> None:
    """Flag what the rules do not expect of such a scan: 9.8 angstrom in crystallography are 0.98 nm that were none."""
    if definition is None:
        return
    low, high = to_span(taken.value)
    for usual in target.usual:
        if (
            definition.value.casefold() in {name.casefold() for name in usual.definition}
            and not usual.low <= low <= high <= usual.high
        ):
            search.flags.append(f"{to_words(taken)} is unusual for {definition.value}: is its unit right?")


def _flag_other_places(search: Search, target: TargetPlan, taken: Taken[Quantity]) -> None:
    """Flag the first place that gives another number for the same; only numbers with their own unit can contradict."""
    if search.probe is None or None in {taken.value.value, taken.original_unit}:
        return
    for reading in read_candidates(search.index, target):
        numbers = to_numbers(reading, target)
        if reading.path == taken.path or numbers is None or numbers.unit is None:
            continue
        try:
            other = to_quantity(reading, numbers, target, numbers.unit)
        except (UnknownUnitError, DimensionError):
            continue
        if other is not None and other.value.value is not None and not is_alike(taken.value, other.value, DISAGREE):
            search.flags.append(f"{to_words(taken)} and {to_words(other)} say different things of one beam")
            return


def _flag_disagreement(search: Search, energy: Taken[Quantity], wavelength: Taken[Quantity], probe: Probe) -> None:
    """Flag energy and wavelength that do not belong together; a number and a range do if it lies in the range."""
    low, high = to_span(energy.value)
    shortest, longest = to_span(wavelength.value)
    ends = wavelength_to_energy(longest, probe), wavelength_to_energy(shortest, probe)
    if (
        low <= ends[1] * (1 + DISAGREE)
        and ends[0] <= high * (1 + DISAGREE)
        and _have_like_forms(energy, wavelength, ends)
    ):
        return
    found = " to ".join(f"{end:.6g}" for end in dict.fromkeys((low, high)))
    expected = " to ".join(f"{end:.6g}" for end in dict.fromkeys(ends))
    search.flags.append(
        f"{to_words(energy)} and {to_words(wavelength)} do not belong to one {probe} beam: "
        f"{found} keV against {expected} keV"
    )


def _have_like_forms(energy: Taken[Quantity], wavelength: Taken[Quantity], ends: tuple[float, float]) -> bool:
    """Whether the ends of two ranges belong together; where one is a number there are no two."""
    if energy.value.value is not None or wavelength.value.value is not None:
        return True
    return is_alike(energy.value, Quantity(energy.value.unit, bottom=ends[0], top=ends[1]), DISAGREE)
