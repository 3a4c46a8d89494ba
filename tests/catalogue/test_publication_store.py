"""Datasets are published: what is stored, what is refused, and that one set has one DOI."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from ingest.catalogue.errors import ConflictError, NotFoundError, NotReleasedError
from ingest.catalogue.licences import get_licence
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
    Facility,
    Investigation,
    Subject,
    Technique,
    User,
)
from ingest.catalogue.publication_checks import SecretDatasetError, SeveralFacilitiesError
from ingest.catalogue.publication_request import Creator
from ingest.catalogue.publication_store import AlreadyPublishedError, is_published, store_publication
from ingest.catalogue.store import get_user_id
from tests.entities import END, FUTURE, PAST, START, add_dataset
from tests.publishing import ADA, BOB, NOW, ORCID, PREFIX, publish, said

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def add_datasets(session: Session, *words: str, **values: Any) -> list[int]:
    """Add datasets of one facility."""
    ids = [add_dataset(session, word, **values) for word in words]
    facility = session.scalars(select(Facility.id)).first()
    session.execute(update(Investigation).values(facility_id=facility))
    return ids


def count(session: Session, entity: Any) -> int:
    return session.scalar(select(func.count()).select_from(entity)) or 0


def test_dataset_is_stored_as_icat_has_it(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    doi = publish(session, dataset_id)
    publication = session.scalars(select(DataPublication)).one()
    assert re.fullmatch(r"10\.5072/[0-9a-z]{5}-[0-9a-z]{5}", doi)
    assert (publication.pid, publication.title, publication.licence) == (doi, "LaB6 at ID00", "CC-BY-4.0")
    assert (publication.description, publication.publication_date) == ("A standard.", NOW)
    assert session.scalars(select(DataPublicationType.name)).one() == "Dataset"
    assert session.get_one(DataCollection, publication.content_id).doi == doi
    links = session.execute(select(DataCollectionDataset.data_collection_id, DataCollectionDataset.dataset_id)).all()
    assert [tuple(link) for link in links] == [(publication.content_id, dataset_id)]
    dates = {row.date_type: row.date for row in session.scalars(select(DataPublicationDate))}
    assert dates == {
        "Issued": "2026-11-21",
        "Available": "2020-01-01",
        "Collected": "2019-03-04T09:30:00Z/2019-03-04T10:30:00Z",
    }


def test_people_stand_in_their_order_with_where_they_work(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    publish(session, dataset_id, creators=(BOB, ADA))
    rows = session.execute(select(DataPublicationUser, User).join(User).order_by(DataPublicationUser.order_key)).all()
    assert [(row[0].contributor_type, row[0].full_name, row[0].family_name, row[0].given_name) for row in rows] == [
        ("Creator", "Other, Bob", "Other", "Bob"),
        ("Creator", "Example, Ada", "Example", "Ada"),
    ]
    assert [(row[1].name, row[1].orcid_id) for row in rows] == [
        ("creator/Other, Bob", None),
        (f"orcid/{ORCID}", ORCID),
    ]
    places = session.execute(select(Affiliation.user_id, Affiliation.name)).all()
    assert [tuple(place) for place in places] == [(rows[1][0].id, "ESRF")]


def test_person_of_a_file_is_taken_by_orcid_and_never_by_name(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    ada = get_user_id(session, "Ada E.", ORCID)
    bob = get_user_id(session, "Other, Bob", "0000-0002-1694-233X")
    publish(session, dataset_id)
    taken = list(session.scalars(select(DataPublicationUser.user_id).order_by(DataPublicationUser.order_key)))
    assert taken[0] == ada
    assert taken[1] != bob


def test_techniques_become_subjects_with_the_terms_that_they_are(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    pids = {
        "tomography": "http://purl.org/pan-science/PaNET/PaNET01207",
        "XAS": "https://w3id.org/PaN/ESRFET/v0.1.0/#XAS",
        "hostile": 'http://purl.org/pan-science/PaNET/"><script>',
        "elsewhere": "https://example.org/x",
    }
    for name, pid in pids.items():
        technique = Technique(name=name, pid=pid)
        session.add(technique)
        session.flush()
        session.add(DatasetTechnique(dataset_id=dataset_id, technique_id=technique.id, origin="read"))
    publish(session, dataset_id)
    found = {row.name: (row.subject_scheme, row.scheme_uri, row.value_uri) for row in session.scalars(select(Subject))}
    nothing = (None, None, None)
    assert found == {
        "tomography": ("PaNET", "http://purl.org/pan-science/PaNET/PaNET.owl", pids["tomography"]),
        "XAS": ("ESRFET", "https://w3id.org/PaN/ESRFET", pids["XAS"]),
        "hostile": nothing,
        "elsewhere": nothing,
        "daisy diffraction": nothing,
    }


@pytest.mark.parametrize(
    ("dates", "collected"),
    [
        ({"start_date": None, "end_date": None}, None),
        ({"end_date": None}, "2019-03-04T09:30:00Z"),
        ({"end_date": START}, "2019-03-04T09:30:00Z"),
        ({"start_date": START + timedelta(microseconds=5)}, "2019-03-04T09:30:00Z/2019-03-04T10:30:00Z"),
    ],
)
def test_data_were_collected_when_their_datasets_say(
    session: Session, dates: dict[str, Any], collected: str | None
) -> None:
    (dataset_id,) = add_datasets(session, "daisy", **dates)
    publish(session, dataset_id)
    found = session.scalar(select(DataPublicationDate.date).where(DataPublicationDate.date_type == "Collected"))
    assert found == collected


def test_one_dataset_carries_its_doi_and_says_so_to_the_index(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    doi = publish(session, dataset_id)
    dataset = session.get_one(Dataset, dataset_id, populate_existing=True)
    assert (dataset.doi, dataset.revision) == (doi, 2)
    assert is_published(session, dataset_id)


def test_several_datasets_are_a_collection_under_one_doi(session: Session) -> None:
    ids = add_datasets(session, "daisy", "zinnia")
    other = add_dataset(session, "tulip")
    doi = publish(session, *ids)
    assert session.scalars(select(DataPublicationType.name)).one() == "Collection"
    assert sorted(session.scalars(select(DataCollectionDataset.dataset_id))) == ids
    assert list(session.scalars(select(DataCollection.doi))) == [doi]
    assert list(session.scalars(select(Dataset.doi))) == [None, None, None]
    assert [is_published(session, each) for each in (*ids, other)] == [True, True, False]
    assert [session.get_one(Dataset, each, populate_existing=True).revision for each in (*ids, other)] == [2, 2, 1]


def test_dates_of_a_collection_cover_all_its_datasets(session: Session) -> None:
    early = add_dataset(session, "daisy", start_date=START - timedelta(days=2), release_date=PAST - timedelta(days=9))
    late = add_dataset(session, "zinnia", end_date=END + timedelta(days=2))
    session.execute(update(Investigation).values(facility_id=1))
    publish(session, early, late)
    dates = {row.date_type: row.date for row in session.scalars(select(DataPublicationDate))}
    assert dates["Collected"] == "2019-03-02T09:30:00Z/2019-03-06T10:30:00Z"
    assert dates["Available"] == "2020-01-01"


def test_same_set_has_one_doi(session: Session) -> None:
    ids = add_datasets(session, "daisy", "zinnia")
    first = store_publication(session, said(*ids), PREFIX, NOW)
    again = store_publication(session, said(*ids), PREFIX, NOW + timedelta(days=1))
    assert (first.is_new, again.is_new) == (True, False)
    assert first.doi == again.doi
    assert count(session, DataPublication) == count(session, DataCollection) == 1
    alone = {publish(session, ids[0]), publish(session, ids[1]), first.doi}
    assert len(alone) == 3
    assert publish(session, ids[0]) in alone


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"title": "LaB6"}, "title"),
        ({"abstract": None}, "abstract"),
        ({"licence": get_licence("CC0-1.0")}, "licence"),
        ({"creators": (BOB, ADA)}, "list of creators"),
        ({"creators": (Creator("Example", "Ada", ORCID), BOB)}, "list of creators"),
        ({"creators": (Creator("Example", "Ada", None, ("ESRF",)), BOB)}, "list of creators"),
    ],
)
def test_same_set_with_something_else_said_is_refused_with_its_doi(
    session: Session, changes: dict[str, Any], part: str
) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    doi = publish(session, dataset_id)
    with pytest.raises(AlreadyPublishedError, match=f"as {re.escape(doi)}, with another {part}") as raised:
        publish(session, dataset_id, **changes)
    assert raised.value.doi == doi
    assert isinstance(raised.value, ConflictError)
    assert count(session, DataPublication) == 1


def test_dataset_that_is_not_there_is_named(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy")
    for wrong in (999, 0, -1):
        with pytest.raises(NotFoundError, match=f"no dataset {wrong}"):
            publish(session, *sorted((dataset_id, wrong)))
    assert count(session, DataPublication) == 0


@pytest.mark.parametrize(
    "values", [{"release_date": FUTURE}, {"release_date": None}, {"release_date": FUTURE, "is_metadata_public": True}]
)
def test_dataset_that_is_not_released_is_named(session: Session, values: dict[str, Any]) -> None:
    open_id = add_dataset(session, "zinnia")
    closed_id = add_dataset(session, "daisy", **values)
    with pytest.raises(NotReleasedError) as raised:
        publish(session, open_id, closed_id)
    assert raised.value.dataset_id == closed_id


def test_secret_dataset_is_never_published(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy", is_secret=True)
    with pytest.raises(SecretDatasetError) as raised:
        publish(session, dataset_id)
    assert raised.value.dataset_id == dataset_id


def test_datasets_of_two_facilities_have_no_one_publisher(session: Session) -> None:
    ids = [add_dataset(session, word) for word in ("daisy", "zinnia")]
    with pytest.raises(SeveralFacilitiesError) as raised:
        publish(session, *ids)
    assert raised.value.dataset_ids == tuple(ids)


def test_release_is_judged_by_the_given_clock(session: Session) -> None:
    (dataset_id,) = add_datasets(session, "daisy", release_date=NOW + timedelta(seconds=1))
    with pytest.raises(NotReleasedError):
        publish(session, dataset_id)
    publish(session, dataset_id, now=NOW + timedelta(seconds=1))


def test_a_doi_that_is_taken_is_not_given_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = add_datasets(session, "daisy", "zinnia")
    made = iter(["10.5072/same1-00000", "10.5072/same1-00000", "10.5072/other-00000"])
    monkeypatch.setattr("ingest.catalogue.publication_store.make_doi", lambda _prefix: next(made))
    assert [publish(session, each) for each in ids] == ["10.5072/same1-00000", "10.5072/other-00000"]


def test_many_datasets_are_checked_in_batches(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.catalogue.publication_checks.BATCH", 2)
    ids = add_datasets(session, "daisy", "zinnia", "tulip")
    publish(session, *ids)
    assert count(session, DataCollectionDataset) == 3
    with pytest.raises(NotFoundError, match="no dataset 999"):
        publish(session, *ids, 999)
