"""What became of the other files that a master needs: by a stat of each, nothing opened."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from ingest.catalogue.linked_files import MOST_NAMED, LinkedReport, LinkedState
from ingest.listing import NOT_THERE, to_printable
from ingest.nexus.gate import is_stub
from ingest.nexus.links import to_entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ingest.nexus.record import LinkedFile


def look_at_linked(master: Path, root: str, linked: Sequence[LinkedFile], unlisted: int) -> LinkedReport:
    """Return which of the linked files are there, which are missing or on tape, and which nobody may look at.

    `unlisted` are those that the record had no room for: they are counted only. A file outside of the root is not
    looked at: an absolute path of another machine dangles in every copy, and a hostile one leads anywhere. One that
    several scans need is told of with each of them, and counted once for the dataset.
    """
    report = LinkedReport(unlisted=unlisted)
    known: dict[str, LinkedState] = {}
    scans: dict[str, dict[str, None]] = {}
    for link in linked:
        target = os.path.normpath(os.path.join(master.parent, link.file))
        scans.setdefault(target, {}).update(dict.fromkeys((to_entry(link.path), *link.other_entries)))
        if target in known:
            continue
        state = known[target] = _find_state(target) if target.startswith(f"{root}/") else LinkedState.UNREACHABLE
        report.counts[state] = report.counts.get(state, 0) + 1
        if not target.startswith(f"{master.parent}/"):
            report.outside += 1
        if state is not LinkedState.PRESENT and len(report.lacking) < MOST_NAMED:
            report.lacking.append(
                {"file": to_printable(link.file), "path": link.path, "kind": str(link.kind), "state": str(state)}
            )
    for target, state in known.items():
        for scan in scans[target]:
            report.by_scan.setdefault(scan, Counter())[state] += 1
    return report


def _find_state(target: str) -> LinkedState:
    try:
        found = os.lstat(target)
    except ValueError:
        return LinkedState.MISSING  # a NUL in its name
    except OSError as error:
        # Only a clear answer of the file system means gone.
        return LinkedState.MISSING if error.errno in NOT_THERE else LinkedState.UNREACHABLE
    return LinkedState.ON_TAPE if is_stub(found) else LinkedState.PRESENT
