"""What reading a master costs: CPU and read calls, against low-level h5py and against a textbook walk.

    python benchmarks/reader.py

Prints a Markdown table. Masters of 1, 100 and 1,000 scans are written first (BLISS layout, 100 motors in five
snapshots; 211 MB in all, ten seconds). Three ways of reading are compared, each in a process of its own:

* `read_master`: ours, which finds out by itself what there is to read;
* `low level`: h5py's low-level calls on exactly the groups, fields and attributes that the record ended up with. It is
  handed their paths, so it lists nothing, decides nothing and builds no record;
* `visititems`: what a tutorial does: visit everything, read every scalar and every attribute.

CPU is the best of several runs, warm cache, user and system together. Read calls are counted by the kernel for this
process (`syscr` in /proc/self/io, Linux only); `strace -c` counts the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5p, h5s

from ingest.nexus.master import read_master
from ingest.samples.bulk import write_bliss_master

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.nexus.record import Group

SCANS = (1, 100, 1000)
WALK_AT_MOST = 100
"""Beyond this many scans the walk is not run but taken to grow in proportion, as it does from 1 to 100."""
SECONDS_EACH = 3.0
READS_OF_ASKING = 2


@dataclass(frozen=True, slots=True)
class Step:
    """One group or field of a record: its path, its attributes, and whether its value was read (a group has none)."""

    path: bytes
    attributes: tuple[bytes, ...]
    is_field: bool = False
    has_value: bool = False


def main() -> None:
    """Measure each method on each master and print the table."""
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
        return
    print("| scans | method | CPU ms | ratio | read calls | ratio | fields |\n|--:|:--|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for scans in SCANS:
            path = write_bliss_master(Path(folder) / f"{scans}.h5", scans=scans)
            measured = {method: run_child(method, path) for method in ("read_master", "low level")}
            measured |= measure_walk(scans, path)
            for method, costs in measured.items():
                print(to_row(scans, method, costs, measured["read_master"]))


def measure_walk(scans: int, path: Path) -> dict[str, dict[str, float]]:
    """Measure the textbook walk, or take it to be so many times what it costs on a smaller master."""
    if scans <= WALK_AT_MOST:
        return {"visititems": run_child("visititems", path)}
    smaller = run_child("visititems", path.with_name(f"{WALK_AT_MOST}.h5"))
    return {"visititems (extrapolated)": {name: value * scans / WALK_AT_MOST for name, value in smaller.items()}}


def to_row(scans: int, method: str, costs: dict[str, float], ours: dict[str, float]) -> str:
    """Return one row of the table; ratios are to `read_master`."""
    cpu, reads = (f"{costs[name]:,.1f} | {costs[name] / ours[name]:.2f}" for name in ("cpu_ms", "reads"))
    return f"| {scans:,} | {method} | {cpu} | {reads.replace('.0 |', ' |')} | {costs['fields']:,.0f} |"


@cache
def run_child(method: str, path: Path) -> dict[str, float]:
    """Measure in a fresh process, with locking off before h5py is imported, as the pipeline's own child has it."""
    environment = os.environ | {"HDF5_USE_FILE_LOCKING": "FALSE"}
    command = [sys.executable, __file__, method, str(path)]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def measure(method: str, path: Path) -> dict[str, float]:
    """Run the method until its time is used up; return its best CPU time in ms, its read calls, its fields."""
    read = METHODS[method](path)
    fields = read()
    before = count_reads()
    read()
    reads = count_reads() - before - READS_OF_ASKING
    best, until = float("inf"), time.monotonic() + SECONDS_EACH
    while best == float("inf") or time.monotonic() < until:
        start = time.process_time()
        read()
        best = min(best, time.process_time() - start)
    return {"cpu_ms": best * 1000, "reads": reads, "fields": fields}


def count_reads() -> int:
    """Return how many read calls this process has made."""
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["syscr"])


def prepare_ours(path: Path) -> Callable[[], int]:
    """Return a reading by `read_master`; what it returns is the number of fields in the record."""

    def read() -> int:
        record = read_master(path)
        return sum(len(group.fields) for entry in (record.root, *record.entries) for group in entry.walk())

    return read


def prepare_low_level(path: Path) -> Callable[[], int]:
    """Return a reading of just what the record of that master holds."""
    record = read_master(path)
    steps = [step for entry in (record.root, *record.entries) for group in entry.walk() for step in to_steps(group)]
    return lambda: read_low_level(path, steps)


def to_steps(group: Group) -> list[Step]:
    """Return what has to be opened for a group of the record, without its subgroups."""
    names = (*group.attributes, *(["NX_class"] if group.nx_class else []))
    steps = [Step(group.path.encode() or b"/", tuple(name.encode() for name in dict.fromkeys(names)))]
    for field in group.fields:
        attributes = (*field.attributes, *(["units"] if field.unit is not None else []))
        path, plain = group.path_of(field.name).encode(), tuple(name.encode() for name in dict.fromkeys(attributes))
        steps.append(Step(path, plain, is_field=True, has_value=field.value is not None or field.count is not None))
    return steps


def read_low_level(path: Path, steps: list[Step]) -> int:
    """Open each group and field, read its attributes, and its value or its shape; return the number of fields."""
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_file_locking(False, False)  # noqa: FBT003 - h5py names them use_file_locking, ignore_when_disabled
    file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY, access)
    fields = 0
    for step in steps:
        item = h5d.open(file, step.path) if step.is_field else h5g.open(file, step.path)
        for name in step.attributes:
            read_array(h5a.open(item, name))
        if step.is_field:
            fields += 1
            if step.has_value:
                read_array(item)
            else:
                _ = item.shape, item.dtype
    file.close()
    return fields


def read_array(item: Any) -> Any:
    """Read a field or an attribute into an array, as h5py's own `[()]` does at its lowest level."""
    values = np.empty(item.shape, item.dtype)
    if isinstance(item, h5a.AttrID):
        item.read(values)
    else:
        item.read(h5s.ALL, h5s.ALL, values)
    return values


def prepare_walk(path: Path) -> Callable[[], int]:
    """Return the textbook reading: visit everything, read every scalar and every attribute."""

    def read() -> int:
        values: dict[str, Any] = {}

        def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
            values.update({f"{name}@{key}": value for key, value in item.attrs.items()})
            if isinstance(item, h5py.Dataset) and item.shape == ():
                values[name] = item[()]

        with h5py.File(path, "r", locking=False) as file:
            file.visititems(visit)
        return sum("@" not in name for name in values)

    return read


METHODS = {"read_master": prepare_ours, "low level": prepare_low_level, "visititems": prepare_walk}

if __name__ == "__main__":
    main()
