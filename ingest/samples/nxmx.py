"""What Dectris detectors write at macromolecular beamlines: an NXmx master and numbered data files beside it.

The newer of the two follows Dectris's published field list of FileWriter V2 (NXmx of NeXus 2022.07) with the numbered
links of the first version, the older one FileWriter V1: no title, no sample, no times but in `detectorSpecific`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import h5py
import numpy as np

from ingest.samples.expected import Expected
from ingest.samples.hdf5 import add_group, add_number, add_text, local_time, set_age

if TYPE_CHECKING:
    from pathlib import Path

VISIT = "sls/x06da/e19370/20230828"
BEGIN = datetime(2023, 8, 28, 12, 4, 11, 372000, tzinfo=UTC)
HC_EV_ANGSTROM = 12398.419843320026
IMAGES_PER_FILE = 10
BITSHUFFLE = 32008
DETECTOR_GROUP = "/entry/instrument/detector"


def write_eiger_masters(folder: Path) -> list[Expected]:
    """Write three masters: a new one, a new one whose second data file never arrived, and an old one."""
    place = folder / VISIT
    complete = write_new_master(place / "lyso_1_master.h5", "lysozyme", energy=12400.0)
    missing = write_new_master(place / "lyso_2_master.h5", "lysozyme", energy=13500.0)
    old = write_old_master(place / "thau_7_master.h5", energy=11200.0)
    (place / "lyso_2_data_000002.h5").unlink()
    for path in place.iterdir():
        set_age(path, BEGIN)
    first = Expected(complete, "dataset", scans=1, sample="lysozyme", instrument="X06DA", energy_kev=12.4)
    return [
        first,
        replace(first, path=missing, becomes="incomplete", energy_kev=13.5),
        Expected(old, "dataset", scans=1, energy_kev=11.2, wavelength_angstrom=HC_EV_ANGSTROM / 11200.0),
    ]


def write_new_master(path: Path, sample: str, energy: float) -> Path:
    """Write a master of two data files and the files; energy in eV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["default"] = "entry"
        entry = add_group(file, "entry", "NXentry")
        entry.attrs.update({"default": "data", "version": "1.0"})
        add_text(entry, "definition", "NXmx")
        add_text(entry, "program_name", "DECTRIS-DAQ").attrs["version"] = "1.8.0"
        add_text(entry, "start_time", f"{BEGIN:%Y-%m-%dT%H:%M:%S}.372Z")
        add_text(entry, "end_time_estimated", f"{BEGIN:%Y-%m-%dT%H:%M}:31.372Z")
        add_text(add_group(entry, "source", "NXsource"), "name", "Swiss Light Source")
        instrument = add_group(entry, "instrument", "NXinstrument")
        add_text(instrument, "name", "X06DA")
        beam = add_group(instrument, "beam", "NXbeam")
        add_number(beam, "incident_energy", energy, "eV")
        add_number(beam, "incident_wavelength", HC_EV_ANGSTROM / energy, "angstrom")
        add_number(beam, "total_flux", 2.1e11, "Hz")
        write_detector(instrument, energy)
        write_goniometer(entry, sample)
        write_data_files(path, entry, files=2)
    return path


def write_detector(instrument: h5py.Group, energy: float) -> None:
    """Write the detector: place, pixels, sensor, thresholds, and the chain of transformations that it depends on."""
    detector = add_group(instrument, "detector", "NXdetector")
    add_text(detector, "description", "Dectris EIGER2 Si 16M")
    add_text(detector, "serial_number", "E-32-0117")
    add_text(detector, "sensor_material", "Si")
    add_text(detector, "depends_on", f"{DETECTOR_GROUP}/transformations/translation")
    for name, value in (("distance", 0.2), ("x_pixel_size", 7.5e-05), ("y_pixel_size", 7.5e-05)):
        add_number(detector, name, value, "m")
    add_number(detector, "sensor_thickness", 4.5e-04, "m")
    for name, value in (("count_time", 0.00999), ("frame_time", 0.01), ("detector_readout_time", 1e-07)):
        add_number(detector, name, value, "s")
    add_number(detector, "beam_center_x", 2112.4, "pixel")
    add_number(detector, "beam_center_y", 2198.8, "pixel")
    add_number(detector, "saturation_value", 33000)
    channel = add_group(detector, "threshold_1_channel", "NXdetector_channel")
    add_number(channel, "threshold_energy", energy / 2, "eV")
    channel.create_dataset("pixel_mask", (4362, 4148), "u4", chunks=(4362, 4148))  # never filled: takes no space
    transformations = add_group(detector, "transformations", "NXtransformations")
    translation = add_number(transformations, "translation", 0.2, "m")
    set_transformation(translation, "translation", ".", (0.0, 0.0, 1.0))
    module = add_group(detector, "module", "NXdetector_module")
    add_number(module, "data_size", [4362, 4148])
    for name, vector in (("fast_pixel_direction", (-1.0, 0.0, 0.0)), ("slow_pixel_direction", (0.0, -1.0, 0.0))):
        direction = add_number(module, name, 7.5e-05, "m")
        set_transformation(direction, "translation", translation.name, vector)


