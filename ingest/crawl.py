"""Finding masters: a walk over a root, beside what is known of it, both in the order of their paths.

Because the two run in one order, what is new, changed or gone shows in one pass, in memory that does not grow with the
root. An unchanged tree costs stats: no file is opened and no row is written. The folder of a complete dataset whose
mtime and whose master's stat stand is passed by with two stats, however many files it holds.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from ingest.catalogue.database import insert_ignoring, run_transaction
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.masters import check_length, clamp_ns, mark_vanished, to_instant
from ingest.catalogue.model import MasterFile, MasterState, Root
from ingest.choice import RootChoice
from ingest.known import KnownMasters
from ingest.listing import is_mounted, is_there, is_utf8, to_printable
from ingest.nexus.gate import is_stub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from ingest.pipeline import Services

_BATCH = 500
# A file that changed gets a fresh chance, and a word that it was closed no longer holds. Until it is read, its folder
# is not asked for changes: one that can never be read would else be read at every crawl.
_AFRESH = {"attempts": 0, "failures": 0, "is_closed": False, "folder_mtime_ns": None}


class RootGoneError(CatalogueError):
    """The root is not there, or is empty though masters were found in it: most likely it is not mounted."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is not there or is empty, and masters are known below it: is it mounted?")


@dataclass(slots=True)
class CrawlReport:
    """What one walk saw. `unreadable` names folders and files out of reach, and why; what is there stays as it was."""

    folders: int = 0
    passed_by: int = 0
    unchanged: int = 0
    new: int = 0
    changed: int = 0
    vanished: int = 0
    waiting: int = 0
    """Of the new, changed and unchanged: those that are not read yet, because they may still be written."""
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Folder:
    """The members of a folder that matter, in the order of their whole paths."""

    files: tuple[str, ...]
    folders: tuple[str, ...]

    def in_order(self) -> list[tuple[str, bool]]:
        """Return (name, is a folder): a folder's place is that of its name with a slash."""
        keyed = [(name, name, False) for name in self.files] + [(f"{name}/", name, True) for name in self.folders]
        return [(name, is_folder) for _, name, is_folder in sorted(keyed)]


def crawl_root(
    services: Services, root: Root, now: datetime, report_folder: Callable[[str], None] | None = None
) -> CrawlReport:
    """Leave every master below the root known, with its present stat; those that need reading are due.

    Raises RootGoneError rather than taking everything below a missing mount for vanished.
    """
    crawl = _Crawl(services, root, now)
    if not os.path.isdir(root.path) or (crawl.has_known() and not is_mounted(root.path)):
        raise RootGoneError(root.path)
    # A stack of our own: folders may be nested deeper than Python calls may be.
    stack: list[Iterator[str]] = [iter([root.path])]
    while stack:
        folder = next(stack[-1], None)
        if folder is None:
            stack.pop()
            continue
        if report_folder is not None:
            report_folder(folder)
        stack.append(crawl.visit(folder))
    crawl.finish()
    return crawl.report


