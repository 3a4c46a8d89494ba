"""What Diamond's acquisition (GDA) writes: an old-style scan with an NXsas definition, and new-style `diamond_scan`s.

After public files of i22 and p45: strings of fixed length in arrays of one, hard links with a `target` attribute,
the images in a file of their own behind an external link, local times with their offset.
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

SAXS_VISIT = "dls/i22/data/2019/cm22968-3"
MAP_VISIT = "dls/i18/data/2022/sp30118-1"
SAXS_BEGIN = datetime(2019, 7, 3, 13, 22, 41, 310000, tzinfo=UTC)
MAP_BEGIN = datetime(2022, 2, 9, 9, 48, 2, 150000, tzinfo=UTC)
WARM, ZERO_CELSIUS = 37.0, 273.15
MAP_SHAPE = (4, 6)


def write_gda_masters(folder: Path) -> list[Expected]:
    """Write a small-angle scattering run, and two fluorescence maps at different energies."""
    saxs = Expected(
        write_saxs(folder / SAXS_VISIT / "i22-493312.nxs"),
        "dataset",
        scans=1,
        title="lipid cubic phase, 37 C",
        sample="monoolein",
        instrument="i22",
        proposal="cm22968-3",
        energy_kev=12.4,
        temperature_kelvin=WARM + ZERO_CELSIUS,
    )
    first = replace(
        saxs,
        path=write_map(folder / MAP_VISIT / "i18-176402.nxs", 7.3),
        title="garnet 14b map",
        sample="garnet 14b",
        instrument="i18",
        proposal="sp30118-1",
        energy_kev=7.3,
        temperature_kelvin=None,
    )
    second = replace(first, path=write_map(folder / MAP_VISIT / "i18-176403.nxs", 9.8), energy_kev=9.8)
    return [saxs, first, second]


def write_saxs(path: Path) -> Path:
    """Write a run of i22: one exposure series of a Pilatus, whose images lie behind an external link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = path.with_name(f"{path.stem}-Pilatus2M.h5")
    with h5py.File(path, "w") as file:
        file.attrs["file_name"] = np.bytes_(f"/{SAXS_VISIT}/{path.name}")
        entry = add_group(file, "entry1", "NXentry")
        add_fixed_text(entry, "definition", "NXsas")
        add_fixed_text(entry, "title", "lipid cubic phase, 37 C")
        add_fixed_text(entry, "scan_command", "static readout")
        write_header(entry, path, "cm22968-3", SAXS_BEGIN, ("Thaddeus Quill", "Mara Okonjo-Hale"))
        instrument = write_beamline(entry, "i22", 12.4)
        write_pilatus(instrument, images)
        entry.create_group("Pilatus2M").attrs["NX_class"] = np.bytes_("NXdata")
        entry["Pilatus2M/data"] = h5py.ExternalLink(images.name, "/entry/instrument/detector/data")
        for name, counts in (("I0", 267897.0), ("It", 51230.0)):
            monitor = add_group(entry, name, "NXmonitor")
            add_number(monitor, "data", np.array([counts], "f4"), "counts")
        sample = add_group(entry, "sample", "NXsample")
        add_fixed_text(sample, "name", "monoolein")
        add_number(sample, "temperature", np.array([WARM]), "degC")
        add_number(sample, "thickness", np.array([1.5]), "mm")
    write_images(images, frames=3)
    for written in (path, images):
        set_age(written, SAXS_BEGIN + timedelta(minutes=1))
    return path


def write_header(entry: h5py.Group, path: Path, visit: str, begin: datetime, people: tuple[str, ...]) -> None:
    """Write what GDA puts into every entry: identifiers, times, program, people by name and login."""
    add_fixed_text(entry, "entry_identifier", path.stem.rpartition("-")[2])
    add_fixed_text(entry, "experiment_identifier", visit)
    add_fixed_text(entry, "program_name", "GDA 9.12.0")
    for name, when in (("start_time", begin), ("end_time", begin + timedelta(seconds=58))):
        add_fixed_text(entry, name, local_time(when, 0).isoformat(timespec="milliseconds"))
    for number, person in enumerate(people, 1):
        user = add_group(entry, f"user{number:02d}", "NXuser")
        add_fixed_text(user, "name", person)
        add_fixed_text(user, "username", f"abc{10000 + number}")


