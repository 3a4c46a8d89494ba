"""From drafts to entities: what one master says is written into the open transaction.

May touch the Session it was given, through `ingest.catalogue.store`. May not commit, read files or know the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from ingest.catalogue import store
from ingest.catalogue.corrections import reapply_sample
from ingest.catalogue.datafiles import store_datafiles
from ingest.catalogue.masters import to_instant
from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    DatasetTechnique,
    Investigation,
    InvestigationInstrument,
    InvestigationSample,
    InvestigationUser,
    Layer,
    MasterFile,
    MasterState,
    Notice,
    ReleasePolicy,
    Root,
)
from ingest.catalogue.publication_store import is_published
from ingest.catalogue.releases import says_the_same, to_release_date
from ingest.catalogue.visibility import to_minute
from ingest.identity import to_content_digest, to_instruments, to_names, to_place
from ingest.rows import to_parameter_row, to_positions, to_sample_name, to_scan_row, to_value, to_wanted_types
from ingest.told import list_contradictions, to_told_parameters, to_told_techniques

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from ingest.catalogue.model import Base
    from ingest.catalogue.notices import ToldDataset
    from ingest.identity import MasterContext
    from ingest.mapping.drafts import DatasetDraft, ScanDraft

FILE_USER_ROLE = "named by file"


@dataclass(frozen=True, slots=True)
class Stored:
    """The dataset, and whether anything of it was written."""

    dataset_id: int
    has_changed: bool


def store_dataset(session: Session, draft: DatasetDraft, context: MasterContext, copy_of_id: int | None) -> Stored:
    """Leave the catalogue with what the master says; the revision rises only if that changed."""
    dataset = session.scalar(select(Dataset).where(Dataset.master_file_id == context.master_file_id))
    digest = to_content_digest(draft, context)
    if dataset is not None and dataset.content_digest == digest:
        return Stored(dataset.id, has_changed=False)
    investigation = _place(session, draft, context)
    is_new = dataset is None
    if dataset is None:
        # It may have been taken for a side file while little was in it.
        store.forget_investigation_file(session, context.root.id, str(context.below_root))
        dataset = Dataset(
            master_file_id=context.master_file_id,
            copy_of_id=copy_of_id,
            revision=0,
            listing_digest="",
            next_file_ordinal=0,
        )
    former_end = dataset.end_date
    samples = _SampleIds(session, investigation)
    _fill(session, dataset, draft, context, investigation, samples)
    dataset.content_digest = digest
    dataset.revision += 1
    session.add(dataset)
    session.flush()
    _store_parts(session, dataset, draft, investigation, samples, context.told, is_new=is_new)
    if not is_new:
        reapply_sample(session, dataset, investigation)
    _store_instruments(session, dataset, draft, context, investigation, is_new=is_new)
    store_datafiles(session, dataset, context.listing.files, context.listing.digest)
    # Several workers may extend one investigation: each reads its dates again when it is its turn.
    session.refresh(investigation, with_for_update={"key_share": True})
    if former_end is not None and former_end == investigation.end_date and former_end != dataset.end_date:
        investigation.end_date = store.find_latest_end(session, investigation.id)
    _extend(session, investigation, dataset, context.root)
    session.flush()
    return Stored(dataset.id, has_changed=True)


def note_content(session: Session, dataset_id: int, digest: str) -> None:
    """Note by which digest the content is told from now on; the dataset itself did not change."""
    session.execute(
        update(Dataset)
        .where(Dataset.id == dataset_id)
        .values(content_digest=digest, modified_at=Dataset.modified_at)
        .execution_options(synchronize_session=False)
    )


def store_side_file(session: Session, draft: DatasetDraft, context: MasterContext) -> None:
    """Leave the file listed with its investigation: it holds no dataset of its own."""
    store.upsert_investigation_file(
        session,
        context.root.id,
        str(context.below_root),
        investigation_id=_place(session, draft, context).id,
        kind=draft.kind,
        file_size=context.file_size,
        mtime_ns=context.mtime_ns,
    )


def find_original(
    session: Session, master_file_id: int, size: int, record_digest: str
) -> tuple[Dataset, str, str] | None:
    """Return the dataset that a new master with this size and record was moved from or is a copy of, if any.

    That is one whose master vanished, else the oldest; with the path of its master and of its root. A master that has
    a dataset already is neither moved nor a copy by now: None.
    """
    own = select(Dataset.id).where(Dataset.master_file_id == master_file_id)
    row = session.execute(
        select(Dataset, MasterFile.path, Root.path)
        .join(MasterFile, MasterFile.id == Dataset.master_file_id)
        .join(Root, Root.id == MasterFile.root_id)
        .where(MasterFile.record_digest == record_digest, MasterFile.file_size == size)
        .where(~own.exists())
        .order_by((MasterFile.state == MasterState.VANISHED).desc(), Dataset.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def move_dataset(session: Session, dataset: Dataset, master_file_id: int) -> None:
    """Leave the dataset with its id, its DOI and its links at its master's new place; the old place is forgotten."""
    old = dataset.master_file_id
    session.execute(update(Dataset).where(Dataset.id == dataset.id).values(master_file_id=master_file_id))
    session.execute(update(Notice).where(Notice.master_file_id == old).values(master_file_id=master_file_id))
    session.delete(session.get_one(MasterFile, old))
    session.flush()
    session.expire(dataset)


