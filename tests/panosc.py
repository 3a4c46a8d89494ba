"""The records that PaNOSC's reference server is tested on, as this catalogue has them.

Four datasets of two documents, with the identifiers of the reference. Numbers are stored under our names and in our
units: 930 eV as 0.93 keV, 20 degrees Celsius as 293.15 K, 1064 nm as 10640 angstrom.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.catalogue.model import (
    Datafile,
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    InvestigationType,
    InvestigationUser,
    ParameterType,
    Root,
    Sample,
    Scan,
    Technique,
    User,
)
from tests.entities import PAST, to_master

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CREATED = datetime(2020, 5, 5, 15, 1, 2, 341000, tzinfo=UTC)
DATASETS = [f"20.500.12269/panosc-dataset{number}" for number in range(1, 5)]
DOCUMENTS = ["10.5072/panosc-document1", "10.5072/panosc-document2"]
INSTRUMENTS = {
    "LoKI": "20.500.12269/0f98fcf2-7bd7-430e-ad20-d47031ca8f71",
    "ODIN": "20.500.12269/125e8172-d0f4-4547-98be-a9db903a6269",
    "FREIA": "20.500.12269/f0637030-9f89-4398-8f01-09211145efa1",
    "HEIMDAL": "20.500.12269/d3dd2880-637a-40b5-9815-990453817f0e",
}
TECHNIQUES = {
    "20.500.12269/panosc-tech1": "small-angle neutron scattering",
    "20.500.12269/panosc-tech2": "x-ray absorption",
}
PANET = "http://purl.org/pan-science/PaNET/PaNET"
SAMPLE = "20.500.12269/panosc-sample1"
TYPES = {
    "chemical_formula": "",
    "sample_state": "",
    "InstrumentBeam_incident_energy": "keV",
    "Sample_temperature": "K",
    "InstrumentBeam_incident_wavelength": "angstrom",
}
PARAMETERS: list[tuple[int, str, str | float]] = [
    (0, "chemical_formula", "Cu"),
    (0, "sample_state", "solid"),
    (1, "InstrumentBeam_incident_energy", 0.93),
    (2, "Sample_temperature", 293.15),
    (3, "InstrumentBeam_incident_wavelength", 10640.0),
]


def add_reference(session: Session) -> None:
    """Add the records."""
    facility = _add(session, Facility(name="ESS"))
    root = _add(session, Root(path="/data/panosc", facility_id=facility.id))
    sample = _add(session, Sample(facility_id=facility.id, name="solid copper cylinder", pid=SAMPLE))
    techniques = [_add(session, Technique(pid=pid, name=name)) for pid, name in TECHNIQUES.items()]
    instruments = [
        _add(session, Instrument(facility_id=facility.id, name=name, pid=pid)) for name, pid in INSTRUMENTS.items()
    ]
    documents = [_add_document(session, facility.id, number) for number in range(2)]
    _add_members(session, documents)
    for number, doi in enumerate(DATASETS):
        dataset = _add_dataset(session, root.id, documents[number // 2], number, doi, sample_id=sample.id)
        session.add(DatasetInstrument(dataset_id=dataset.id, instrument_id=instruments[number].id))
        technique_id = techniques[number // 2].id
        session.add(DatasetTechnique(dataset_id=dataset.id, technique_id=technique_id, origin="read"))
    _add_parameters(session, facility.id)
    session.flush()


def _add_document(session: Session, facility_id: int, number: int) -> Investigation:
    name = ("publication", "proposal")[number]
    kind = _add(session, InvestigationType(facility_id=facility_id, name=name))
    return _add(
        session,
        Investigation(
            facility_id=facility_id,
            type_id=kind.id,
            name=f"document{number + 1}",
            visit_id="v1",
            title=f"PaNOSC Test {name.title()}",
            doi=DOCUMENTS[number],
        ),
    )


def _add_members(session: Session, documents: list[Investigation]) -> None:
    people = [
        _add(session, User(name=name, full_name=name, affiliation="ESS")) for name in ("John Smith", "James Chadwick")
    ]
    for number, document in enumerate(documents):
        # In each document the other one is the principal investigator.
        roles = ("principal investigator", "owner")
        for person, role in zip(people if number == 0 else people[::-1], roles, strict=True):
            session.add(InvestigationUser(user_id=person.id, investigation_id=document.id, role=role))


def _add_dataset(
    session: Session, root_id: int, document: Investigation, number: int, doi: str, **values: Any
) -> Dataset:
    master = _add(session, to_master(root_id, f"/data/panosc/{number}.h5"))
    dataset = _add(
        session,
        Dataset(
            investigation_id=document.id,
            master_file_id=master.id,
            name=f"dataset{number + 1}",
            title=f"PaNOSC Test Dataset {number + 1}",
            location="/data/panosc",
            doi=doi,
            is_complete=True,
            start_date=CREATED,
            file_count=1,
            file_size=1000 * (number + 1),
            release_date=PAST,
            rules="nexus",
            rules_version="1",
            content_digest="",
            listing_digest="",
            **values,
        ),
    )
    scan = Scan(dataset_id=dataset.id, ordinal=0, entry_name="/1.1", is_ended=True, sample_id=dataset.sample_id)
    session.add(scan)
    name = f"panosc-file{number + 1}.hdf"
    session.add(Datafile(dataset_id=dataset.id, ordinal=0, name=name, file_size=1000, mtime_ns=1))
    return dataset


def _add_parameters(session: Session, facility_id: int) -> None:
    kinds = {
        name: _add(
            session,
            ParameterType(facility_id=facility_id, name=name, units=unit, value_type="NUMERIC" if unit else "STRING"),
        )
        for name, unit in TYPES.items()
    }
    datasets = {dataset.doi: dataset.id for dataset in session.query(Dataset)}
    for number, name, value in PARAMETERS:
        said = {"string_value": value} if isinstance(value, str) else {"numeric_value": value}
        session.add(
            DatasetParameter(dataset_id=datasets[DATASETS[number]], type_id=kinds[name].id, origin="read", **said)
        )
        session.flush()


def _add(session: Session, entity: Any) -> Any:
    session.add(entity)
    session.flush()
    return entity
