"""Changed rules applied to the stored records: no file of the facility is opened, listed or asked for its stat.

A batch of records is mapped without a lock, compared with what the catalogue says, and stored in one transaction, in
which everything that was read, moved or taken in hand meanwhile is passed over: a newer reading counts. With the
datasets the transaction notes the rules, so that a remap that was killed goes on where it was.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections import defaultdict
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ingest.catalogue.database import run_transaction
from ingest.catalogue.errors import CatalogueError, UnavailableError
from ingest.catalogue.masters import claim_one, make_due, mark_incomplete, to_claimant
from ingest.catalogue.model import Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import find_told
from ingest.catalogue.records import (
    count_records,
    find_standing,
    list_mapped_by,
    list_rulebooks,
    mark_mapped,
    store_record,
    stream_records,
)
from ingest.catalogue.store import list_units
from ingest.drain import INDEX_EVERY_SECONDS, free_abandoned, ingest_claimed, make_reader, settle_index
from ingest.mapping.lacks import list_unkept
from ingest.nexus.encoding import RecordFormatError
from ingest.nexus.record import RECORD_FORMAT
from ingest.pipeline import NO_END, RECORD_COMPRESSION
from ingest.remap_report import NAMED, RemapReport
from ingest.remapped import Remapped, Verdict, compare, map_record
from ingest.rulebook import LACKING, RulesAtHand
from ingest.storing import note_content, store_dataset, store_side_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from ingest.catalogue.masters import Claim
    from ingest.catalogue.notices import ToldDataset
    from ingest.pipeline import Outcome, Services

log = logging.getLogger(__name__)

BATCH = 100
"""Records in one transaction: it holds the write lock for 0.3 s if all of them changed, and a commit costs 1 ms."""
BATCH_BYTES = 16 << 20
"""Of encoded records in one batch, which bounds the memory that their drafts take."""


class Remap:
    """One pass over the records that other rules have mapped than those at hand when it was made."""

    def __init__(self, services: Services) -> None:
        self.report = RemapReport()
        self._services = services
        with services.read_sessions() as session:
            self._roots = {root.id: root for root in session.scalars(select(Root))}
            self._units = {each: list_units(session, each) for each in {r.facility_id for r in self._roots.values()}}
            self._rules = {root.id: self._open_rules(root) for root in self._roots.values()}
            at_hand = [rules for rules in self._rules.values() if isinstance(rules, RulesAtHand)]
            self._lacking = [rules.digest + LACKING for rules in at_hand]
            current = {*self._lacking, *(rules.digest for rules in at_hand)}
            self._stale = [known for known in list_rulebooks(session) if known not in current]
            self.count = count_records(session, self._stale)
            self.report.lacking.count = count_records(session, self._lacking)
            self.report.lacking.paths = [row.path for row in list_mapped_by(session, self._lacking, -1, NAMED)]
        plans = {rules.name: rules.plan for each in at_hand for rules in each.list_all()}
        self.report.unkept = [f"{name}: {what}" for name, plan in plans.items() for what in list_unkept(plan)]

    def run(self, *, is_dry: bool, note: Callable[[int, int], None]) -> RemapReport:
        """Leave every record mapped by the rules at hand, and the index current; in a dry run only tell what changes.

        `note` is told how many records are done, and of how many.
        """
        if not is_dry:
            free_abandoned(self._services, to_claimant())
        done = 0
        indexed_at = time.monotonic()
        for rulebook in self._stale:
            after = -1
            while (batch := self._map_batch(rulebook, after)) != []:
                after = batch[-1].row.id
                for mapped in batch if is_dry else self._store(rulebook, batch):
                    self.report.add(mapped)
                done += len(batch)
                note(done, self.count)
                if not is_dry and time.monotonic() - indexed_at > INDEX_EVERY_SECONDS:
                    settle_index(self._services)
                    indexed_at = time.monotonic()
        if not is_dry:
            settle_index(self._services)
            with self._services.read_sessions() as session:
                left = count_records(session, self._stale)
            self.report.passed_over = max(0, left - self.report.verdicts[Verdict.FAILED])
        return self.report

    def read_again(self, report: Callable[[Outcome], None]) -> None:
        """Read the files of which the record lacks what the rules ask for, and no others."""
        claimant, after = to_claimant(), -1
        with make_reader(self._services) as reader:
            while rows := self._list_lacking(after):
                for row in rows:
                    after = row.id
                    claim = run_transaction(
                        self._services.write_sessions, partial(_claim_due, claimant=claimant, master_file_id=row.id)
                    )
                    outcome = ingest_claimed(self._services, reader, claim) if claim else None
                    if outcome is not None:
                        report(outcome)
        settle_index(self._services)

    def _list_lacking(self, after: int) -> list[Row[Any]]:
        with self._services.read_sessions() as session:
            return list_mapped_by(session, self._lacking, after, BATCH)

    def _open_rules(self, root: Root) -> RulesAtHand | CatalogueError:
        try:
            return self._services.rulebook.open_for(root)
        except CatalogueError as error:
            return error

    def _map_batch(self, rulebook: str, after: int) -> list[Remapped]:
        """Return the next records, mapped and compared; none at the end."""
        batch: list[Remapped] = []
        with self._services.read_sessions() as session:
            for row in stream_records(session, rulebook, after, BATCH):
                batch.append(self._map(row, find_told(session, row.id) if row.is_told else None))
                if sum(each.size for each in batch) > BATCH_BYTES:
                    break
            compare(session, batch, self._units)
        return batch

    def _map(self, row: Row[Any], told: ToldDataset | None) -> Remapped:
        """Map one record, whatever is in it: one that cannot be mapped keeps no other from it."""
        failed = Remapped(row, Verdict.FAILED)
        rules = self._rules[row.root_id]
        if isinstance(rules, CatalogueError):
            failed.fail(rules)
            return failed
        try:
            return map_record(row, self._roots[row.root_id], rules, told)
        except (CatalogueError, RecordFormatError) as error:
            failed.fail(error)
        except Exception as error:
            log.exception("failed over the record of %s", row.path)
            failed.fail(error)
        return failed

    def _store(self, rulebook: str, batch: list[Remapped]) -> list[Remapped]:
        """Store what changed and note the rules; return those that counted."""
        try:
            return run_transaction(self._services.write_sessions, partial(_store_batch, rulebook=rulebook, batch=batch))
        except UnavailableError:
            raise  # the database is in trouble, not a dataset
        except Exception as error:
            if len(batch) > 1:
                # It is found one by one, and keeps none of the others from it.
                return [stored for each in batch for stored in self._store(rulebook, [each])]
            if not isinstance(error, CatalogueError):
                log.exception("failed over the dataset of %s", batch[0].row.path)
            batch[0].fail(error)
            return batch


def _claim_due(session: Session, claimant: str, master_file_id: int) -> Claim | None:
    # Due as well as claimed: should we be killed, whoever looks next reads it.
    make_due(session, master_file_id, utc_now())
    return claim_one(session, master_file_id, claimant, utc_now())


def _store_batch(session: Session, rulebook: str, batch: list[Remapped]) -> list[Remapped]:
    standing = find_standing(session, rulebook, [each.row for each in batch])
    # Read again with the lock in hand: somebody may have said in between who may see what is below a root.
    roots = {root.id: root for root in session.scalars(select(Root))}
    counted = [each for each in batch if each.row.id in standing]
    mapped: dict[str, list[int]] = defaultdict(list)
    for each in counted:
        if each.verdict is Verdict.CHANGED:
            _store_changed(session, each, roots)
        elif each.verdict is Verdict.SIDE_FILE and each.draft and each.context:
            store_side_file(session, each.draft, each.context)
        elif each.verdict is Verdict.SAME and each.digest != each.row.content_digest:
            note_content(session, each.row.dataset_id, each.digest)
        if each.kept is not None and not each.has_failed:
            document = zlib.compress(each.kept, RECORD_COMPRESSION)
            store_record(session, each.row.id, RECORD_FORMAT, each.rulebook, document)
        if not each.has_failed:
            mapped[each.rulebook].append(each.row.id)
    for digest, master_file_ids in mapped.items():
        mark_mapped(session, master_file_ids, digest)
    return counted


def _store_changed(session: Session, mapped: Remapped, roots: dict[int, Root]) -> None:
    draft, context, master_file_id = mapped.draft, mapped.context, mapped.row.id
    if draft is None or context is None:
        raise TypeError(mapped)
    told = find_told(session, master_file_id) if mapped.row.is_told else None
    context = replace(context, root=roots[context.root.id], told=told)
    store_dataset(session, draft, context, None)
    if not draft.all_ended:
        mark_incomplete(session, master_file_id, NO_END)
    elif mapped.has_ended:
        make_due(session, master_file_id, utc_now())
