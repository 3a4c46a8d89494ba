"""What neutron instruments write: time of flight at a pulsed source, and a diffractometer at a continuous one.

After public files of ISIS (times without a zone, a log for each sensor, users that are mostly blank) and of SINQ
(wavelength in the monochromator, in angstrom).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ingest.samples.expected import Expected
from ingest.samples.hdf5 import add_fixed_text, add_group, add_number, add_text, local_time, make_random, set_age

if TYPE_CHECKING:
    from pathlib import Path

PULSED_FOLDER = "isis/ndxsandals/instrument/data/cycle_21_2"
CONTINUOUS_FOLDER = "sinq/dmc/2022"
PULSED_BEGIN = datetime(2021, 10, 7, 14, 22, 10, tzinfo=UTC)
CONTINUOUS_BEGIN = datetime(2022, 6, 21, 6, 5, 48, tzinfo=UTC)
WAVELENGTH = 2.4586


def write_neutron_masters(folder: Path) -> list[Expected]:
    """Write two runs of a time-of-flight instrument, and two of a powder diffractometer, each at two temperatures."""
    water = Expected(folder, "dataset", scans=1, sample="heavy water", instrument="SANDALS", proposal="2010877")
    oxide = Expected(
        folder,
        "dataset",
        scans=1,
        sample="HoNiO3",
        instrument="DMC",
        proposal="20220345",
        wavelength_angstrom=WAVELENGTH,
    )
    expected = []
    for run, kelvin in ((65012, 298.0), (65013, 280.0)):
        title = f"heavy water T={kelvin:.0f}"
        path = write_pulsed_run(folder / PULSED_FOLDER / f"SLS{run}.nxs", title, kelvin)
        expected.append(replace(water, path=path, title=title, temperature_kelvin=kelvin))
    for run, kelvin in ((4711, 1.6), (4712, 180.0)):
        title = f"HoNiO3 at {kelvin} K"
        path = write_powder_run(folder / CONTINUOUS_FOLDER / f"dmc2022n{run:06d}.hdf", title, kelvin)
        expected.append(replace(oxide, path=path, title=title, temperature_kelvin=kelvin))
    return expected


def write_pulsed_run(path: Path, title: str, temperature: float) -> Path:
    """Write a run of a time-of-flight instrument; temperature in kelvin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["file_time"] = np.bytes_(f"{PULSED_BEGIN:%Y-%m-%dT%H:%M:%S}")
        entry = add_group(file, "raw_data_1", "NXentry")
        write_run_header(entry, path, title)
        instrument = add_group(entry, "instrument", "NXinstrument")
        add_fixed_text(instrument, "name", "SANDALS").attrs["short_name"] = np.bytes_("SLS")
        write_source(instrument, "source", "ISIS", "Pulsed Neutron Source", "neutrons")
        detector = add_group(instrument, "detector_1", "NXdetector")
        counts = make_random(path.name).poisson(3, (1, 48, 60)).astype("i4")
        data = detector.create_dataset("counts", data=counts, chunks=(1, 48, 60), compression="gzip")
        data.attrs["units"] = np.bytes_("counts")
        add_number(detector, "time_of_flight", np.linspace(0, 2e4, 61, dtype="f4"), "microsecond")
        for number in (1, 2):
            monitor = add_group(entry, f"monitor_{number}", "NXmonitor")
            add_number(monitor, "data", counts[:, :1], "counts")
        write_run_sample(entry, "heavy water", temperature)
        write_blank_user(entry)
    set_age(path, PULSED_BEGIN + timedelta(minutes=30))
    return path


def write_run_header(entry: h5py.Group, path: Path, title: str) -> None:
    """Write run number, title, experiment and times; the zone is not said."""
    add_fixed_text(entry, "title", title)
    add_fixed_text(entry, "name", "SANDALS")
    add_fixed_text(entry, "beamline", "SANDALS")
    add_fixed_text(entry, "definition", "TOFRAW")
    add_fixed_text(entry, "experiment_identifier", "2010877")
    add_fixed_text(entry, "run_cycle", "21_2")
    add_fixed_text(entry, "program_name", "ISISICP.EXE")
    add_number(entry, "run_number", np.array([int(path.stem[3:])], "i4"))
    for name, when in (("start_time", PULSED_BEGIN), ("end_time", PULSED_BEGIN + timedelta(minutes=30))):
        clock = local_time(when, 0)
        add_fixed_text(entry, name, f"{clock:%Y-%m-%dT%H:%M:%S}").attrs["units"] = np.bytes_("ISO8601")
    add_number(entry, "duration", np.array([1800.0], "f4"), "second")
    add_number(entry, "proton_charge", np.array([72.4], "f4"), "uAh")


