"""The schema of a rule file: how the records of one writer become drafts. Facility knowledge stands only in such files.

`docs/rule-files.md` shows one with explanations. Rule files are TOML; those that we ship stand in `rule_files/`.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from ingest.catalogue.scan_fields import SCAN_FIELDS, FieldKind
from ingest.catalogue.technique_terms import find_technique, to_pid
from ingest.catalogue.units import Probe, parse_unit
from ingest.catalogue.vocabulary import NUMBERED, ValueType, load_vocabulary
from ingest.mapping.paths import to_path_form
from ingest.mapping.positions import to_position


def _check_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def _check_unit(text: str) -> str:
    if text and parse_unit(text) != text:
        raise ValueError(f"{text!r} is not how we spell a unit; write {parse_unit(text) or 'one that exists'}")
    return text


def _check_position(text: str) -> str:
    to_position(text)
    return text


def _check_path(text: str) -> str:
    to_path_form(text, {})
    return text


Pattern = Annotated[str, AfterValidator(_check_pattern)]
"""A regular expression, matched without regard to case."""
Unit = Annotated[str, AfterValidator(_check_unit)]
Place = Annotated[str, AfterValidator(_check_position)]
"""A position: `NXsample/NXbeam`, `NXcollection:positioners`, `:experiment`, `root`."""
PathPattern = Annotated[str, AfterValidator(_check_path)]
MemberName = Annotated[str, StringConstraints(min_length=1)]


ScanKind = Literal["projection", "flat", "dark", "empty_beam", "calibration", "alignment", "invalid"]
"""What a scan, or a frame of one, was taken for."""
PROJECTION: Final = "projection"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Kind(StrEnum):
    """What is made of the field that was found."""

    TEXT = "text"
    BOOLEAN = "boolean"
    """A truth value, kept as the text `true` or `false`."""
    TIME = "time"
    QUANTITY = "quantity"
    INTEGER = "integer"
    LENGTH = "length"
    """The length of the field's first axis; its values need not have been read."""


KINDS: Final = {
    FieldKind.TEXT: (Kind.TEXT,),
    FieldKind.TIME: (Kind.TIME,),
    FieldKind.QUANTITY: (Kind.QUANTITY,),
    FieldKind.COUNT: (Kind.LENGTH, Kind.INTEGER),
}
"""How a field of a scan may be read; as the first, if a rule does not say."""

ScanField = Literal[
    "title",
    "start_time",
    "end_time",
    "end_reason",
    "definition",
    "command",
    "point_count",
    "instrument_name",
    "source_name",
    "source_type",
    "probe",
    "sample_name",
    "sample_formula",
    "sample_identifier",
    "experiment_identifier",
    "temperature",
    "incident_energy",
    "wavelength",
]


class Condition(_Strict):
    """That a group has a field with a text that contains this."""

    field: MemberName
    matching: Pattern


class Source(_Strict):
    """Where a value may stand: one of the fields, in a group at one of the positions. Earlier ones are preferred."""

    at: tuple[Place, ...]
    """Positions, outermost group first: `NXsample/NXbeam` is any NXbeam directly in an NXsample, wherever that is.
    A step is a class, a class and a name (`NXcollection:positioners`) or a name (`:experiment`); names may hold `*`.
    `NXentry` is the entry itself; `root` is the root of the file. Of several groups the outermost comes first."""
    fields: tuple[MemberName, ...]
    """Names, in any case of letters: `name` is a field, or a group that stands for one (NXlog, NXidentifier);
    `@name` an attribute of the group; `field@name` an attribute of a field; `.` the name of the group itself; `*` the
    value that the group stands for, if it is a log, a sensor or an identifier."""
    named: Pattern = ""
    """Groups whose own name does not contain this are passed over."""
    unless_named: Pattern = ""
    """Groups whose name, or whose parent's name, contains this are passed over."""
    where: tuple[Condition, ...] = ()
    """Groups in which one of these does not hold are passed over."""
    unless: tuple[Condition, ...] = ()
    """And those in which one of these holds."""
    matching: Pattern = ""
    """The text must contain this; if the pattern has a group in parentheses, that part is the value."""
    needs_unit: bool = False
    """A number without a unit of its own is passed over."""
    own_unit: bool = False
    """A number without one is in the parameter's unit: whoever writes here has agreed on it. Of a parameter that is a
    bare number any is taken as it stands; its unit in the file, if that is no ratio, is kept beside it and no more."""
    inferred: bool = False
    """A value found here is a conclusion, not a statement of the file."""


class BareUnit(_Strict):
    """The unit to believe for a number that has none."""

    unit: Unit
    low: float
    high: float
    """The number, as it stands in the file, must lie between the two."""
    probe: Probe | None = None
    """Only where the source emits this."""


