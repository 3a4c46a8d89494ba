"""What ESRF's acquisition (BLISS 2 with blisswriter 2) writes: a folder for each dataset, a master in it.

The structure follows files written by bliss 2.2 with simulated motors: superblock version 0 with a root that tracks
its order, one NXentry for each scan, five snapshots of all motors, a soft link for each measured channel, images as
virtual datasets over Lima's files by relative path. The machine's group is what BLISS's `MachInfo` publishes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ingest.samples.hdf5 import add_group, add_number, add_text, local_time, make_random, set_age
from ingest.samples.lima import list_lima_files, write_lima_file, write_virtual_images

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMED_MOTORS = ("samx", "samy", "samz", "phi", "chi", "omega", "mono", "energy", "detx", "dety", "s1u", "s1d")
MOTOR_UNITS = {"phi": "deg", "chi": "deg", "omega": "deg", "mono": "deg", "energy": "keV"}
SNAPSHOTS = ("positioners_start", "positioners_dial_start", "positioners_end", "positioners_dial_end")
HC_KEV_ANGSTROM = 12.398419843320026


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan: a loop over `points`, or over positions of the motor `moved`; `end_reason` None: the writer died."""

    title: str
    points: int
    moved: str | None = None
    start: float = 0.0
    stop: float = 1.0
    count_time: float = 0.1
    camera: str | None = None
    temperature: float | None = None
    end_reason: str | None = "SUCCESS"

    @property
    def duration(self) -> timedelta:
        """How long the scan took, half a second of overhead included."""
        return timedelta(seconds=0.5 + self.points * (self.count_time + 0.05))


@dataclass(frozen=True, slots=True)
class BlissDataset:
    """One dataset of a visit, of the sample that names its collection; energy in keV."""

    collection: str
    name: str
    energy: float
    scans: tuple[Scan, ...]
    description: str | None = None
    formula: str | None = None
    technique: str | None = None
    beamline: str = "id22"
    still_open: bool = False
    motors: tuple[str, ...] = field(default_factory=lambda: motor_names(24))

    @property
    def full_name(self) -> str:
        """The name of its folder and of its master."""
        return f"{self.collection}_{self.name}"

    @property
    def has_end(self) -> bool:
        """Whether the writer closed it."""
        return all(scan.end_reason for scan in self.scans)

    @property
    def duration(self) -> timedelta:
        """How long its scans took together."""
        return sum((scan.duration for scan in self.scans), timedelta())


def motor_names(count: int) -> tuple[str, ...]:
    """Return that many names, the usual ones first."""
    return (NAMED_MOTORS + tuple(f"ax{number:02d}" for number in range(count)))[:count]


