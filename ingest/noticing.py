"""From notices to masters: what was told is looked for on disk, and made due."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from ingest.catalogue.database import run_transaction
from ingest.catalogue.masters import announce, check_length, clamp_ns
from ingest.catalogue.model import MasterFile, MasterState, Root
from ingest.catalogue.notices import DueNotice, claim_due_notices, has_due_notice, mark_accepted, mark_waiting
from ingest.catalogue.roots import normalise
from ingest.choice import RootChoice
from ingest.listing import is_utf8
from ingest.logs import about

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.pipeline import Services

log = logging.getLogger(__name__)

BATCH: Final = 100


class _NoMasterError(Exception):
    """What was told leads to no master now; the text says why."""


def settle_notices(services: Services, now: datetime) -> int:
    """Leave no due notice without its master made due, or without the reason why it waits; return how many there were.

    A master that nothing new is said about, and that stands as it was read, is left alone.
    """
    total = 0
    while settled := settle_some(services, now):
        total += settled
    return total


def settle_some(services: Services, now: datetime) -> int:
    """Do so for those that have waited longest and that nobody has in hand; return how many there were."""
    with services.read_sessions() as session:
        if not has_due_notice(session, now):
            return 0
    notices = run_transaction(services.write_sessions, lambda session: claim_due_notices(session, now, BATCH))
    for notice in notices:
        with about(notice=notice.id, place=notice.path):
            _settle(services, notice, now)
    return len(notices)


def _settle(services: Services, notice: DueNotice, now: datetime) -> None:
    try:
        with services.read_sessions() as session:
            root = session.get_one(Root, notice.root_id)
        path = _find_master(services, root, Path(notice.path))
        check_length(str(path))
        stat = path.stat()
    except (_NoMasterError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        log.info("waits: %s", reason)
        why = reason or "it cannot be reached"
        run_transaction(services.write_sessions, lambda session: mark_waiting(session, notice, why, now))
        return
    instrument = _find_instrument(services, root, path) or notice.instrument

    def accept(session: Session) -> None:
        master_file_id = None if notice.is_news else _find_standing(session, path, stat)
        if master_file_id is None:
            master_file_id = announce(
                session, root.id, str(path), stat.st_size, stat.st_mtime_ns, now, instrument=instrument
            )
        mark_accepted(session, notice, master_file_id)

    run_transaction(services.write_sessions, accept)
    log.info("its master is %s", path)


def _find_instrument(services: Services, root: Root, path: Path) -> str | None:
    match = services.rulebook.open_for(root).match(path)
    return match.beamline if match else None


def _find_master(services: Services, root: Root, place: Path) -> Path:
    """Return the master that is meant: the file itself, or the one in the folder that the root's rules tell."""
    # Links may have changed since it was told.
    real = normalise(place)
    if not real.is_relative_to(root.path):
        raise _NoMasterError("it leads out of its root by now")
    mode = real.stat().st_mode
    if S_ISREG(mode):
        return real
    if not S_ISDIR(mode):
        raise _NoMasterError("it is neither a file nor a folder")
    choice = RootChoice(root)
    with os.scandir(real) as entries:
        names = sorted(e.name for e in entries if choice.is_master(e) and e.is_file(follow_symlinks=False))
    name = services.rulebook.open_for(root).find_master_name(str(real), names)
    if name is None and len(names) != 1:
        raise _NoMasterError(f"{len(names)} files in it may be the master" if names else "no master file is in it yet")
    name = name or names[0]
    if not is_utf8(name):
        raise _NoMasterError("the name of its master is not UTF-8, rename it")
    return real / name


def _find_standing(session: Session, path: Path, stat: os.stat_result) -> int | None:
    """Return the master if it was read as closed and stands as it was then."""
    master = session.scalar(select(MasterFile).where(MasterFile.path == str(path)))
    if master is None or not master.is_closed or master.state != MasterState.INGESTED:
        return None
    stands = (master.file_size, master.mtime_ns) == (stat.st_size, clamp_ns(stat.st_mtime_ns))
    folder_ns = master.folder_mtime_ns
    if folder_ns is not None:
        stands = stands and folder_ns == clamp_ns(path.parent.stat().st_mtime_ns)
    return master.id if stands else None
