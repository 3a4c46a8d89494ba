"""Publications as a viewer may see them: what stays under embargo, what goes, and what is secret."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, update

from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.model import (
    Datafile,
    Dataset,
    DatasetParameter,
    Facility,
    Instrument,
    Investigation,
    ParameterType,
    Root,
    Scan,
)
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.publication_data import SHOWN_DATASETS, SHOWN_FILES
from ingest.catalogue.publication_views import (
    DataView,
    DateType,
    PublicationKind,
    PublishedFile,
    PublishedInstrument,
    Span,
    Term,
)
from ingest.catalogue.publications import get_publication, list_publications
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR
from tests.entities import FUTURE, PAST, add_dataset
from tests.publishing import ADA, BOB, NOW, publish

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ingest.catalogue.publication_views import PublicationView

SOON = NOW + timedelta(days=20)


@pytest.fixture
def ids(session: Session) -> list[int]:
    made = [add_dataset(session, word) for word in ("daisy", "zinnia")]
    session.execute(update(Investigation).values(facility_id=1))
    return made


def change(session: Session, dataset_id: int, **values: Any) -> None:
    session.execute(update(Dataset).where(Dataset.id == dataset_id).values(**values))


def see(session: Session, doi: str, viewer: Any = ANONYMOUS, now: Any = NOW) -> PublicationView:
    return get_publication(session, viewer, now, doi)


def test_publication_tells_what_was_said(session: Session, ids: list[int]) -> None:
    found = see(session, publish(session, ids[0]))
    assert (found.kind, found.title, found.abstract) == (PublicationKind.DATASET, "LaB6 at ID00", "A standard.")
    assert (found.creators, found.licence.identifier, found.publication_date) == ((ADA, BOB), "CC-BY-4.0", NOW)
    assert (found.publisher, found.publisher_address) == ("daisy facility", None)
    assert (found.is_open, found.embargo_end, found.part_dois) == (True, None, ())
    assert found.dates[DateType.AVAILABLE] == "2020-01-01"
    assert found.terms == (Term("daisy diffraction"),)


def test_publisher_is_called_in_full_and_linked_where_it_has_an_address(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    session.execute(update(Facility).values(full_name="The Daisy Source", url="https://daisy.example.org"))
    assert see(session, doi).publisher == "The Daisy Source"
    assert see(session, doi).publisher_address == "https://daisy.example.org"
    session.execute(update(Facility).values(url="javascript:alert(1)"))
    assert see(session, doi).publisher_address is None


def test_doi_is_found_in_any_case(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    assert see(session, doi.upper()).doi == doi
    with pytest.raises(NotFoundError, match=r"no publication 10\.5072/NONE"):
        see(session, "10.5072/NONE")


def test_data_are_told_as_they_are_now(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    change(session, ids[0], file_count=3, file_size=33, name="renamed")
    session.execute(update(Instrument).where(Instrument.name == "daisy-bm").values(full_name="The Daisy Beamline"))
    data = see(session, doi).data
    assert [dataset.name for dataset in data.datasets] == ["renamed"]
    assert (data.dataset_count, data.file_count, data.file_size) == (1, 3, 33)
    assert (data.open_file_count, data.open_file_size, data.open_dataset_ids) == (3, 33, (ids[0],))
    assert data.files == (PublishedFile(ids[0], "daisy_0000.h5", 10),)
    assert data.samples == ("daisy sample",)
    assert data.instruments == (PublishedInstrument("daisy-bm", "The Daisy Beamline"),)
    assert data.techniques == ("daisy diffraction",)
    assert data.spans == (Span("energy", "keV", 12.4, 12.4),)


def test_key_parameters_of_a_collection_are_spans_over_its_datasets(session: Session, ids: list[int]) -> None:
    doi = publish(session, *ids)
    types = {row.name: row for row in session.scalars(select(ParameterType).where(ParameterType.facility_id == 1))}
    energy = types["InstrumentBeam_incident_energy"]
    mono = ParameterType(facility_id=1, name="InstrumentMonochromator_energy", units="keV", value_type="NUMERIC")
    kelvin = ParameterType(facility_id=1, name="Sample_temperature", units="K", value_type="NUMERIC")
    session.add_all([mono, kelvin])
    session.flush()
    common = {"layer": 1, "origin": "read", "dataset_id": ids[1]}
    session.add_all(
        [
            DatasetParameter(type_id=energy.id, range_bottom=7.0, range_top=20.0, **common),
            DatasetParameter(type_id=energy.id, numeric_value=1.0, is_shown=False, **common),
            DatasetParameter(type_id=mono.id, numeric_value=99.0, **common),
            DatasetParameter(type_id=kelvin.id, numeric_value=-math.inf, **common),
        ]
    )
    session.flush()
    assert see(session, doi).data.spans == (Span("energy", "keV", 7.0, 20.0),)
    session.execute(update(DatasetParameter).where(DatasetParameter.type_id == energy.id).values(is_shown=False))
    assert see(session, doi).data.spans == (Span("energy", "keV", 99.0, 99.0),)


def test_parts_that_have_their_own_doi_are_told(session: Session, ids: list[int]) -> None:
    own = publish(session, ids[1])
    found = see(session, publish(session, *ids))
    assert (found.kind, found.part_dois) == (PublicationKind.COLLECTION, (own,))
    assert see(session, own).part_dois == ()


@pytest.mark.parametrize("date", [FUTURE, None])
def test_embargo_leaves_title_people_and_dates_and_nothing_else(session: Session, ids: list[int], date: Any) -> None:
    doi = publish(session, ids[0])
    change(session, ids[0], release_date=date)
    found = see(session, doi)
    assert (found.title, found.creators, found.abstract) == ("LaB6 at ID00", (ADA, BOB), "A standard.")
    assert DateType.COLLECTED in found.dates
    assert (found.is_open, found.embargo_end) == (False, date)
    assert found.data == DataView()
    assert found.terms == ()


def test_operator_sees_the_data_under_embargo_and_that_there_is_one(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    change(session, ids[0], release_date=FUTURE)
    found = see(session, doi, OPERATOR)
    assert (found.is_open, found.embargo_end) == (False, FUTURE)
    assert found.data.files
    assert found.data.samples == ("daisy sample",)


def test_public_metadata_are_told_under_embargo_and_no_file_is(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    change(session, ids[0], release_date=FUTURE, is_metadata_public=True)
    data = see(session, doi).data
    assert (data.samples, data.file_count) == (("daisy sample",), 1)
    assert (data.files, data.open_file_count, data.open_dataset_ids) == ((), 0, ())
    assert see(session, doi).terms == (Term("daisy diffraction"),)


def test_embargo_ends_by_the_clock_of_the_request(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    change(session, ids[0], release_date=SOON)
    assert see(session, doi).embargo_end == SOON
    assert see(session, doi, now=SOON).is_open
    assert see(session, doi, now=SOON).data.files


def test_embargo_that_is_still_far_off_is_known_from_the_investigation(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    change(session, ids[0], release_date=None)
    root_id = session.scalars(select(Root.id)).first()
    session.execute(update(Investigation).values(root_id=root_id, release_date=FUTURE))
    assert see(session, doi).embargo_end == FUTURE
    session.execute(update(Root).where(Root.id == root_id).values(release_years=5))
    assert see(session, doi).embargo_end == FUTURE
    other = Root(path="/elsewhere", facility_id=1, release_years=9)
    session.add(other)
    session.flush()
    session.execute(update(Investigation).values(root_id=other.id))
    assert see(session, doi).embargo_end is None


def test_embargo_of_a_collection_ends_with_its_last(session: Session, ids: list[int]) -> None:
    doi = publish(session, *ids)
    change(session, ids[0], release_date=SOON)
    found = see(session, doi)
    assert (found.is_open, found.embargo_end) == (False, SOON)
    assert [dataset.id for dataset in found.data.datasets] == [ids[1]]
    assert {file.dataset_id for file in found.data.files} == {ids[1]}
    assert found.terms == (Term("zinnia diffraction"),)
    change(session, ids[1], release_date=FUTURE)
    assert see(session, doi).embargo_end == FUTURE
    change(session, ids[1], release_date=None)
    assert see(session, doi).embargo_end is None


def test_what_became_secret_is_not_there(session: Session, ids: list[int]) -> None:
    own = publish(session, ids[0])
    doi = publish(session, *ids)
    change(session, ids[0], is_secret=True, release_date=FUTURE)
    found = see(session, doi)
    assert [dataset.id for dataset in found.data.datasets] == [ids[1]]
    assert (found.is_open, found.part_dois, found.terms) == (True, (), (Term("zinnia diffraction"),))
    assert DateType.COLLECTED not in found.dates
    assert DateType.ISSUED in found.dates
    assert see(session, doi, OPERATOR).part_dois == (own,)
    change(session, ids[1], is_secret=True)
    with pytest.raises(NotFoundError, match=f"no publication {doi}"):
        see(session, doi)
    assert see(session, doi, OPERATOR).title == "LaB6 at ID00"


def test_only_the_first_of_many_are_shown_and_all_are_counted(session: Session) -> None:
    ids = [add_dataset(session, f"daisy{number}") for number in range(SHOWN_DATASETS + 1)]
    session.execute(update(Investigation).values(facility_id=1))
    data = see(session, publish(session, *ids)).data
    assert [dataset.id for dataset in data.datasets] == ids[:-1]
    assert list(data.open_dataset_ids) == ids[:-1]
    assert (data.dataset_count, data.file_count) == (len(ids), len(ids))


def test_only_the_first_files_that_are_there_are_named(session: Session) -> None:
    dataset_id = add_dataset(session, "daisy", files=SHOWN_FILES + 2)
    doi = publish(session, dataset_id)
    session.execute(update(Datafile).where(Datafile.ordinal == 1).values(is_vanished=True))
    data = see(session, doi).data
    assert len(data.files) == SHOWN_FILES
    assert [file.name for file in data.files[:2]] == ["daisy_0000.h5", "daisy_0002.h5"]
    assert data.open_file_count == SHOWN_FILES + 2


def test_sample_of_a_withdrawn_scan_is_not_told(session: Session, ids: list[int]) -> None:
    doi = publish(session, ids[0])
    session.execute(update(Scan).values(is_withdrawn=True))
    assert see(session, doi).data.samples == ()


def test_list_has_the_newest_first_and_goes_on(session: Session, ids: list[int]) -> None:
    dois = [publish(session, ids[0]), publish(session, ids[1]), publish(session, *ids)]
    page = list_publications(session, ANONYMOUS, PageRequest(limit=2))
    assert [item.doi for item in page.items] == [dois[2], dois[1]]
    assert (page.items[0].kind, page.items[0].licence) == (PublicationKind.COLLECTION, "CC-BY-4.0")
    assert (page.items[0].publisher, page.items[0].publication_date) == ("daisy facility", NOW)
    rest = list_publications(session, ANONYMOUS, PageRequest(limit=2, cursor=page.next_cursor))
    assert [item.doi for item in rest.items] == [dois[0]]
    assert rest.next_cursor is None


def test_list_leaves_out_what_is_all_secret(session: Session, ids: list[int]) -> None:
    own, both = publish(session, ids[0]), publish(session, *ids)
    change(session, ids[0], is_secret=True)
    change(session, ids[1], release_date=FUTURE)
    assert [item.doi for item in list_publications(session, ANONYMOUS).items] == [both]
    assert [item.doi for item in list_publications(session, OPERATOR).items] == [both, own]
    change(session, ids[1], is_secret=True, release_date=PAST)
    assert list_publications(session, ANONYMOUS).items == ()
