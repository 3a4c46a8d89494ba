"""The smallest files that show a case. `from tests.builders import write_master, mutate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CLASSES = {
    "instrument": "NXinstrument",
    "source": "NXsource",
    "monochromator": "NXmonochromator",
    "detector": "NXdetector",
    "sample": "NXsample",
    "beam": "NXbeam",
    "user": "NXuser",
    "measurement": "NXcollection",
}
FIELDS: dict[str, Any] = {
    "title": "ascan samx 0 1 10 0.1",
    "start_time": "2023-05-09T09:30:00.000000+02:00",
    "end_time": "2023-05-09T09:31:00.000000+02:00",
    "definition": "NXxrd",
    "experiment_identifier": "hc1234",
    "instrument/name": "ID00",
    "instrument/source/name": "ESRF",
    "instrument/source/type": "Synchrotron X-ray Source",
    "instrument/source/probe": "x-ray",
    "instrument/monochromator/energy": (12.4, "keV"),
    "instrument/detector/description": "Eiger",
    "instrument/detector/data": np.arange(10.0),
    "sample/name": "LaB6",
    "sample/chemical_formula": "LaB6",
    "sample/temperature": (293.0, "K"),
    "user/name": "Ada Example",
}


def write_master(path: Path, *, without: str | Iterable[str] = (), scans: int = 1, **fields: Any) -> Path:
    """Write a small valid master with that many scans (1.1, 2.1, ...), closed; return its path.

    `without` leaves out fields or groups by path (`"sample"`, `"instrument/source/name"`). A keyword replaces or adds
    a field, `__` standing for `/`: `sample__name="x"`, or with a unit: `sample__temperature=(4.2, "K")`.
    A value may be an h5py link. Classes of added groups come from their name in CLASSES, else there is none.
    """
    left_out = (without,) if isinstance(without, str) else tuple(without)
    wanted = FIELDS | {name.replace("__", "/"): value for name, value in fields.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["NX_class"] = "NXroot"
        for number in range(1, scans + 1):
            entry = file.create_group(f"{number}.1")
            entry.attrs["NX_class"] = "NXentry"
            for name, value in wanted.items():
                if not any(f"{name}/".startswith(f"{one}/") for one in left_out):
                    add_field(entry, name, value)
    return path


def add_field(entry: h5py.Group, name: str, value: Any) -> None:
    """Add a field or a link with the groups above it."""
    group = entry
    *parents, last = name.split("/")
    for parent in parents:
        if parent not in group:
            group.create_group(parent)
            if parent in CLASSES:
                group[parent].attrs["NX_class"] = CLASSES[parent]
        group = group[parent]
    value, unit = value if isinstance(value, tuple) else (value, None)
    group[last] = value
    if unit is not None:
        group[last].attrs["units"] = unit


def mutate(data: bytes, seed: int) -> bytes:
    """Return a damaged copy: flipped bits, an overwritten span, or an end cut off; the same for the same seed.

    Half of the damage falls into the first 4 kB, where the structure of small files lies.
    """
    random = np.random.default_rng(seed)
    damaged = bytearray(data)
    kind = random.choice(["bits", "span", "cut"], p=[0.5, 0.4, 0.1])
    if kind == "cut":
        return bytes(damaged[: random.integers(len(data))])
    reach = min(len(data), 4096) if random.random() < 0.5 else len(data)
    if kind == "bits":
        for place in random.integers(reach, size=random.integers(1, 33)):
            damaged[place] ^= 1 << int(random.integers(8))
    else:
        first = int(random.integers(reach))
        junk = random.bytes(int(random.integers(1, 65)))
        damaged[first : first + len(junk)] = junk[: len(data) - first]
    return bytes(damaged)