def open_master(path: Path, begin: datetime) -> h5py.File:
    """Create a master with the attributes that blissdata gives to the root."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = h5py.File(path, "w", track_order=True)
    attributes = {
        "NX_class": "NXroot",
        "file_time": to_bliss_time(begin),
        "file_name": f"/data/{path.name}",
        "HDF5_Version": "1.14.4",
        "h5py_version": "3.13.0",
        "creator": "blissdata",
        "create_version": "2.0.1",
        "publisher": "bliss",
        "publisher_version": "2.2.1",
    }
    file.attrs.update(attributes)
    return file


def to_bliss_time(when: datetime) -> str:
    """Return the time as BLISS writes it: local, microseconds, offset."""
    return local_time(when, 1).isoformat(timespec="microseconds")


def write_dataset(visit_folder: Path, dataset: BlissDataset, begin: datetime) -> Path:
    """Write the dataset's folder with its master and Lima's files; return the master."""
    folder = visit_folder / "RAW_DATA" / dataset.collection / dataset.full_name
    master = folder / f"{dataset.full_name}.h5"
    with open_master(master, begin) as file:
        for number, scan in enumerate(dataset.scans, 1):
            write_scan(file, number, scan, dataset, begin)
            begin += scan.duration
        file.attrs["default"] = f"{len(dataset.scans)}.1"
    for path in folder.rglob("*.h5"):
        set_age(path, begin)
    return master


def write_scan(file: h5py.File, number: int, scan: Scan, dataset: BlissDataset, begin: datetime) -> h5py.Group:
    """Write one scan: what is known at its start, what it measured, and its end if it had one."""
    entry = add_group(file, f"{number}.1", "NXentry")
    add_text(entry, "title", scan.title)
    add_text(entry, "start_time", to_bliss_time(begin))
    if dataset.technique:
        identifier = add_text(
            entry, "identifier_technique_1", f"https://w3id.org/PaN/ESRFET/v0.1.0/#{dataset.technique}"
        )
        identifier.attrs["type"] = "W3ID"
    instrument = add_group(entry, "instrument", "NXinstrument")
    add_text(instrument, "name", f"ESRF-{dataset.beamline}").attrs["short_name"] = dataset.beamline
    random = make_random(f"{dataset.full_name}/{number}")
    measured = write_counters(instrument, scan, begin, random)
    if scan.camera:
        measured[scan.camera] = write_camera(instrument, dataset.beamline, number, scan, begin)
    write_positioners(instrument, dataset, scan, measured)
    write_machine(instrument, random)
    write_monochromator(instrument, dataset.energy)
    write_measurement(entry, measured)
    parameters = add_group(entry, "scan_parameters", "NXparameters")
    add_number(parameters, "count_time", scan.count_time, "s")
    write_end(entry, scan, dataset, begin)
    return entry


def write_counters(instrument: h5py.Group, scan: Scan, begin: datetime, random: np.random.Generator) -> dict[str, str]:
    """Write timers, counters and the moved motor; return the absolute path of each channel's field by its name."""
    elapsed = np.arange(scan.points) * (scan.count_time + 0.05)
    timer = ("NXdetector", "data") if scan.moved else ("NXpositioner", "value")
    counts = random.poisson(4e4, scan.points).astype(float)
    current = random.normal(0.5, 0.01, scan.points).round(6)
    measured = {
        "elapsed_time": add_channel(instrument, "elapsed_time", timer, elapsed, "s"),
        "epoch": add_channel(instrument, "epoch", timer, begin.timestamp() + elapsed, "s"),
        "I0": add_channel(instrument, "I0", ("NXdetector", "data"), counts),
        "diode1": add_channel(instrument, "diode1", ("NXdetector", "signal"), current),
    }
    diode = instrument["diode1"]
    diode["data"] = h5py.SoftLink("signal")
    add_text(diode, "mode", "MEAN")
    add_text(diode, "type", "samplingcounter")
    if scan.moved:
        positions = np.linspace(scan.start, scan.stop, scan.points)
        unit = MOTOR_UNITS.get(scan.moved, "mm")
        measured[scan.moved] = add_channel(instrument, scan.moved, ("NXpositioner", "value"), positions, unit)
    return measured


def add_channel(
    instrument: h5py.Group, name: str, kind: tuple[str, str], values: np.ndarray, unit: str | None = None
) -> str:
    """Add a measured channel that its writer could go on appending to; `kind` is class and field; return its path."""
    nx_class, role = kind
    group = add_group(instrument, name, nx_class)
    data = group.create_dataset(role, data=values, maxshape=(None,), chunks=(len(values),), fillvalue=np.nan)
    if unit:
        data.attrs["units"] = unit
    return str(data.name)


def write_positioners(instrument: h5py.Group, dataset: BlissDataset, scan: Scan, measured: dict[str, str]) -> None:
    """Write the snapshots of all motors; a scan that never ended has those of its start only."""
    first = add_group(instrument, SNAPSHOTS[0], "NXcollection")
    for place, motor in enumerate(dataset.motors):
        value = dataset.energy if motor == "energy" else round(place * 0.37, 3)
        add_number(first, motor, value, MOTOR_UNITS.get(motor, "mm"))
    ended = SNAPSHOTS if scan.end_reason else SNAPSHOTS[:2]
    for name in (*ended[1:], "positioners"):
        h5py.h5o.copy(first.id, b".", instrument.id, name.encode())
    current = instrument["positioners"]
    loop = () if scan.moved else ("elapsed_time", "epoch")
    for name in (*loop, *([scan.moved] if scan.moved else [])):
        if name in current:
            del current[name]
        current[name] = h5py.SoftLink(measured[name])


