"""Functions over a Session that find, make and replace entities. None commits, opens a file or knows of the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from ingest.catalogue.database import insert_ignoring, upsert
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.model import (
    Base,
    Dataset,
    DatasetParameter,
    Facility,
    Instrument,
    Investigation,
    InvestigationFile,
    Layer,
    ParameterType,
    Sample,
    SampleType,
    Scan,
    Technique,
    User,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

INSERT_BATCH = 1000
STATED = "stated"
"""How a person's value came about."""


class ParameterUnitError(CatalogueError):
    """A parameter arrives in another unit than its type has: the rule that filled it is wrong."""

    def __init__(self, name: str, unit: str, known: str) -> None:
        self.name, self.unit, self.known = name, unit, known
        super().__init__(
            f"parameter {name} is kept in {known or 'no unit'}, a rule gave it in {unit or 'no unit'}: "
            f"let the rule give it in {known or 'no unit'}, or call the parameter otherwise"
        )


def get_facility_id(session: Session, name: str) -> int:
    """Return the facility of that name, made if it was not there."""
    return _get_or_make(session, Facility, {"name": name})


def get_instrument_id(session: Session, facility_id: int, name: str, full_name: str | None) -> int:
    """Return the instrument of that name, made and marked inferred if it was not there."""
    return _get_or_make(session, Instrument, {"facility_id": facility_id, "name": name}, {"full_name": full_name})


def get_user_id(session: Session, name: str, orcid_id: str | None) -> int:
    """Return the person of that name, made if it was not there."""
    return _get_or_make(session, User, {"name": name}, {"full_name": name, "orcid_id": orcid_id})


def get_technique_id(session: Session, name: str, pid: str | None) -> int:
    """Return the technique of that name, made if it was not there."""
    return _get_or_make(session, Technique, {"name": name}, {"pid": pid})


def get_sample_id(
    session: Session, facility_id: int, proposal: str, name: str, formula: str | None, pid: str | None
) -> int:
    """Return the sample of that persistent identifier, or of that name in the proposal; made if it was not there."""
    known = session.scalar(select(Sample.id).where(Sample.pid == pid)) if pid else None
    if known is not None:
        return known
    key = {"facility_id": facility_id, "proposal": proposal, "name": name}
    type_id = _get_or_make(session, SampleType, {"name": formula, "molecular_formula": formula}) if formula else None
    sample_id = _get_or_make(session, Sample, key, {"type_id": type_id, "pid": pid})
    if type_id is not None:
        session.execute(update(Sample).where(Sample.id == sample_id, Sample.type_id.is_(None)).values(type_id=type_id))
    return sample_id


@dataclass(frozen=True, slots=True)
class WantedType:
    """A parameter type as a draft needs it."""

    name: str
    unit: str
    value_type: str
    description: str | None


def get_parameter_type_ids(session: Session, facility_id: int, wanted: Sequence[WantedType]) -> dict[str, int]:
    """Return the id of each parameter type by its name, made if it was not there.

    Raises ParameterUnitError if one is kept in another unit.
    """
    known: dict[str, Any] = _recall(session).setdefault((ParameterType, facility_id), {})
    missing = [each for each in wanted if each.name not in known]
    if missing:
        find = select(ParameterType.name, ParameterType.id, ParameterType.units).where(
            ParameterType.facility_id == facility_id, ParameterType.name.in_([each.name for each in missing])
        )
        known.update((row.name, row) for row in session.execute(find))
        missing = [each for each in missing if each.name not in known]
    if missing:
        rows = [
            {
                "facility_id": facility_id,
                "name": each.name,
                "units": each.unit,
                "value_type": each.value_type,
                "description": each.description,
            }
            for each in missing
        ]
        session.execute(insert_ignoring(session, ParameterType).values(rows))
        known.update((row.name, row) for row in session.execute(find))
    check_units(wanted, {each.name: known[each.name].units for each in wanted})
    return {each.name: known[each.name].id for each in wanted}


def check_units(wanted: Iterable[WantedType], known: Mapping[str, str]) -> None:
    """Raise ParameterUnitError if one of the types is kept in another unit; `known` are the units by name."""
    for each in wanted:
        if known.get(each.name, each.unit) != each.unit:
            raise ParameterUnitError(each.name, each.unit, known[each.name])


def list_units(session: Session, facility_id: int) -> dict[str, str]:
    """Return in which unit each of a facility's parameter types is kept."""
    rows = session.execute(
        select(ParameterType.name, ParameterType.units).where(ParameterType.facility_id == facility_id)
    )
    return {row.name: row.units for row in rows}


