"""Where the records of PaNOSC's models come from: each as one SELECT over the catalogue's tables, of what is public.

The rule of who may see what stands within these SELECTs, for everybody, so that whatever is built of them, lists,
conditions, counts, related records, knows of nothing closed. A document is an investigation, through those of its
datasets that may be found, or a publication. The mapping is the one that facilities with ICAT use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Exists,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from ingest.catalogue.model import (
    NO_VISIT,
    Affiliation,
    DataCollectionDataset,
    Datafile,
    DataPublication,
    DataPublicationUser,
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    DatasetTechnique,
    Facility,
    Instrument,
    Investigation,
    InvestigationType,
    InvestigationUser,
    Keyword,
    ParameterType,
    Sample,
    SampleType,
    Scan,
    Subject,
    Technique,
    User,
)
from ingest.catalogue.visibility import ANONYMOUS, may_cite, may_find, may_find_investigation, may_open_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

PROPOSAL: Final = "proposal"
"""What a document is that no type is known of."""
PUBLICATION: Final = "publication"


Rows: TypeAlias = "Select[*tuple[Any, ...]]"


@dataclass(frozen=True, slots=True)
class Words:
    """A property that holds several texts: rows of them, and the column that tells whose they are."""

    owner: Any
    text: Any
    condition: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Other:
    """A property that another table has: its column `value`, of the row whose `key` the source's `column` holds.

    `far` makes, of the keys of some, the keys of the source's rows that hold one; None where `column` is indexed.
    """

    column: str
    key: Any
    value: Any
    far: Callable[[Rows], Rows] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Some records of a model: columns named as its properties, and further ones by which they are tied to others.

    `key` identifies a record within the source.
    """

    model: str
    statement: Rows
    words: Mapping[str, Words]
    others: Mapping[str, Other]


@dataclass(frozen=True, slots=True)
class Path:
    """A way from records of one source to those of another: by equal columns, or through a table of links."""

    source: str
    column: str
    target: str
    target_column: str = "key"
    link: Rows | None = None
    """Columns `parent` and `child`."""
    is_repeated: bool = False
    """Whether the link has a pair more than once."""
    is_broad: bool = False
    """Whether a record may be related to a good part of all there are."""


def make_source(name: str, now: datetime, dialect: str) -> Source:
    """Return the source, as it is at this instant."""
    model, make = _MAKERS[name]
    words = {"investigation": _to_keywords, "publication": _to_subjects}.get(name)
    others = _OF_DATASETS if name == "dataset" else {}
    return Source(model, make(now, dialect), {"keywords": words(now)} if words else {}, others)


def list_sources(model: str) -> list[str]:
    """Return the names of the sources of a model."""
    return [name for name, (of_model, _) in _MAKERS.items() if of_model == model]


def _to_pid(given: Any, key: Any) -> ColumnElement[str]:
    """Return the persistent identifier where there is one, else our own number, which is as stable."""
    return func.coalesce(given, cast(key, String))


def _select_datasets(now: datetime, _dialect: str) -> Rows:
    first_title = (
        select(Scan.title)
        .where(Scan.dataset_id == Dataset.id, Scan.ordinal == literal_column("0"), Scan.is_withdrawn.is_(False))
        .order_by(Scan.id)
        .limit(1)
        .scalar_subquery()
    )
    instrument = (
        select(func.min(DatasetInstrument.instrument_id))
        .where(DatasetInstrument.dataset_id == Dataset.id)
        .correlate(Dataset)
        .scalar_subquery()
    )
    # Said for both: by itself the inner one would take the first dataset that there is.
    instrument_pid = (
        select(_to_pid(Instrument.pid, Instrument.id))
        .where(Instrument.id == instrument)
        .correlate(Dataset)
        .scalar_subquery()
    )
    document_pid = (
        select(_to_pid(Investigation.doi, Investigation.id))
        .where(Investigation.id == Dataset.investigation_id)
        .scalar_subquery()
    )
    title = func.coalesce(func.nullif(func.coalesce(Dataset.title, first_title), ""), Dataset.name)
    return select(
        Dataset.id.label("key"),
        Dataset.investigation_id.label("investigation_key"),
        Dataset.sample_id.label("sample_key"),
        instrument.label("instrument_key"),
        Dataset.doi.label("doi"),
        _to_pid(Dataset.doi, Dataset.id).label("pid"),
        title.label("title"),
        _is_true(may_open_files(ANONYMOUS, now)).label("isPublic"),
        func.coalesce(Dataset.start_date, Dataset.created_at).label("creationDate"),
        Dataset.file_size.label("size"),
        document_pid.label("documentId"),
        instrument_pid.label("instrumentId"),
    ).where(may_find(ANONYMOUS, now))


