"""Publications as a viewer may see them. Functions over a Session that only read.

What a publication says of itself stands as it was published; what its data say is read as it is now, and told of those
datasets only that the viewer may find.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, case, exists, func, not_, select
from sqlalchemy.orm import aliased

from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.identifiers import to_doi_key
from ingest.catalogue.licences import get_licence
from ingest.catalogue.model import (
    Affiliation,
    DataCollectionDataset,
    DataPublication,
    DataPublicationDate,
    DataPublicationType,
    DataPublicationUser,
    Dataset,
    Facility,
    Investigation,
    MasterFile,
    Root,
    Subject,
    User,
)
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, from_cursor, to_page
from ingest.catalogue.publication_data import collects, load_data, select_ids
from ingest.catalogue.publication_request import Creator
from ingest.catalogue.publication_views import (
    CREATOR,
    DataView,
    DateType,
    PublicationKind,
    PublicationSummary,
    PublicationView,
    Term,
)
from ingest.catalogue.visibility import ANONYMOUS, Viewer, may_cite, may_open_files

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

SHOWN_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class _Standing:
    """How the datasets of a publication stand: how many may be cited, and whether all of these are open."""

    citable: int
    is_open: bool
    embargo_end: datetime | None


def get_publication(session: Session, viewer: Viewer, now: datetime, doi: str) -> PublicationView:
    """Return what the DOI leads to; raises NotFoundError if there is none, or all of it has become secret."""
    row = session.execute(
        select(DataPublication, Facility, DataPublicationType.name)
        .join(Facility, Facility.id == DataPublication.facility_id)
        .join(DataPublicationType, DataPublicationType.id == DataPublication.type_id)
        .where(DataPublication.pid == to_doi_key(doi))
    ).one_or_none()
    if row is None:
        raise NotFoundError("publication", doi)
    publication, facility, kind = row
    standing = _load_standing(session, viewer, now, publication.content_id)
    if not standing.citable:
        raise NotFoundError("publication", doi)
    data = load_data(session, viewer, now, publication.content_id, publication.facility_id)
    return PublicationView(
        doi=publication.pid,
        kind=PublicationKind(kind),
        title=publication.title,
        abstract=publication.description,
        creators=_load_creators(session, publication.id),
        publisher=facility.full_name or facility.name,
        publisher_address=facility.url if (facility.url or "").startswith(("https://", "http://")) else None,
        publication_date=_get_date(publication),
        licence=get_licence(publication.licence),
        dates=_load_dates(session, viewer, publication),
        terms=_load_terms(session, publication.id, data),
        is_open=standing.is_open,
        embargo_end=standing.embargo_end,
        part_dois=_load_part_dois(session, viewer, publication),
        data=data,
    )


def list_publications(session: Session, viewer: Viewer, request: PageRequest = FIRST_PAGE) -> Page[PublicationSummary]:
    """Return what is published, the newest first; what has become secret is not there."""
    is_citable = exists().where(collects(DataPublication.content_id), may_cite(viewer))
    statement = (
        select(DataPublication, func.coalesce(Facility.full_name, Facility.name), DataPublicationType.name)
        .join(Facility, Facility.id == DataPublication.facility_id)
        .join(DataPublicationType, DataPublicationType.id == DataPublication.type_id)
        .where(is_citable)
        .order_by(DataPublication.id.desc())
        .limit(request.limit + 1)
    )
    if after := from_cursor("publications", request, (int,)):
        statement = statement.where(DataPublication.id < after[0])
    rows = session.execute(statement).all()
    return to_page("publications", request, rows, lambda row: [row[0].id], lambda row: _to_summary(*row))


def _to_summary(publication: DataPublication, publisher: str, kind: str) -> PublicationSummary:
    return PublicationSummary(
        doi=publication.pid,
        kind=PublicationKind(kind),
        title=publication.title,
        publisher=publisher,
        publication_date=_get_date(publication),
        licence=publication.licence,
    )


def _get_date(publication: DataPublication) -> datetime:
    date = publication.publication_date
    assert date is not None  # noqa: S101 - ICAT's column may be empty, what we publish has its date
    return date


def _load_standing(session: Session, viewer: Viewer, now: datetime, content_id: int) -> _Standing:
    """Ask how the datasets stand for everybody: whether data are open does not depend on who asks."""
    own, theirs = aliased(Root), aliased(Root)
    # The investigation's date is its datasets' as long as their root says the same; see `releases`.
    opens_with = and_(own.release_policy == theirs.release_policy, own.release_years == theirs.release_years)
    opens_at = func.coalesce(Dataset.release_date, case((opens_with, Investigation.release_date)))
    is_closed = not_(func.coalesce(may_open_files(ANONYMOUS, now), False))
    statement = (
        select(
            func.count(),
            func.count(case((is_closed, 1))),
            func.count(case((is_closed, opens_at))),
            func.max(case((is_closed, opens_at))),
        )
        .select_from(Dataset)
        .join(DataCollectionDataset, collects(content_id))
        .join(Investigation, Investigation.id == Dataset.investigation_id)
        .join(MasterFile, MasterFile.id == Dataset.master_file_id)
        .join(own, own.id == MasterFile.root_id)
        .outerjoin(theirs, theirs.id == Investigation.root_id)
        .where(may_cite(viewer))
    )
    citable, closed, dated, latest = session.execute(statement).one()
    is_known = closed == dated and latest is not None and latest > now
    return _Standing(citable, is_open=closed == 0, embargo_end=latest if is_known else None)


def _load_creators(session: Session, publication_id: int) -> tuple[Creator, ...]:
    rows = session.execute(
        select(DataPublicationUser, User.orcid_id)
        .join(User, User.id == DataPublicationUser.user_id)
        .where(DataPublicationUser.publication_id == publication_id, DataPublicationUser.contributor_type == CREATOR)
        .order_by(DataPublicationUser.order_key)
    ).all()
    places: dict[int, list[str]] = {}
    for place in session.scalars(
        select(Affiliation)
        .join(DataPublicationUser, DataPublicationUser.id == Affiliation.user_id)
        .where(DataPublicationUser.publication_id == publication_id)
        .order_by(Affiliation.id)
    ):
        places.setdefault(place.user_id, []).append(place.name)
    return tuple(
        Creator(person.family_name or "", person.given_name or "", orcid, tuple(places.get(person.id, ())))
        for person, orcid in rows
    )


def _load_dates(session: Session, viewer: Viewer, publication: DataPublication) -> dict[DateType, str]:
    """Return the dates that it was published with; not when data were taken of which some are secret by now."""
    rows = session.scalars(select(DataPublicationDate).where(DataPublicationDate.publication_id == publication.id))
    dates = {DateType(row.date_type): row.date for row in rows}
    hidden = select_ids(publication.content_id, not_(may_cite(viewer))).limit(1)
    if session.scalar(hidden) is not None:
        dates.pop(DateType.COLLECTED, None)
    return dates


def _load_terms(session: Session, publication_id: int, data: DataView) -> tuple[Term, ...]:
    """Return what it is about, as far as data that may be found tell so."""
    rows = session.scalars(select(Subject).where(Subject.publication_id == publication_id).order_by(Subject.name))
    return tuple(
        Term(row.name, row.subject_scheme, row.scheme_uri, row.value_uri) for row in rows if row.name in data.techniques
    )


def _load_part_dois(session: Session, viewer: Viewer, publication: DataPublication) -> tuple[str, ...]:
    statement = (
        select(Dataset.doi)
        .join(DataCollectionDataset, collects(publication.content_id))
        .where(may_cite(viewer), Dataset.doi.is_not(None), Dataset.doi != publication.pid)
        .order_by(Dataset.id)
        .limit(SHOWN_PARTS)
    )
    return tuple(doi for doi in session.scalars(statement) if doi)
