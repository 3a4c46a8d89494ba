"""A dataset and its parts as a viewer may see them. Functions over a Session that only read.

Each asks the rule of `visibility` first. Lists are paged by the key of the last row: nothing holds a whole one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Text, and_, cast, func, or_, select, true, tuple_

from ingest.catalogue.corrections import list_corrected
from ingest.catalogue.errors import NotFoundError, NotReleasedError
from ingest.catalogue.matching import contains_words, holds_name, holds_text, is_one_of, matches_name
from ingest.catalogue.model import (
    Datafile,
    Dataset,
    DatasetParameter,
    DatasetTechnique,
    Layer,
    MasterFile,
    ParameterType,
    Sample,
    SampleType,
    Scan,
    Technique,
)
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, from_cursor, to_key, to_list_name, to_page
from ingest.catalogue.summaries import load_summaries, to_sample
from ingest.catalogue.views import DatasetView, FileView, ParameterView, ScanView, TechniqueSourceView
from ingest.catalogue.visibility import Viewer, may_find, may_open_files

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

ALL: Final = "*"
"""In the place of a scan: all of them."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ScanFilter:
    """Which scans: words of title or command, NeXus definitions, whether they have ended, what they moved or measured.

    Of several values one is enough.
    """

    text: str = ""
    definitions: tuple[str, ...] = ()
    is_ended: bool | None = None
    motors: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    """What became of a file that it needs."""
    served_by: str | None = None
    """Entry name of a scan: those that it serves."""


ALL_SCANS: Final = ScanFilter()