def write_beamline(entry: h5py.Group, name: str, energy: float) -> h5py.Group:
    """Write the instrument with its source, insertion device and monochromator; energy in keV."""
    instrument = add_group(entry, "instrument", "NXinstrument")
    add_fixed_text(instrument, "name", name)
    source = add_group(instrument, "source", "NXsource")
    add_fixed_text(source, "name", "DLS")
    add_fixed_text(source, "type", "Synchrotron X-ray Source")
    add_fixed_text(source, "probe", "x-ray")
    add_number(source, "energy", np.array([3.0]), "GeV")
    add_number(source, "current", np.array([298.7]), "mA")
    add_number(add_group(instrument, "insertion_device", "NXinsertion_device"), "gap", np.array([6.8]), "mm")
    add_number(add_group(instrument, "monochromator", "NXmonochromator"), "energy", np.array([energy]), "keV")
    return instrument


def write_pilatus(instrument: h5py.Group, images: Path) -> None:
    """Write the detector: small fields here, images behind the link."""
    detector = add_group(instrument, "Pilatus2M", "NXdetector")
    add_fixed_text(detector, "sas_type", "SAXS")
    add_number(detector, "distance", np.array([5.4864]), "m")
    add_number(detector, "x_pixel_size", np.array([0.000172]), "m")
    add_number(detector, "y_pixel_size", np.array([0.000172]), "m")
    add_number(detector, "count_time", np.array([2.0], "f4"), "s")
    detector["data"] = h5py.ExternalLink(images.name, "/entry/instrument/detector/data")


def write_images(path: Path, frames: int) -> None:
    """Write the detector's own file, as EPICS areaDetector does."""
    with h5py.File(path, "w") as file:
        entry = add_group(file, "entry", "NXentry")
        detector = add_group(add_group(entry, "instrument", "NXinstrument"), "detector", "NXdetector")
        values = make_random(path.name).poisson(5, (frames, 40, 36)).astype("i4")
        detector.create_dataset("data", data=values, chunks=(1, 40, 36), compression="gzip")


def write_map(path: Path, energy: float) -> Path:
    """Write a map of i18 as newer GDA does: positions, a fluorescence detector, and a finished `diamond_scan`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", libver="v110") as file:
        file.attrs["file_name"] = np.bytes_(f"/{MAP_VISIT}/{path.name}")
        entry = add_group(file, "entry", "NXentry")
        add_text(entry, "title", "garnet 14b map")
        add_number(entry, "duration", np.array([58]), "s")
        write_header(entry, path, "sp30118-1", MAP_BEGIN, ("Ivo Brandreth",))
        instrument = write_beamline(entry, "i18", energy)
        add_text(add_group(entry, "sample", "NXsample"), "name", "garnet 14b")
        map_data = add_group(entry, "xspress3", "NXdata")
        map_data.attrs.update({"signal": "data", "axes": ["stagey_value_set", "stagex_value_set", "."]})
        detector = add_group(instrument, "xspress3", "NXdetector")
        counts = make_random(path.name).poisson(9, (*MAP_SHAPE, 64)).astype("f8")
        link_shared(detector, map_data, "data", counts)
        for axis, count in zip(("stagey", "stagex"), MAP_SHAPE, strict=True):
            positioner = add_group(instrument, axis, "NXpositioner")
            positioner.attrs["gda_scannable_name"] = axis
            link_shared(positioner, map_data, "value_set", np.linspace(0, 1, count), f"{axis}_value_set")
        write_diamond_scan(entry)
    set_age(path, MAP_BEGIN + timedelta(minutes=1))
    return path


def link_shared(group: h5py.Group, data: h5py.Group, name: str, values: np.ndarray, alias: str | None = None) -> None:
    """Write a field once and hard-link it into the NXdata group; `target` says where it really is."""
    field = group.create_dataset(name, data=values, maxshape=(None,) * values.ndim, chunks=values.shape)
    field.attrs["target"] = field.name
    data[alias or name] = field


def write_diamond_scan(entry: h5py.Group) -> None:
    """Write the bookkeeping of a finished scan."""
    scan = add_group(entry, "diamond_scan", "NXcollection")
    for name, when in (("start_time", MAP_BEGIN), ("end_time", MAP_BEGIN + timedelta(seconds=58))):
        add_fixed_text(scan, name, f"{when:%Y-%m-%dT%H:%M:%S}.150Z")
    add_text(scan, "scan_command", "mscan(grid(axes=('stagex', 'stagey'), start=(0, 0), stop=(1, 1), count=(6, 4)))")
    add_fixed_text(scan, "scan_duration", "00:00:58.000")
    add_number(scan, "scan_shape", np.array(MAP_SHAPE, "i4"))
    scan.create_dataset("scan_fields", data=["stagex.value_set", "stagey.value_set", "xspress3.data"])
    keys = add_group(scan, "keys", "NXcollection")
    add_number(keys, "uniqueKeys", np.arange(1, 25, dtype="i4").reshape(MAP_SHAPE))
    add_number(scan, "scan_finished", np.array([1], "i4"))