def _select_investigations(now: datetime, _dialect: str) -> Rows:
    found = and_(Dataset.investigation_id == Investigation.id, may_find(ANONYMOUS, now))
    visit = case((Investigation.visit_id == NO_VISIT, ""), else_=literal("/").concat(Investigation.visit_id))
    return (
        select(
            Investigation.id.label("key"),
            _to_pid(Investigation.doi, Investigation.id).label("pid"),
            _has_open(Dataset.investigation_id == Investigation.id, now).label("isPublic"),
            func.coalesce(InvestigationType.name, PROPOSAL).label("type"),
            func.coalesce(func.nullif(Investigation.title, ""), Investigation.name.concat(visit)).label("title"),
            Investigation.summary.label("summary"),
            Investigation.doi.label("doi"),
            _over_datasets(func.min(Dataset.start_date), found).label("startDate"),
            _over_datasets(func.max(Dataset.end_date), found).label("endDate"),
            _over_datasets(func.max(Dataset.release_date), found).label("releaseDate"),
        )
        .outerjoin(InvestigationType, InvestigationType.id == Investigation.type_id)
        .where(may_find_investigation(ANONYMOUS, now))
    )


def _select_publications(now: datetime, _dialect: str) -> Rows:
    collected = and_(
        DataCollectionDataset.data_collection_id == DataPublication.content_id,
        DataCollectionDataset.dataset_id == Dataset.id,
    )
    found = and_(collected, may_find(ANONYMOUS, now))
    cited = and_(collected, may_cite(ANONYMOUS))
    return select(
        DataPublication.id.label("key"),
        DataPublication.content_id.label("content_key"),
        DataPublication.pid.label("pid"),
        _has_open(collected, now).label("isPublic"),
        literal(PUBLICATION).label("type"),
        DataPublication.title.label("title"),
        DataPublication.description.label("summary"),
        DataPublication.pid.label("doi"),
        _over_datasets(func.min(Dataset.start_date), found).label("startDate"),
        _over_datasets(func.max(Dataset.end_date), found).label("endDate"),
        _over_datasets(func.max(Dataset.release_date), cited).label("releaseDate"),
        func.nullif(DataPublication.licence, "").label("license"),
    ).where(_is_there(cited).correlate(DataPublication))


def _select_instruments(now: datetime, _dialect: str) -> Rows:
    is_found = _has_first(DatasetInstrument, Dataset.id == DatasetInstrument.dataset_id, may_find(ANONYMOUS, now))
    return (
        select(
            Instrument.id.label("key"),
            _to_pid(Instrument.pid, Instrument.id).label("pid"),
            Instrument.name.label("name"),
            Facility.name.label("facility"),
        )
        .join(Facility, Facility.id == Instrument.facility_id)
        .where(_has_first(Instrument, DatasetInstrument.instrument_id == Instrument.id, is_found))
    )


def _select_techniques(_now: datetime, _dialect: str) -> Rows:
    return select(
        Technique.id.label("key"),
        _to_pid(Technique.pid, Technique.id).label("pid"),
        Technique.name.label("name"),
    )


def _select_samples(_now: datetime, _dialect: str) -> Rows:
    return select(
        Sample.id.label("key"),
        _to_pid(Sample.pid, Sample.id).label("pid"),
        Sample.name.label("name"),
        SampleType.molecular_formula.label("description"),
    ).outerjoin(SampleType, SampleType.id == Sample.type_id)


