"""What persons correct: kept with who, when, why and what was said before, and shown in place of what it corrects.

A correction of a parameter is a row in the layer of persons, which lies above all others, of the dataset as a whole and
of each of its scans. Title, description and the formula of the sample have columns of their own; of the sample's name
each scan keeps what the file says beside it. So nothing that is read or mapped anew touches a correction, and taking it
back leaves what the file says. Functions over a Session; none commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import func, select, update

from ingest.catalogue import store
from ingest.catalogue.correctables import (
    SAMPLE_NAME,
    Correctable,
    CorrectionError,
    find_correctable,
    to_columns,
    to_value,
)
from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.model import (
    Correction,
    CorrectionAction,
    Dataset,
    DatasetParameter,
    Investigation,
    InvestigationSample,
    Layer,
    ParameterType,
    Sample,
    Scan,
    Token,
)
from ingest.catalogue.notices import find_told
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, from_cursor, to_key, to_list_name, to_page
from ingest.catalogue.redaction import is_patients, to_redacted
from ingest.catalogue.store import WantedType
from ingest.catalogue.visibility import Viewer, may_find
from ingest.catalogue.vocabulary import load_vocabulary

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

LONGEST_REASON: Final = 4000
_OVERLAID: Final = ("title", "description", "sample_formula")
"""Fields with a column of the person's own."""


class Change(NamedTuple):
    """One thing to be done to one field; `text` and `unit` are what is set."""

    action: CorrectionAction
    field: str
    text: str = ""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """One correction, for operators."""

    id: int
    field: str
    action: str
    value: Mapping[str, Any] | None
    former: Mapping[str, Any] | None
    reason: str
    author: str
    made_at: datetime


class _Standing(NamedTuple):
    """A person's word that holds: what was set, or None that there shall be nothing."""

    value: Mapping[str, Any] | None


def correct_dataset(
    session: Session, dataset_id: int, changes: Sequence[Change], *, reason: str, author: str, now: datetime
) -> list[str]:
    """Leave the dataset corrected, and return the fields of which something else is said now.

    What is said already is no news: it is neither kept once more nor a new revision. Raises NotFoundError,
    CorrectionError if one of the changes cannot be made; then none may be committed.
    """
    dataset = hold_dataset(session, dataset_id)
    if dataset is None:
        raise NotFoundError("dataset", dataset_id)
    if not changes:
        raise CorrectionError("order", "it corrects nothing: say what to set, remove or undo")
    why = to_reason(reason)
    investigation = session.get_one(Investigation, dataset.investigation_id)
    planned = [_to_planned(session, investigation.facility_id, change) for change in changes]
    _check_once([field for field, _, _ in planned])
    news = []
    for field, action, value in planned:
        standing = _find_standing(session, dataset_id, field.name)
        if not _is_said(standing, action, value):
            # What one change leads to is not what was said before another.
            news.append((field, action, value, _find_shown(session, dataset, field, is_persons=standing is not None)))
    for field, action, value, former in news:
        said = {"field": field.name, "action": action, "value": value, "former": former}
        session.add(Correction(dataset_id=dataset_id, reason=why, author=author, made_at=now, **said))
        _apply(session, dataset, investigation, field, action, value)
    if news:
        dataset.revision += 1
        session.flush()
    return [field.name for field, *_ in news]


def check_change(session: Session, facility_id: int, change: Change) -> None:
    """Raise CorrectionError if the change cannot be made in any dataset of the facility."""
    _to_planned(session, facility_id, change)


def hold_dataset(session: Session, dataset_id: int) -> Dataset | None:
    """Return the dataset, which nobody else changes until the transaction ends; None if there is none."""
    held = select(Dataset).where(Dataset.id == to_key(dataset_id)).with_for_update(key_share=True)
    return session.scalar(held.execution_options(populate_existing=True))


def to_reason(text: str) -> str:
    """Return why something is corrected; raises CorrectionError if that is not said."""
    reason = to_redacted(text.replace("\0", "").strip())
    if not reason:
        raise CorrectionError("reason", "say why: whoever looks at it in years has nothing else")
    if len(reason) > LONGEST_REASON:
        raise CorrectionError("reason", f"write {LONGEST_REASON} characters at most")
    return reason


def to_author(session: Session, viewer: Viewer) -> str:
    """Return who carries the viewer's token, as it is kept."""
    token = session.get_one(Token, viewer.token_id)
    return f"token {token.id}: {token.name}"