class _Crawl:
    """One walk: where it stands among the known masters, and the sightings not written yet."""

    def __init__(self, services: Services, root: Root, now: datetime) -> None:
        self.report = CrawlReport()
        self._services = services
        self._root_id = root.id
        self._choice = RootChoice(root)
        self._rules = services.rulebook.open_for(root)
        self._now = now
        self._known = KnownMasters(services.read_sessions, root.id)
        self._sightings: list[dict[str, Any]] = []
        self._changes: list[dict[str, Any]] = []
        self._gone: list[int] = []

    def has_known(self) -> bool:
        """Return whether any master is known below the root."""
        return self._known.peek() is not None

    def visit(self, folder: str) -> Iterator[str]:
        """See the masters of a folder and yield the folders below it, each at its place in the order."""
        if self._passes_by(folder):
            return
        self.report.folders += 1
        try:
            members = self._list(folder)
        except OSError as error:
            self._note_unreadable(folder, error.strerror)
            self._known.skip_below(f"{folder}/")
            return
        for name, is_folder in members.in_order():
            path = os.path.join(folder, name)
            if is_folder:
                yield path
            else:
                self._see(path)

    def finish(self) -> None:
        """Take what is left of the known masters for gone, and write everything down."""
        while (row := self._known.take()) is not None:
            self._miss(row)
        self._write()

    def _list(self, folder: str) -> _Folder:
        check_length(folder)
        files, folders = [], []
        with os.scandir(folder) as entries:
            for entry in entries:
                # Links are not followed: what they lead to inside the root is found at its own place.
                if entry.is_dir(follow_symlinks=False):
                    if not self._choice.excludes(entry):
                        folders.append(entry.name)
                elif self._choice.is_master(entry) and entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
        master = self._rules.find_master_name(folder, files)
        if master is not None:
            return _Folder((master,), ())
        for name in (*files, *folders):
            if not is_utf8(name):
                self._note_unreadable(os.path.join(folder, name), "its name is not UTF-8, rename it")
        return _Folder(tuple(filter(is_utf8, files)), tuple(filter(is_utf8, folders)))

    def _passes_by(self, folder: str) -> bool:
        row = self._advance(f"{folder}/")
        if row is None or row.folder_mtime_ns is None or row.state != MasterState.INGESTED:
            return False
        if os.path.dirname(row.path) != folder:
            return False
        try:
            master = os.lstat(row.path)
            stands = clamp_ns(os.lstat(folder).st_mtime_ns) == row.folder_mtime_ns
        except OSError:
            return False
        if not stands or (master.st_size, clamp_ns(master.st_mtime_ns)) != (row.file_size, row.mtime_ns):
            return False
        self._known.take()
        self.report.passed_by += 1
        self.report.unchanged += 1
        return True

    def _see(self, path: str) -> None:
        row = self._advance(path)
        try:
            check_length(path)
            stat = os.lstat(path)
        except FileNotFoundError:
            return
        except OSError as error:
            self._note_unreadable(path, error.strerror)
            return
        if row is None or row.path != path:
            self._note_new(path, stat)
            return
        self._known.take()
        if self._stands(row, stat):
            self.report.unchanged += 1
            if row.state == MasterState.SETTLING:
                self._look_again(row, stat)
        else:
            self._note_changed(row, stat)
        if len(self._changes) >= _BATCH:
            self._write()

    def _look_again(self, row: Row[Any], stat: os.stat_result) -> None:
        """Make a master due that stood still for long enough by now, whatever was said when it was seen first."""
        due = self._to_due(stat, row.read_at)["next_attempt_at"]
        if due <= self._now:
            self._changes.append({"id": row.id, "next_attempt_at": due})

    def _stands(self, row: Row[Any], stat: os.stat_result) -> bool:
        is_same = (stat.st_size, clamp_ns(stat.st_mtime_ns)) == (row.file_size, row.mtime_ns)
        if not is_same or row.state == MasterState.VANISHED:
            return False
        if row.state == MasterState.OFFLINE:
            return is_stub(stat)
        if row.folder_mtime_ns is None:
            return True
        return bool(clamp_ns(os.lstat(os.path.dirname(row.path)).st_mtime_ns) == row.folder_mtime_ns)

    def _advance(self, key: str) -> Row[Any] | None:
        """Take the known masters before the key for gone, and return the first at or after it."""
        while (row := self._known.peek()) is not None and row.path < key:
            self._known.take()
            self._miss(row)
        return row

    def _miss(self, row: Row[Any]) -> None:
        # Not met is not gone: it may have come while we walked, be out of reach, or be what only a notice names.
        if row.state == MasterState.VANISHED or is_there(row.path):
            return
        self.report.vanished += 1
        self._gone.append(row.id)
        if len(self._gone) >= _BATCH:
            self._write()

    def _note_unreadable(self, path: str, reason: str | None) -> None:
        self.report.unreadable.append(f"{to_printable(path)}: {reason}")

    def _note_new(self, path: str, stat: os.stat_result) -> None:
        self.report.new += 1
        match = self._rules.match(Path(path))
        instrument = match.beamline[:255] if match and match.beamline else None
        known = {"root_id": self._root_id, "path": path, "instrument": instrument}
        self._sightings.append({**known, **self._to_due(stat, None)})
        if len(self._sightings) >= _BATCH:
            self._write()

    def _note_changed(self, row: Row[Any], stat: os.stat_result) -> None:
        self.report.changed += 1
        self._changes.append({"id": row.id, **_AFRESH, **self._to_due(stat, row.read_at)})

    def _to_due(self, stat: os.stat_result, read_at: datetime | None) -> dict[str, Any]:
        """Return the columns of a master that is to be read: once it stood still, and not too soon after last time."""
        settings = self._services.settings
        # A time that is still to come tells nothing: its waiting begins now.
        changed = min(to_instant(stat.st_mtime_ns), self._now)
        settled = changed + timedelta(seconds=settings.settle_seconds)
        due = max(self._now, settled)
        is_growing = settled > self._now
        self.report.waiting += is_growing
        if read_at is not None and is_growing:
            due = max(due, read_at + timedelta(seconds=settings.growing_seconds))
        return {
            "state": MasterState.SETTLING if is_growing else MasterState.READY,
            "file_size": stat.st_size,
            "mtime_ns": clamp_ns(stat.st_mtime_ns),
            "seen_at": self._now,
            "next_attempt_at": due,
        }

    def _write(self) -> None:
        run_transaction(self._services.write_sessions, self._write_down)
        self._sightings, self._changes, self._gone = [], [], []

    def _write_down(self, session: Session) -> None:
        if self._sightings:
            # Two crawls at once see the same new file: the second insert is ignored.
            session.execute(insert_ignoring(session, MasterFile), self._sightings)
        for change in self._changes:
            # One by one: a row that a move has taken away in between would fail a bulk update of the others.
            columns = dict(change)
            one = update(MasterFile).where(MasterFile.id == columns.pop("id")).values(columns)
            session.execute(one.execution_options(synchronize_session=False))
        mark_vanished(session, self._gone)
