"""The other files that a dataset's master needs, and what became of them when they were last looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select, update

from ingest.catalogue.browsing import check_may_open_files
from ingest.catalogue.model import Dataset, Scan
from ingest.catalogue.views import LackingFile, LinkedFilesView

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.visibility import Viewer

MOST_NAMED: Final = 100
"""Files that are not at hand and are named; all are counted."""
_ELSEWHERE: Final = re.compile(r"~|file:/|[a-z]:|[\\/]|(^|.*[\\/])\.\.([\\/]|$)", re.IGNORECASE)


class LinkedState(StrEnum):
    """What became of a linked file."""

    PRESENT = "present"
    MISSING = "missing"
    ON_TAPE = "on_tape"
    UNREACHABLE = "unreachable"
    """It lies outside of the root, or the file system does not tell: nobody looked."""


@dataclass(slots=True)
class LinkedReport:
    """What a look at the linked files of one master showed: each file once, whatever links to it.

    `unlisted` are links past the reader's cap; `outside` lie outside of the dataset's folder; `lacking` names the first
    MOST_NAMED that are not present.
    """

    counts: dict[str, int] = field(default_factory=dict)
    by_scan: dict[str, dict[str, int]] = field(default_factory=dict)
    outside: int = 0
    unlisted: int = 0
    lacking: list[dict[str, str]] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many are missing."""
        return self.counts.get(LinkedState.MISSING, 0)

    def to_columns(self) -> dict[str, Any] | None:
        """Return it as the dataset keeps it; None if its master needs no other file."""
        if not self.counts:
            return None
        counts = {str(state): self.counts[state] for state in LinkedState if state in self.counts}
        return {"counts": counts, "outside": self.outside, "unlisted": self.unlisted, "lacking": self.lacking}


def store_linked_files(session: Session, dataset_id: int, report: LinkedReport, *, is_new_revision: bool) -> bool:
    """Leave the dataset and its scans with what the look showed; whether that is news.

    News raise the revision, unless this transaction has raised it already.
    """
    known = session.scalar(select(Dataset.linked_files).where(Dataset.id == dataset_id))
    columns = report.to_columns()
    if known is None and columns is None:
        return False
    changed = []
    rows = select(Scan.id, Scan.entry_name, Scan.linked_files).where(Scan.dataset_id == dataset_id)
    for row in session.execute(rows):
        counts = {str(state): count for state, count in sorted(report.by_scan.get(row.entry_name, {}).items())} or None
        if counts != row.linked_files:
            changed.append({"id": row.id, "linked_files": counts})
    if changed:
        session.execute(update(Scan), changed)
    if known == columns and not changed:
        return False
    values: dict[str, Any] = {"linked_files": columns}
    if not is_new_revision:
        values["revision"] = Dataset.revision + 1
    session.execute(update(Dataset).where(Dataset.id == dataset_id).values(values))
    return True


def get_linked_files(session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> LinkedFilesView:
    """Return what became of the dataset's linked files when its master was last read.

    Where a file lies outside of the dataset's folder, its name is given only to those who see all. Raises NotFoundError
    if there is no such dataset, or none that the viewer may know of; NotReleasedError if its files may not be seen.
    """
    check_may_open_files(session, viewer, now, dataset_id)
    stored = session.scalar(select(Dataset.linked_files).where(Dataset.id == dataset_id))
    return to_linked_view(stored, sees_all=viewer.sees_all)


def to_linked_view(stored: Mapping[str, Any] | None, *, sees_all: bool) -> LinkedFilesView:
    """Return what is stored as it is shown."""
    held = stored or {"counts": {}, "outside": 0, "unlisted": 0, "lacking": []}
    counts = {str(state): held["counts"].get(state, 0) for state in LinkedState}
    lacking = tuple(
        LackingFile(
            path=each["path"],
            kind=each["kind"],
            state=each["state"],
            file=each["file"] if sees_all or not _ELSEWHERE.match(each["file"]) else None,
        )
        for each in held["lacking"]
    )
    return LinkedFilesView(
        **counts,
        outside=held["outside"],
        unlisted=held["unlisted"],
        is_complete=not counts[LinkedState.MISSING],
        lacking=lacking,
    )
