"""Small masters written where they are used, and the corpus where it lies beside the checkout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from ingest.nexus.child import ReaderChild

Write = Callable[..., Path]
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


def add_group(parent: h5py.Group, label: str, nx_class: str | None = None, /, **fields: object) -> h5py.Group:
    group = parent.create_group(label)
    if nx_class:
        group.attrs["NX_class"] = nx_class
    for field, value in fields.items():
        group[field] = value
    return group


def add_entry(file: h5py.Group, name: str = "entry") -> h5py.Group:
    entry = add_group(file, name, "NXentry", title="a scan", start_time="2026-11-20T11:56:34+01:00")
    instrument = add_group(entry, "instrument", "NXinstrument", name="ID00")
    add_group(instrument, "source", "NXsource", name="ESRF", probe="x-ray")
    detector = add_group(instrument, "detector", "NXdetector", description="Eiger")
    detector.create_dataset("data", data=np.zeros((5, 8, 8), "u2"), chunks=(1, 8, 8), compression="gzip")
    add_group(entry, "sample", "NXsample", name="LaB6", temperature=295.0)
    entry["sample/temperature"].attrs["units"] = "K"
    return entry


@pytest.fixture
def group() -> Callable[..., h5py.Group]:
    """Add a group of a class with fields to an open file."""
    return add_group


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a master: one ordinary entry, then whatever `change` does to the open file."""

    def write_master(
        change: Callable[[h5py.File], object] | None = None,
        *,
        name: str = "master.h5",
        entries: tuple[str, ...] = ("entry",),
        **options: object,
    ) -> Path:
        path = tmp_path / name
        with h5py.File(path, "w", **options) as file:
            for entry in entries:
                add_entry(file, entry)
            if change is not None:
                change(file)
        return path

    return write_master


@pytest.fixture
def write_unclosed(tmp_path: Path) -> Write:
    """Write a master in a process that dies without closing it, in SWMR mode or not."""

    def write_and_die(*, libver: str = "latest", swmr: bool = False) -> Path:
        path = tmp_path / f"unclosed-{libver}-{swmr}.h5"
        program = (
            "import h5py, os, sys\n"
            "path, libver, swmr = sys.argv[1:]\n"
            "file = h5py.File(path, 'w', libver=libver)\n"
            "entry = file.create_group('entry')\n"
            "entry.attrs['NX_class'] = 'NXentry'\n"
            "entry['title'] = 'never closed'\n"
            "if swmr == 'True':\n"
            "    file.swmr_mode = True\n"
            "file.flush()\n"
            "os._exit(0)\n"
        )
        subprocess.run([sys.executable, "-c", program, path, libver, str(swmr)], check=True)
        return path

    return write_and_die


@pytest.fixture
def child() -> Iterator[ReaderChild]:
    with ReaderChild() as reader:
        yield reader


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real files; a test that asks for it is left out where there is none."""
    return CORPUS
