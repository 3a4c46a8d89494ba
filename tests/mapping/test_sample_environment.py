"""What surrounds the sample: taken where the file says so, with its unit, and never from what is not the sample's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import h5py
import numpy as np
import pytest

from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import load_rules
from ingest.nexus.master import read_master

if TYPE_CHECKING:
    from pathlib import Path

UTC = ZoneInfo("UTC")


def write(path: Path, tree: dict[str, Any]) -> Path:
    """Write a master with one entry of these groups, `name:NXclass`, and fields, (value, unit)."""
    with h5py.File(path, "w") as file:
        add(file, {"entry:NXentry": {"title": "t", **tree}})
    return path


def add(parent: h5py.Group, tree: dict[str, Any]) -> None:
    for key, value in tree.items():
        name, _, nx_class = key.partition(":")
        if nx_class:
            group = parent.create_group(name)
            group.attrs["NX_class"] = nx_class
            add(group, value)
        elif isinstance(value, tuple):
            parent[name] = value[0]
            parent[name].attrs["units"] = value[1]
        else:
            parent[name] = value


def told(path: Path, tree: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return what is said of the surroundings: by parameter its value, or its ends, with what stands in the file."""
    draft = to_drafts(read_master(write(path / "master.h5", tree)), load_rules("nexus"), UTC)
    found = {}
    for each in draft.parameters:
        value = each.value.value
        if each.name.startswith("Sample_"):
            numbers = (value.value,) if value.value is not None else (value.bottom, value.top)
            found[each.name] = (*(round(number, 6) for number in numbers), each.value.path)
    return found


IN_SAMPLE = [
    ("pressure", 20.0, "kbar", "Sample_pressure", 20_000.0),
    ("magnetic_field", -50.0, "mT", "Sample_magnetic_field", -0.05),
    ("electric_field", 2.0, "kV/cm", "Sample_electric_field", 2e5),
    ("voltage", 3.0, "kV", "Sample_voltage", 3000.0),
    ("resistance", 2.0, "kohm", "Sample_resistance", 2000.0),
    ("conductivity", 5.0, "mS/cm", "Sample_conductivity", 0.5),
    ("stress_field", 0.25, "GPa", "Sample_stress", 250.0),
    ("strain", 2.0, "%", "Sample_strain", 0.02),
    ("load", 1.5, "kN", "Sample_load", 1500.0),
    ("shear_rate", 10.0, "1/s", "Sample_shear_rate", 10.0),
    ("surface_pressure", 30.0, "mN/m", "Sample_surface_pressure", 30.0),
    ("humidity", 55.0, "%RH", "Sample_humidity", 55.0),
    ("flow_rate", 0.06, "l/h", "Sample_flow", 1.0),
    ("pH", 7.4, "", "Sample_pH", 7.4),
]


@pytest.mark.parametrize(("field", "value", "unit", "name", "canonical"), IN_SAMPLE, ids=str)
def test_field_of_the_sample(tmp_path: Path, field: str, value: float, unit: str, name: str, canonical: float) -> None:
    assert told(tmp_path, {"sample:NXsample": {field: (value, unit)}}) == {
        name: (pytest.approx(canonical), f"/entry/sample/{field}")
    }


SENSORS = [
    ("temperature", 300.0, "K", "Sample_temperature"),
    ("pH", 5.5, "", "Sample_pH"),
    ("magnetic_field", 1.0, "T", "Sample_magnetic_field"),
    ("electric_field", 1.0, "V/m", "Sample_electric_field"),
    ("current", 0.1, "A", "Sample_current"),
    ("conductivity", 1.0, "S/m", "Sample_conductivity"),
    ("resistance", 1.0, "ohm", "Sample_resistance"),
    ("voltage", 1.0, "V", "Sample_voltage"),
    ("pressure", 1.0, "bar", "Sample_pressure"),
    ("flow", 1.0, "ml/min", "Sample_flow"),
    ("stress", 1.0, "MPa", "Sample_stress"),
    ("strain", 0.1, "1", "Sample_strain"),
    ("shear", 1.0, "1/s", "Sample_shear_rate"),
    ("surface_pressure", 1.0, "mN/m", "Sample_surface_pressure"),
    ("humidity", 40.0, "%", "Sample_humidity"),
]