class Usual(_Strict):
    """What is usual in scans of these application definitions, in the canonical unit."""

    definition: tuple[str, ...]
    low: float
    high: float


class Target(_Strict):
    """How one scan field or parameter is filled: the first source that gives an acceptable value wins."""

    kind: Kind | None = None
    """Fields of a scan and parameters of the vocabulary may leave it out: what they are is known."""
    sources: tuple[Source, ...] = ()
    """Added before those of the extended file."""
    replace: bool = False
    """Forget all that the extended file says of this target."""
    unit: Unit = ""
    """The canonical unit of a quantity; fields of a scan and parameters of the vocabulary have theirs."""
    bare: tuple[BareUnit, ...] = ()
    low: float | None = None
    high: float | None = None
    """In the canonical unit; a number that is not above `low` or is above `high` is not believed."""
    never: tuple[float, ...] = ()
    """Numbers, as they stand in the file, that mean `not known`."""
    usual: tuple[Usual, ...] = ()
    """Of incident energy and wavelength: what lies beyond is kept, and flagged; often its unit is wrong."""
    placeholders: tuple[str, ...] = ()
    """Texts, beside the general ones, that mean `not known`."""
    spellings: dict[str, str] = {}
    """What a text becomes, by its form in lower case."""
    many: Literal["range", "list"] = "range"
    """What an array becomes."""
    separator: str = ""
    """What stands between the parts of a list that is one text, of names or of numbers. An array of texts becomes such
    a list, with all its parts; without this it becomes one with commas, in which each part stands once."""
    parameter: str = ""
    """A scan field may also be stored as this parameter."""
    personal: Literal["", "closed", "public"] = ""
    """Of a parameter: it tells of a patient or another person. Nothing that does is stored unless a rule says one of
    these: `closed`, then only who sees all is shown it; `public`, as any other."""
    day_from: tuple[str, ...] = ()
    """Root attributes that hold the day where a time is only a time of day."""


class Evidence(_Strict):
    """Something that tells who wrote a file. Exactly one of `attribute`, `entry` and `at` is given."""

    attribute: str = ""
    """A root attribute, whose text must contain `matching`."""
    entry: Pattern = ""
    """Every entry's name must match this as a whole."""
    at: Place | Literal[""] = ""
    """A position in the first entry, as in a source; the class is the one that the file states."""
    field: MemberName = "."
    """A member of a group there, as in a source, that must contain `matching`; the group's own name if left out."""
    matching: Pattern = ""
    """Without it, it is enough that there is such an attribute, or such a member."""
    score: int = 10

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if [bool(self.attribute), bool(self.entry), bool(self.at)].count(True) != 1:
            raise ValueError("evidence names either a root attribute or the form of entry names, or where to look")
        return self


class PeopleRule(_Strict):
    """Where users stand. Contact data is never asked for."""

    at: tuple[Place, ...] = ()
    name: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    orcid: tuple[str, ...] = ()


class DetectorRule(_Strict):
    """What counts as a detector, and the fields that describe one."""

    at: tuple[Place, ...] = ()
    label: tuple[str, ...] = ()
    data: tuple[MemberName, ...] = ()
    """Names of the array that it recorded: the first that is there gives its shape."""


class ChannelRule(_Strict):
    """Where motors and measured channels stand."""

    motors: tuple[Place, ...] = ()
    """Groups of one motor each."""
    values: tuple[MemberName, ...] = ()
    """Fields of such a group that are its position; the group has the motor's name. Another array there, and a field
    that is called as the group, is a motor of its own name."""
    unless_named: Pattern = ""
    """Fields of such a group that are no position: limits, set points, raw values."""
    snapshots: tuple[Place, ...] = ()
    """Groups each field of which is a motor."""
    axes: tuple[Place, ...] = ()
    """Groups in which fields with `transformation_type`, or with one of `axis_names`, are motors."""
    axis_names: tuple[MemberName, ...] = ()
    clocks: Pattern = ""
    """Names that are no motor, though they stand among them."""
    axes_tell: bool = True
    """Where the file says along which axes it was measured, those motors alone have moved."""
    measured: tuple[Place, ...] = ()
    """Groups each array of which is a counter."""
    monitors: tuple[Place, ...] = ()
    """Groups of one counter each."""
    signals: tuple[Place, ...] = ()
    """Groups that say which of their arrays are signals, and along which axes."""


class Movement(_Strict):
    """A motor that the scan moved far enough, and at enough points."""

    named: Pattern
    """Its name must contain this."""
    unit: Unit
    span: float
    longest: float = float("inf")
    """Between the two lies the way from its lowest to its highest position, in the unit."""
    points: int = 2
    """At least so many."""
    over_edge: bool = False
    """On its way lies an x-ray absorption edge: of an element of the sample, where a formula is known."""