def list_corrections(
    session: Session, viewer: Viewer, now: datetime, dataset_id: int, request: PageRequest = FIRST_PAGE
) -> Page[CorrectionView]:
    """Return all corrections of the dataset, the newest first.

    Raises NotFoundError if there is no such dataset, or none that the viewer may know of. That the viewer is an
    operator is for the door to see to. Values of parameters that are not public are told only to who sees all.
    """
    if session.scalar(select(Dataset.id).where(Dataset.id == to_key(dataset_id), may_find(viewer, now))) is None:
        raise NotFoundError("dataset", dataset_id)
    name = to_list_name("corrections", dataset_id)
    statement = (
        select(Correction)
        .where(Correction.dataset_id == dataset_id)
        .order_by(Correction.id.desc())
        .limit(request.limit + 1)
    )
    if after := from_cursor(name, request, (int,)):
        statement = statement.where(Correction.id < after[0])
    closed = None if viewer.sees_all else _list_closed(session, dataset_id)
    rows = session.scalars(statement).all()
    return to_page(name, request, rows, lambda row: [row.id], lambda row: _to_view(row, closed))


def list_corrected(session: Session, dataset_id: int) -> list[str]:
    """Return the fields of the dataset that are no parameters and in which a person's word is shown."""
    fields = (*_OVERLAID, SAMPLE_NAME)
    latest = (
        select(func.max(Correction.id))
        .where(Correction.dataset_id == dataset_id, Correction.field.in_(fields))
        .group_by(Correction.field)
    )
    holds = (Correction.id.in_(latest), Correction.action != CorrectionAction.UNDO)
    return list(session.scalars(select(Correction.field).where(*holds).order_by(Correction.field)))


def reapply_sample(session: Session, dataset: Dataset, investigation: Investigation) -> None:
    """Leave the dataset with the sample that a person said, after its scans were stored anew; all else stands."""
    standing = _find_standing(session, dataset.id, SAMPLE_NAME)
    if standing is not None:
        _set_sample(session, dataset, investigation, standing.value)


def _to_planned(
    session: Session, facility_id: int, change: Change
) -> tuple[Correctable, CorrectionAction, dict[str, Any] | None]:
    stored = _list_kinds(session, facility_id)
    field = find_correctable(change.field, stored)
    is_set = change.action is CorrectionAction.SET
    return field, change.action, to_value(field, change.text, change.unit) if is_set else None


def _list_kinds(session: Session, facility_id: int) -> dict[str, tuple[str, str]]:
    """Return unit and kind of all of a facility's parameter types, looked up once in a session."""
    kinds: dict[int, dict[str, tuple[str, str]]] = session.info.setdefault("parameter kinds", {})
    if facility_id not in kinds:
        columns = (ParameterType.name, ParameterType.units, ParameterType.value_type)
        rows = session.execute(select(*columns).where(ParameterType.facility_id == facility_id))
        kinds[facility_id] = {row.name: (row.units, row.value_type) for row in rows}
    return kinds[facility_id]


def _check_once(fields: Sequence[Correctable]) -> None:
    names = [field.name for field in fields]
    for field in fields:
        if names.count(field.name) > 1:
            raise CorrectionError(field.written, f"more than one thing is said of {field.name}: say one")


def _find_standing(session: Session, dataset_id: int, field: str) -> _Standing | None:
    """Return the person's word that holds for a field; None if there is none, or it was taken back."""
    row = session.scalar(
        select(Correction)
        .where(Correction.dataset_id == dataset_id, Correction.field == field)
        .order_by(Correction.id.desc())
        .limit(1)
    )
    return None if row is None or row.action == CorrectionAction.UNDO else _Standing(row.value)


def _is_said(standing: _Standing | None, action: CorrectionAction, value: Mapping[str, Any] | None) -> bool:
    if action is CorrectionAction.UNDO:
        return standing is None
    return standing is not None and standing.value == value


def _find_shown(session: Session, dataset: Dataset, field: Correctable, *, is_persons: bool) -> dict[str, Any] | None:
    """Return what is shown of a field now, with the layer that says it; None if nothing is."""
    if field.is_parameter:
        return _find_shown_parameter(session, dataset.id, field.name)
    text = _find_shown_text(session, dataset, field.name)
    layer = Layer.PERSON if is_persons else Layer.FILE
    return {"text": text, "layer": layer.name.lower()} if text else None


def _find_shown_text(session: Session, dataset: Dataset, name: str) -> str | None:
    if name == SAMPLE_NAME:
        return session.scalar(select(Sample.name).where(Sample.id == dataset.sample_id))
    own: str | None = getattr(dataset, name)
    if own is not None or name == "description":
        return own
    if name == "title":
        first = select(Scan.title).where(Scan.dataset_id == dataset.id, Scan.is_withdrawn.is_(False))
        return session.scalar(first.order_by(Scan.ordinal).limit(1))
    sample = session.get(Sample, dataset.sample_id) if dataset.sample_id else None
    return sample.type.molecular_formula if sample and sample.type else None