def _place(session: Session, draft: DatasetDraft, context: MasterContext) -> Investigation:
    place, root = to_place(draft, context), context.root
    return store.get_investigation(
        session,
        root.facility_id,
        place.proposal,
        place.visit,
        root_id=root.id,
        is_inferred=place.is_inferred,
        is_secret=root.is_secret,
    )


class _SampleIds:
    """The ids of the samples of one master, each looked up once."""

    def __init__(self, session: Session, investigation: Investigation) -> None:
        self._session = session
        self._investigation = investigation
        self._ids: dict[tuple[str | None, str | None, str | None], int] = {}

    def of(self, scan: ScanDraft) -> int | None:
        """Return the id of the scan's sample, made if it was not there; None if the scan names none."""
        name, formula, pid = to_sample_name(scan), to_value(scan.sample_formula), to_value(scan.sample_identifier)
        return None if name is None else self.get(name, formula, pid)

    def get(self, name: str, formula: str | None = None, pid: str | None = None) -> int:
        """Return the id of the sample, made if it was not there."""
        key = (name, formula, pid)
        if key not in self._ids:
            proposal = "" if self._investigation.is_inferred else self._investigation.name
            sample_id = store.get_sample_id(
                self._session, self._investigation.facility_id, proposal, name, formula, pid
            )
            store.add_link(
                self._session,
                InvestigationSample,
                investigation_id=self._investigation.id,
                sample_id=sample_id,
            )
            self._ids[key] = sample_id
        return self._ids[key]


def _fill(
    session: Session,
    dataset: Dataset,
    draft: DatasetDraft,
    context: MasterContext,
    investigation: Investigation,
    samples: _SampleIds,
) -> None:
    sample_ids = {samples.of(scan) for scan in draft.scans} - {None}
    starts = [scan.start_time.value.instant for scan in draft.scans if scan.start_time]
    ends = [t.value.instant for scan in draft.scans for t in (scan.end_time, scan.start_time) if t]
    if dataset.investigation_id != investigation.id:
        dataset.release_date = None  # it opens with the new one
    names = list(to_names(context))
    if (dataset.investigation_id, dataset.name) != (investigation.id, names[0]):
        dataset.name = store.find_free_dataset_name(session, investigation.id, names, dataset.id)
    dataset.investigation_id = investigation.id
    dataset.location = str(context.listing.location)
    if not sample_ids and context.told is not None and context.told.sample_name:
        sample_ids = {samples.get(context.told.sample_name)}
    dataset.sample_id = sample_ids.pop() if len(sample_ids) == 1 else None
    dataset.is_complete = context.is_complete
    if context.closed_at is not None and context.closed_at != dataset.closed_at:
        dataset.closed_at, dataset.searchable_at = context.closed_at, None
    dataset.start_date = min(starts, default=None)
    dataset.end_date = max(ends, default=None)
    dataset.is_secret = context.root.is_secret
    dataset.is_metadata_public = context.root.is_embargoed_metadata_public
    dataset.rules, dataset.rules_version = draft.rules, draft.rules_version
    dataset.flags = [*draft.flags, *list_contradictions(draft, context.told)]
    dataset.motors = to_positions(draft)
    if context.root.release_policy == ReleasePolicy.IMMEDIATELY:
        # Not a second of the minute that searches go by is to be waited for.
        dataset.release_date = to_minute(dataset.end_date or to_instant(context.mtime_ns))


