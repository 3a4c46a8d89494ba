"""What belongs to investigations, as far as datasets that a viewer may find have it: instruments, samples, people."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, or_, select

from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    Instrument,
    InvestigationInstrument,
    InvestigationSample,
    Scan,
)
from ingest.catalogue.visibility import Viewer, may_find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

_NOBODY = "[]"


@dataclass(frozen=True, slots=True)
class PersonView:
    """Who took part, and as what: never more."""

    name: str
    role: str | None


class _User(msgspec.Struct):
    name: str
    role: str | None = None


_decoder = msgspec.json.Decoder(list[_User])


def load_instruments(session: Session, viewer: Viewer, now: datetime, ids: Sequence[int]) -> Mapping[int, list[str]]:
    """Return the names of each investigation's instruments, in order."""
    used = InvestigationInstrument
    of_dataset = exists().where(
        DatasetInstrument.dataset_id == Dataset.id, DatasetInstrument.instrument_id == used.instrument_id
    )
    # Said for each: by itself the inner one would take any instrument of the investigation.
    of_dataset = of_dataset.correlate(Dataset, used)
    findable = exists().where(Dataset.investigation_id == used.investigation_id, may_find(viewer, now), of_dataset)
    names: dict[int, list[str]] = defaultdict(list)
    statement = (
        select(used.investigation_id, Instrument.name)
        .join(Instrument, Instrument.id == used.instrument_id)
        .where(used.investigation_id.in_(ids), findable.correlate(used))
        .order_by(Instrument.name)
    )
    for investigation_id, name in session.execute(statement):
        names[investigation_id].append(name)
    return names


def count_samples(session: Session, viewer: Viewer, now: datetime, investigation_id: int) -> int:
    """Return how many samples the investigation has."""
    of_this = and_(InvestigationSample.investigation_id == investigation_id, has_sample(viewer, now))
    return session.scalar(select(func.count()).select_from(InvestigationSample).where(of_this)) or 0


def has_sample(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Return the condition on InvestigationSample that a dataset of the investigation that may be found has it."""
    link = InvestigationSample
    findable = and_(Dataset.investigation_id == link.investigation_id, may_find(viewer, now))
    of_dataset = exists().where(Dataset.sample_id == link.sample_id, findable)
    # Said for each: by itself the inner one would take any investigation.
    of_findable = exists().where(Dataset.id == Scan.dataset_id, findable).correlate(Scan, link)
    of_scan = exists().where(Scan.sample_id == link.sample_id, of_findable)
    return or_(of_dataset.correlate(link), of_scan.correlate(link))


def load_users(session: Session, findable: ColumnElement[bool]) -> tuple[PersonView, ...]:
    """Return whom the scans of these datasets name, by name; the condition has asked the rule."""
    users = cast(Scan.users, Text)
    statement = (
        select(users)
        .join(Dataset, Dataset.id == Scan.dataset_id)
        .where(findable, Scan.is_withdrawn.is_(False), users != _NOBODY)
        .distinct()
    )
    named = {(user.name, user.role) for text in session.scalars(statement) for user in _decoder.decode(text)}
    return tuple(PersonView(*person) for person in sorted(named, key=lambda person: (person[0], person[1] or "")))
