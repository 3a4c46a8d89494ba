"""What Lima, the camera software under BLISS, writes: files of a few images each, and the virtual dataset over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py

from ingest.samples.hdf5 import add_group, add_text, make_random

if TYPE_CHECKING:
    from pathlib import Path

FRAMES_PER_FILE = 5
FRAME_SHAPE = (32, 48)
DATA_PATH = "/entry_0000/measurement/data"


def list_lima_files(scan_number: int, camera: str, frames: int) -> dict[str, int]:
    """Return the names of a scan's image files, relative to the dataset's folder, with the frames that each holds."""
    return {
        f"scan{scan_number:04d}/{camera}_{first // FRAMES_PER_FILE:04d}.h5": min(FRAMES_PER_FILE, frames - first)
        for first in range(0, frames, FRAMES_PER_FILE)
    }


def write_lima_file(path: Path, camera: str, beamline: str, frames: int, begin: str) -> None:
    """Write one file of images; `begin` is the text of its start time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = make_random(path.name).poisson(20, (frames, *FRAME_SHAPE)).astype("u2")
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs.update({"NX_class": "NXroot", "creator": "LIMA-1.10", "default": "/entry_0000/measurement"})
        entry = add_group(file, "entry_0000", "NXentry")
        entry.attrs["default"] = "measurement"
        add_text(entry, "title", "Lima 2D detector acquisition")
        add_text(entry, "start_time", begin)
        instrument = add_group(entry, f"ESRF-{beamline.upper()}", "NXinstrument")
        detector = add_group(instrument, camera, "NXdetector")
        chunk = (1, *FRAME_SHAPE)
        data = detector.create_dataset("data", data=images, chunks=chunk, compression="gzip", compression_opts=1)
        data.attrs["interpretation"] = "image"
        information = add_group(detector, "detector_information", "NXcollection")
        add_text(information, "name", camera)
        measurement = add_group(entry, "measurement", "NXdata")
        measurement.attrs["signal"] = "data"
        measurement["data"] = h5py.SoftLink(data.name)


def write_virtual_images(detector: h5py.Group, sources: dict[str, int]) -> None:
    """Write a virtual dataset over those files, by relative path; it can grow with each file that Lima closes."""
    shape = (sum(sources.values()), *FRAME_SHAPE)
    space = h5py.h5s.create_simple(shape, (h5py.h5s.UNLIMITED,) * len(shape))
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_obj_track_times(False)
    first = 0
    for name, frames in sources.items():
        source = (frames, *FRAME_SHAPE)
        space.select_hyperslab((first, 0, 0), source)
        creation.set_virtual(space, name.encode(), DATA_PATH.encode(), h5py.h5s.create_simple(source))
        first += frames
    space.select_all()
    image = h5py.h5d.create(detector.id, b"image", h5py.h5t.NATIVE_UINT16, space, creation)
    h5py.Dataset(image).attrs["interpretation"] = "image"
    detector["data"] = h5py.SoftLink("image")
