"""A small facility: the tree of masters that the demonstration crawls."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from ingest.samples.damage import write_lfs_pointer, write_text, write_truncated
from ingest.samples.diamond import MAP_BEGIN, MAP_VISIT, write_gda_masters
from ingest.samples.expected import Expected, SampleSet
from ingest.samples.hdf5 import set_age
from ingest.samples.neutron import CONTINUOUS_BEGIN, CONTINUOUS_FOLDER, write_neutron_masters
from ingest.samples.nxmx import write_eiger_masters
from ingest.samples.visits import write_visits

if TYPE_CHECKING:
    from pathlib import Path

LOST = "visitor/hc5231/id22/20230418/RAW_DATA/Fe2O3/Fe2O3_0005_lost/Fe2O3_0005_lost.h5"
LOST_AT = datetime(2023, 4, 18, 13, 40, tzinfo=UTC)


def write_samples(folder: Path, today: date | None = None) -> SampleSet:
    """Write the tree into the folder, some thirty masters, and say what each must become.

    Two runs write the same bytes for the same `today`, which places the one visit that is still under embargo.
    """
    expected = [
        *write_visits(folder, today or datetime.now(UTC).date()),
        *write_eiger_masters(folder),
        *write_gda_masters(folder),
        *write_neutron_masters(folder),
        *write_unreadable(folder),
    ]
    masters = {one.path for one in expected}
    side_files = tuple(sorted(path for path in folder.rglob("*") if path.is_file() and path not in masters))
    return SampleSet(folder, tuple(sorted(expected, key=lambda one: one.path)), side_files)


def write_unreadable(folder: Path) -> list[Expected]:
    """Write, long ago and under masters' names, half a file, a message, and a pointer to a file that is elsewhere."""
    whole = folder / MAP_VISIT / "i18-176403.nxs"
    written = {
        write_truncated(folder / MAP_VISIT / "i18-176404.nxs", whole): MAP_BEGIN,
        write_text(folder / LOST): LOST_AT,
        write_lfs_pointer(folder / CONTINUOUS_FOLDER / "dmc2022n004713.hdf"): CONTINUOUS_BEGIN,
    }
    for path, when in written.items():
        set_age(path, when)
    return [Expected(path, "quarantined") for path in written]
