"""Datasets, and what belongs to one."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import Answer, FacetSchema, PageSchema
from api.schemas.references import InvestigationReference, SampleReference
from ingest.catalogue.search import Noun, Sort
from ingest.catalogue.views import Visibility
from ingest.catalogue.vocabulary import ValueType


class DatasetLinks(Answer):
    """Where more about a dataset is."""

    self: str = Field(examples=["/api/v1/datasets/42"])
    scans: str = Field(examples=["/api/v1/datasets/42/scans"])
    parameters: str = Field(examples=["/api/v1/datasets/42/parameters"])
    files: str = Field(examples=["/api/v1/datasets/42/files"])
    linked_files: str = Field(examples=["/api/v1/datasets/42/linked-files"])
    record: str = Field(examples=["/api/v1/datasets/42/record"])
    landing: str | None = Field(description="Where its DOI leads to.", examples=["/doi/10.5072/gv4yt-6xy39"])


class DatasetDescription(Answer):
    """A dataset: what one master file holds."""

    id: int = Field(examples=[42])
    name: str = Field(examples=["LaB6_0001"])
    title: str | None = Field(description="Title of its first scan.", examples=["ascan samx 0 1 10 0.1"])
    definition: str | None = Field(description="NeXus application definition of its first scan.", examples=["NXxrd"])
    facility: str = Field(examples=["local"])
    investigation: InvestigationReference
    instruments: list[str] = Field(examples=[["id11"]])
    sample: SampleReference | None = Field(description="The sample, if all scans have the same.")
    techniques: list[str] = Field(examples=[["XRD"]])
    start_date: datetime | None = Field(examples=["2026-11-01T10:00:00Z"])
    end_date: datetime | None = Field(examples=["2026-11-01T10:20:00Z"])
    is_complete: bool = Field(description="Every scan has ended and no file is missing.")
    file_count: int = Field(examples=[387])
    file_size: int = Field(description="Of all files, in bytes.", examples=[73400320])
    visibility: Visibility
    release_date: datetime | None = Field(
        description="When the files open; null: not known yet.", examples=["2029-11-03T00:00:00Z"]
    )
    doi: str | None = Field(description="If it is published by itself.", examples=["10.5072/gv4yt-6xy39"])


class DatasetSummarySchema(DatasetDescription):
    """A dataset, and where more about it is."""

    links: DatasetLinks


class HighlightSchema(Answer):
    """A value of a noun or of a text parameter, or a fragment of it, that holds what was searched for."""

    field: str = Field(examples=["sample"])
    text: str = Field(examples=["LaB6 powder"])
    spans: list[list[int]] = Field(
        description="Where in the text, in characters: the first one, and the first one after it.", examples=[[[0, 4]]]
    )


class HitSchema(DatasetSummarySchema):
    """A dataset that was found."""

    score: float | None = Field(description="How well it fits, where hits are sorted by relevance.", examples=[None])
    highlights: list[HighlightSchema] = Field(description="Which values hold the words, if that was asked for.")


class PositionSchema(Answer):
    """Where a motor stood."""

    name: str = Field(examples=["samx"])
    value: float | str = Field(examples=[0.5])
    unit: str | None = Field(default=None, description="As the file spells it.", examples=["mm"])
    path: str = Field(description="HDF5 path.", examples=["/1.1/instrument/positioners/samx"])


class TechniqueSourceSchema(Answer):
    """A technique and what told it."""

    name: str = Field(examples=["x-ray diffraction"])
    pid: str | None = Field(
        description="Its term in an ontology.", examples=["http://purl.org/pan-science/PaNET/PaNET01216"]
    )
    origin: str = Field(description="read, or inferred from what the file shows.", examples=["read"])
    layer: str = Field(description="Who says so: file or notice.", examples=["file"])
    source_path: str | None = Field(description="HDF5 path of what told it.", examples=["/1.1/identifier_technique_1"])
    original_value: str | None = Field(
        description="What stands there: an identifier, a definition, or how far a motor went.",
        examples=["https://w3id.org/PaN/ESRFET/v0.1.0/#XRD"],
    )


class DatasetSchema(DatasetSummarySchema):
    """A dataset with all that is said about it as a whole."""

    description: str | None
    scan_count: int = Field(examples=[12])
    master_state: str = Field(
        description="Where its master file stands.", examples=["ingested", "incomplete", "vanished"]
    )
    master_reason: str | None = Field(description="Why it is not complete.", examples=["a scan has no end"])
    location: str | None = Field(description="Folder on the server, for its operators only.", examples=[None])
    master_path: str | None = Field(description="Master on the server, for its operators only.", examples=[None])
    copy_of_id: int | None = Field(description="The dataset that it is a copy of.", examples=[None])
    flags: list[str] = Field(description="Disagreements found in the file, in words.", examples=[[]])
    technique_sources: list[TechniqueSourceSchema] = Field(description="What told its techniques.")
    corrected: list[str] = Field(
        description="Of title, description, sample_name and sample_formula those that a person has corrected.",
        examples=[[]],
    )
    motors: list[PositionSchema] = Field(description="Where all motors stood at its first scan, as far as it tells.")
    rules: str = Field(description="The rules that its metadata were read by.", examples=["bliss"])
    rules_version: str = Field(examples=["1"])
    revision: int = Field(description="Rises with every change of what is said here.", examples=[1])
    created_at: datetime = Field(description="When it came into the catalogue.", examples=["2026-11-01T11:00:00Z"])
    modified_at: datetime = Field(examples=["2026-11-01T11:00:00Z"])


class DatasetPageSchema(PageSchema):
    """A page of hits."""

    items: list[HitSchema]
    total: int = Field(description="How many datasets are found in all.", examples=[4])
    facets: dict[Noun, FacetSchema] = Field(description="The counts that were asked for, over all that is found.")
    sort: Sort | None = Field(description="The order of the hits; null: that of `order_by`.")
    order_by: str = Field(description="The field that they are ordered by, if one was asked for.", examples=[""])
    did_you_mean: str | None = Field(
        description="`q` with words that something has, where nothing was found by words alone.", examples=["hematite"]
    )


class DetectorSchema(Answer):
    """A detector of a scan: the name of its group, and what describes it, if anything does."""

    name: str = Field(examples=["eiger"])
    path: str = Field(description="HDF5 path.", examples=["/1.1/instrument/eiger"])
    label: str | None = Field(default=None, examples=["Eiger 4M"])
    shape: list[int] = Field(
        default_factory=list, description="Of its data, if it is known.", examples=[[11, 2162, 2068]]
    )


class MotorSchema(Answer):
    """A motor that a scan moved. Positions are missing where the file holds too many to be read."""

    name: str = Field(examples=["samx"])
    path: str = Field(description="HDF5 path.", examples=["/1.1/instrument/samx/value"])
    unit: str | None = Field(default=None, description="As the file spells it.", examples=["mm"])
    first: float | None = Field(default=None, description="Where it was first.", examples=[0.0])
    last: float | None = Field(default=None, description="Where it was last.", examples=[1.0])
    low: float | None = Field(default=None, examples=[0.0])
    high: float | None = Field(default=None, examples=[1.0])
    point_count: int | None = Field(default=None, description="How many positions are recorded.", examples=[11])


class CounterSchema(Answer):
    """A channel that a scan measured."""

    name: str = Field(examples=["I0"])
    path: str = Field(description="HDF5 path.", examples=["/1.1/measurement/I0"])
    shape: list[int] = Field(description="Of all its points.", examples=[[11]])
    unit: str | None = Field(default=None, description="As the file spells it.", examples=["A"])


class ServingSchema(Answer):
    """A scan that was taken for the sake of another: of each kind the last before it and the first after it."""

    kind: str = Field(examples=["dark"])
    entry_name: str = Field(examples=["/1.1"])


class PersonSchema(Answer):
    """A person whom a scan names."""

    name: str = Field(examples=["Ada Example"])
    role: str | None = Field(default=None, examples=["principal_investigator"])
    path: str | None = Field(default=None, description="HDF5 path.", examples=["/1.1/user/name"])


class SourceSchema(Answer):
    """Where a value comes from."""

    path: str | None = Field(default=None, description="HDF5 path.", examples=["/1.1/title"])
    original: str | None = Field(default=None, description="What the file says.", examples=["ascan samx 0 1 10 0.1"])
    origin: str | None = Field(default=None, description="read, derived or inferred.", examples=["read"])
    zone_known: bool | None = Field(default=None, description="Of a time: the file says its zone.")


class ScanLinks(Answer):
    """Where more about a scan is."""

    self: str = Field(examples=["/api/v1/datasets/42/scans/1.1"])
    parameters: str = Field(examples=["/api/v1/datasets/42/parameters?scan=%2F1.1"])


class ScanSchema(Answer):
    """A scan: one NXentry of the master."""

    ordinal: int = Field(examples=[0])
    entry_name: str = Field(description="Its place in the master.", examples=["/1.1"])
    title: str | None = Field(examples=["ascan samx 0 1 10 0.1"])
    definition: str | None = Field(examples=["NXxrd"])
    command: str | None = Field(examples=["ascan samx 0 1 10 0.1"])
    start_date: datetime | None = Field(examples=["2026-11-01T10:00:00Z"])
    end_date: datetime | None = Field(examples=["2026-11-01T10:01:00Z"])
    end_reason: str | None = Field(examples=["SUCCESS"])
    is_ended: bool
    point_count: int | None = Field(examples=[11])
    instrument_name: str | None = Field(examples=["ESRF-ID11"])
    source_name: str | None = Field(examples=["ESRF"])
    source_type: str | None = Field(examples=["Synchrotron X-ray Source"])
    probe: str | None = Field(examples=["x-ray"])
    sample: SampleReference | None
    detectors: list[DetectorSchema]
    motors: list[MotorSchema] = Field(description="Those that it moved.")
    counters: list[CounterSchema]
    kind: str | None = Field(
        description="What it was taken for: projection, flat, dark, empty_beam, calibration, alignment, invalid.",
        examples=["flat"],
    )
    frames: dict[str, int] = Field(
        description="How many frames it has of each kind, where the file tells for each.",
        examples=[{"projection": 900}],
    )
    linked_files: dict[str, int] = Field(
        description="How many other files it needs, by what became of them: present, missing, on_tape, unreachable.",
        examples=[{"present": 5}],
    )
    served_by: list[ServingSchema] = Field(description="Scans of the dataset that were taken for its sake.")
    users: list[PersonSchema]
    sources: dict[str, SourceSchema] = Field(description="For each value, where it comes from.")
    is_withdrawn: bool = Field(description="No longer in the file; kept because it was published.")
    links: ScanLinks


class ScanPageSchema(PageSchema):
    """A page of scans."""

    items: list[ScanSchema]


class ParameterSchema(Answer):
    """A parameter: a number, a range, a list with its extremes, a text or an instant."""

    name: str = Field(examples=["InstrumentMonochromator_energy"])
    scan: str | None = Field(description="Entry name of its scan; null: the dataset's own.", examples=["/1.1"])
    description: str | None = Field(examples=["Energy of the photons behind the monochromator"])
    value_type: ValueType = Field(examples=["NUMERIC"])
    unit: str = Field(
        description="Of all numbers here; empty for texts and times, 1 for bare numbers.", examples=["keV"]
    )
    numeric_value: float | None = Field(examples=[12.4])
    range_bottom: float | None = Field(examples=[None])
    range_top: float | None = Field(examples=[None])
    values: list[float] | None = Field(examples=[None])
    value_count: int | None = Field(
        description="How many values a range was made of, where that is known.", examples=[None]
    )
    string_value: str | None = Field(examples=[None])
    date_time_value: datetime | None = Field(examples=[None])
    error: float | None = Field(description="Uncertainty, in the same unit.", examples=[None])
    original_value: str | None = Field(description="What the file says.", examples=["12400"])
    original_unit: str | None = Field(description="The unit in the file.", examples=["eV"])
    source_path: str | None = Field(
        description="HDF5 path; `path@name` for an attribute.", examples=["/1.1/instrument/monochromator/energy"]
    )
    origin: str = Field(description="read, derived, inferred, or stated by a person.", examples=["read"])
    layer: str = Field(description="Who says so: file, rule, notice or person.", examples=["file"])
    is_public: bool = Field(description="Else only who sees all is shown it, such as a patient's age.")


class ParameterPageSchema(PageSchema):
    """A page of parameters."""

    items: list[ParameterSchema]


class LackingFileSchema(Answer):
    """A linked file that is not at hand."""

    path: str = Field(description="HDF5 path of what links to it.", examples=["/1.1/instrument/eiger/image"])
    kind: str = Field(description="external, virtual or storage.", examples=["virtual"])
    state: str = Field(description="missing, on_tape or unreachable.", examples=["missing"])
    file: str | None = Field(
        description="As the master names it; of a file outside of the dataset's folder for its operators only.",
        examples=["scan0001/eiger_0000.h5"],
    )


class LinkedFilesSchema(Answer):
    """The other files that a master needs, each counted once, as they were when it was last read. None was opened."""

    present: int = Field(examples=[12])
    missing: int = Field(examples=[1])
    on_tape: int = Field(description="Far fewer blocks on disk than its size.", examples=[0])
    unreachable: int = Field(description="Outside of the catalogue's folders: nobody looked.", examples=[0])
    outside: int = Field(description="Outside of the dataset's folder, wherever.", examples=[0])
    unlisted: int = Field(description="Links past the first thousand, which were not looked at.", examples=[0])
    is_complete: bool = Field(description="None is missing.")
    lacking: list[LackingFileSchema] = Field(description="The first hundred that are not present.")


class FileSchema(Answer):
    """A file of a dataset."""

    ordinal: int = Field(description="Its number in the dataset, given once.", examples=[0])
    name: str = Field(description="Path relative to the dataset's folder.", examples=["scan0001/eiger_0000.h5"])
    file_size: int = Field(description="In bytes.", examples=[1048576])
    modified_at: datetime = Field(examples=["2026-11-01T10:01:00Z"])
    checksum: str | None = Field(examples=[None])
    address: str | None = Field(
        description="Where the file itself is, within the service; null: it is no longer on disk.",
        examples=["/files/42/scan0001/eiger_0000.h5"],
    )
    is_vanished: bool = Field(description="No longer on disk.")


class FilePageSchema(PageSchema):
    """A page of files."""

    items: list[FileSchema]
