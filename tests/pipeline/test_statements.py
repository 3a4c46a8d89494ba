"""Whatever is stored of a draft shows in its statement, and what the catalogue says reads the same."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from ingest import rulebook
from ingest.catalogue.model import Dataset, Root
from ingest.identity import MasterContext
from ingest.listing import Listing
from ingest.mapping.differences import find_changes
from ingest.mapping.drafts import (
    CounterDraft,
    DatasetDraft,
    DetectorDraft,
    Moment,
    MotorDraft,
    Origin,
    ParameterDraft,
    PersonDraft,
    PositionDraft,
    Quantity,
    ScanDraft,
    ServingDraft,
    Taken,
    TechniqueDraft,
)
from ingest.mapping.paths import PathMatch
from ingest.nexus.record import FileKind
from ingest.remapped import Verdict
from ingest.remapping import Remap
from ingest.samples.tree import write_samples
from ingest.statements import to_statement
from tests.pipeline.site import Site

if TYPE_CHECKING:
    from ingest.pipeline import Services

PATH = "/1.1/somewhere"
MOMENT = Moment(datetime(2023, 5, 9, tzinfo=UTC), zone_known=True, written="2023-05-09T00:00:00Z")
NUMBER = Quantity("keV", value=12.4)
SCAN = ScanDraft(
    entry="/1.1",
    title=Taken("a title", PATH, "a title"),
    start_time=Taken(MOMENT, PATH, "2023-05-09"),
    end_time=Taken(MOMENT, PATH, "2023-05-09"),
    end_reason=Taken("SUCCESS", PATH, "SUCCESS"),
    definition=Taken("NXxrd", PATH, "NXxrd"),
    command=Taken("ascan", PATH, "ascan"),
    point_count=Taken(11, PATH, "11"),
    instrument_name=Taken("ID00", PATH, "ID00"),
    source_name=Taken("ESRF", PATH, "ESRF"),
    source_type=Taken("Synchrotron", PATH, "Synchrotron"),
    probe=Taken("x-ray", PATH, "x-ray"),
    sample_name=Taken("LaB6", PATH, "LaB6"),
    sample_formula=Taken("LaB6", PATH, "LaB6"),
    sample_identifier=Taken("pid", PATH, "pid"),
    experiment_identifier=Taken("hc1", PATH, "hc1"),
    temperature=Taken(Quantity("K", value=4.0), PATH, "4"),
    incident_energy=Taken(NUMBER, PATH, "12.4"),
    wavelength=Taken(Quantity("angstrom", value=1.0), PATH, "1"),
    users=(PersonDraft(Taken("Ada", PATH, "Ada"), "PI"),),
    detectors=(DetectorDraft("eiger", PATH, "Eiger"),),
    motors=(MotorDraft("samx", PATH, "mm", 0.0, 1.0, 0.0, 1.0, 11),),
    counters=(CounterDraft("I0", PATH, (11,), "A"),),
    kind=Taken("projection", PATH, "0"),
    frames={"projection": 11},
    served_by=(ServingDraft("dark", "/2.1"),),
)
DRAFT = DatasetDraft(
    kind=FileKind.NEXUS,
    rules="mine",
    rules_version="1",
    scans=(SCAN,),
    parameters=(
        ParameterDraft("number", Taken(NUMBER, PATH, "12.4", "keV")),
        ParameterDraft("range", Taken(Quantity("mm", bottom=1.0, top=2.0), PATH, "1, 2", "mm"), "/1.1"),
        ParameterDraft("list", Taken(Quantity("mm", values=(1.0, 2.0)), PATH, "1, 2", "mm")),
        ParameterDraft("text", Taken("words", PATH, "words")),
        ParameterDraft("time", Taken(MOMENT, PATH, "2023-05-09")),
    ),
    techniques=(TechniqueDraft("diffraction", PATH, "NXxrd", origin=Origin.INFERRED, pid="x"),),
    flags=("odd",),
    positions=(PositionDraft("samx", PATH, 0.5, "mm"),),
)
CONTEXT = MasterContext(
    root=Root(id=1, facility_id=1, path="/root"),
    master_file_id=1,
    path=Path("/root/a/b.h5"),
    file_size=1,
    mtime_ns=1,
    match=PathMatch("p", "hc1", "v", "id00", "c", "b"),
    listing=Listing(Path("/root/a"), (), ""),
    folder_mtime_ns=None,
    is_complete=True,
)
NOT_STORED = {
    "entry",  # the key
    "number",  # orders the scans: their ordinals are stored
    "rules_version",  # another version that says the same is no news
    *("kind", "linked_files", "truncated"),  # the record's: no rule changes them
    "is_side_file",  # decides whether anything is stored
}


def differs(draft: DatasetDraft, context: MasterContext = CONTEXT) -> bool:
    return bool(find_changes(to_statement(DRAFT, CONTEXT, "b"), to_statement(draft, context, "b")))


def test_the_same_draft_says_the_same() -> None:
    assert not differs(replace(DRAFT, rules_version="2"))


# Where motors stood is stored of the dataset.
@pytest.mark.parametrize("name", sorted({f.name for f in fields(ScanDraft)} - NOT_STORED - {"positions"}))
def test_every_field_of_a_scan_shows(name: str) -> None:
    empty: Any = (
        ()
        if name in {"users", "detectors", "motors", "counters", "served_by"}
        else {}
        if name == "frames"
        else False
        if name == "ended"
        else None
    )
    assert differs(replace(DRAFT, scans=(replace(SCAN, **{name: empty}),)))


@pytest.mark.parametrize("name", [f.name for f in fields(ScanDraft) if isinstance(getattr(SCAN, f.name), Taken)])
@pytest.mark.parametrize("part", [{"path": "/else"}, {"original": "else"}, {"origin": Origin.INFERRED}])
def test_the_source_of_every_value_shows(name: str, part: dict[str, Any]) -> None:
    assert differs(replace(DRAFT, scans=(replace(SCAN, **{name: replace(getattr(SCAN, name), **part)}),)))


@pytest.mark.parametrize("name", sorted({f.name for f in fields(DatasetDraft)} - NOT_STORED))
def test_every_field_of_a_dataset_shows(name: str) -> None:
    others = {"rules": "other", "scans": (replace(SCAN, title=None),)}
    assert differs(replace(DRAFT, **{name: others.get(name, ())}))


@pytest.mark.parametrize("number", range(len(DRAFT.parameters)))
@pytest.mark.parametrize(
    "part", [{"path": "/else"}, {"original": "else"}, {"original_unit": "eV"}, {"origin": Origin.DERIVED}, {"value": 0}]
)
def test_every_part_of_a_parameter_shows(number: int, part: dict[str, Any]) -> None:
    known = DRAFT.parameters[number]
    value = {
        "number": Quantity("keV", value=12.400000000000002),
        "range": Quantity("mm", bottom=1.0, top=3.0),
        "list": Quantity("mm", values=(1.0, 3.0)),
        "text": "word",
        "time": replace(MOMENT, instant=datetime(2023, 5, 9, 0, 0, 0, 1, tzinfo=UTC)),
    }[known.name]
    part = {"value": value} if "value" in part else part
    changed = replace(known, value=replace(known.value, **part))
    assert differs(replace(DRAFT, parameters=(*DRAFT.parameters[:number], changed, *DRAFT.parameters[number + 1 :])))


def test_unit_and_scope_of_a_parameter_show() -> None:
    known = DRAFT.parameters[0]
    in_another = replace(known, value=replace(known.value, value=Quantity("eV", value=12.4)))
    for changed in (in_another, replace(known, entry="/1.1"), replace(known, name="else")):
        assert differs(replace(DRAFT, parameters=(changed, *DRAFT.parameters[1:])))


def test_the_order_of_scans_shows() -> None:
    scans = (SCAN, replace(SCAN, entry="/2.1"))
    assert find_changes(
        to_statement(replace(DRAFT, scans=scans), CONTEXT, "b"),
        to_statement(replace(DRAFT, scans=scans[::-1]), CONTEXT, "b"),
    )


@pytest.mark.parametrize(
    "part",
    [
        {"is_complete": False},
        {"match": PathMatch("p", "hc1", "w", "id00", "c", "b")},
        {"match": PathMatch("p", "hc1", "v", "id01", "c", "b")},
        {"match": PathMatch("p", "hc1", "v", "id00", "c", "d")},
        {"root": Root(id=1, facility_id=2, path="/root")},
    ],
)
def test_where_a_dataset_belongs_shows(part: dict[str, Any]) -> None:
    assert differs(DRAFT, replace(CONTEXT, **part))


@pytest.mark.parametrize("name", ["b", "b.h5", "a/b.h5", "a/b.h5 (2)"])
def test_a_dataset_keeps_a_name_that_it_may_have(name: str) -> None:
    context = replace(CONTEXT, match=None)
    (said,) = to_statement(DRAFT, context, name)[("dataset", "attribute", "name")].values()  # type: ignore[index]
    assert said.text == name


def test_a_zone_that_was_assumed_shows() -> None:
    start = Taken(replace(MOMENT, zone_known=False), PATH, "2023-05-09")
    assert differs(replace(DRAFT, scans=(replace(SCAN, start_time=start),)))


def test_what_the_catalogue_says_of_any_sample_reads_as_its_draft(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_samples(tmp_path / "root")
    site = Site(services, tmp_path / "root")
    site.crawl(timezone="Europe/Paris")
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).values(content_digest="of another release"))
    monkeypatch.setattr(rulebook, "_find_release", lambda: "another")
    report = Remap(services).run(is_dry=False, note=lambda _done, _total: None)
    assert [(row.field.name, row.examples) for row in report.fields.to_rows()] == []
    assert report.verdicts[Verdict.SAME] == site.count(Dataset) > 15
