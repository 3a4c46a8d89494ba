"""The stories, top to bottom: a due master becomes a dataset, and datasets become documents. The only commits.

A master's way: claimed, looked at, read in the killable child, mapped, stored in one transaction, indexed.
"""

from __future__ import annotations

import logging
import math
import time
import zlib
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.catalogue.comparing import find_indexed
from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.indexing import find_unindexed, forget_indexed, load_documents, mark_indexed
from ingest.catalogue.linked_files import store_linked_files
from ingest.catalogue.locks import Lock, hold_alone, hold_together
from ingest.catalogue.masters import LONGEST_PATH, Claim, clamp_ns, hold_claim, mark_master, mark_vanished, to_instant
from ingest.catalogue.model import MasterState, Root
from ingest.catalogue.notices import find_told, find_told_at
from ingest.catalogue.records import find_rulebook, mark_mapped, store_record
from ingest.catalogue.search import DatasetIndex, IndexBusyError
from ingest.identity import MasterContext, is_no_dataset
from ingest.linked import look_at_linked
from ingest.listing import is_mounted, is_there, list_folder, list_linked
from ingest.nexus.encoding import encode_record
from ingest.nexus.errors import (
    NexusStructureError,
    NotFinishedError,
    NotHdf5Error,
    OfflineError,
    ReaderError,
    UnreadableFileError,
)
from ingest.nexus.gate import Gate, read_gate
from ingest.nexus.record import FileKind
from ingest.retries import LONGEST_DELAY, to_failed_values
from ingest.stages import stage
from ingest.storing import find_original, move_dataset, store_dataset, store_side_file

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session, sessionmaker

    from ingest.catalogue.linked_files import LinkedReport
    from ingest.mapping.drafts import DatasetDraft
    from ingest.nexus.child import MasterReading, ReaderChild
    from ingest.rulebook import Rulebook, RulesAtHand
    from ingest.settings import IngestSettings

log = logging.getLogger(__name__)

INDEX_BATCH = 500
NO_END = "a scan has no end"
"""Why a dataset is incomplete whose rules demand an end of every scan."""
# Level 1 packs a record in a third of the time of level 6, into a quarter more bytes.
RECORD_COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class Services:
    """What the stories need, made once by whoever starts them."""

    read_sessions: sessionmaker[Session]
    write_sessions: sessionmaker[Session]
    index: DatasetIndex
    rulebook: Rulebook
    settings: IngestSettings


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a master went, and the dataset it became, if it did."""

    path: str
    state: MasterState
    reason: str | None = None
    dataset_id: int | None = None
    has_changed: bool = False
    error: str | None = None
    """The kind of what went wrong."""


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A master that was read, mapped and listed: what is slow is done before the one write lock is taken."""

    draft: DatasetDraft
    context: MasterContext
    linked: LinkedReport
    columns: dict[str, Any]
    """Those of the master's row."""
    record_format: int
    record: bytes
    rulebook: str


def ingest_master(services: Services, reader: ReaderChild, claim: Claim, now: datetime) -> Outcome:
    """Leave the claimed master stored as the dataset it holds, or in the state that tells why not.

    Raises ConflictError if another worker took the claim over: its word counts.
    """
    path = Path(claim.path)
    try:
        with stage("gate"):
            gate = read_gate(path)
        _check_finished(gate, path, claim, services.settings, now)
        with stage("read"):
            reading = reader.read(path)
        with stage("map"):
            mapped = _map(services, claim, reading, now)
        with stage("store"):
            return run_transaction(services.write_sessions, lambda session: _store(session, claim, mapped))
    except (ReaderError, OSError, UnavailableError) as error:
        return fail_master(services, claim, error, now)


def fail_master(services: Services, claim: Claim, error: Exception, now: datetime) -> Outcome:
    """Leave the claimed master in the state that the error leads to, with its reason."""
    state, values = to_failed_values(error, claim, services.settings, now)

    def mark(session: Session) -> None:
        mark_master(session, claim, state, **values)
        if state == MasterState.VANISHED:
            mark_vanished(session, [claim.master_file_id])

    run_transaction(services.write_sessions, mark)
    return Outcome(claim.path, state, values["reason"], error=type(error).__name__)


def refill_lost_index(services: Services) -> None:
    """Make every dataset due to be indexed, if the index holds nothing though it was told of some."""
    with services.read_sessions() as session:
        told = find_indexed(session)
    # One is found as soon among a million as among ten. Only where it is missing is the whole index looked through.
    if told is None or services.index.revisions_of([told]) or services.index.revisions(limit=1):
        return
    run_transaction(services.write_sessions, forget_indexed)


