"""A small facility: the tree of masters that the demonstration crawls."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from ingest.samples.expected import Expected, SampleSet
from ingest.samples.visits import write_visits


def write_samples(folder: Path, today: date | None = None) -> SampleSet:
    """Write the tree into the folder, some thirty masters, and say what each must become.

    Two runs write the same bytes for the same `today`, which places the one visit that is still under embargo.
    """
    today = today or datetime.now(UTC).date()
    expected: list[Expected] = [*write_visits(folder, today)]
    masters = {one.path for one in expected}
    side_files = tuple(sorted(path for path in folder.rglob("*") if path.is_file() and path not in masters))
    return SampleSet(folder, tuple(sorted(expected, key=lambda one: one.path)), side_files)
