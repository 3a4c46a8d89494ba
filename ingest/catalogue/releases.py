"""When data open: release dates by the root's policy, carried over from investigations to their datasets.

An investigation's date moves with each new dataset. Its datasets carry it only when it has come near: until then they
carry none and are closed. So a day of a running investigation does not touch all the datasets before it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select, true, update

from ingest.catalogue.database import lift_timeout
from ingest.catalogue.locks import Lock, hold_alone
from ingest.catalogue.model import Dataset, Investigation, MasterFile, ReleasePolicy, Root

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

STAMP_HORIZON = timedelta(days=30)
STAMP_BATCH = 100


def to_release_date(root: Root, end: datetime | None) -> datetime | None:
    """Return when an investigation that ended then opens: calendar years later; None if that cannot be said."""
    if end is None or root.release_policy != ReleasePolicy.AFTER_YEARS:
        return None
    end = end.astimezone(UTC)
    year = end.year + root.release_years
    if year > MAXYEAR:
        return None
    return end.replace(year=year, day=min(end.day, monthrange(year, end.month)[1]))


def says_the_same(root: Root, other: Root) -> bool:
    """Return whether data below both roots open by the same rule."""
    return (root.release_policy, root.release_years) == (other.release_policy, other.release_years)


def stamp_releases(session: Session, now: datetime) -> int:
    """Carry the release dates that have come near over to the datasets; return how many investigations were touched.

    A dataset that is open already stays open; only a person's word closes it again. Each touched dataset rises by one
    revision, so that the index follows.
    """
    due = _due_investigations(session, now)
    for investigation in due:
        _stamp_datasets(session, investigation, now)
    return len(due)


def apply_root_policy(session: Session, root: Root) -> None:
    """Make all datasets below the root follow what is now said about it; what was open may close.

    A visit may have datasets below several roots: each follows its own. Nobody stores a dataset by what was said
    before once this has begun.
    """
    hold_alone(session, Lock.POLICY)
    lift_timeout(session)
    for investigation in session.scalars(select(Investigation).where(Investigation.root_id == root.id)):
        investigation.release_date = to_release_date(root, investigation.end_date)
        investigation.stamped_release_date = None
        investigation.is_secret = root.is_secret
    below = _lies_below(select(Root.id).where(Root.id == root.id))
    # What is stamped and has moved is due already.
    session.execute(
        update(Investigation)
        .where(Investigation.id.in_(select(Dataset.investigation_id).where(below)))
        .where(Investigation.stamped_release_date == Investigation.release_date)
        .values(stamped_release_date=None)
        .execution_options(synchronize_session=False)
    )
    own_end = func.coalesce(Dataset.end_date, Dataset.start_date, Dataset.created_at)
    session.execute(
        update(Dataset)
        .where(below)
        .values(
            release_date=own_end if root.release_policy == ReleasePolicy.IMMEDIATELY else None,
            is_secret=root.is_secret,
            is_metadata_public=root.is_embargoed_metadata_public,
            revision=Dataset.revision + 1,
        )
        .execution_options(synchronize_session=False)
    )


def _due_investigations(session: Session, now: datetime) -> list[Investigation]:
    never_stamped = Investigation.stamped_release_date.is_(None)
    has_moved = func.coalesce(Investigation.release_date != Investigation.stamped_release_date, true())
    due = or_(
        and_(Investigation.release_date <= now + STAMP_HORIZON, never_stamped),
        and_(~never_stamped, has_moved),
    )
    # Held, and read as it is then: a date that moved on in between would open data too early, and open they stay.
    held = select(Investigation).where(due).order_by(Investigation.id).limit(STAMP_BATCH)
    return list(session.scalars(held.with_for_update(key_share=True)))


def _stamp_datasets(session: Session, investigation: Investigation, now: datetime) -> None:
    """Carry the date over to the datasets below the investigation's root, and below others that say the same.

    A dataset below a root that says otherwise than its investigation's does not open by this date: it stays closed.
    """
    date = investigation.release_date
    stamp = date if date is not None and date <= now + STAMP_HORIZON else None
    investigation.stamped_release_date = stamp
    own = session.get_one(Root, investigation.root_id)
    like = select(Root.id).where(Root.release_policy == own.release_policy, Root.release_years == own.release_years)
    session.execute(
        update(Dataset)
        .where(Dataset.investigation_id == investigation.id)
        .where(_lies_below(like))
        .where(Dataset.release_date.is_distinct_from(stamp))
        .where(or_(Dataset.release_date.is_(None), Dataset.release_date > now))
        .values(release_date=stamp, revision=Dataset.revision + 1)
        .execution_options(synchronize_session=False)
    )


def _lies_below(root_ids: Select[Any]) -> ColumnElement[bool]:
    return exists().where(MasterFile.id == Dataset.master_file_id, MasterFile.root_id.in_(root_ids))