def _select_files(now: datetime, _dialect: str) -> Rows:
    return (
        select(
            cast(Datafile.dataset_id, String).concat("-").concat(cast(Datafile.ordinal, String)).label("key"),
            Datafile.dataset_id.label("dataset_key"),
            cast(Datafile.dataset_id, String).concat("-").concat(cast(Datafile.ordinal, String)).label("id"),
            Datafile.name.label("name"),
            Datafile.file_size.label("size"),
            _to_pid(Dataset.doi, Dataset.id).label("datasetId"),
        )
        .join(Dataset, Dataset.id == Datafile.dataset_id)
        .where(Datafile.is_vanished.is_(False), may_open_files(ANONYMOUS, now))
    )


def _select_parameters(_now: datetime, _dialect: str) -> Rows:
    """Select what is shown and public of the datasets themselves; their scans' parameters are summed up in theirs.

    Without a join, so that a condition on the values looks at nothing but them.
    """
    dataset_pid = (
        select(_to_pid(Dataset.doi, Dataset.id))
        .where(Dataset.id == DatasetParameter.dataset_id)
        .correlate(DatasetParameter)
        .scalar_subquery()
    )
    return select(
        DatasetParameter.id.label("key"),
        DatasetParameter.dataset_id.label("dataset_key"),
        DatasetParameter.type_id.label("type_key"),
        DatasetParameter.id.label("id"),
        _of_type(ParameterType.name).label("name"),
        _of_type(ParameterType.units).label("unit"),
        func.coalesce(DatasetParameter.numeric_value, DatasetParameter.range_bottom).label("value"),
        DatasetParameter.numeric_value.label("number"),
        DatasetParameter.range_bottom.label("bottom"),
        func.coalesce(DatasetParameter.range_bottom, DatasetParameter.numeric_value).label("low"),
        func.coalesce(DatasetParameter.range_top, DatasetParameter.numeric_value).label("high"),
        DatasetParameter.values.label("values"),
        DatasetParameter.string_value.label("text"),
        DatasetParameter.date_time_value.label("date"),
        dataset_pid.label("datasetId"),
    ).where(
        DatasetParameter.scan_id.is_(None),
        DatasetParameter.is_shown.is_(True),
        DatasetParameter.is_public.is_(True),
    )


def _of_type(value: Any) -> ColumnElement[str]:
    of_type = select(value).where(ParameterType.id == DatasetParameter.type_id)
    return of_type.correlate(DatasetParameter).scalar_subquery()


def _select_users(now: datetime, dialect: str) -> Rows:
    """Select people of investigations: those whom a dataset names that may be found, all where nothing is closed."""
    beside = Dataset.investigation_id == InvestigationUser.investigation_id
    is_closed = not_(func.coalesce(may_find(ANONYMOUS, now), False))
    is_whole = not_(_is_there(beside, is_closed).correlate(InvestigationUser))
    is_named = _is_there(
        beside,
        may_find(ANONYMOUS, now),
        Scan.dataset_id == Dataset.id,
        Scan.is_withdrawn.is_(False),
        _names_user(dialect),
    )
    return (
        select(
            InvestigationUser.id.label("key"),
            InvestigationUser.investigation_id.label("investigation_key"),
            InvestigationUser.user_id.label("user_key"),
            literal("i").concat(cast(InvestigationUser.id, String)).label("id"),
            InvestigationUser.role.label("role"),
            _to_pid(Investigation.doi, Investigation.id).label("documentId"),
            cast(InvestigationUser.user_id, String).label("personId"),
            case((_has_workplace(), literal("u").concat(cast(User.id, String)))).label("affiliationId"),
        )
        .join(User, User.id == InvestigationUser.user_id)
        .join(Investigation, Investigation.id == InvestigationUser.investigation_id)
        .where(or_(is_whole, is_named.correlate(InvestigationUser, User)))
    )


def _names_user(dialect: str) -> ColumnElement[bool]:
    """Return the condition that a scan names the user."""
    name: ColumnElement[Any]
    if dialect == "postgresql":
        named = func.json_array_elements(Scan.users).table_valued("value", joins_implicitly=True)
        name = named.c.value.op("->>")("name")
    else:
        named = func.json_each(Scan.users).table_valued("value", joins_implicitly=True)
        name = func.json_extract(named.c.value, "$.name")
    return _is_there(name == User.name).correlate(Scan, User)


