"""Who may see what: the one rule, as an SQL clause and as a filter of the index.

Three classes. Open: released. Embargoed: not released yet; its metadata are public only where its root says so or it
has a landing page. Secret: its existence, too, is known to nobody but those who see all. Where no release date can be
known, a dataset is closed. The clock is read at the request and passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, true

from ingest.catalogue.model import Dataset, Investigation, Sample, Scan
from ingest.catalogue.search import VisibilityFilter

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import BindParameter


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever asks. The command line is its user's own and sees all, as an operator does."""

    sees_all: bool = False
    token_id: int | None = None
    """The token that says who it is; None for everybody."""
    scopes: frozenset[str] = frozenset()
    """What the token allows; see `ingest.catalogue.access`."""


ANONYMOUS = Viewer()
OPERATOR = Viewer(sees_all=True)


def may_find(viewer: Viewer, now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Return the condition on Dataset under which the viewer may know of it and see its metadata."""
    if viewer.sees_all:
        return true()
    return and_(Dataset.is_secret.is_(False), or_(Dataset.release_date <= now, Dataset.is_metadata_public.is_(True)))


def may_open_files(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Return the condition on Dataset under which the viewer may list and open its files."""
    if viewer.sees_all:
        return true()
    return and_(Dataset.is_secret.is_(False), Dataset.release_date <= now)


def may_cite(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on Dataset under which the viewer may see the landing page of a DOI that it has.

    An embargo does not take it away: title, people, dates and the end of the embargo stay, nothing of the data.
    """
    if viewer.sees_all:
        return true()
    return Dataset.is_secret.is_(False)


def may_find_investigation(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Return the condition on Investigation under which the viewer may know of it: through one of its datasets."""
    # Of no column, so that an index is enough.
    found = exists(literal_column("1")).where(Dataset.investigation_id == Investigation.id, may_find(viewer, now))
    return found.correlate(Investigation)


def may_find_sample(viewer: Viewer, now: datetime) -> ColumnElement[bool]:
    """Return the condition on Sample under which the viewer may know of it: through a dataset or a scan that has it."""
    findable = may_find(viewer, now)
    of_dataset = exists().where(Dataset.sample_id == Sample.id, findable)
    # One within the other, so that the few scans of a sample are looked at first, whatever the database knows of sizes.
    of_scan = exists().where(Scan.sample_id == Sample.id, exists().where(Dataset.id == Scan.dataset_id, findable))
    return or_(of_dataset.correlate(Sample), of_scan.correlate(Sample))


def to_index_filter(viewer: Viewer, now: datetime) -> VisibilityFilter:
    """Return the same rule as `may_find`, for the index, as it was when the minute began.

    What is released within it is found a minute later at most; all that are asked for everybody meanwhile are asked
    the same, and a search engine that remembers what passed a filter, or what it counted, need not do it again.
    """
    return VisibilityFilter(sees_all=viewer.sees_all, now=to_minute(now))


def to_minute(instant: datetime) -> datetime:
    """Return when the minute of the instant began."""
    return instant.replace(second=0, microsecond=0)