@pytest.mark.parametrize(("measurement", "value", "unit", "name"), SENSORS, ids=str)
def test_sensor_says_what_it_measures(tmp_path: Path, measurement: str, value: float, unit: str, name: str) -> None:
    sensor = {"measurement": measurement, "attached_to": "sample", "value": (value, unit)}
    tree = {"sample:NXsample": {"cell:NXenvironment": {"sensor_3:NXsensor": sensor}}}
    assert told(tmp_path, tree) == {name: (value, "/entry/sample/cell/sensor_3/value")}


def test_sensor_of_an_environment_beside_the_sample_must_be_attached_to_it(tmp_path: Path) -> None:
    sensor = {"measurement": "humidity", "attached_to": "sample cell", "value": (40.0, "%")}
    tree = {"environment:NXenvironment": {"s:NXsensor": sensor}}
    assert told(tmp_path, tree) == {"Sample_humidity": (40.0, "/entry/environment/s/value")}


def test_log_of_a_sensor_is_its_extremes_with_their_count(tmp_path: Path) -> None:
    values = np.linspace(1.0, 3.0, 201)
    log = {"value": (values, "bar"), "time": (np.arange(201.0), "s")}
    sensor = {"measurement": "pressure", "value_log:NXlog": log}
    path = write(tmp_path / "m.h5", {"sample:NXsample": {"cell:NXenvironment": {"s:NXsensor": sensor}}})
    (pressure,) = to_drafts(read_master(path), load_rules("nexus"), UTC).parameters
    assert (pressure.name, pressure.value.value.bottom, pressure.value.value.top) == ("Sample_pressure", 1.0, 3.0)
    assert pressure.value.original == "1.0 ... 3.0 (201 values)"
    assert pressure.value.path == "/entry/sample/cell/s/value_log/value"


def test_log_named_by_what_it_holds(tmp_path: Path) -> None:
    log = {"value": (np.linspace(0.0, 5.0, 50), "T")}
    tree = {"sample:NXsample": {"magnetic_field_log:NXlog": log}}
    assert told(tmp_path, tree) == {"Sample_magnetic_field": (0.0, 5.0, "/entry/sample/magnetic_field_log/value")}


@pytest.mark.parametrize(
    "tree",
    [
        {"sample:NXsample": {"pressure": 3.0}},
        {"sample:NXsample": {"pressure": (3.0, "K")}},
        {"sample:NXsample": {"humidity": (140.0, "%")}},
        {"sample:NXsample": {"pressure_setpoint:NXsensor": {"measurement": "pressure", "value": (3.0, "bar")}}},
        {"sample:NXsample": {"s:NXsensor": {"measurement": "pressure", "attached_to": "rack", "value": (3.0, "bar")}}},
        {"sample:NXsample": {"s:NXsensor": {"measurement": "pressure_drop", "value": (3.0, "bar")}}},
        {"sample:NXsample": {"s:NXsensor": {"value": (3.0, "bar")}}},
        {"weather:NXenvironment": {"s:NXsensor": {"measurement": "humidity", "value": (40.0, "%")}}},
        {"hutch:NXenvironment": {"s:NXsensor": {"measurement": "humidity", "value": (40.0, "%")}}},
        {"instrument:NXinstrument": {"eiger:NXdetector": {"humidity": (4.0, "%"), "temperature": (300.0, "K")}}},
        {
            "instrument:NXinstrument": {
                "env:NXenvironment": {"s:NXsensor": {"measurement": "pressure", "value": (1.0, "bar")}}
            }
        },
        {"sample:NXsample": {"heater:NXsensor": {"measurement": "temperature", "value": (500.0, "K")}}},
        {"sample:NXsample": {"c:NXenvironment": {"s:NXsensor": {"measurement": "temperature", "value": (9.0, "K")}}}},
        {"sample:NXsample": {"pressure_log:NXlog": {"value": (np.zeros(0), "bar"), "average_value": (0.0, "bar")}}},
    ],
    ids=str,
)
def test_what_is_not_the_sample_s_or_not_known_is_not_taken(tmp_path: Path, tree: dict[str, Any]) -> None:
    assert told(tmp_path, tree) == {}


COUNTERS = [
    ("cryostream", 100.0, "K", 100.0),
    ("cryostream_gas_temp", 100.0, "K", 100.0),
    ("lakeshore_sample_temp", 20.0, "degC", 293.15),
    ("ls336_Tsample_A", 4.2, "K", 4.2),
    ("nanodac_temp_sample", 600.0, "degC", 873.15),
    ("linkam_T", 350.0, "K", 350.0),
]