def _select_creators(_now: datetime, _dialect: str) -> Rows:
    return (
        select(
            DataPublicationUser.id.label("key"),
            DataPublicationUser.publication_id.label("publication_key"),
            DataPublicationUser.user_id.label("user_key"),
            literal("p").concat(cast(DataPublicationUser.id, String)).label("id"),
            DataPublicationUser.contributor_type.label("role"),
            DataPublication.pid.label("documentId"),
            cast(DataPublicationUser.user_id, String).label("personId"),
            literal("a").concat(cast(_first_affiliation(), String)).label("affiliationId"),
        )
        .join(User, User.id == DataPublicationUser.user_id)
        .join(DataPublication, DataPublication.id == DataPublicationUser.publication_id)
    )


def _first_affiliation() -> ColumnElement[int]:
    return (
        select(func.min(Affiliation.id))
        .where(Affiliation.user_id == DataPublicationUser.id)
        .correlate(DataPublicationUser)
        .scalar_subquery()
    )


def _select_persons(_now: datetime, _dialect: str) -> Rows:
    return select(
        User.id.label("key"),
        cast(User.id, String).label("id"),
        func.coalesce(func.nullif(User.full_name, ""), User.name).label("fullName"),
        User.orcid_id.label("orcid"),
        User.given_name.label("firstName"),
        User.family_name.label("lastName"),
    )


def _has_workplace() -> ColumnElement[bool]:
    return func.coalesce(User.affiliation, "") != ""


def _select_workplaces(_now: datetime, _dialect: str) -> Rows:
    identifier = literal("u").concat(cast(User.id, String))
    return select(User.id.label("key"), identifier.label("id"), User.affiliation.label("name")).where(_has_workplace())


def _select_affiliations(_now: datetime, _dialect: str) -> Rows:
    return (
        select(
            Affiliation.id.label("key"),
            Affiliation.user_id.label("creator_key"),
            literal("a").concat(cast(Affiliation.id, String)).label("id"),
            Affiliation.name.label("name"),
            Affiliation.full_reference.label("address"),
        )
        .join(DataPublicationUser, DataPublicationUser.id == Affiliation.user_id)
        .where(Affiliation.id == _first_affiliation())
    )


def _to_keywords(_now: datetime) -> Words:
    return Words(Keyword.investigation_id, Keyword.name, true())


def _to_subjects(now: datetime) -> Words:
    """Return what a publication is about, as far as data that may be found tell so."""
    of_data = _is_there(
        DataPublication.id == Subject.publication_id,
        DataCollectionDataset.data_collection_id == DataPublication.content_id,
        DatasetTechnique.dataset_id == DataCollectionDataset.dataset_id,
        Technique.id == DatasetTechnique.technique_id,
        Technique.name == Subject.name,
        Dataset.id == DataCollectionDataset.dataset_id,
        may_find(ANONYMOUS, now),
    )
    return Words(Subject.publication_id, Subject.name, of_data.correlate(Subject))


def _is_there(*conditions: ColumnElement[bool]) -> Exists:
    """Return whether there is such a row; of no column, so that an index is enough."""
    return select(literal_column("1")).where(*conditions).exists()


