"""One stored record mapped by the rules at hand, and what would become of its dataset: nothing is written."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.model import MasterState
from ingest.catalogue.store import ParameterUnitError, check_units
from ingest.identity import MasterContext, is_no_dataset, to_content_digest
from ingest.listing import Listing
from ingest.mapping.differences import Change, find_changes
from ingest.mapping.lacks import find_lacks
from ingest.nexus.encoding import RecordFormatError, decode_record, encode_record
from ingest.rows import to_wanted_types
from ingest.rulebook import LACKING
from ingest.statements import IS_ENDED, load_statements, to_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from ingest.catalogue.model import Root
    from ingest.catalogue.notices import ToldDataset
    from ingest.mapping.drafts import DatasetDraft
    from ingest.rulebook import RulesAtHand


class Verdict(Enum):
    """What the rules at hand make of a record, beside what the catalogue says."""

    SAME = auto()
    CHANGED = auto()
    FAILED = auto()
    SIDE_FILE = auto()
    """It was none of a dataset, and is none."""
    WOULD_BE_SIDE_FILE = auto()
    """The dataset stays as it is: no rule takes one away."""
    WOULD_BE_DATASET = auto()
    """Its files were never listed: it has to be read again."""


@dataclass(slots=True)
class Remapped:
    """A record mapped anew. `digest` is that of the content, `size` is in bytes."""

    row: Row[Any]
    verdict: Verdict
    rulebook: str = ""
    """What is noted with the record once this is stored."""
    digest: str = ""
    draft: DatasetDraft | None = None
    context: MasterContext | None = None
    size: int = 0
    lacks: tuple[str, ...] = ()
    changes: list[Change] = field(default_factory=list)
    kept: bytes | None = None
    """The encoded record, if these rules leave something out of it that is stored now."""
    had_no_end: bool = False
    problem: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether a master that is incomplete has scans by the rules at hand that all ended, as they had not before."""
        is_incomplete = self.row.state == MasterState.INCOMPLETE
        return is_incomplete and self.had_no_end and self.draft is not None and self.draft.all_ended

    @property
    def is_lacking(self) -> bool:
        """Whether its file has to be read again for all that the rules ask for."""
        return self.rulebook.endswith(LACKING) and not self.has_failed

    @property
    def has_failed(self) -> bool:
        """Whether the dataset stays as it is because it cannot be mapped."""
        return self.verdict is Verdict.FAILED

    def fail(self, error: Exception) -> None:
        """Leave the dataset as it is, with the reason."""
        is_told = isinstance(error, CatalogueError | RecordFormatError)
        self.verdict, self.problem = Verdict.FAILED, str(error) if is_told else f"{type(error).__name__}: {error}"


def map_record(row: Row[Any], root: Root, rules: RulesAtHand, told: ToldDataset | None) -> Remapped:
    """Return what the record of a row of `stream_records` says; raises RecordFormatError if it cannot be understood."""
    encoded = zlib.decompress(row.document)
    stored = decode_record(encoded)
    record = rules.to_kept(stored)
    draft = rules.to_draft(record)
    context = replace(_to_context(row, draft, root, rules), told=told)
    mapped = Remapped(row, _judge(row, draft), rules.digest, draft=draft, context=context, size=len(encoded))
    mapped.kept = None if record is stored else encode_record(record)
    mapped.lacks = find_lacks(record, draft, rules.choose(record).plan)
    if mapped.lacks or mapped.verdict is Verdict.WOULD_BE_DATASET:
        mapped.rulebook += LACKING
    if mapped.verdict is Verdict.CHANGED:
        mapped.digest = to_content_digest(draft, context)
        if mapped.digest == row.content_digest:
            mapped.verdict, mapped.draft, mapped.context = Verdict.SAME, None, None
    return mapped


def compare(session: Session, batch: Sequence[Remapped], units: dict[int, dict[str, str]]) -> None:
    """Leave each of the records with what it changes, and as failed where it would break a parameter's unit.

    `units` are those of the parameter types by facility; types to come are added.
    """
    pending = [each for each in batch if each.verdict is Verdict.CHANGED]
    statements = load_statements(session, [each.row.dataset_id for each in pending])
    for each in pending:
        if each.draft is None or each.context is None:
            raise TypeError(each)
        before = statements[each.row.dataset_id]
        each.had_no_end = any(said.text == "no" for said in before[IS_ENDED].values())
        each.changes = find_changes(before, to_statement(each.draft, each.context, each.row.name))
        if not each.changes:
            # Told by other means than before, such as another release's, but the same.
            each.verdict = Verdict.SAME
            continue
        known = units[each.context.root.facility_id]
        wanted = to_wanted_types(each.draft.parameters)
        try:
            check_units(wanted, known)
        except ParameterUnitError as error:
            each.fail(error)
        else:
            known.update((one.name, one.unit) for one in wanted)


def _judge(row: Row[Any], draft: DatasetDraft) -> Verdict:
    is_dataset = row.dataset_id is not None and row.state != MasterState.SIDE_FILE
    if is_no_dataset(draft):
        return Verdict.WOULD_BE_SIDE_FILE if is_dataset else Verdict.SIDE_FILE
    return Verdict.CHANGED if is_dataset else Verdict.WOULD_BE_DATASET


def _to_context(row: Row[Any], draft: DatasetDraft, root: Root, rules: RulesAtHand) -> MasterContext:
    path = Path(row.path)
    return MasterContext(
        root=root,
        master_file_id=row.id,
        path=path,
        file_size=row.file_size,
        mtime_ns=row.mtime_ns,
        match=rules.match(path),
        # What is on disk no rule changes: the listing stands, told by its digest alone.
        listing=Listing(path.parent, (), row.listing_digest or ""),
        folder_mtime_ns=None,
        # Rules can tell that it is not complete; that it is by now, only a look at the file can.
        is_complete=bool(row.is_complete) and draft.all_ended,
    )
