"""The few writing moves that the sample writers share."""

from __future__ import annotations

import os
import zlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import h5py

SUMMER_MONTHS = range(4, 11)


def add_group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    """Add a group of that NeXus class."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def add_text(parent: h5py.Group, name: str, text: str) -> h5py.Dataset:
    """Add a scalar UTF-8 string of variable length."""
    return parent.create_dataset(name, data=text)


def add_fixed_text(parent: h5py.Group, name: str, text: str) -> h5py.Dataset:
    """Add a fixed-length string in an array of one, as the NeXus API and GDA write it."""
    return parent.create_dataset(name, data=np.array([text.encode()]))


def add_number(parent: h5py.Group, name: str, value: object, unit: str | None = None) -> h5py.Dataset:
    """Add a number or an array of them, with its unit if it has one."""
    field = parent.create_dataset(name, data=value)
    if unit is not None:
        field.attrs["units"] = unit
    return field


def make_random(text: str) -> np.random.Generator:
    """Make a generator whose numbers follow from the text alone, so that two runs write the same."""
    return np.random.default_rng(zlib.crc32(text.encode()))


def local_time(when: datetime, winter_hours: int) -> datetime:
    """Return the instant with the offset that a European clock shows.

    Summer time is told by the month alone: up to five days wrong at its two ends, and independent of a zone database.
    """
    hours = winter_hours + (when.month in SUMMER_MONTHS)
    return when.astimezone(timezone(timedelta(hours=hours)))


def set_age(path: Path, when: datetime) -> None:
    """Set the file's times, so that it looks as old as the measurement."""
    os.utime(path, (when.timestamp(), when.timestamp()))