def get_dataset(session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> DatasetView:
    """Return the dataset; raises NotFoundError if there is none, or none that the viewer may know of."""
    key = to_key(dataset_id)
    rows = select(Dataset, MasterFile).join(MasterFile, MasterFile.id == Dataset.master_file_id)
    row = session.execute(rows.where(Dataset.id == key)).first()
    summary = load_summaries(session, viewer, now, [key]).get(key)
    if row is None or summary is None:
        raise NotFoundError("dataset", dataset_id)
    dataset, master = row
    return DatasetView(
        **{field.name: getattr(summary, field.name) for field in fields(summary)},
        description=dataset.description,
        scan_count=_count_scans(session, dataset_id),
        master_state=master.state,
        master_reason=master.reason,
        location=dataset.location if viewer.sees_all else None,
        master_path=master.path if viewer.sees_all else None,
        copy_of_id=_find_visible(session, viewer, now, dataset.copy_of_id),
        flags=tuple(dataset.flags),
        technique_sources=_load_technique_sources(session, dataset_id),
        corrected=tuple(list_corrected(session, dataset_id)),
        motors=tuple(dataset.motors),
        rules=dataset.rules,
        rules_version=dataset.rules_version,
        revision=dataset.revision,
        created_at=dataset.created_at,
        modified_at=dataset.modified_at,
    )


def _load_technique_sources(session: Session, dataset_id: int) -> tuple[TechniqueSourceView, ...]:
    statement = (
        select(Technique.name, Technique.pid, DatasetTechnique)
        .join(DatasetTechnique, DatasetTechnique.technique_id == Technique.id)
        .where(DatasetTechnique.dataset_id == dataset_id)
        .order_by(Technique.name)
    )
    return tuple(
        TechniqueSourceView(name, pid, tie.origin, Layer(tie.layer).name.lower(), tie.source_path, tie.original_value)
        for name, pid, tie in session.execute(statement)
    )


def list_scans(
    session: Session,
    viewer: Viewer,
    now: datetime,
    dataset_id: int,
    request: PageRequest = FIRST_PAGE,
    chosen: ScanFilter = ALL_SCANS,
) -> Page[ScanView]:
    """Return the dataset's scans in their order; raises NotFoundError as `get_dataset`."""
    _check_may_find(session, viewer, now, dataset_id)
    name = to_list_name("scans", dataset_id, chosen)
    statement = (
        _select_scans(dataset_id, *_to_scan_conditions(chosen)).order_by(Scan.ordinal, Scan.id).limit(request.limit + 1)
    )
    # A withdrawn scan keeps its ordinal, which another one may have by now.
    if after := from_cursor(name, request, (int, int)):
        statement = statement.where(tuple_(Scan.ordinal, Scan.id) > tuple_(*after))
    rows = session.execute(statement).all()
    return to_page(name, request, rows, lambda row: [row[0].ordinal, row[0].id], lambda row: _to_scan(*row))


def get_scan(session: Session, viewer: Viewer, now: datetime, dataset_id: int, entry_name: str) -> ScanView:
    """Return the scan of that entry name, `1.1` or `/1.1`; raises NotFoundError if there is no such dataset or scan."""
    _check_may_find(session, viewer, now, dataset_id)
    row = session.execute(_select_scans(dataset_id, _has_entry_name(entry_name))).first()
    if row is None:
        raise NotFoundError("scan", entry_name)
    return _to_scan(*row)


def list_parameters(
    session: Session,
    viewer: Viewer,
    now: datetime,
    dataset_id: int,
    request: PageRequest = FIRST_PAGE,
    *,
    scan: str | None = None,
    text: str = "",
) -> Page[ParameterView]:
    """Return the parameters of the dataset itself, or of its scan with that entry name (`1.1` or `/1.1`), by name.

    `*` stands for all scans; `text` is words of the name. Of several layers the highest is given. Raises NotFoundError
    if there is no such dataset or scan.
    """
    _check_may_find(session, viewer, now, dataset_id)
    name = to_list_name("parameters", dataset_id, scan, text)
    statement = (
        select(DatasetParameter, ParameterType, Scan.entry_name)
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .outerjoin(Scan, Scan.id == DatasetParameter.scan_id)
        .where(DatasetParameter.dataset_id == dataset_id, DatasetParameter.is_shown.is_(True))
        .where(true() if viewer.sees_all else DatasetParameter.is_public.is_(True))
        .where(_is_of_scan(session, dataset_id, scan), contains_words(text, ParameterType.name))
        .order_by(ParameterType.name, DatasetParameter.id)
        .limit(request.limit + 1)
    )
    if after := from_cursor(name, request, (str, int)):
        statement = statement.where(tuple_(ParameterType.name, DatasetParameter.id) > tuple_(*after))
    rows = session.execute(statement).all()
    return to_page(name, request, rows, lambda row: [row[1].name, row[0].id], lambda row: _to_parameter(*row))


def list_files(
    session: Session,
    viewer: Viewer,
    now: datetime,
    dataset_id: int,
    request: PageRequest = FIRST_PAGE,
    *,
    like: str = "",
    is_vanished: bool | None = None,
) -> Page[FileView]:
    """Return the dataset's files in the order of their ordinals, those that vanished marked.

    `like` is a part of the name, or with `*` and `?` what the whole is like. Raises NotFoundError as `get_dataset`, and
    NotReleasedError if the dataset may be known but its files not seen.
    """
    check_may_open_files(session, viewer, now, dataset_id)
    name = to_list_name("files", dataset_id, like, is_vanished)
    statement = (
        select(Datafile).where(Datafile.dataset_id == dataset_id).order_by(Datafile.ordinal).limit(request.limit + 1)
    )
    if like:
        statement = statement.where(matches_name(like, Datafile.name))
    if is_vanished is not None:
        statement = statement.where(Datafile.is_vanished.is_(is_vanished))
    if after := from_cursor(name, request, (int,)):
        statement = statement.where(Datafile.ordinal > after[0])
    rows = session.scalars(statement).all()
    return to_page(name, request, rows, lambda file: [file.ordinal], _to_file)


def to_instant(time_ns: int) -> datetime:
    """Return the instant of a file's time stamp, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


def _check_may_find(session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> None:
    if _find_visible(session, viewer, now, dataset_id) is None:
        raise NotFoundError("dataset", dataset_id)


def check_may_open_files(session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> None:
    """Raise NotFoundError if the viewer may not know of the dataset, NotReleasedError if not see its files."""
    _check_may_find(session, viewer, now, dataset_id)
    is_released = and_(Dataset.id == dataset_id, may_open_files(viewer, now))
    if session.scalar(select(Dataset.id).where(is_released)) is None:
        raise NotReleasedError(dataset_id)


def _find_visible(session: Session, viewer: Viewer, now: datetime, dataset_id: int | None) -> int | None:
    if dataset_id is None:
        return None
    return session.scalar(select(Dataset.id).where(Dataset.id == to_key(dataset_id), may_find(viewer, now)))


def _select_scans(dataset_id: int, *conditions: ColumnElement[bool]) -> Any:
    return (
        select(Scan, Sample, SampleType.molecular_formula)
        .outerjoin(Sample, Sample.id == Scan.sample_id)
        .outerjoin(SampleType, SampleType.id == Sample.type_id)
        .where(Scan.dataset_id == dataset_id, *conditions)
    )


def _to_scan_conditions(chosen: ScanFilter) -> list[ColumnElement[bool]]:
    conditions = [contains_words(chosen.text, Scan.title, Scan.command)]
    if chosen.definitions:
        conditions.append(is_one_of(chosen.definitions, Scan.definition))
    if chosen.is_ended is not None:
        conditions.append(Scan.is_ended.is_(chosen.is_ended))
    if chosen.kinds:
        conditions.append(is_one_of(chosen.kinds, Scan.kind))
    if chosen.linked:
        conditions.append(or_(*(cast(Scan.linked_files, Text).contains(f'"{each}"') for each in chosen.linked)))
    if chosen.served_by:
        conditions.append(holds_text(f"/{chosen.served_by.removeprefix('/')}", "entry_name", Scan.served_by))
    held = ((Scan.motors, chosen.motors), (Scan.counters, chosen.counters), (Scan.detectors, chosen.detectors))
    conditions += [holds_name(names, column) for column, names in held if names]
    return conditions


def _has_entry_name(written: str) -> ColumnElement[bool]:
    return Scan.entry_name.in_((written, f"/{written}"))


def _is_of_scan(session: Session, dataset_id: int, scan: str | None) -> ColumnElement[bool]:
    """Return the condition on DatasetParameter; raises NotFoundError if there is no such scan."""
    if scan is None:
        return DatasetParameter.scan_id.is_(None)
    if scan == ALL:
        return DatasetParameter.scan_id.is_not(None)
    found = session.scalar(select(Scan.id).where(Scan.dataset_id == dataset_id, _has_entry_name(scan)))
    if found is None:
        raise NotFoundError("scan", scan)
    return DatasetParameter.scan_id == found


def _count_scans(session: Session, dataset_id: int) -> int:
    statement = select(func.count()).where(Scan.dataset_id == dataset_id, Scan.is_withdrawn.is_(False))
    return session.scalar(statement) or 0


def _to_scan(scan: Scan, sample: Sample | None, formula: str | None) -> ScanView:
    return ScanView(
        ordinal=scan.ordinal,
        entry_name=scan.entry_name,
        title=scan.title,
        definition=scan.definition,
        command=scan.command,
        start_date=scan.start_date,
        end_date=scan.end_date,
        end_reason=scan.end_reason,
        is_ended=scan.is_ended,
        point_count=scan.point_count,
        instrument_name=scan.instrument_name,
        source_name=scan.source_name,
        source_type=scan.source_type,
        probe=scan.probe,
        sample=None if sample is None else to_sample(sample, formula),
        detectors=tuple(scan.detectors),
        motors=tuple(scan.motors),
        counters=tuple(scan.counters),
        kind=scan.kind,
        frames=scan.frames or {},
        served_by=tuple(scan.served_by),
        linked_files=scan.linked_files or {},
        users=tuple(scan.users),
        sources=scan.sources,
        is_withdrawn=scan.is_withdrawn,
    )


def _to_parameter(parameter: DatasetParameter, kind: ParameterType, scan: str | None) -> ParameterView:
    return ParameterView(
        name=kind.name,
        scan=scan,
        description=kind.description,
        value_type=kind.value_type,
        unit=kind.units,
        numeric_value=parameter.numeric_value,
        range_bottom=parameter.range_bottom,
        range_top=parameter.range_top,
        values=None if parameter.values is None else tuple(parameter.values),
        value_count=parameter.value_count,
        string_value=parameter.string_value,
        date_time_value=parameter.date_time_value,
        error=parameter.error,
        original_value=parameter.original_value,
        original_unit=parameter.original_unit,
        source_path=parameter.source_path,
        origin=parameter.origin,
        layer=Layer(parameter.layer).name.lower(),
        is_public=parameter.is_public,
    )


def _to_file(file: Datafile) -> FileView:
    return FileView(
        ordinal=file.ordinal,
        name=file.name,
        file_size=file.file_size,
        modified_at=to_instant(file.mtime_ns),
        checksum=file.checksum,
        is_vanished=file.is_vanished,
    )