def _find_shown_parameter(session: Session, dataset_id: int, name: str) -> dict[str, Any] | None:
    row = session.execute(
        select(DatasetParameter, ParameterType.units)
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .where(DatasetParameter.dataset_id == dataset_id, DatasetParameter.scan_id.is_(None))
        .where(DatasetParameter.is_shown.is_(True), ParameterType.name == name)
    ).first()
    if row is None:
        return None
    parameter: DatasetParameter = row[0]
    instant = parameter.date_time_value
    said = {
        "text": parameter.string_value,
        "instant": instant and instant.isoformat(),
        "number": parameter.numeric_value,
        "values": parameter.values,
        "bottom": None if parameter.values else parameter.range_bottom,
        "top": None if parameter.values else parameter.range_top,
        "unit": row[1] or None,
    }
    layer = Layer(parameter.layer).name.lower()
    return {name: each for name, each in said.items() if each is not None} | {"layer": layer}


def _apply(
    session: Session,
    dataset: Dataset,
    investigation: Investigation,
    field: Correctable,
    action: CorrectionAction,
    value: Mapping[str, Any] | None,
) -> None:
    if field.is_parameter:
        _apply_parameter(session, dataset.id, investigation.facility_id, field, action, value)
    elif field.name == SAMPLE_NAME and action is CorrectionAction.UNDO:
        _restore_sample(session, dataset, investigation)
    elif field.name == SAMPLE_NAME:
        _set_sample(session, dataset, investigation, value)
    else:
        # Empty: there shall be none. None: nobody corrects it.
        said = value["text"] if value else "" if action is CorrectionAction.REMOVE else None
        setattr(dataset, field.name, said or None if field.name == "description" else said)
        session.flush()


def _apply_parameter(
    session: Session,
    dataset_id: int,
    facility_id: int,
    field: Correctable,
    action: CorrectionAction,
    value: Mapping[str, Any] | None,
) -> None:
    known = load_vocabulary().get(field.name)
    wanted = WantedType(field.name, field.unit, field.kind, known.description if known else None)
    type_id = store.get_parameter_type_ids(session, facility_id, [wanted])[field.name]
    said = None if action is CorrectionAction.UNDO else to_columns(value) if value else {}
    store.replace_persons_parameter(session, dataset_id, type_id, said, is_public=not is_patients(field.name))


def _set_sample(
    session: Session, dataset: Dataset, investigation: Investigation, value: Mapping[str, Any] | None
) -> None:
    """Leave the dataset and all its scans with this sample, or none; the scans keep which one the file says."""
    sample_id = None if value is None else _get_sample_id(session, investigation, value["text"])
    of_it = (Scan.dataset_id == dataset.id,)
    keep = update(Scan).where(*of_it, Scan.is_sample_corrected.is_(False))
    session.execute(keep.values(file_sample_id=Scan.sample_id, is_sample_corrected=True))
    session.execute(update(Scan).where(*of_it).values(sample_id=sample_id))
    dataset.sample_id = sample_id
    session.flush()


def _restore_sample(session: Session, dataset: Dataset, investigation: Investigation) -> None:
    """Leave the scans with the samples that the file says, and the dataset with theirs, or with that of a notice."""
    corrected = update(Scan).where(Scan.dataset_id == dataset.id, Scan.is_sample_corrected.is_(True))
    session.execute(corrected.values(sample_id=Scan.file_sample_id, file_sample_id=None, is_sample_corrected=False))
    of_scans = (Scan.dataset_id == dataset.id, Scan.is_withdrawn.is_(False), Scan.sample_id.is_not(None))
    ids = list(session.scalars(select(Scan.sample_id).where(*of_scans).distinct().limit(2)))
    told = None if ids else find_told(session, dataset.master_file_id)
    if told is not None and told.sample_name:
        ids = [_get_sample_id(session, investigation, told.sample_name)]
    dataset.sample_id = ids[0] if len(ids) == 1 else None
    session.flush()


def _get_sample_id(session: Session, investigation: Investigation, name: str) -> int:
    """Return the sample of that name in the investigation, made if it was not there."""
    proposal = "" if investigation.is_inferred else investigation.name
    sample_id = store.get_sample_id(session, investigation.facility_id, proposal, name, None, None)
    store.add_link(session, InvestigationSample, investigation_id=investigation.id, sample_id=sample_id)
    return sample_id


def _list_closed(session: Session, dataset_id: int) -> set[str]:
    """Return the names of the dataset's parameters that are not public."""
    statement = (
        select(ParameterType.name)
        .join(DatasetParameter, DatasetParameter.type_id == ParameterType.id)
        .where(DatasetParameter.dataset_id == dataset_id, DatasetParameter.is_public.is_(False))
    )
    return set(session.scalars(statement))


def _to_view(row: Correction, closed: Collection[str] | None) -> CorrectionView:
    is_closed = closed is not None and (row.field in closed or is_patients(row.field))
    return CorrectionView(
        id=row.id,
        field=row.field,
        action=row.action,
        value=None if is_closed else row.value,
        former=None if is_closed else row.former,
        reason=row.reason,
        author=row.author,
        made_at=row.made_at,
    )
