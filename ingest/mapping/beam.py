"""The beam on the sample: energy and wavelength are one thing said twice, tied by the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ingest.catalogue.units import Probe, energy_to_wavelength, find_probe, wavelength_to_energy
from ingest.mapping.drafts import Origin, Quantity, Taken
from ingest.mapping.findings import to_span

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.mapping.findings import Search

DISAGREE: Final = 0.01
"""Relative; energy and wavelength that differ by more are flagged: often a wrong unit."""


def find_beam(search: Search, probe_text: Taken[str] | None) -> tuple[Taken[Quantity] | None, Taken[Quantity] | None]:
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


def _flag_disagreement(search: Search, energy: Taken[Quantity], wavelength: Taken[Quantity], probe: Probe) -> None:
    if energy.value.value is None or wavelength.value.value is None:
        return
    expected = wavelength_to_energy(wavelength.value.value, probe)
    if abs(energy.value.value - expected) > DISAGREE * expected:
        search.flags.append(
            f"{energy.path} ({energy.original} {energy.original_unit or 'no unit'}) and {wavelength.path} "
            f"({wavelength.original} {wavelength.original_unit or 'no unit'}) do not belong to one {probe} beam: "
            f"{energy.value.value:.6g} keV against {expected:.6g} keV"
        )
