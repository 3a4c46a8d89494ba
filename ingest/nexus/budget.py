"""How much of a master is kept: the caps past which things are counted and no longer read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps on one record; past a cap things are counted by its name in `MasterRecord.truncated`, never an error."""

    first_entry_fields: int = 300
    telling_fields: int = 400
    """So many more in it that describe a measurement: of sample, instrument, source and optics, of a technique."""
    entry_fields: int = 60
    """Fields of each entry after the first, and of what the root holds beside entries."""
    spare_entry_fields: int = 12
    """Fields of an entry once half of `record_bytes` is used: those of the entry itself, its title and times."""
    entries: int = 10_000
    groups: int = 1_000
    """Groups opened below one entry."""
    members: int = 20_000
    """Links listed of one group: a collection master may hold 10^5 of them."""
    name_bytes: int = 1_024
    """Longest name of a member or of an attribute: HDF5 takes a megabyte, and every path below it repeats it."""
    levels: int = 64
    attributes: int = 32
    string_characters: int = 4_096
    array_values: int = 32
    vector_points: int = 10_000
    """Longest numeric vector that is read for its extremes."""
    tallied_points: int = 100_000
    """Longest vector of keys, one for each frame, that is counted out."""
    read_bytes: int = 1 << 20
    """Largest string array, fixed string or chunk that is read: a chunk of ten values may unpack to gigabytes."""
    linked_files: int = 1_000
    shared_links: int = 10_000
    """Further entries that refer to these files, in all: a mask that a thousand scans need is one file."""
    record_bytes: int = 4 << 20


DEFAULT_BUDGET = Budget()
