"""Functions over a Session that publish datasets: ICAT's DataPublication and its family. None commits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, func, insert, select, update

from ingest.catalogue.database import insert_ignoring
from ingest.catalogue.errors import ConflictError
from ingest.catalogue.identifiers import make_doi
from ingest.catalogue.model import (
    Affiliation,
    DataCollection,
    DataCollectionDataset,
    DataPublication,
    DataPublicationDate,
    DataPublicationType,
    DataPublicationUser,
    Dataset,
    DatasetTechnique,
    Subject,
    Technique,
    User,
)
from ingest.catalogue.publication_checks import check_datasets
from ingest.catalogue.publication_views import CREATOR, DateType, PublicationKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from ingest.catalogue.publication_checks import Content
    from ingest.catalogue.publication_request import Creator, PublicationRequest

_SCHEMES: Final = {
    "http://purl.org/pan-science/PaNET/": ("PaNET", "http://purl.org/pan-science/PaNET/PaNET.owl"),
    "http://purl.org/pan-science/ESRFET": ("ESRFET", "http://purl.org/pan-science/ESRFET"),
    "https://w3id.org/PaN/ESRFET": ("ESRFET", "https://w3id.org/PaN/ESRFET"),
}
"""Name and address of the ontologies whose terms techniques have as `pid`, by how these begin."""
_ADDRESS: Final = re.compile(r"https?://[\w/#.~%:-]+", re.ASCII)
"""Files hold anything; what is to be an address must look like one."""


class AlreadyPublishedError(ConflictError):
    """The same datasets have a DOI, under which something else is said about them."""

    def __init__(self, doi: str, part: str) -> None:
        self.doi, self.part = doi, part
        super().__init__(
            f"these datasets are published already, as {doi}, with another {part}; what a DOI says stays as it is"
        )


@dataclass(frozen=True, slots=True)
class Published:
    """The DOI of the datasets; not new if they had it already."""

    doi: str
    is_new: bool


def store_publication(session: Session, request: PublicationRequest, doi_prefix: str, now: datetime) -> Published:
    """Leave the datasets published under a DOI: a new one, or the one that these very datasets have already.

    Raises NotFoundError, SecretDatasetError, NotReleasedError, SeveralFacilitiesError, or AlreadyPublishedError if the
    DOI that they have says something else.
    """
    content = check_datasets(session, request.dataset_ids, now)
    known = _find_publication(session, request.dataset_ids)
    if known is not None:
        _check_same(session, known, request)
        return Published(known.pid, is_new=False)
    doi = _make_free_doi(session, doi_prefix)
    publication = _insert_publication(session, request, content.facility_id, doi, now)
    for order, creator in enumerate(request.creators):
        _insert_creator(session, publication.id, order, creator)
    _insert_dates(session, publication.id, content, now)
    _insert_subjects(session, publication)
    _mark_datasets(session, request.dataset_ids, publication)
    session.flush()
    return Published(doi, is_new=True)


def is_published(session: Session, dataset_id: int) -> bool:
    """Return whether the dataset has a DOI, by itself or in a collection: then nothing that it had may vanish."""
    belongs = DataPublication.content_id == DataCollectionDataset.data_collection_id
    statement = select(exists().where(belongs, DataCollectionDataset.dataset_id == dataset_id))
    return bool(session.scalar(statement))


def _find_publication(session: Session, dataset_ids: Sequence[int]) -> DataPublication | None:
    """Return the publication of exactly these datasets, if there is one."""
    of_publication = DataPublication.content_id == DataCollectionDataset.data_collection_id
    candidates = session.scalars(
        select(DataPublication)
        .join(DataCollectionDataset, of_publication)
        .where(DataCollectionDataset.dataset_id == dataset_ids[0])
        .order_by(DataPublication.id)
    )
    for publication in candidates.all():
        collected = select(DataCollectionDataset.dataset_id).where(
            DataCollectionDataset.data_collection_id == publication.content_id
        )
        if sorted(session.scalars(collected)) == list(dataset_ids):
            return publication
    return None


def _check_same(session: Session, known: DataPublication, request: PublicationRequest) -> None:
    """Raise AlreadyPublishedError if the publication says something else than what is asked."""
    parts = {
        "title": known.title == request.title,
        "licence": known.licence == request.licence.identifier,
        "abstract": known.description == request.abstract,
        "list of creators": _load_said(session, known.id)
        == [(person.full_name, person.orcid, sorted(person.affiliations)) for person in request.creators],
    }
    for part, is_same in parts.items():
        if not is_same:
            raise AlreadyPublishedError(known.pid, part)


def _load_said(session: Session, publication_id: int) -> list[tuple[str | None, str | None, list[str]]]:
    """Return name, ORCID iD and affiliations of the creators in their order."""
    people = session.execute(
        select(DataPublicationUser.id, DataPublicationUser.full_name, User.orcid_id)
        .join(User, User.id == DataPublicationUser.user_id)
        .where(DataPublicationUser.publication_id == publication_id)
        .order_by(DataPublicationUser.order_key)
    ).all()
    return [
        (name, orcid, sorted(session.scalars(select(Affiliation.name).where(Affiliation.user_id == person_id))))
        for person_id, name, orcid in people
    ]


def _make_free_doi(session: Session, prefix: str) -> str:
    while True:
        doi = make_doi(prefix)
        if session.scalar(select(DataPublication.id).where(DataPublication.pid == doi)) is None:
            return doi


def _insert_publication(
    session: Session, request: PublicationRequest, facility_id: int, doi: str, now: datetime
) -> DataPublication:
    collection = DataCollection(doi=doi)
    session.add(collection)
    session.flush()
    rows = [{"data_collection_id": collection.id, "dataset_id": each} for each in request.dataset_ids]
    session.execute(insert(DataCollectionDataset), rows)
    kind = PublicationKind.DATASET if len(request.dataset_ids) == 1 else PublicationKind.COLLECTION
    publication = DataPublication(
        facility_id=facility_id,
        content_id=collection.id,
        type_id=_get_type_id(session, facility_id, kind),
        pid=doi,
        title=request.title,
        licence=request.licence.identifier,
        description=request.abstract,
        publication_date=now,
    )
    session.add(publication)
    session.flush()
    return publication


def _get_type_id(session: Session, facility_id: int, kind: PublicationKind) -> int:
    key = {"facility_id": facility_id, "name": str(kind)}
    session.execute(insert_ignoring(session, DataPublicationType).values(**key))
    return session.scalars(select(DataPublicationType.id).filter_by(**key)).one()


def _insert_creator(session: Session, publication_id: int, order: int, creator: Creator) -> None:
    person = DataPublicationUser(
        publication_id=publication_id,
        user_id=_get_user_id(session, creator),
        contributor_type=CREATOR,
        order_key=f"{order:06}",
        full_name=creator.full_name,
        given_name=creator.given_name or None,
        family_name=creator.family_name,
    )
    session.add(person)
    session.flush()
    session.add_all(Affiliation(user_id=person.id, name=place) for place in creator.affiliations)


def _get_user_id(session: Session, creator: Creator) -> int:
    """Return the person: the one of that ORCID iD, else one of that name whom only publications name.

    Someone whom a file calls the same may be somebody else, and no name in a file has a slash.
    """
    if creator.orcid:
        known = session.scalar(select(func.min(User.id)).where(User.orcid_id == creator.orcid))
        if known is not None:
            return known
    name = f"orcid/{creator.orcid}" if creator.orcid else f"creator/{creator.full_name}"
    values = {
        "full_name": creator.full_name,
        "given_name": creator.given_name or None,
        "family_name": creator.family_name,
        "orcid_id": creator.orcid,
    }
    session.execute(insert_ignoring(session, User).values(name=name, **values))
    return session.scalars(select(User.id).where(User.name == name)).one()


def _insert_dates(session: Session, publication_id: int, content: Content, now: datetime) -> None:
    dates = {DateType.ISSUED: _to_date(now), DateType.AVAILABLE: _to_date(content.release_date)}
    start, end = content.start_date, content.end_date
    if start and end:
        dates[DateType.COLLECTED] = f"{_to_instant(start)}/{_to_instant(end)}" if end > start else _to_instant(start)
    session.add_all(
        DataPublicationDate(publication_id=publication_id, date_type=str(kind), date=date)
        for kind, date in dates.items()
    )


def _to_date(instant: datetime) -> str:
    return instant.date().isoformat()


def _to_instant(instant: datetime) -> str:
    return instant.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _insert_subjects(session: Session, publication: DataPublication) -> None:
    """Make the techniques of the datasets what the publication is about."""
    techniques = session.execute(
        select(Technique.name, Technique.pid)
        .join(DatasetTechnique, DatasetTechnique.technique_id == Technique.id)
        .join(DataCollectionDataset, DataCollectionDataset.dataset_id == DatasetTechnique.dataset_id)
        .where(DataCollectionDataset.data_collection_id == publication.content_id)
        .distinct()
        .order_by(Technique.name)
    ).all()
    for name, pid in techniques:
        subject = Subject(publication_id=publication.id, name=name, pid=pid)
        term = pid if pid and _ADDRESS.fullmatch(pid) else ""
        for beginning, (scheme, address) in _SCHEMES.items():
            if term.startswith(beginning):
                subject.subject_scheme, subject.scheme_uri, subject.value_uri = scheme, address, term
        session.add(subject)


def _mark_datasets(session: Session, dataset_ids: Sequence[int], publication: DataPublication) -> None:
    """Let a dataset that is published by itself carry the DOI; that is news to whoever copies what is said of any."""
    own = {"doi": publication.pid} if len(dataset_ids) == 1 else {}
    published = select(DataCollectionDataset.dataset_id).where(
        DataCollectionDataset.data_collection_id == publication.content_id
    )
    session.execute(update(Dataset).where(Dataset.id.in_(published)).values(revision=Dataset.revision + 1, **own))
