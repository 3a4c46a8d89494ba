"""Damage of every kind to masters of every writer: what becomes of each copy, and of the reader that met it.

    python -m tests.robustness.fuzzing [--copies 10000] [--first 0] [FOLDER ...]

The masters are those of the folders, else the samples. Each copy is read by a reader of its own process and mapped by
the rules that its writer is recognised by. Prints how the copies ended and which of them took a reader down, and ends
with an error if one was neither read nor refused with a reason, if a reader outlived its time, or if one was left over.
The damage is that of a copy's number: `--first 4711 --copies 1` does it again.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.nexus.child import Limits, ReaderChild
from ingest.nexus.errors import NotHdf5Error, ReaderError, ReaderKilledError
from ingest.rulebook import Rulebook
from ingest.samples.tree import write_samples
from tests.builders import mutate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 2_000_000
"""Larger masters are left out: to copy them would take the time that reading is to have."""
LIMITS = Limits(timeout_seconds=5, memory_bytes=512 << 20)
GRACE_SECONDS = 5.0
"""For killing a reader, on a machine that has other things to do."""


@dataclass(slots=True)
class Fuzzed:
    """How the copies ended: by kind, with what was wrong of our own doing."""

    ends: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)
    """What took the reader down that met it; the catalogue survives that, and says why."""
    slowest: float = 0.0


def fuzz(masters: Sequence[Path], seeds: range, folder: Path) -> Fuzzed:
    """Read and map a damaged copy for each seed; the same damage for the same masters and seeds."""
    fuzzed, rules, path = Fuzzed(), Rulebook().open(None, "UTC"), folder / "damaged.h5"
    others = list_children()
    wholes = [master.read_bytes() for master in masters]
    with ReaderChild(LIMITS) as reader:
        for seed in seeds:
            path.write_bytes(mutate(wholes[seed % len(wholes)], seed))
            began = time.monotonic()
            try:
                draft = rules.to_draft(reader.read(path).record)
            except NotHdf5Error as error:
                end = f"refused: {error.kind}"
            except ReaderError as error:
                # What stands behind a colon are numbers of this one file.
                end = f"{type(error).__name__}: {error.reason.partition(':')[0].partition(',')[0]}"
                if isinstance(error, ReaderKilledError):
                    fuzzed.killed.append(f"{masters[seed % len(wholes)]}, copy {seed}: {error.reason}")
            except Exception as error:  # noqa: BLE001 (this is what is looked for)
                end = "fault"
                fuzzed.faults.append(f"{masters[seed % len(wholes)]}, copy {seed}: {error!r}")
            else:
                end = f"read, {'no scan' if not draft.scans else 'with scans'}"
            spent = time.monotonic() - began
            fuzzed.slowest = max(fuzzed.slowest, spent)
            if spent > LIMITS.timeout_seconds + GRACE_SECONDS:
                fuzzed.faults.append(f"{masters[seed % len(wholes)]}, copy {seed}: took {spent:.1f} s")
            fuzzed.ends[end] += 1
    fuzzed.faults += [f"process {each} is left" for each in list_children() - others]
    return fuzzed


def list_children() -> set[int]:
    """Return the processes that this one has started and not ended."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return {int(child) for child in children.split()}


def find_masters(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield files of any name that are not too large."""
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and 0 < path.stat().st_size <= LARGEST and path.suffix not in {".json", ".csv", ".md"}:
                yield path


def main() -> None:
    """Fuzz, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first copy")
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        if not arguments.folders:
            write_samples(Path(place) / "samples")
        masters = list(find_masters(arguments.folders or [Path(place) / "samples"]))
        fuzzed = fuzz(masters, range(arguments.first, arguments.first + arguments.copies), Path(place))
    rows = [f"| {end} | {count:,} |" for end, count in fuzzed.ends.most_common()]
    head = f"{arguments.copies:,} copies of {len(masters)} masters; the slowest took {fuzzed.slowest:.1f} s"
    sys.stdout.write("\n".join([head, "", "| end | copies |", "|:--|--:|", *rows, "", *fuzzed.killed, ""]))
    if fuzzed.faults:
        raise SystemExit("\n".join(fuzzed.faults))


if __name__ == "__main__":
    main()
