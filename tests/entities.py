"""Datasets in the database without files: every text of one holds a word of its own, so that a leak is seen."""

from __future__ import annotations

import json
import shutil
import zlib
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from ingest.catalogue.database import make_engine, make_write_sessions
from ingest.catalogue.indexing import find_unindexed, load_documents, mark_indexed
from ingest.catalogue.model import (
    Datafile,
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    InvestigationInstrument,
    InvestigationSample,
    Layer,
    MasterFile,
    MasterRecord,
    MasterState,
    ParameterType,
    Root,
    Sample,
    SampleType,
    Scan,
    Technique,
)
from ingest.catalogue.schema import upgrade_schema
from ingest.catalogue.search.engines import open_index
from ingest.catalogue.settings import CatalogueSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session, sessionmaker


PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2999, 1, 1, tzinfo=UTC)
START = datetime(2019, 3, 4, 9, 30, tzinfo=UTC)
END = datetime(2019, 3, 4, 10, 30, tzinfo=UTC)
_numbers = count(1)


@dataclass(frozen=True)
class Catalogue:
    """A catalogue that a test fills."""

    settings: CatalogueSettings
    engine: Engine
    sessions: sessionmaker[Session]

    def index_all(self) -> None:
        """Leave the index knowing all datasets."""
        with closing(open_index(self.settings)) as index, self.sessions.begin() as session:
            documents = load_documents(session, find_unindexed(session, 1000))
            index.write(documents)
            mark_indexed(session, documents)


def write_migrated(folder: Path) -> Path:
    """Leave an empty database in the data folder, to be copied: migrations take longer than all the rest."""
    engine = make_engine(CatalogueSettings(data=folder, database_url=None).effective_database_url)
    upgrade_schema(engine)
    engine.dispose()
    return folder


@contextmanager
def opened_copy(migrated: Path, folder: Path, database: str | None = None) -> Iterator[Catalogue]:
    """Yield an empty catalogue in the folder; its database may lie elsewhere."""
    if database is None:
        shutil.copytree(migrated, folder)
    settings = CatalogueSettings(data=folder, database_url=database)
    engine = make_engine(settings.effective_database_url)
    yield Catalogue(settings, engine, make_write_sessions(engine))
    engine.dispose()


def add_dataset(
    session: Session, word: str, *, scans: int = 1, files: int = 1, beside: int | None = None, **values: Any
) -> int:
    """Add an open dataset with all that belongs to one, its texts made of the word; return its id.

    One that is added beside another has its investigation, and shares what has the same name. Further keywords set
    columns of Dataset instead of what stands here.
    """
    if beside is None:
        facility_id = _add(session, Facility(name=f"{word} facility"))
        root_id = _add(session, Root(path=f"/data/{word}-{next(_numbers)}", facility_id=facility_id))
        visit = Investigation(facility_id=facility_id, name=word, visit_id="v1", title=f"{word} proposal")
        investigation_id = _add(session, visit)
    else:
        first = session.get_one(Dataset, beside)
        investigation_id = first.investigation_id
        facility_id = session.get_one(Investigation, investigation_id).facility_id
        root_id = session.get_one(MasterFile, first.master_file_id).root_id
    sample_id = _add_sample(session, session.get_one(Investigation, investigation_id), word)
    columns: dict[str, Any] = {
        "investigation_id": investigation_id,
        "master_file_id": _add(session, to_master(root_id, f"/data/{word}/{next(_numbers)}.h5")),
        "sample_id": sample_id,
        "name": f"{word}_0001",
        "location": f"/data/{word}",
        "is_complete": True,
        "start_date": START,
        "end_date": END,
        "file_count": files,
        "file_size": files * 10,
        "release_date": PAST,
        "rules": "nexus",
        "rules_version": "1",
        "flags": [f"{word} puzzles"],
        "linked_files": {
            "counts": {"missing": 1},
            "outside": 0,
            "unlisted": 0,
            "lacking": [{"file": f"{word}_gone.h5", "path": "/1.1/gone", "kind": "external", "state": "missing"}],
        },
        "motors": [{"name": f"{word}y", "path": "/1.1/y", "value": 0.5, "unit": "mm"}],
        "content_digest": "",
        "listing_digest": "",
    }
    dataset_id = _add(session, Dataset(**(columns | values)))
    _add_links(session, facility_id, dataset_id, sample_id, word)
    session.add(to_record(session.get_one(Dataset, dataset_id).master_file_id, word))
    scan_ids = [_add(session, _to_scan(dataset_id, sample_id, ordinal, word)) for ordinal in range(scans)]
    add_parameters(session, facility_id, dataset_id, scan_ids, word)
    names = [f"{word}_{ordinal:04}.h5" for ordinal in range(files)]
    session.add_all(
        Datafile(dataset_id=dataset_id, ordinal=n, name=name, file_size=10, mtime_ns=1_600_000_000_123_456_789)
        for n, name in enumerate(names)
    )
    session.flush()
    return dataset_id