def index_pending(services: Services, until: float = math.inf) -> int:
    """Leave nothing lagging in the index, unless another process is writing to it: then it does this work.

    That other one looks again after each batch, and what was committed before it was found busy is in its next one. No
    batch is begun after `until`, in seconds of the monotonic clock. Returns how many documents were written.
    """
    total = 0
    while time.monotonic() < until:
        with services.read_sessions() as session:
            lagging = find_unindexed(session, INDEX_BATCH)
            if not lagging:
                return total
            documents = load_documents(session, lagging)
        try:
            with stage("index"):
                services.index.write(documents)
        except IndexBusyError:
            return total
        run_transaction(services.write_sessions, partial(mark_indexed, documents=documents))
        log.info("datasets %s are indexed", ", ".join(str(document.id) for document in documents))
        total += len(documents)
    return total


def _check_finished(gate: Gate, path: Path, claim: Claim, settings: IngestSettings, now: datetime) -> None:
    """Raise the error that says why the file is not read now; return if it may be."""
    if gate.kind is FileKind.OFFLINE:
        raise OfflineError(path, "on tape")
    if gate.kind is not None:
        raise NotHdf5Error(path, gate.kind)
    still_for = (now - _find_change(gate, claim, now)).total_seconds()
    if gate.open_for_write and still_for < settings.crash_seconds:
        raise NotFinishedError(path, "open for writing")
    if still_for < settings.settle_seconds and not claim.is_closed:
        raise NotFinishedError(path, "changed a moment ago")
    if gate.truncated:
        raise UnreadableFileError(path, "truncated", f"{gate.size} of {gate.stored_end} bytes")


def _map(services: Services, claim: Claim, reading: MasterReading, now: datetime) -> _Mapped:
    with services.read_sessions() as session:
        root = session.get_one(Root, claim.root_id)
    rules = services.rulebook.open_for(root)
    reading = _to_kept(reading, rules)
    draft = rules.to_draft(reading.record)
    context = _to_context(root, claim, draft, reading.gate, rules)
    unlisted = draft.truncated.get("linked_files", 0)
    linked = look_at_linked(context.path, root.path, draft.linked_files, unlisted)
    waits = _to_waits(draft, linked, reading.gate, claim, services.settings, now)
    context = replace(context, is_complete=not waits, closed_at=_find_change(reading.gate, claim, now))
    columns = _to_read_values(reading, draft, context, waits, now)
    record = zlib.compress(reading.encoded, RECORD_COMPRESSION)
    return _Mapped(draft, context, linked, columns, reading.record.format, record, rules.digest)


def _to_kept(reading: MasterReading, rules: RulesAtHand) -> MasterReading:
    """Return what was read without what the rules allow nobody to store."""
    kept = rules.to_kept(reading.record)
    return reading if kept is reading.record else reading._replace(record=kept, encoded=encode_record(kept))


def _store(session: Session, claim: Claim, mapped: _Mapped) -> Outcome:
    draft, columns = mapped.draft, mapped.columns
    hold_alone(session, Lock.CONTENT, columns["record_digest"])
    hold_together(session, Lock.POLICY)
    hold_claim(session, claim)
    # Read again with the lock in hand: somebody may have said in between who may see what is below the root.
    context = replace(mapped.context, root=session.get_one(Root, claim.root_id))
    if is_no_dataset(draft):
        store_side_file(session, draft, context)
        _keep_record(session, claim, mapped)
        mark_master(session, claim, MasterState.SIDE_FILE, **columns)
        return Outcome(claim.path, MasterState.SIDE_FILE, draft.kind)
    if not draft.scans:
        raise NexusStructureError(claim.path, "no NXentry")
    if any(len(scan.entry.encode()) > LONGEST_PATH for scan in draft.scans):
        raise NexusStructureError(claim.path, f"the name of an entry has more than {LONGEST_PATH} bytes")
    copy_of_id = _settle_identity(session, claim, columns)
    # After a move, which takes the notice along.
    told = find_told(session, claim.master_file_id)
    context = replace(context, told=told, closed_at=_find_close(session, context, is_told=told is not None))
    stored = store_dataset(session, draft, context, copy_of_id)
    is_news = store_linked_files(session, stored.dataset_id, mapped.linked, is_new_revision=stored.has_changed)
    _keep_record(session, claim, mapped)
    state = MasterState.INGESTED if context.is_complete else MasterState.INCOMPLETE
    mark_master(session, claim, state, **columns)
    return Outcome(claim.path, state, columns["reason"], stored.dataset_id, stored.has_changed or is_news)