def set_transformation(field: h5py.Dataset, kind: str, depends_on: str, vector: tuple[float, ...]) -> None:
    """Set what makes a field a transformation."""
    field.attrs.update({"transformation_type": kind, "depends_on": depends_on, "vector": vector, "offset": [0.0] * 3})


def write_goniometer(entry: h5py.Group, sample_name: str) -> None:
    """Write the sample and the axis that it turned about."""
    sample = add_group(entry, "sample", "NXsample")
    add_text(sample, "name", sample_name)
    add_text(sample, "depends_on", "/entry/sample/transformations/omega")
    transformations = add_group(sample, "transformations", "NXtransformations")
    omega = add_number(transformations, "omega", np.arange(2 * IMAGES_PER_FILE) * 0.1, "degree")
    set_transformation(omega, "rotation", ".", (-1.0, 0.0, 0.0))
    add_number(transformations, "omega_increment_set", 0.1, "degree")


def write_old_master(path: Path, energy: float) -> Path:
    """Write a master as FileWriter V1 did: wavelength, detector and links; strings of fixed length."""
    with h5py.File(path, "w") as file:
        entry = add_group(file, "entry", "NXentry")
        entry.create_dataset("definition", data=np.bytes_("NXmx"))
        instrument = add_group(entry, "instrument", "NXinstrument")
        beam = add_group(instrument, "beam", "NXbeam")
        add_number(beam, "incident_wavelength", np.float32(HC_EV_ANGSTROM / energy), "angstrom")
        detector = add_group(instrument, "detector", "NXdetector")
        detector.create_dataset("description", data=np.bytes_("Dectris Eiger 16M"))
        detector.create_dataset("detector_number", data=np.bytes_("E-32-0103"))
        add_number(detector, "detector_distance", np.float32(0.31), "m")
        add_number(detector, "beam_center_x", np.float32(2068.1), "pixel")
        add_number(detector, "beam_center_y", np.float32(2171.3), "pixel")
        add_number(detector, "threshold_energy", np.float32(energy / 2), "eV")
        specific = add_group(detector, "detectorSpecific", "NXcollection")
        begin = local_time(BEGIN, 1).isoformat(timespec="microseconds")
        specific.create_dataset("data_collection_date", data=np.bytes_(begin))
        add_number(specific, "photon_energy", np.float32(energy), "eV")
        add_number(specific, "nimages", 10)
        specific.create_dataset("pixel_mask", (4371, 4150), "u4", chunks=(4371, 4150))
        goniometer = add_group(add_group(entry, "sample", "NXsample"), "goniometer", "NXtransformations")
        add_number(goniometer, "omega", np.arange(10) * 0.1, "degree")
        write_data_files(path, entry, files=1)
    return path


def write_data_files(master: Path, entry: h5py.Group, files: int) -> None:
    """Write the data files and a numbered external link to each."""
    data = add_group(entry, "data", "NXdata")
    data.attrs["signal"] = "data_000001"
    stem = master.name.removesuffix("_master.h5")
    for number in range(1, files + 1):
        name = f"{stem}_data_{number:06d}.h5"
        write_data_file(master.with_name(name), first_image=1 + (number - 1) * IMAGES_PER_FILE)
        data[f"data_{number:06d}"] = h5py.ExternalLink(name, "/entry/data/data")


def write_data_file(path: Path, first_image: int) -> None:
    """Write images that are compressed with bitshuffle: nothing can be read of them without that filter's plug-in."""
    shape = (IMAGES_PER_FILE, 64, 64)
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_obj_track_times(False)
    creation.set_chunk((1, *shape[1:]))
    creation.set_filter(BITSHUFFLE, h5py.h5z.FLAG_OPTIONAL, (0, 2))
    with h5py.File(path, "w", libver="latest") as file:
        group = add_group(add_group(file, "entry", "NXentry"), "data", "NXdata")
        kind = h5py.h5t.NATIVE_UINT32
        data = h5py.Dataset(h5py.h5d.create(group.id, b"data", kind, h5py.h5s.create_simple(shape), creation))
        data.id.write_direct_chunk((0, 0, 0), b"\x00" * 12)
        data.attrs["image_nr_low"] = first_image
        data.attrs["image_nr_high"] = first_image + IMAGES_PER_FILE - 1