def add_parameters(session: Session, facility_id: int, dataset_id: int, scan_ids: list[int], word: str) -> None:
    """Add a quantity and a text of the dataset, under names of its own, and a quantity of each scan."""
    quantity = ParameterType(facility_id=facility_id, name=f"{word}_pressure", units="Pa", value_type="NUMERIC")
    energy = ParameterType(
        facility_id=facility_id, name="InstrumentBeam_incident_energy", units="keV", value_type="NUMERIC"
    )
    text = ParameterType(facility_id=facility_id, name=f"{word}_remark", units="", value_type="STRING")
    quantity_id, energy_id, text_id = (_have(session, each, "facility_id", "name") for each in (quantity, energy, text))
    common = {"dataset_id": dataset_id, "layer": int(Layer.FILE), "origin": "read"}
    session.add_all(
        [
            DatasetParameter(
                type_id=quantity_id, numeric_value=5.0, original_value="50", original_unit="ubar", **common
            ),
            DatasetParameter(type_id=energy_id, numeric_value=12.4, source_path="/1.1/energy", **common),
            DatasetParameter(type_id=text_id, string_value=f"{word} as it is", **common),
            *(
                DatasetParameter(type_id=energy_id, scan_id=scan_id, numeric_value=12.5, **common)
                for scan_id in scan_ids
            ),
        ]
    )


def to_master(root_id: int, path: str, **values: Any) -> MasterFile:
    """Return a master that was read, or with the keywords another one."""
    columns: dict[str, Any] = {"state": MasterState.INGESTED, "file_size": 10, "mtime_ns": 1, "seen_at": PAST}
    return MasterFile(root_id=root_id, path=path, **(columns | values))


def to_record(master_file_id: int, word: str, **members: Any) -> MasterRecord:
    """Return a record as the reader leaves it, with a title that is the word; keywords set members of it."""
    entry = {"path": "/1.1", "nx_class": "NXentry", "fields": [{"name": "title", "dtype": "string", "value": word}]}
    record = {"format": 1, "kind": "hdf5-nexus", "root": {"path": "/", "nx_class": "NXroot"}, "entries": [entry]}
    document = zlib.compress(json.dumps(record | members).encode())
    return MasterRecord(master_file_id=master_file_id, format=1, document=document)


def _add(session: Session, entity: Any) -> int:
    session.add(entity)
    session.flush()
    return int(entity.id)


def _have(session: Session, entity: Any, *key: str) -> int:
    """Return the id of the one with the same key, which is added if there is none."""
    found = session.query(type(entity)).filter_by(**{name: getattr(entity, name) for name in key}).one_or_none()
    return _add(session, entity) if found is None else int(found.id)


def _add_sample(session: Session, visit: Investigation, word: str) -> int:
    kind = SampleType(name=f"{word}O2", molecular_formula=f"{word}O2")
    type_id = _have(session, kind, "name", "molecular_formula")
    sample = Sample(facility_id=visit.facility_id, proposal=visit.name, name=f"{word} sample", type_id=type_id)
    return _have(session, sample, "facility_id", "proposal", "name")


def _add_links(session: Session, facility_id: int, dataset_id: int, sample_id: int, word: str) -> None:
    instrument_id = _have(session, Instrument(facility_id=facility_id, name=f"{word}-bm"), "facility_id", "name")
    technique_id = _have(session, Technique(name=f"{word} diffraction"), "name")
    dataset = session.get_one(Dataset, dataset_id)
    of_investigation = {"investigation_id": dataset.investigation_id}
    session.merge(InvestigationInstrument(instrument_id=instrument_id, **of_investigation))
    session.merge(InvestigationSample(sample_id=sample_id, **of_investigation))
    session.add(DatasetInstrument(dataset_id=dataset_id, instrument_id=instrument_id))
    session.add(DatasetTechnique(dataset_id=dataset_id, technique_id=technique_id, origin="read"))


def _to_scan(dataset_id: int, sample_id: int, ordinal: int, word: str) -> Scan:
    return Scan(
        dataset_id=dataset_id,
        ordinal=ordinal,
        entry_name=f"/{ordinal + 1}.1",
        title=f"{word} loop {ordinal}",
        definition=f"NX{word}",
        start_date=START,
        end_date=END,
        is_ended=True,
        probe=f"{word}-ray",
        sample_id=sample_id,
        detectors=[{"name": f"{word}cam", "path": f"/{ordinal + 1}.1/cam", "label": None}],
        motors=[{"name": f"{word}x", "path": f"/{ordinal + 1}.1/x", "unit": "mm", "low": 0.0, "high": 1.0}],
        counters=[{"name": f"{word}diode", "path": f"/{ordinal + 1}.1/diode", "shape": [11]}],
        users=[{"name": f"Ada {word}", "role": None, "path": "/1.1/user/name"}],
        sources={"title": {"path": "/1.1/title", "original": f"{word} loop", "origin": "read"}},
    )