def write_source(instrument: h5py.Group, name: str, facility: str, kind: str, probe: str) -> None:
    """Write where the neutrons come from."""
    source = add_group(instrument, name, "NXsource")
    add_fixed_text(source, "name", facility)
    add_fixed_text(source, "type", kind)
    add_fixed_text(source, "probe", probe)


def write_run_sample(entry: h5py.Group, name: str, temperature: float) -> None:
    """Write the sample, its temperature, and the logs: of its own sensor, of an empty one, of an unplugged one."""
    sample = add_group(entry, "sample", "NXsample")
    add_fixed_text(sample, "name", name)
    add_fixed_text(sample, "id", " ")
    add_number(sample, "temperature", np.array([temperature], "f4"), "Kelvin")
    add_number(sample, "thickness", np.array([1.0], "f4"))
    logs = add_group(entry, "selog", "IXselog")
    readings = temperature + make_random(name).normal(0, 0.05, 7).round(3)
    for sensor, values in (("Temp_Sample", readings), ("Temp_Rack", readings[:0]), ("Temp_3", np.zeros(7))):
        block = add_group(logs, sensor, "IXseblock")
        log = add_group(block, "value_log", "NXlog")
        add_number(log, "value", values.astype("f4"), "K")
        time = add_number(log, "time", np.arange(len(values), dtype="f4") * 300, "second")
        time.attrs["start"] = np.bytes_(f"{PULSED_BEGIN:%Y-%m-%dT%H:%M:%S}")
        add_number(log, "average_value", values.mean() if len(values) else 0.0, "K")


def write_blank_user(entry: h5py.Group) -> None:
    """Write a user whose name nobody entered."""
    user = add_group(entry, "user_1", "NXuser")
    add_fixed_text(user, "name", " ")
    add_fixed_text(user, "affiliation", " ")


def write_powder_run(path: Path, title: str, temperature: float) -> Path:
    """Write a run of a powder diffractometer at one wavelength; the temperature, in kelvin, is a log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update({"NX_class": "NXroot", "instrument": "DMC", "file_name": path.name})
        entry = add_group(file, "entry1", "NXentry")
        add_text(entry, "title", title)
        add_text(entry, "definition", "NXmonopd")
        add_text(entry, "proposal_id", "20220345")
        end = CONTINUOUS_BEGIN + timedelta(hours=2)
        for name, when in (("start_time", CONTINUOUS_BEGIN), ("end_time", end)):
            add_text(entry, name, f"{local_time(when, 1):%Y-%m-%d %H:%M:%S%z}")
        user = add_group(entry, "user", "NXuser")
        add_text(user, "name", "Livia Sandmeier")
        add_text(user, "role", "principal_investigator")
        write_diffractometer(entry, path.name)
        sample = add_group(entry, "sample", "NXsample")
        add_text(sample, "name", "HoNiO3")
        add_text(sample, "chemical_formula", "Ho Ni O3")
        log = add_group(sample, "temperature", "NXlog")
        readings = temperature + make_random(path.name).normal(0, 0.002, 12).round(4)
        add_number(log, "value", readings, "K")
        add_number(log, "time", np.arange(12) * 600.0, "s")
        add_number(log, "average_value", temperature, "K")
    set_age(path, end)
    return path


def write_diffractometer(entry: h5py.Group, seed: str) -> None:
    """Write the instrument: source, monochromator, detector; and the monitor beside it."""
    instrument = add_group(entry, "DMC", "NXinstrument")
    add_text(instrument, "name", "DMC")
    write_source(instrument, "SINQ", "SINQ", "Continuous flux spallation source", "neutron")
    monochromator = add_group(instrument, "monochromator", "NXmonochromator")
    add_number(monochromator, "wavelength", WAVELENGTH, "angstrom")
    crystal = add_group(monochromator, "crystal", "NXcrystal")
    add_text(crystal, "type", "Pyrolytic Graphite 002")
    add_number(crystal, "d_spacing", 3.3537, "angstrom")
    detector = add_group(instrument, "detector", "NXdetector")
    counts = make_random(seed).poisson(300, 400).astype("i4")
    add_number(detector, "counts", counts, "counts")
    add_number(detector, "polar_angle", 18.3 + np.arange(400) * 0.2, "degree")
    monitor = add_group(entry, "monitor", "NXmonitor")
    add_text(monitor, "mode", "monitor")
    add_number(monitor, "preset", 120000.0)
    add_number(monitor, "integral", 120043.0, "counts")
    data = add_group(entry, "data", "NXdata")
    data.attrs.update({"signal": "counts", "axes": ["polar_angle"]})
    for name in ("counts", "polar_angle"):
        data[name] = h5py.SoftLink(f"{detector.name}/{name}")