def write_machine(instrument: h5py.Group, random: np.random.Generator) -> None:
    """Write the storage ring as it was during the scan."""
    machine = add_group(instrument, "machine", "NXsource")
    add_text(machine, "name", "ESRF")
    add_text(machine, "type", "Synchrotron")
    add_text(machine, "mode", "USM")
    add_number(machine, "current", round(float(random.uniform(190, 200)), 3), "mA")
    add_text(machine, "filling_mode", "7/8 multibunch")
    machine.create_dataset("automatic_mode", data=True)
    add_text(machine, "front_end", "FE open")


def write_monochromator(instrument: h5py.Group, energy: float) -> None:
    """Write the monochromator's energy and wavelength."""
    monochromator = add_group(instrument, "monochromator", "NXmonochromator")
    add_number(monochromator, "energy", energy, "keV")
    add_number(monochromator, "wavelength", HC_KEV_ANGSTROM / energy, "Angstrom")
    crystal = add_group(monochromator, "crystal", "NXcrystal")
    add_text(crystal, "type", "Si")
    add_number(crystal, "reflection", [1, 1, 1])


def write_camera(instrument: h5py.Group, beamline: str, number: int, scan: Scan, begin: datetime) -> str:
    """Write a camera's group and Lima's files beside the master; a dead writer leaves no virtual dataset over them."""
    camera = str(scan.camera)
    detector = add_group(instrument, camera, "NXdetector")
    add_text(detector, "type", "lima")
    acquisition = add_group(detector, "acq_parameters", "NXcollection")
    add_number(acquisition, "acq_expo_time", scan.count_time, "s")
    add_text(acquisition, "acq_mode", "SINGLE")
    add_number(acquisition, "acq_nb_frames", scan.points)
    folder = Path(instrument.file.filename).parent
    sources = list_lima_files(number, camera, scan.points)
    for name, frames in sources.items():
        write_lima_file(folder / name, camera, beamline, frames, to_bliss_time(begin))
    if scan.end_reason:
        write_virtual_images(detector, sources)
    return f"{detector.name}/image"


def write_measurement(entry: h5py.Group, measured: dict[str, str]) -> None:
    """Write a soft link to each channel."""
    group = add_group(entry, "measurement", "NXcollection")
    for name, path in measured.items():
        group[name] = h5py.SoftLink(path)


def write_end(entry: h5py.Group, scan: Scan, dataset: BlissDataset, begin: datetime) -> None:
    """Write what BLISS writes last: the sample and the end. `writer/status` tells about writing, not about the scan."""
    writer = add_group(entry, "writer", "NXnote")
    add_text(writer, "date", to_bliss_time(begin + timedelta(milliseconds=20)))
    add_text(writer, "status", "SUCCEEDED" if scan.end_reason else "RUNNING")
    if scan.end_reason is None:
        return
    sample = add_group(entry, "sample", "NXsample")
    add_text(sample, "name", dataset.collection)
    if dataset.description:
        add_text(sample, "description", dataset.description)
    if dataset.formula:
        add_text(sample, "chemical_formula", dataset.formula)
    if scan.temperature is not None:
        add_number(sample, "temperature", scan.temperature, "K")
    add_text(entry, "end_reason", scan.end_reason)
    add_text(entry, "end_time", to_bliss_time(begin + scan.duration))


def write_collection_master(path: Path, masters: Sequence[Path], begin: datetime) -> Path:
    """Write a proposal's or a collection's master: nothing but an external link to every scan of every dataset."""
    with open_master(path, begin) as file:
        for master in sorted(masters):
            with h5py.File(master, "r", locking=False) as opened:
                scans = [name for name in opened if name.endswith(".1")]
            for name in scans:
                relative = master.relative_to(path.parent).as_posix()
                file[f"{master.stem}_{name}"] = h5py.ExternalLink(relative, f"/{name}")
    last = max(master.stat().st_mtime for master in masters)
    set_age(path, datetime.fromtimestamp(last, UTC))
    return path