def _store_parts(
    session: Session,
    dataset: Dataset,
    draft: DatasetDraft,
    investigation: Investigation,
    samples: _SampleIds,
    told: ToldDataset | None,
    *,
    is_new: bool,
) -> None:
    rows = [to_scan_row(scan, ordinal, samples.of(scan)) for ordinal, scan in enumerate(draft.scans)]
    if is_new:
        scan_ids = store.insert_scans(session, dataset.id, rows)
    else:
        scan_ids = store.replace_scans(
            session, dataset.id, rows, keeps_vanished=partial(is_published, session, dataset.id)
        )
    types = store.get_parameter_type_ids(session, investigation.facility_id, to_wanted_types(draft.parameters))
    by_layer = {
        Layer.FILE: [to_parameter_row(p, types[p.name], scan_ids) for p in draft.parameters],
        Layer.NOTICE: _to_told_rows(session, investigation.facility_id, told),
    }
    (store.insert_parameters if is_new else store.replace_parameters)(session, dataset.id, by_layer)
    _tie(session, DatasetTechnique, dataset, _to_technique_rows(session, draft, told), is_new=is_new)
    people = {person.name.value: person for scan in draft.scans for person in scan.users}
    for name, person in people.items():
        store.add_link(
            session,
            InvestigationUser,
            user_id=store.get_user_id(session, name, person.orcid),
            investigation_id=investigation.id,
            role=person.role or FILE_USER_ROLE,
        )


def _to_technique_rows(session: Session, draft: DatasetDraft, told: ToldDataset | None) -> list[dict[str, Any]]:
    """Return what the file tells, then what only the notice does."""
    by_layer = {Layer.FILE: draft.techniques, Layer.NOTICE: to_told_techniques(told.parameters) if told else ()}
    rows: dict[int, dict[str, Any]] = {}
    for layer, techniques in by_layer.items():
        for technique in techniques:
            key = store.get_technique_id(session, technique.value, technique.pid)
            told_by = {"source_path": technique.path, "original_value": technique.original, "origin": technique.origin}
            rows.setdefault(key, {"technique_id": key, "layer": layer, **told_by})
    return list(rows.values())


def _to_told_rows(session: Session, facility_id: int, told: ToldDataset | None) -> list[dict[str, Any]]:
    if told is None or not told.parameters:
        return []
    kinds = store.list_parameter_kinds(session, facility_id, list(told.parameters))
    parameters = to_told_parameters(told.parameters, kinds)
    types = store.get_parameter_type_ids(session, facility_id, [each.wanted for each in parameters])
    return [{**each.columns, "type_id": types[each.wanted.name]} for each in parameters]


def _store_instruments(
    session: Session,
    dataset: Dataset,
    draft: DatasetDraft,
    context: MasterContext,
    investigation: Investigation,
    *,
    is_new: bool,
) -> None:
    names = to_instruments(draft, context)
    ids = [store.get_instrument_id(session, context.root.facility_id, name, full) for name, full in names.items()]
    _tie(session, DatasetInstrument, dataset, [{"instrument_id": each} for each in ids], is_new=is_new)
    for each in ids:
        store.add_link(session, InvestigationInstrument, investigation_id=investigation.id, instrument_id=each)


def _tie(
    session: Session, entity: type[Base], dataset: Dataset, rows: Sequence[Mapping[str, Any]], *, is_new: bool
) -> None:
    tie = store.insert_links if is_new else store.replace_links
    tie(session, entity, dataset.id, rows)


def _extend(session: Session, investigation: Investigation, dataset: Dataset, root: Root) -> None:
    """Let the investigation's dates cover the dataset's; its release follows from its end by its own root's word."""
    starts = [date for date in (investigation.start_date, dataset.start_date) if date]
    ends = [date for date in (investigation.end_date, dataset.end_date) if date]
    investigation.start_date = min(starts, default=None)
    investigation.end_date = max(ends, default=None)
    own_root = root if root.id == investigation.root_id else session.get_one(Root, investigation.root_id)
    investigation.release_date = to_release_date(own_root, investigation.end_date)
    has_stamp = investigation.release_date == investigation.stamped_release_date
    if dataset.release_date is None and has_stamp and says_the_same(root, own_root):
        # The others carry this date already, and none of them will be touched for one that came late.
        dataset.release_date = investigation.stamped_release_date