@pytest.mark.parametrize(("name", "value", "unit", "kelvin"), COUNTERS, ids=str)
def test_counter_that_is_the_sample_s_by_its_name(
    tmp_path: Path, name: str, value: float, unit: str, kelvin: float
) -> None:
    for nx_class, field in (("NXdetector", "data"), ("NXpositioner", "value")):
        path = tmp_path / nx_class
        path.mkdir()
        counter = {field: (np.linspace(value - 1, value, 40), unit)}
        assert told(path, {"instrument:NXinstrument": {f"{name}:{nx_class}": counter}}) == {
            "Sample_temperature": (
                pytest.approx(kelvin - 1),
                pytest.approx(kelvin),
                f"/entry/instrument/{name}/{field}",
            )
        }


@pytest.mark.parametrize("nx_class", ["NXpositioner", "NXcollection"])
@pytest.mark.parametrize(("group", "field"), [("Tsample", "Tsample"), ("lakeshore336", "sample"), ("cryo", "t_sample")])
def test_device_that_names_one_of_its_readings_after_the_sample(
    tmp_path: Path, group: str, field: str, nx_class: str
) -> None:
    device = {field: (20.0, "K"), "setpoint": (25.0, "K"), "heater": (50.0, "%")}
    assert told(tmp_path, {"instrument:NXinstrument": {f"{group}:{nx_class}": device}}) == {
        "Sample_temperature": (20.0, f"/entry/instrument/{group}/{field}")
    }


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *[("lakeshore_A", "K"), ("nanodac_eh3", "degC"), ("mono_temp", "K"), ("eiger_temperature", "degC")],
        *[("sample_temp", ""), ("sample_temp_setpoint", "K"), ("sample_heater_temp", "K"), ("sample_tx", "K")],
        *[("cryostream_flow", "l/min"), ("sample_stage_temp", "K"), ("sample_temperature", "V")],
    ],
)
def test_counter_that_may_be_another_s_is_a_counter_only(tmp_path: Path, name: str, unit: str) -> None:
    counter = {"data": (np.linspace(99.0, 100.0, 5), unit)}
    assert told(tmp_path, {"instrument:NXinstrument": {f"{name}:NXdetector": counter}}) == {}


def test_what_the_sample_says_itself_goes_before_a_counter(tmp_path: Path) -> None:
    counter = {"data": (np.linspace(99.0, 100.0, 5), "K")}
    tree = {
        "sample:NXsample": {"temperature": (90.0, "K")},
        "instrument:NXinstrument": {"cryostream:NXdetector": counter},
    }
    assert told(tmp_path, tree) == {"Sample_temperature": (90.0, "/entry/sample/temperature")}


def test_beam_centre_in_pixels_is_kept_beside_that_in_lengths(tmp_path: Path) -> None:
    eiger = {"beam_center_x": (1030.5, "pixels"), "beam_center_y": (50.0, "mm")}
    tree = {"instrument:NXinstrument": {"eiger:NXdetector": eiger}}
    draft = to_drafts(read_master(write(tmp_path / "m.h5", tree)), load_rules("nexus"), UTC)
    centres = {each.name: (each.value.value.value, each.value.value.unit) for each in draft.parameters}
    assert centres == {
        "InstrumentDetector01_beam_center_x_pixels": (1030.5, "pixel"),
        "InstrumentDetector01_beam_center_y": (0.05, "m"),
    }


def test_filling_of_the_ring_and_the_atmosphere(tmp_path: Path) -> None:
    tree = {
        "instrument:NXinstrument": {"machine:NXsource": {"mode": "USM", "filling_mode": "7/8 multibunch"}},
        "sample:NXsample": {"cell:NXenvironment": {"sample_medium": "argon"}},
    }
    draft = to_drafts(read_master(write(tmp_path / "m.h5", tree)), load_rules("nexus"), UTC)
    assert {each.name: each.value.value for each in draft.parameters} == {
        "InstrumentSource_mode": "7/8 multibunch",
        "Sample_situation": "argon",
    }


def test_a_probe_of_acidity_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, {"sample:NXsample": {"ph": (0.0, "")}}) == {}