def _find_close(session: Session, context: MasterContext, *, is_told: bool) -> datetime | None:
    changed_at = context.closed_at or to_instant(context.mtime_ns)
    if is_told:
        return max(changed_at, find_told_at(session, context.master_file_id) or changed_at)
    return changed_at if changed_at >= context.root.created_at else None


def _keep_record(session: Session, claim: Claim, mapped: _Mapped) -> None:
    """Leave the record stored as it was read now, and with it by which rules it was mapped."""
    known = None
    if mapped.columns["record_digest"] == claim.record_digest:
        known = find_rulebook(session, claim.master_file_id)
    if known is None:
        store_record(session, claim.master_file_id, mapped.record_format, mapped.rulebook, mapped.record)
    elif known != mapped.rulebook:
        mark_mapped(session, [claim.master_file_id], mapped.rulebook)


def _to_waits(
    draft: DatasetDraft,
    linked: LinkedReport,
    gate: Gate,
    claim: Claim,
    settings: IngestSettings,
    now: datetime,
) -> dict[str, datetime | None]:
    """Return what the dataset lacks to be complete, and when it is worth looking again; None: when its stat changes."""
    changed = _find_change(gate, claim, now)
    waits: dict[str, datetime | None] = {}
    if gate.open_for_write:
        waits["its writer never closed it"] = None
    if not draft.all_ended:
        waits[NO_END] = None
    if missing := linked.missing:
        # A file that comes late comes soon; one that is missed for long is asked for once a day.
        delay = max(now - claim.seen_at, timedelta(seconds=settings.growing_seconds))
        waits[f"{missing} linked files are missing"] = now + min(delay, LONGEST_DELAY)
    if not claim.is_closed and now - changed < timedelta(seconds=settings.quiet_seconds):
        waits["it may still grow"] = changed + timedelta(seconds=settings.quiet_seconds)
    return waits


def _to_context(
    root: Root,
    claim: Claim,
    draft: DatasetDraft,
    gate: Gate,
    rules: RulesAtHand,
) -> MasterContext:
    path = Path(claim.path)
    # As the crawl sees it: it descends into no folder that a master owns.
    owns_folder = rules.find_master_name(str(path.parent), [path.name]) is not None
    # Taken before the folder is listed: what comes in between is seen by the next crawl.
    folder_mtime_ns = clamp_ns(path.parent.stat().st_mtime_ns) if owns_folder else None
    linked = [link.file for link in draft.linked_files]
    return MasterContext(
        root=root,
        master_file_id=claim.master_file_id,
        path=path,
        file_size=gate.size,
        mtime_ns=clamp_ns(gate.mtime_ns),
        match=rules.match(path),
        listing=list_folder(path) if owns_folder else list_linked(path, linked),
        folder_mtime_ns=folder_mtime_ns,
        is_complete=False,
    )


def _to_read_values(
    reading: MasterReading,
    draft: DatasetDraft,
    context: MasterContext,
    waits: dict[str, datetime | None],
    now: datetime,
) -> dict[str, Any]:
    """Return the columns of a master that was read."""
    looks = [look for look in waits.values() if look is not None]
    return {
        "file_size": context.file_size,
        "mtime_ns": context.mtime_ns,
        "folder_mtime_ns": context.folder_mtime_ns,
        "attempts": 0,
        "failures": 0,
        "read_at": now,
        "next_attempt_at": min(looks, default=None),
        "reason": "; ".join(waits)[:255] or None,
        "file_kind": str(draft.kind),
        "record_digest": blake2b(reading.encoded, digest_size=20).hexdigest(),
    }


def _settle_identity(session: Session, claim: Claim, columns: dict[str, Any]) -> int | None:
    """Carry a moved dataset over to its master's new place; return the dataset that this one is a copy of, if any."""
    found = find_original(session, claim.master_file_id, columns["file_size"], columns["record_digest"])
    if found is None:
        return None
    dataset, path, root = found
    if is_there(path) or not is_mounted(root):
        return dataset.id
    move_dataset(session, dataset, claim.master_file_id)
    return None


def _find_change(gate: Gate, claim: Claim, now: datetime) -> datetime:
    """Return when the file changed last; by when it was seen first, if its own time is still to come."""
    changed = to_instant(gate.mtime_ns)
    if changed <= now:
        return changed
    return claim.seen_at if clamp_ns(gate.mtime_ns) == claim.mtime_ns else now
