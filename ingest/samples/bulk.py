"""Masters and dataset folders of any size, quickly: for benchmarks, and for tests that need many.

A scan is written once and copied inside the file; a folder is written once and its bytes copied with small changes.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import h5py
import numpy as np

from ingest.samples.bliss import BlissDataset, Scan, motor_names, open_master, to_bliss_time, write_scan
from ingest.samples.hdf5 import add_group, set_age
from ingest.samples.lima import FRAME_SHAPE, FRAMES_PER_FILE, list_lima_files, write_virtual_images

BEGIN = datetime(2023, 5, 9, 7, 30, tzinfo=UTC)
CAMERA = "eiger"
MOVED = "samx"
PLAIN_SCAN = Scan(f"ascan {MOVED} 0.000000 1.000000 20 0.1", 21, moved=MOVED)


def write_bliss_master(path: Path, *, scans: int = 1, motors: int = 100, energy: float = 35.0, images: int = 0) -> Path:
    """Write one master of that many scans, each with five snapshots of that many motors; return its path.

    `images` is the number of Lima files that a virtual dataset of the first scan names (five frames each); they are
    not written. Energy in keV. A scan of 100 motors takes about 240 kB and a few milliseconds.
    """
    dataset = BlissDataset("LaB6", "0001", energy, (PLAIN_SCAN,) * scans, motors=motor_names(motors))
    with open_master(path, BEGIN) as file:
        first = write_scan(file, 1, PLAIN_SCAN, dataset, BEGIN)
        for number in range(2, scans + 1):
            copy_scan(file, number, BEGIN + PLAIN_SCAN.duration * (number - 1))
        if images:
            sources = list_lima_files(1, CAMERA, images * FRAMES_PER_FILE)
            write_virtual_images(add_group(first["instrument"], CAMERA, "NXdetector"), sources)
        file.attrs["default"] = f"{scans}.1"
    set_age(path, BEGIN + dataset.duration)
    return path


def copy_scan(file: h5py.File, number: int, begin: datetime) -> None:
    """Copy scan 1.1: its times are changed and its soft links, which are absolute, are made anew."""
    name = f"{number}.1"
    h5py.h5o.copy(file.id, b"1.1", file.id, name.encode())
    entry = file[name]
    entry["title"][()] = f"{PLAIN_SCAN.title} #{number}"
    entry["start_time"][()] = to_bliss_time(begin)
    entry["end_time"][()] = to_bliss_time(begin + PLAIN_SCAN.duration)
    for member in (*(f"measurement/{channel}" for channel in entry["measurement"]), f"instrument/positioners/{MOVED}"):
        target = entry.get(member, getlink=True).path
        del entry[member]
        entry[member] = h5py.SoftLink(target.replace("/1.1/", f"/{name}/"))


def write_dataset_folder(folder: Path, name: str, files: int = 387, scans: int = 1, motors: int = 100) -> Path:
    """Write `folder/name/name.h5` with `files - 1` tiny image files beside it; return the master.

    Sample and titles follow from the name, so that no two folders hold the same.
    """
    master_bytes, image_bytes, image_names = read_template(files, scans, motors)
    place = folder / name
    (place / "scan0001").mkdir(parents=True, exist_ok=True)
    for image_name in image_names:
        (place / image_name).write_bytes(image_bytes)
        set_age(place / image_name, BEGIN)
    master = place / f"{name}.h5"
    master.write_bytes(master_bytes)
    with h5py.File(master, "r+", locking=False) as file:
        for scan in file.values():
            scan["title"][()] = f"{PLAIN_SCAN.title} of {name}"
            scan["sample/name"][()] = name
    set_age(master, BEGIN + timedelta(hours=1))
    return master


@cache
def read_template(files: int, scans: int, motors: int) -> tuple[bytes, bytes, tuple[str, ...]]:
    """Return the bytes of a master and of one image file, and the image files' names."""
    with tempfile.TemporaryDirectory() as place:
        master = write_bliss_master(Path(place) / "template.h5", scans=scans, motors=motors, images=files - 1)
        image = Path(place) / "image.h5"
        # No image and no string of variable length in it: under 1 kB, so that 386 copies are written fast.
        with h5py.File(image, "w", libver="latest", meta_block_size=512) as file:
            entry = file.create_group("entry_0000")
            entry.attrs["NX_class"] = np.bytes_("NXentry")
            entry.create_dataset("measurement/data", (FRAMES_PER_FILE, *FRAME_SHAPE), "u2")
        names = list_lima_files(1, CAMERA, (files - 1) * FRAMES_PER_FILE)
        return master.read_bytes(), image.read_bytes(), tuple(names)