class FramesRule(_Strict):
    """Fields that say by a key for each frame, or once for the scan, what it was taken for."""

    at: tuple[Place, ...] = ()
    fields: tuple[MemberName, ...] = ()
    keys: dict[str, ScanKind] = {}


class TechniqueRule(_Strict):
    """A technique that is inferred where all that is said here holds."""

    name: str
    pid: str
    """The term's identifier; of one in PaNET or ESRFET the name must be the label, for the identifiers look alike."""
    definition: str | tuple[str, ...] = ()
    """The entry names one of these application definitions."""
    probe: Probe | None = None
    """The source emits this."""
    unless_probe: Probe | None = None
    """The source does not say that it emits this."""
    moved: Movement | None = None
    measured: tuple[Pattern, ...] = ()
    """For each of these the scan has a counter whose name contains it."""
    present: tuple[Source, ...] = ()
    """In each of these something stands; if the source says `matching`, a text that contains it."""

    @model_validator(mode="after")
    def _check_term(self) -> Self:
        if not (self.definition or self.moved or self.present):
            raise ValueError("a technique is told by `definition`, `moved` or `present`")
        term = find_technique(self.pid)
        if to_pid(self.pid) is not None and (term is None or term.label != self.name):
            meant = f"is {term.label!r}" if term is not None else "is no term that is known"
            raise ValueError(f"{self.pid} {meant}, not {self.name!r}")
        return self


class SideFileRule(_Strict):
    """When a file belongs to another master instead of being a dataset."""

    unless: tuple[ScanField, ...] = ()
    """A file whose entries say one of these is no side file; nor is one that links to other files."""
    when: tuple[Evidence, ...] = ()
    """Writers of side files, whatever their entries say."""


class PathRule(_Strict):
    """What folder names say. `visitor/{proposal}/{beamline}/{visit}` begins at any folder and may go on.

    With a slash at its end the last part is a folder, never the file.
    """

    pattern: PathPattern
    parts: dict[str, Pattern] = {}
    """What a part may look like, beside the general `path_parts`."""


class RuleFile(_Strict):
    """One rule file, after what it extends was merged into it."""

    name: str
    version: str
    """Declared by its author; a digest of the content is added to it."""
    extends: str = ""
    recognise: tuple[Evidence, ...] = ()
    """The file is this writer's if the scores of what is found reach 10."""
    class_names: dict[str, tuple[str, ...]] = {}
    """For a group without a NeXus class: the class by the group's name, a trailing number ignored."""
    class_equals: dict[str, str] = {}
    """Classes that are read as another one."""
    placeholders: tuple[str, ...] = ()
    placeholder_patterns: tuple[Pattern, ...] = ()
    """Texts and forms of text, in any case of letters, that mean `not known`."""
    targets: dict[ScanField, Target] = {}
    parameters: dict[str, Target] = {}
    users: PeopleRule = PeopleRule()
    detectors: DetectorRule = DetectorRule()
    channels: ChannelRule = ChannelRule()
    frames: FramesRule = FramesRule()
    scan_kinds: dict[ScanKind, Pattern] = {}
    """What the title or the command of a scan of that kind contains; the first that fits counts."""
    techniques: tuple[TechniqueRule, ...] = ()
    technique_sources: tuple[Source, ...] = ()
    """Where a file states techniques: identifiers, labels or abbreviations of terms, one or several in a text."""
    end_required: bool = False
    """An entry without an end is unfinished."""
    side_file: SideFileRule = SideFileRule()
    paths: tuple[PathRule, ...] = ()
    path_parts: dict[str, Pattern] = {}
    """What `{proposal}`, `{visit}`, ... look like; any folder name where nothing is said."""
    masters: tuple[str, ...] = ()
    """Names of the master in a dataset's folder; `{folder}` is the folder's own name."""

    def unit_of(self, name: str) -> str:
        """Return the unit of a parameter: the vocabulary's, else the rule's own."""
        known = load_vocabulary().get(name.replace(NUMBERED, "01"))
        return known.unit if known else self.parameters[name].unit

    def scan_kind_of(self, name: ScanField) -> Kind:
        """Return how a field of a scan is read: as the rule says, else as the field demands."""
        return self.targets[name].kind or KINDS[SCAN_FIELDS[name].kind][0]

    def kind_of(self, name: str) -> Kind:
        """Return how a parameter is read: as the rule says, else as its type in the vocabulary demands."""
        declared = self.parameters[name].kind
        if declared is not None:
            return declared
        kinds = {ValueType.NUMERIC: Kind.QUANTITY, ValueType.DATE_AND_TIME: Kind.TIME, ValueType.STRING: Kind.TEXT}
        return kinds[load_vocabulary()[name.replace(NUMBERED, "01")].value_type]
