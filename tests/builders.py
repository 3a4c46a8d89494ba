"""The smallest files that show a case. `from tests.builders import write_master, mutate`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from ingest.nexus.unclosed import to_checksum

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
    """Return a damaged copy; the same for the same seed.

    Flipped bits, an overwritten span, an end cut off; then what disks and copies do (a page of zeros, two pages in each
    other's place, a piece left out) and what is meant to hurt (bits behind a signature, addresses and lengths that lead
    far away or back, headers whose checksum is right). Half of it falls into the first 4 kB, where the structure of
    small files lies.
    """
    random = np.random.default_rng(seed)
    damaged = bytearray(data)
    reach = min(len(data), 4096) if random.random() < 0.5 else len(data)
    DAMAGE[int(random.choice(len(DAMAGE), p=SHARES))](damaged, reach, random)
    if damaged == data:  # zeros in the place of zeros
        _flip_bits(damaged, reach, random)
    return bytes(damaged)


def _flip_bits(damaged: bytearray, reach: int, random: np.random.Generator) -> None:
    for place in random.integers(reach, size=random.integers(1, 33)):
        damaged[place] ^= 1 << int(random.integers(8))


def _overwrite(damaged: bytearray, reach: int, random: np.random.Generator) -> None:
    first = int(random.integers(reach))
    junk = random.bytes(int(random.integers(1, 65)))
    damaged[first : first + len(junk)] = junk[: len(damaged) - first]


def _cut(damaged: bytearray, _: int, random: np.random.Generator) -> None:
    del damaged[int(random.integers(len(damaged))) :]


def _zero_page(damaged: bytearray, reach: int, random: np.random.Generator) -> None:
    page = int(random.choice([512, 4096]))
    first = int(random.integers(reach)) // page * page
    count = len(damaged[first : first + page])
    damaged[first : first + count] = bytes(count)


def _swap_pages(damaged: bytearray, reach: int, random: np.random.Generator) -> None:
    page = min(512, len(damaged) // 2)
    one, other = (int(place) // page * page for place in random.integers(max(1, reach - page), size=2))
    ones, others = damaged[one : one + page], damaged[other : other + page]
    damaged[one : one + page], damaged[other : other + page] = others, ones


def _leave_out(damaged: bytearray, reach: int, random: np.random.Generator) -> None:
    first = int(random.integers(reach))
    del damaged[first : first + int(random.choice([1, 8, 512, 4096]))]


def _flip_behind_signature(damaged: bytearray, _: int, random: np.random.Generator) -> None:
    places = [found.start() for found in SIGNATURES.finditer(damaged)] or [0]
    place = int(random.choice(places))
    for at in random.integers(place + 4, place + 64, size=random.integers(1, 5)):
        damaged[min(int(at), len(damaged) - 1)] ^= 1 << int(random.integers(8))


def _mislead(damaged: bytearray, reach: int, random: np.random.Generator) -> None:
    """Change words that may be addresses or lengths: to others of the file, to themselves, to far away, to nothing."""
    words = np.frombuffer(bytes(damaged[: reach // 8 * 8]), "<u8")
    places = np.flatnonzero((words > 0) & (words < len(damaged)))
    for place in random.choice(places, size=min(len(places), int(random.integers(1, 5)))) if len(places) else ():
        far = [1 << 31, 1 << 32, 1 << 40, (1 << 63) - 1, (1 << 64) - 8, (1 << 64) - 1, 0]
        near = [8 * int(place), len(damaged), int(words[place]) + 8, *map(int, random.choice(words[places], size=4))]
        changed = (far + near)[random.integers(len(far + near))]
        damaged[8 * place : 8 * place + 8] = changed.to_bytes(8, "little")


def _forge_header(damaged: bytearray, _: int, random: np.random.Generator) -> None:
    """Damage an object header of the newer format and set its checksum right, else flip bits."""
    places = [found.start() for found in re.finditer(rb"OHDR\x02", damaged)]
    if not places:
        _flip_bits(damaged, len(damaged), random)
        return
    place = int(random.choice(places))
    flags = damaged[place + 5]
    at = place + 6 + (16 if flags & 0b10_0000 else 0) + (4 if flags & 0b1_0000 else 0)
    width = 1 << (flags & 0b11)
    end = at + width + int.from_bytes(damaged[at : at + width], "little")
    for changed in random.integers(at + width, end, size=random.integers(1, 4)):
        damaged[min(int(changed), len(damaged) - 1)] ^= 1 << int(random.integers(8))
    damaged[end : end + 4] = to_checksum(bytes(damaged[place:end])).to_bytes(4, "little")


SIGNATURES = re.compile(rb"OHDR|OCHK|TREE|SNOD|HEAP|GCOL|FRHP|FHDB|FHIB|BTHD|BTLF|BTIN|SMTB|FSHD")
DAMAGE = (
    _flip_bits,
    _overwrite,
    _cut,
    _zero_page,
    _swap_pages,
    _leave_out,
    _flip_behind_signature,
    _mislead,
    _forge_header,
)
SHARES = (0.2, 0.15, 0.05, 0.05, 0.05, 0.05, 0.15, 0.2, 0.1)
