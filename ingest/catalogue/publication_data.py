"""What the data of a publication say, of those datasets only that the viewer may find: read as it is now."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, func, select

from ingest.catalogue.model import (
    DataCollectionDataset,
    Datafile,
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Instrument,
    ParameterType,
    Sample,
    Scan,
    Technique,
)
from ingest.catalogue.publication_views import DataView, PublishedFile, PublishedInstrument, Span
from ingest.catalogue.summaries import load_summaries
from ingest.catalogue.visibility import Viewer, may_find, may_open_files

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

SHOWN_DATASETS: Final = 100
SHOWN_FILES: Final = 101
"""One more than what is linked singly, to know whether there are more."""
SHOWN_NAMES: Final = 50
KEY_PARAMETERS: Final = {
    "energy": ("InstrumentBeam_incident_energy", "InstrumentMonochromator_energy"),
    "wavelength": ("InstrumentBeam_incident_wavelength", "InstrumentMonochromator_wavelength"),
    "flux": ("InstrumentBeam_flux",),
    "sample temperature": ("Sample_temperature",),
    "sample pressure": ("Sample_pressure",),
    "magnetic field at the sample": ("Sample_magnetic_field",),
    "sample thickness": ("Sample_thickness",),
    "detector distance": ("InstrumentDetector01_distance",),
    "pixel size": ("InstrumentDetector01_x_pixel_size",),
    "exposure time": ("Scan_exposure_time",),
}
"""What tells a reader whether the data are of use to them, in the order of interest: what people call it, and the
parameters that say so, of which the first that is known is shown."""


def collects(content_id: Any) -> ColumnElement[bool]:
    """Return the condition that ties Dataset to a collection, through the row that puts it there."""
    return and_(DataCollectionDataset.data_collection_id == content_id, DataCollectionDataset.dataset_id == Dataset.id)


def select_ids(content_id: int, condition: ColumnElement[bool]) -> Select[int]:
    """Return the ids of those datasets of the collection for which the condition holds."""
    return select(Dataset.id).join(DataCollectionDataset, collects(content_id)).where(condition)


def load_data(session: Session, viewer: Viewer, now: datetime, content_id: int, facility_id: int) -> DataView:
    """Return what the collection's data say, in a number of queries that does not depend on how many there are."""
    visible = select_ids(content_id, may_find(viewer, now))
    opened = select_ids(content_id, may_open_files(viewer, now))
    shown = session.scalars(visible.order_by(Dataset.id).limit(SHOWN_DATASETS)).all()
    if not shown:
        return DataView()
    summaries = load_summaries(session, viewer, now, shown)
    return DataView(
        datasets=tuple(summaries[dataset_id] for dataset_id in shown),
        **_load_sums(session, visible, opened),
        files=_load_files(session, opened),
        open_dataset_ids=tuple(session.scalars(opened.order_by(Dataset.id).limit(SHOWN_DATASETS))),
        samples=_load_samples(session, visible),
        instruments=_load_instruments(session, visible),
        techniques=_load_techniques(session, visible),
        spans=_load_spans(session, visible, facility_id),
    )


def _load_sums(session: Session, visible: Select[int], opened: Select[int]) -> dict[str, int]:
    sums = (func.count(), func.coalesce(func.sum(Dataset.file_count), 0), func.coalesce(func.sum(Dataset.file_size), 0))
    count, files, size = session.execute(select(*sums).where(Dataset.id.in_(visible))).one()
    _, open_files, open_size = session.execute(select(*sums).where(Dataset.id.in_(opened))).one()
    return {
        "dataset_count": count,
        "file_count": int(files),
        "file_size": int(size),
        "open_file_count": int(open_files),
        "open_file_size": int(open_size),
    }


def _load_files(session: Session, opened: Select[int]) -> tuple[PublishedFile, ...]:
    statement = (
        select(Datafile.dataset_id, Datafile.name, Datafile.file_size)
        .where(Datafile.dataset_id.in_(opened), Datafile.is_vanished.is_(False))
        .order_by(Datafile.dataset_id, Datafile.ordinal)
        .limit(SHOWN_FILES)
    )
    return tuple(PublishedFile(*row) for row in session.execute(statement))


def _load_samples(session: Session, visible: Select[int]) -> tuple[str, ...]:
    statement = (
        select(Sample.name)
        .join(Scan, Scan.sample_id == Sample.id)
        .where(Scan.dataset_id.in_(visible), Scan.is_withdrawn.is_(False))
        .distinct()
        .order_by(Sample.name)
        .limit(SHOWN_NAMES)
    )
    return tuple(session.scalars(statement))


def _load_instruments(session: Session, visible: Select[int]) -> tuple[PublishedInstrument, ...]:
    statement = (
        select(Instrument.name, Instrument.full_name)
        .join(DatasetInstrument, DatasetInstrument.instrument_id == Instrument.id)
        .where(DatasetInstrument.dataset_id.in_(visible))
        .distinct()
        .order_by(Instrument.name)
        .limit(SHOWN_NAMES)
    )
    return tuple(PublishedInstrument(*row) for row in session.execute(statement))


def _load_techniques(session: Session, visible: Select[int]) -> tuple[str, ...]:
    statement = (
        select(Technique.name)
        .join(DatasetTechnique, DatasetTechnique.technique_id == Technique.id)
        .where(DatasetTechnique.dataset_id.in_(visible))
        .distinct()
        .order_by(Technique.name)
        .limit(SHOWN_NAMES)
    )
    return tuple(session.scalars(statement))


def _load_spans(session: Session, visible: Select[int], facility_id: int) -> tuple[Span, ...]:
    """Return the key parameters over all datasets; each sums up in its own what differs from scan to scan."""
    bottom = func.min(func.coalesce(DatasetParameter.range_bottom, DatasetParameter.numeric_value))
    top = func.max(func.coalesce(DatasetParameter.range_top, DatasetParameter.numeric_value))
    names = [name for candidates in KEY_PARAMETERS.values() for name in candidates]
    rows = session.execute(
        select(ParameterType.name, ParameterType.units, bottom, top)
        .join(DatasetParameter, DatasetParameter.type_id == ParameterType.id)
        .where(ParameterType.facility_id == facility_id, ParameterType.name.in_(names))
        .where(DatasetParameter.dataset_id.in_(visible))
        .where(DatasetParameter.scan_id.is_(None), DatasetParameter.is_shown.is_(True))
        .group_by(ParameterType.id, ParameterType.name, ParameterType.units)
    )
    known = {
        name: (unit, least, most)
        for name, unit, least, most in rows
        if least is not None and most is not None and isfinite(least) and isfinite(most)
    }
    chosen = {label: next((n for n in names if n in known), None) for label, names in KEY_PARAMETERS.items()}
    return tuple(Span(label, *known[name]) for label, name in chosen.items() if name)
