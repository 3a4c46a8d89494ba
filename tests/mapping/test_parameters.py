from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ingest.mapping.drafts import Origin
from tests.mapping.record_parts import drafted, entry, field, group, instrument, source

if TYPE_CHECKING:
    from ingest.mapping.drafts import DatasetDraft
    from ingest.nexus.record import Field, Group


def with_temperature(name: str, kelvin: float | list[float]) -> Group:
    return entry(group("sample", "NXsample", field("temperature", kelvin, "K")), name=name)


def of(draft: DatasetDraft, name: str) -> list[tuple[str | None, Any]]:
    return [(parameter.entry, parameter.value.value) for parameter in draft.parameters if parameter.name == name]


def test_scans_that_agree_give_one_parameter() -> None:
    draft = drafted(with_temperature("1.1", 300.0), with_temperature("2.1", 300.0), entry(name="3.1"))
    ((owner, quantity),) = of(draft, "Sample_temperature")
    assert (owner, quantity.value, quantity.unit) == (None, 300.0, "K")


def test_scans_that_differ_give_a_list_and_each_its_own() -> None:
    draft = drafted(with_temperature("1.1", 300.0), with_temperature("2.1", 280.0), with_temperature("3.1", 300.0))
    summary, *each = of(draft, "Sample_temperature")
    assert (summary[0], summary[1].values) == (None, (280.0, 300.0))
    assert [(owner, quantity.value) for owner, quantity in each] == [("/1.1", 300.0), ("/2.1", 280.0), ("/3.1", 300.0)]


def test_many_different_values_become_a_range() -> None:
    draft = drafted(*(with_temperature(f"{n}.1", 100.0 + n) for n in range(1, 41)))
    summary = of(draft, "Sample_temperature")[0][1]
    assert (summary.bottom, summary.top, summary.values, summary.count) == (101.0, 140.0, (), 40)


def test_one_scan_with_a_range_makes_the_summary_a_range() -> None:
    draft = drafted(with_temperature("1.1", 300.0), with_temperature("2.1", [250.0, 260.0]))
    summary = of(draft, "Sample_temperature")[0][1]
    assert (summary.bottom, summary.top, summary.count) == (250.0, 300.0, 3)


def test_texts_that_differ_stay_with_their_scans() -> None:
    draft = drafted(
        *(
            entry(group("sample", "NXsample", field("description", text)), name=name)
            for name, text in [("1.1", "a"), ("2.1", "b")]
        )
    )
    assert of(draft, "Sample_description") == [("/1.1", "a"), ("/2.1", "b")]


def test_units_are_the_vocabularys() -> None:
    draft = drafted(entry(instrument(source(field("current", 0.2, "A")))))
    ((_, quantity),) = of(draft, "InstrumentSource_current")
    assert (quantity.value, quantity.unit) == (pytest.approx(200.0), "mA")


@pytest.mark.parametrize("current", [-1.0, 0.0])
def test_machine_that_does_not_know_its_current(current: float) -> None:
    assert of(drafted(entry(instrument(source(field("current", current, "mA"))))), "InstrumentSource_current") == []


def test_derived_values_stay_marked() -> None:
    mono = group("monochromator", "NXmonochromator", field("energy", 12.0, "keV"))
    draft = drafted(entry(instrument(source(), mono)))
    origins = {parameter.name: parameter.value.origin for parameter in draft.parameters}
    assert origins["InstrumentBeam_incident_energy"] is Origin.READ
    assert origins["InstrumentBeam_incident_wavelength"] is Origin.DERIVED


def test_beam_size_is_a_list_in_its_order() -> None:
    draft = drafted(entry(instrument(group("beam", "NXbeam", field("extent", [40.0, 20.0], "um")))))
    ((_, quantity),) = of(draft, "InstrumentBeam_extent")
    assert quantity.values == pytest.approx((4e-5, 2e-5))


def detectors(name: str, *described: tuple[str, list[Field]]) -> Group:
    return entry(instrument(*(group(one, "NXdetector", *fields) for one, fields in described)), name=name)


def test_detectors_are_numbered_in_the_order_of_the_file_and_the_same_in_every_scan() -> None:
    waxs = "a_waxs", [field("distance", 300.0, "mm")]
    saxs = "b_saxs", [field("description", "Eiger"), field("distance", 10.0, "m")]
    counter = "counter", [field("mode", "MEAN"), field("type", "samplingcounter")]
    draft = drafted(detectors("1.1", counter, waxs, saxs), detectors("2.1", saxs))
    names = {parameter.name: parameter.value.value for parameter in draft.parameters}
    assert names["InstrumentDetector01_distance"].value == pytest.approx(0.3)
    assert names["InstrumentDetector02_distance"].value == 10.0
    assert names["InstrumentDetector02_description"] == "Eiger"
    assert not any("03" in name for name in names)


def test_eleventh_detector_has_no_number_in_the_vocabulary() -> None:
    draft = drafted(detectors("1.1", *((f"d{n:02d}", [field("distance", 1.0, "m")]) for n in range(12))))
    assert sum(parameter.name.endswith("_distance") for parameter in draft.parameters) == 10


def test_a_vector_of_numbers_as_text_keeps_all_of_them() -> None:
    crystal = group("crystal", "NXcrystal", field("reflection", [1, 1, 1]))
    draft = drafted(entry(instrument(group("mono", "NXmonochromator", crystal))))
    assert of(draft, "InstrumentMonochromatorCrystal_reflection") == [(None, "1 1 1")]


def test_a_summary_of_scans_is_no_statement_of_the_file() -> None:
    draft = drafted(with_temperature("1.1", 10.0), with_temperature("2.1", 20.0))
    summary = next(one for one in draft.parameters if one.entry is None and one.name == "Sample_temperature")
    assert (summary.value.origin, summary.value.path) == (Origin.DERIVED, None)