def get_investigation(session: Session, facility_id: int, name: str, visit_id: str, **values: Any) -> Investigation:
    """Return the investigation of that proposal and visit, made with the other values if it was not there."""
    key = {"facility_id": facility_id, "name": name, "visit_id": visit_id}
    # Held here: the session itself forgets what nobody holds.
    held: dict[Any, Investigation] = _recall(session).setdefault("held", {})
    place = tuple(key.values())
    if place not in held:
        held[place] = session.get_one(Investigation, _get_or_make(session, Investigation, key, values))
    return held[place]


def upsert_investigation_file(session: Session, root_id: int, path: str, **values: Any) -> None:
    """Leave the file listed with its investigation as it is now; `path` is relative to the root."""
    session.execute(upsert(session, InvestigationFile, {"root_id": root_id, "path": path}, values))


def forget_investigation_file(session: Session, root_id: int, path: str) -> None:
    """Leave the file not listed with any investigation."""
    file = (InvestigationFile.root_id == root_id, InvestigationFile.path == path)
    session.execute(delete(InvestigationFile).where(*file))


def find_latest_end(session: Session, investigation_id: int) -> datetime | None:
    """Return when the last of the investigation's datasets ended."""
    return session.scalar(select(func.max(Dataset.end_date)).where(Dataset.investigation_id == investigation_id))


def add_link(session: Session, entity: type[Base], **values: Any) -> None:
    """Make the row that ties two entities together, if it is not there."""
    made = _recall(session).setdefault(entity, set())
    link = tuple(values.items())
    if link not in made:
        session.execute(insert_ignoring(session, entity).values(**values))
        made.add(link)


def find_free_dataset_name(
    session: Session, investigation_id: int, names: Iterable[str], dataset_id: int | None
) -> str:
    """Return the first of the names that no other dataset of the investigation has, else the last with a number."""
    name = ""
    for name in names:
        if not _is_taken(session, investigation_id, name, dataset_id):
            return name
    number = 2
    while _is_taken(session, investigation_id, f"{name} ({number})", dataset_id):
        number += 1
    return f"{name} ({number})"