def _has_first(of: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the same, looked for one by one until there is one.

    PostgreSQL makes a join of what exists, here of all datasets for the sake of some dozens of instruments.
    """
    return select(literal_column("1")).where(*conditions).correlate(of).limit(1).scalar_subquery().is_not(None)


def _has_open(tie: ColumnElement[bool], now: datetime) -> ColumnElement[bool]:
    return _is_true(_is_there(tie, may_open_files(ANONYMOUS, now)).correlate(Investigation, DataPublication))


def _over_datasets(value: Any, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return select(value).where(condition).correlate(Investigation, DataPublication).scalar_subquery()


def _is_true(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return case((condition, True), else_=False)


def _link(parent: Any, child: Any) -> Rows:
    return select(parent.label("parent"), child.label("child"))


_OF_TECHNIQUE = _link(DatasetTechnique.dataset_id, DatasetTechnique.technique_id)
_OF_INSTRUMENT = _link(DatasetInstrument.instrument_id, DatasetInstrument.dataset_id)
_OTHER = aliased(DatasetInstrument)
_HAS_EARLIER = _is_there(
    _OTHER.dataset_id == DatasetInstrument.dataset_id, _OTHER.instrument_id < DatasetInstrument.instrument_id
)
_FIRST_INSTRUMENT = _link(DatasetInstrument.dataset_id, DatasetInstrument.instrument_id).where(
    not_(_HAS_EARLIER.correlate(DatasetInstrument))
)
_OF_DATASETS: Final[Mapping[str, Other]] = {
    "documentId": Other("investigation_key", Investigation.id, _to_pid(Investigation.doi, Investigation.id)),
    "instrumentId": Other(
        "instrument_key",
        Instrument.id,
        _to_pid(Instrument.pid, Instrument.id),
        lambda keys: select(DatasetInstrument.dataset_id).where(
            DatasetInstrument.instrument_id.in_(keys), not_(_HAS_EARLIER.correlate(DatasetInstrument))
        ),
    ),
}
_OF_SCAN = _link(Scan.dataset_id, Scan.sample_id).where(Scan.is_withdrawn.is_(False), Scan.sample_id.is_not(None))
_OF_CONTENT = _link(DataCollectionDataset.data_collection_id, DataCollectionDataset.dataset_id)
_IN_CONTENT = _link(DataCollectionDataset.dataset_id, DataCollectionDataset.data_collection_id)

PATHS: Final[Mapping[tuple[str, str], tuple[Path, ...]]] = {
    ("Dataset", "documents"): (
        Path("dataset", "investigation_key", "investigation"),
        Path("dataset", "key", "publication", "content_key", _IN_CONTENT),
    ),
    ("Dataset", "document"): (Path("dataset", "investigation_key", "investigation"),),
    ("Dataset", "techniques"): (Path("dataset", "key", "technique", "key", _OF_TECHNIQUE),),
    ("Dataset", "instrument"): (Path("dataset", "key", "instrument", "key", _FIRST_INSTRUMENT),),
    ("Dataset", "files"): (Path("dataset", "key", "file", "dataset_key"),),
    ("Dataset", "parameters"): (Path("dataset", "key", "parameter", "dataset_key"),),
    ("Dataset", "samples"): (
        Path("dataset", "sample_key", "sample"),
        Path("dataset", "key", "sample", "key", _OF_SCAN, is_repeated=True),
    ),
    ("Document", "datasets"): (
        Path("investigation", "key", "dataset", "investigation_key"),
        Path("publication", "content_key", "dataset", "key", _OF_CONTENT),
    ),
    ("Document", "members"): (
        Path("investigation", "key", "user", "investigation_key"),
        Path("publication", "key", "creator", "publication_key"),
    ),
    ("Document", "parameters"): (),
    ("File", "dataset"): (Path("file", "dataset_key", "dataset"),),
    ("Instrument", "datasets"): (Path("instrument", "key", "dataset", "key", _OF_INSTRUMENT, is_broad=True),),
    ("Member", "document"): (
        Path("user", "investigation_key", "investigation"),
        Path("creator", "publication_key", "publication"),
    ),
    ("Member", "person"): (Path("user", "user_key", "person"), Path("creator", "user_key", "person")),
    ("Member", "affiliation"): (
        Path("user", "user_key", "workplace"),
        Path("creator", "key", "affiliation", "creator_key"),
    ),
    ("Parameter", "dataset"): (Path("parameter", "dataset_key", "dataset"),),
    ("Parameter", "document"): (),
}
"""The ways along each relation; nothing has parameters but datasets."""

_MAKERS: Final[Mapping[str, tuple[str, Callable[[datetime, str], Rows]]]] = {
    "dataset": ("Dataset", _select_datasets),
    "investigation": ("Document", _select_investigations),
    "publication": ("Document", _select_publications),
    "instrument": ("Instrument", _select_instruments),
    "technique": ("Technique", _select_techniques),
    "sample": ("Sample", _select_samples),
    "file": ("File", _select_files),
    "parameter": ("Parameter", _select_parameters),
    "user": ("Member", _select_users),
    "creator": ("Member", _select_creators),
    "person": ("Person", _select_persons),
    "workplace": ("Affiliation", _select_workplaces),
    "affiliation": ("Affiliation", _select_affiliations),
}
