from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.mapping.drafts import Origin
from tests.mapping.record_parts import drafted, entry, field, group, instrument, scan_of, source

if TYPE_CHECKING:
    from ingest.nexus.record import Field, Group


def beam(*members: Field | Group) -> Group:
    return group("sample", "NXsample", group("beam", "NXbeam", *members))


def test_beam_of_the_sample_is_preferred_to_the_monochromator() -> None:
    mono = group("monochromator", "NXmonochromator", field("energy", 7.0, "keV"))
    scan = scan_of(instrument(mono), beam(field("incident_energy", 8.0, "keV")))
    assert scan.incident_energy.value.value == 8.0
    assert scan.incident_energy.path == "/entry/sample/beam/incident_energy"


def test_ring_energy_is_not_the_incident_energy() -> None:
    scan = scan_of(instrument(source(field("energy", 6.0, "GeV"))))
    assert scan.incident_energy is None
    assert scan.wavelength is None


@pytest.mark.parametrize("name", ["pump_beam", "laser", "final_beam", "diffracted"])
def test_other_beams_are_passed_over(name: str) -> None:
    other = group(name, "NXbeam", field("incident_energy", 1.5, "eV"))
    mono = group("monochromator", "NXmonochromator", field("energy", 8000.0, "eV"))
    assert scan_of(instrument(other, mono)).incident_energy.value.value == 8.0


def test_lone_laser_is_the_beam() -> None:
    scan = scan_of(instrument(group("laser", "NXbeam", field("incident_wavelength", 532.0, "nm"))))
    assert scan.wavelength.value.value == pytest.approx(5320.0)


@pytest.mark.parametrize(
    ("probe", "known", "unit", "energy", "wavelength"),
    [
        ("x-ray", "incident_energy", "keV", 12.0, 1.0332016536),
        ("neutron", "incident_energy", "meV", 25e-6, 1.80892),
        ("neutron", "incident_wavelength", "nm", 5.1127631e-06, 4.0),
    ],
)
def test_missing_partner_is_derived_by_the_probe(
    probe: str | None, known: str, unit: str, energy: float, wavelength: float
) -> None:
    stated = {"keV": 12.0, "meV": 25.0, "nm": 0.4}[unit]
    scan = scan_of(instrument(source(probe=probe)), beam(field(known, stated, unit)))
    assert scan.incident_energy.value.value == pytest.approx(energy, rel=1e-5)
    assert scan.wavelength.value.value == pytest.approx(wavelength, rel=1e-5)
    derived = scan.wavelength if known == "incident_energy" else scan.incident_energy
    assert (derived.origin, derived.path) == (Origin.DERIVED, f"/entry/sample/beam/{known}")


def test_without_a_probe_nothing_is_derived() -> None:
    scan = scan_of(instrument(source(probe=None)), beam(field("incident_energy", 12.0, "keV")))
    assert scan.incident_energy.origin is Origin.READ
    assert scan.wavelength is None


def test_muons_derive_nothing() -> None:
    assert (
        scan_of(instrument(source(probe="positive muons")), beam(field("incident_energy", 12.0, "keV"))).wavelength
        is None
    )


def test_derived_range_is_turned_round() -> None:
    scan = scan_of(instrument(source()), beam(field("incident_energy", [12.0, 24.0], "keV")))
    assert scan.incident_energy.value.bottom == 12.0
    assert scan.wavelength.value.bottom == pytest.approx(0.51660083)
    assert scan.wavelength.value.top == pytest.approx(1.0332017)


@pytest.mark.parametrize(("bare", "expected"), [(5.223, 5.223), (5223.0, 5.223)])
def test_wavelength_decides_the_unit_of_a_bare_energy(bare: float, expected: float | None) -> None:
    scan = scan_of(
        instrument(source()), beam(field("incident_energy", bare), field("incident_wavelength", 0.23738116, "nm"))
    )
    assert scan.incident_energy.value.value == pytest.approx(expected)
    assert scan.incident_energy.origin is Origin.INFERRED
    assert scan.incident_energy.original_unit is None


def test_bare_energy_that_fits_no_unit_is_derived_instead() -> None:
    scan = scan_of(
        instrument(source()), beam(field("incident_energy", 77.0), field("incident_wavelength", 0.23738116, "nm"))
    )
    assert scan.incident_energy.value.value == pytest.approx(5.223, rel=1e-3)
    assert scan.incident_energy.origin is Origin.DERIVED


@pytest.mark.parametrize(
    ("probe", "bare", "expected"),
    [("x-ray", 12.4, 12.4), ("x-ray", 12400.0, 12.4), ("x-ray", 500.0, None), (None, 12.4, None)],
)
def test_bare_energy_without_wavelength_needs_probe_and_range(
    probe: str | None, bare: float, expected: float | None
) -> None:
    scan = scan_of(instrument(source(probe=probe)), beam(field("incident_energy", bare)))
    assert (scan.incident_energy and scan.incident_energy.value.value) == pytest.approx(expected)


def test_energy_decides_whether_a_bare_wavelength_is_nanometre() -> None:
    scan = scan_of(
        instrument(source()), beam(field("incident_energy", 12.398, "keV"), field("incident_wavelength", 0.1))
    )
    assert scan.wavelength.value.value == pytest.approx(1.0)


def test_bare_wavelength_alone_is_angstrom_and_inferred() -> None:
    scan = scan_of(beam(field("incident_wavelength", 1.54)))
    assert (scan.wavelength.value.value, scan.wavelength.origin) == (1.54, Origin.INFERRED)