def insert_links(session: Session, entity: type[Base], dataset_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add these rows of a table that ties datasets to something."""
    _insert_all(session, entity, [{"dataset_id": dataset_id, **row} for row in rows])


def replace_links(session: Session, entity: type[Base], dataset_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Leave exactly these rows of a table that ties datasets to something."""
    table: Any = entity.__table__
    stored = session.connection().execute(select(table).where(table.c.dataset_id == dataset_id)).mappings()
    wanted = [{"dataset_id": dataset_id, **row} for row in rows]
    known = [dict(row) for row in stored]
    if len(known) != len(wanted) or any(row not in known for row in wanted):
        session.execute(delete(entity).where(table.c.dataset_id == dataset_id))
        _insert_all(session, entity, wanted)


def insert_scans(session: Session, dataset_id: int, scans: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Add these scans, and return the id of each entry."""
    _insert_all(session, Scan, [{"dataset_id": dataset_id, **scan} for scan in scans])
    rows = session.execute(select(Scan.id, Scan.entry_name).where(Scan.dataset_id == dataset_id))
    return {row.entry_name: row.id for row in rows}


def replace_scans(
    session: Session, dataset_id: int, scans: Sequence[Mapping[str, Any]], *, keeps_vanished: Callable[[], bool]
) -> dict[str, int]:
    """Leave exactly these scans, ids kept by entry name, and return the id of each entry.

    If `keeps_vanished`, which is asked only where it matters, a scan that is gone from the file stays, marked
    withdrawn: it was published.
    """
    known = {
        row.entry_name: row.id
        for row in session.execute(select(Scan.id, Scan.entry_name).where(Scan.dataset_id == dataset_id))
    }
    entries = {scan["entry_name"] for scan in scans}
    gone = [scan_id for entry, scan_id in known.items() if entry not in entries]
    if gone and keeps_vanished():
        session.execute(update(Scan).where(Scan.id.in_(gone)).values(is_withdrawn=True))
    elif gone:
        session.execute(delete(Scan).where(Scan.id.in_(gone)))
    changed = [{"id": known[scan["entry_name"]], **scan} for scan in scans if scan["entry_name"] in known]
    if changed:
        session.execute(update(Scan), changed)
    added = [scan for scan in scans if scan["entry_name"] not in known]
    return insert_scans(session, dataset_id, added) if added else known


def insert_parameters(
    session: Session,
    dataset_id: int,
    by_layer: Mapping[Layer, Sequence[Mapping[str, Any]]],
    overruled: Collection[tuple[int, int | None]] = (),
    corrected: Collection[int] = (),
) -> None:
    """Add these parameters; what a higher layer says too, or is overruled, is not shown.

    `corrected` are types of which a person has spoken: for the dataset and for all its scans.
    """
    hidden = set(overruled)
    for layer in sorted(by_layer, reverse=True):
        rows = [
            {
                **row,
                "dataset_id": dataset_id,
                "layer": int(layer),
                "is_shown": row["type_id"] not in corrected and _to_place(row) not in hidden,
            }
            for row in by_layer[layer]
        ]
        _insert_all(session, DatasetParameter, rows)
        hidden.update(map(_to_place, rows))


def replace_parameters(
    session: Session, dataset_id: int, by_layer: Mapping[Layer, Sequence[Mapping[str, Any]]]
) -> None:
    """Leave exactly these parameters in these layers; what higher ones say stays, and is shown instead."""
    of_dataset = DatasetParameter.dataset_id == dataset_id
    session.execute(delete(DatasetParameter).where(of_dataset, DatasetParameter.layer.in_(map(int, by_layer))))
    others = session.execute(
        select(DatasetParameter.type_id, DatasetParameter.scan_id, DatasetParameter.layer).where(of_dataset)
    ).all()
    overruled = {(row.type_id, row.scan_id) for row in others}
    corrected = {row.type_id for row in others if row.layer == Layer.PERSON}
    insert_parameters(session, dataset_id, by_layer, overruled, corrected)


def replace_persons_parameter(
    session: Session, dataset_id: int, type_id: int, columns: Mapping[str, Any] | None, *, is_public: bool
) -> None:
    """Leave this as what a person says of the parameter: empty columns, that there is none; None, nothing.

    What the person says is shown in place of what lower layers say, of the dataset and of all its scans. It is no more
    public than they are.
    """
    of_it = (DatasetParameter.dataset_id == dataset_id, DatasetParameter.type_id == type_id)
    session.execute(delete(DatasetParameter).where(*of_it, DatasetParameter.layer == Layer.PERSON))
    found = (DatasetParameter.id, DatasetParameter.scan_id, DatasetParameter.layer, DatasetParameter.is_public)
    lower = session.execute(select(*found).where(*of_it)).all()
    if columns is not None:
        row = {"dataset_id": dataset_id, "type_id": type_id, "layer": int(Layer.PERSON), "origin": STATED, **columns}
        is_open = is_public and all(each.is_public for each in lower)
        _insert_all(session, DatasetParameter, [{**row, "is_shown": bool(columns), "is_public": is_open}])
    highest: dict[int | None, int] = {}
    for each in lower:
        highest[each.scan_id] = max(each.layer, highest.get(each.scan_id, 0))
    shown = [each.id for each in lower if columns is None and each.layer == highest[each.scan_id]]
    session.execute(
        update(DatasetParameter)
        .where(*of_it, DatasetParameter.layer != Layer.PERSON)
        .values(is_shown=DatasetParameter.id.in_(shown))
        .execution_options(synchronize_session=False)
    )


def list_parameter_kinds(session: Session, facility_id: int, names: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return unit and kind of those of a facility's parameter types, by name."""
    statement = select(ParameterType.name, ParameterType.units, ParameterType.value_type).where(
        ParameterType.facility_id == facility_id, ParameterType.name.in_(names)
    )
    return {row.name: (row.units, row.value_type) for row in session.execute(statement)}


def _to_place(row: Mapping[str, Any]) -> tuple[int, int | None]:
    return row["type_id"], row["scan_id"]


def _get_or_make(
    session: Session, entity: type[Base], key: Mapping[str, Any], values: Mapping[str, Any] | None = None
) -> int:
    ids = _recall(session).setdefault(entity, {})
    known = ids.get(tuple(key.items()))
    if known is None:
        table: Any = entity
        find = select(table.id).filter_by(**key)
        known = session.scalar(find)
        if known is None:
            # Two workers may make the same one: the second insert is ignored, and both find the first.
            session.execute(insert_ignoring(session, entity).values(**key, **(values or {})))
            known = session.scalars(find).one()
        ids[tuple(key.items())] = known
    return int(known)


def _recall(session: Session) -> dict[Any, Any]:
    """Return what was found or made in the session already, by entity: many datasets of one batch share it.

    None of it is ever deleted; a session that is rolled back ends.
    """
    found: dict[Any, Any] = session.info.setdefault("found", {})
    return found


def _is_taken(session: Session, investigation_id: int, name: str, dataset_id: int | None) -> bool:
    find = select(Dataset.id).where(Dataset.investigation_id == investigation_id, Dataset.name == name)
    return session.scalar(find.where(Dataset.id != (dataset_id or -1))) is not None


def _insert_all(session: Session, entity: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    table: Any = entity.__table__
    for start in range(0, len(rows), INSERT_BATCH):
        # Past the unit of work: 387 file rows cost 1 ms this way and 5 ms as entities.
        session.connection().execute(insert(table), rows[start : start + INSERT_BATCH])
