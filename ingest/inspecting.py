"""Telling what a file is, for a person or a script, without a catalogue: nothing is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingest.catalogue.roots import check_zone, normalise
from ingest.mapping.drafts import DatasetDraft
from ingest.mapping.inspection import to_inspection
from ingest.nexus.child import ReaderChild
from ingest.nexus.errors import ReaderError
from ingest.nexus.gate import Gate, read_gate
from ingest.nexus.record import FileKind
from ingest.rulebook import Rulebook
from ingest.settings import IngestSettings, to_limits

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.nexus.record import MasterRecord


def inspect_file(path: Path, rules: str | None, timezone: str) -> dict[str, Any]:
    """Return what the file is and what would be stored of it, ready for JSON.

    A file that cannot be read is told as what it is, with the reason under `problem`. Raises OSError if it is not
    there or may not be read.
    """
    check_zone(timezone)
    # The reader works in another folder, and follows no link at the end of a path.
    path = normalise(path)
    gate = read_gate(path)
    if gate.kind is not None:
        return _to_refusal(gate.kind, f"not HDF5: {gate.kind}")
    try:
        record = read_record(path)
    except ReaderError as error:
        return _to_refusal(FileKind.DAMAGED, error.reason)
    at_hand = Rulebook().open(rules, timezone)
    draft = at_hand.to_draft(at_hand.to_kept(record))
    is_finished = draft.all_ended and not gate.open_for_write and not record.swmr
    problem = _find_problem(gate, draft)
    return to_inspection(draft, finished=is_finished, more={"problem": problem})


def read_record(path: Path) -> MasterRecord:
    """Return what is in the file, read in the killable child; raises ReaderError if that cannot be told."""
    with ReaderChild(to_limits(IngestSettings())) as reader:
        return reader.read(path).record


def _find_problem(gate: Gate, draft: DatasetDraft) -> str | None:
    if gate.open_for_write:
        return "marked as open for writing: a writer is at work, or has crashed"
    if not draft.all_ended:
        return "a scan has no end"
    return "no NXentry" if draft.kind is FileKind.OTHER else None


def _to_refusal(kind: FileKind, problem: str) -> dict[str, Any]:
    draft = DatasetDraft(kind=kind, rules="", rules_version="")
    return to_inspection(draft, finished=False, more={"problem": problem})