def test_energy_and_wavelength_that_disagree_are_flagged() -> None:
    draft = drafted(
        entry(
            instrument(source()), beam(field("incident_energy", 12.65, "keV"), field("incident_wavelength", 0.98, "nm"))
        )
    )
    assert draft.scans[0].wavelength.value.value == pytest.approx(9.8)
    assert "do not belong to one photon beam" in draft.flags[0]


@pytest.mark.parametrize(
    ("energy", "wavelength", "is_flagged"),
    [
        ([12.0, 13.0], [0.9537, 1.0332], False),
        ([12.0, 13.0], [0.9537, 1.5], True),
        (12.4, [0.95, 1.04], False),
        (14.0, [0.95, 1.04], True),
        ([12.0, 13.0], 1.0, False),
        ([12.0, 13.0], 1.1, True),
    ],
)
def test_ranges_that_disagree_are_flagged(energy: object, wavelength: object, is_flagged: bool) -> None:
    both = beam(field("incident_energy", energy, "keV"), field("incident_wavelength", wavelength, "angstrom"))
    assert bool(drafted(entry(instrument(source()), both)).flags) is is_flagged


@pytest.mark.parametrize(
    ("probe", "other", "unit", "is_flagged"),
    [
        ("x-ray", 12.4, "keV", False),
        ("x-ray", 12401.0, "eV", False),
        ("x-ray", 14.0, "keV", True),
        # Not its own unit, not a beam of a facility, not one number.
        ("x-ray", 14.0, None, False),
        (None, 14.0, "keV", False),
        ("x-ray", [12.0, 14.0], "keV", False),
    ],
)
def test_two_places_that_say_different_things_are_flagged(
    probe: str | None, other: object, unit: str | None, is_flagged: bool
) -> None:
    mono = group("monochromator", "NXmonochromator", field("energy", other, unit))
    draft = drafted(entry(instrument(source(probe=probe), mono), beam(field("incident_energy", 12.4, "keV"))))
    assert draft.scans[0].incident_energy.value.value == 12.4
    assert bool(draft.flags) is is_flagged
    if is_flagged:
        assert "/entry/sample/beam/incident_energy (12.4 keV)" in draft.flags[0]
        assert "/entry/instrument/monochromator/energy (14.0 keV)" in draft.flags[0]


@pytest.mark.parametrize(
    ("definition", "number", "unit", "is_flagged"),
    [
        ("NXmx", 0.9795, "nm", True),
        ("NXmx", 0.9795, "angstrom", False),
        ("NXmx", 0.0251, "angstrom", False),
        ("NXsas", 0.9795, "nm", False),
        (None, 0.9795, "nm", False),
    ],
)
def test_what_is_unusual_for_a_definition_is_kept_and_flagged(
    definition: str | None, number: float, unit: str, is_flagged: bool
) -> None:
    said = [field("definition", definition)] if definition else []
    draft = drafted(entry(*said, beam(field("incident_wavelength", number, unit))))
    assert draft.scans[0].wavelength.value.value == pytest.approx(number * (10 if unit == "nm" else 1))
    assert [f"({number} {unit}) is unusual for NXmx" in flag for flag in draft.flags] == ([True] if is_flagged else [])


def test_agreeing_pair_is_not_flagged() -> None:
    draft = drafted(
        entry(
            instrument(source()), beam(field("incident_energy", 12.65, "keV"), field("incident_wavelength", 0.98, "A"))
        )
    )
    assert draft.flags == ()


@pytest.mark.parametrize(("spelled", "kev"), [("meV", 8e-4 / 1000), ("MeV", 800.0), ("KeV", None), ("J", None)])
def test_case_of_a_unit_counts(spelled: str, kev: float | None) -> None:
    scan = scan_of(beam(field("incident_energy", 0.8, spelled)))
    expected = {"KeV": 0.8, "J": None}.get(spelled, kev)
    assert (scan.incident_energy and scan.incident_energy.value.value) == pytest.approx(expected)


def test_wavelength_in_a_velocity_selector_called_chopper() -> None:
    selector = group("Dornier-VS", "NXchopper", field("lambda", 0.6, "nm"))
    assert scan_of(instrument(selector)).wavelength.value.value == pytest.approx(6.0)


def test_wavelength_of_an_analyser_is_not_incident() -> None:
    assert scan_of(instrument(group("analyser", "NXcrystal", field("wavelength", 4.0, "A")))).wavelength is None


def test_energy_in_a_collection_needs_its_unit() -> None:
    with_unit = group("mono", "NXcollection", field("energy", 8.0, "keV"))
    without = group("mono", "NXcollection", field("energy", 8.0))
    assert scan_of(instrument(source(), with_unit)).incident_energy.value.value == 8.0
    assert scan_of(instrument(source(), without)).incident_energy is None


def test_foreign_unit_is_flagged_and_the_next_source_taken() -> None:
    mono = group("monochromator", "NXmonochromator", field("energy", 8.0, "keV"))
    draft = drafted(entry(instrument(mono), beam(field("incident_energy", 8.0, "mm"))))
    assert draft.scans[0].incident_energy.path == "/entry/instrument/monochromator/energy"
    assert "'mm'" in draft.flags[0]


def test_subentry_holds_the_beam() -> None:
    inner = group("experiment", "NXsubentry", beam(field("incident_wavelength", 0.97, "angstrom")))
    assert scan_of(inner).wavelength.path == "/entry/experiment/sample/beam/incident_wavelength"
