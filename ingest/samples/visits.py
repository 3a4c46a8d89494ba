"""The beam times of the sample facility that are measured with BLISS: two proposals, two beamlines, in-house work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from ingest.samples.bliss import BlissDataset, Scan, write_collection_master, write_dataset
from ingest.samples.damage import mark_open
from ingest.samples.expected import Becomes, Expected
from ingest.samples.hdf5 import set_age

if TYPE_CHECKING:
    from pathlib import Path

ALIGN = Scan("ascan samx -1.000000 1.000000 20 0.1", 21, moved="samx", start=-1.0)
COUNT = Scan("loopscan 10 0.5", 10, count_time=0.5, camera="eiger")
ABORTED = Scan("loopscan 1000 0.2", 26, count_time=0.2, end_reason="USER_ABORT")
FAILED = Scan("loopscan 30 0.2", 6, count_time=0.2, end_reason="FAILURE")
DIED = Scan("loopscan 1000 0.5", 12, count_time=0.5, camera="eiger", end_reason=None)
TOMOGRAPHY = (
    Scan("tomo:fullturn", 1),
    Scan("dark images", 5, count_time=0.05, camera="pcoedge"),
    Scan("reference images 1", 5, count_time=0.05, camera="pcoedge"),
    Scan("projections 1 - 30", 30, moved="omega", stop=360.0, count_time=0.05, camera="pcoedge"),
)
XANES = Scan("ascan energy 7.050000 7.250000 40 0.2", 41, moved="energy", start=7.05, stop=7.25, count_time=0.2)

LAB6 = BlissDataset("LaB6", "0001", 35.0, (ALIGN, COUNT), "LaB6 NIST 660c in 0.5 mm borosilicate capillary", "LaB6")
OXIDE = BlissDataset("Fe2O3", "0001_room", 35.0, (ALIGN, COUNT, COUNT), "hematite in a quartz capillary", "Fe2O3")
TOOTH = BlissDataset("human_tooth", "0001_fullfield", 60.0, TOMOGRAPHY, "human molar, modern, in ethanol")
AMBER = BlissDataset("wasp_in_amber", "0001_fullfield", 25.0, TOMOGRAPHY, "Baltic amber with a wasp, Eocene")
SILICON = BlissDataset("Si640d", "0001", 42.7, (ALIGN, COUNT), "NIST SRM 640d", "Si")
FOIL = BlissDataset("Fe_foil", "0001_xanes", 7.112, (XANES, XANES), "iron foil 5 um", "Fe", "XANES")
CATHODE = BlissDataset("NMC811", "0001_pristine", 35.0, (ALIGN, COUNT), "cathode", "LiNi0.8Mn0.1Co0.1O2", "XRPD")


@dataclass(frozen=True, slots=True)
class Visit:
    """A beam time: its folder below the root holds RAW_DATA; its datasets were started one hour after another.

    `proposal` is None where the path names none: then the masters of the whole visit are called after the beamline.
    """

    folder: str
    beamline: str
    proposal: str | None
    begin: datetime
    datasets: tuple[BlissDataset, ...]


def list_visits(today: date) -> tuple[Visit, ...]:
    """Return the visits; those of 2023 are open by any usual policy, that of some weeks ago is under embargo."""
    heating = tuple(
        Scan(f"loopscan 5 1 at {kelvin} K", 5, count_time=1.0, camera="eiger", temperature=float(kelvin))
        for kelvin in (300, 500, 700, 900)
    )
    oxides = (
        OXIDE,
        replace(OXIDE, name="0002_heating", scans=heating),
        replace(OXIDE, name="0003_abort", scans=(ALIGN, ABORTED, FAILED)),
        replace(OXIDE, name="0004_crash", scans=(ALIGN, DIED)),
    )
    cathodes = (
        CATHODE,
        replace(CATHODE, name="0002_charged", scans=(replace(COUNT, temperature=298.0),)),
        replace(CATHODE, name="0003_operando", scans=(ALIGN, DIED), still_open=True),
    )
    recent = (today.replace(day=1) - timedelta(days=20)).replace(day=12)
    return (
        make_visit("visitor", "hc5231", "id22", date(2023, 4, 18), (LAB6, *oxides)),
        make_visit("visitor", "md1377", "id19", date(2023, 6, 15), (TOOTH, replace(TOOTH, name="0002_roi"), AMBER)),
        make_visit("inhouse", "blc14210", "id22", date(2023, 5, 17), (SILICON,)),
        make_visit("inhouse", None, "id19", date(2023, 9, 5), (FOIL,)),
        make_visit("visitor", "hc5231", "id22", recent, cathodes),
    )


def make_visit(kind: str, proposal: str | None, beamline: str, day: date, datasets: tuple[BlissDataset, ...]) -> Visit:
    """Make a visit at `kind/proposal/beamline/YYYYMMDD`; some in-house work has no proposal."""
    folder = "/".join(part for part in (kind, proposal, beamline, f"{day:%Y%m%d}") if part)
    begin = datetime.combine(day, time(7, 12, 31, 204518), UTC)
    placed = tuple(replace(dataset, beamline=beamline) for dataset in datasets)
    return Visit(folder, beamline, proposal, begin, placed)


def write_visits(folder: Path, today: date) -> list[Expected]:
    """Write all visits below the folder, with their proposal and collection masters."""
    return [expected for visit in list_visits(today) for expected in write_visit(folder, visit)]


def write_visit(folder: Path, visit: Visit) -> list[Expected]:
    """Write the datasets of a visit, then the masters that link to their scans."""
    place = folder / visit.folder
    written: dict[Path, BlissDataset] = {}
    for hour, dataset in enumerate(visit.datasets):
        begin = visit.begin + timedelta(hours=hour)
        written[write_dataset(place, dataset, begin)] = dataset
    collections = write_collections(place / "RAW_DATA", visit, list(written))
    for master, dataset in written.items():
        if not dataset.has_end:
            leave_unclosed(master, dataset)
    return [
        *(expect_dataset(master, dataset, visit) for master, dataset in written.items()),
        *(Expected(path, "collection") for path in collections),
    ]


def write_collections(raw: Path, visit: Visit, masters: list[Path]) -> list[Path]:
    """Write the proposal's master and one for each collection."""
    prefix = visit.proposal or visit.beamline
    paths = [write_collection_master(raw / f"{prefix}_{visit.beamline}.h5", masters, visit.begin)]
    for collection in dict.fromkeys(dataset.collection for dataset in visit.datasets):
        path = raw / collection / f"{prefix}_{collection}.h5"
        members = [master for master in masters if master.is_relative_to(path.parent)]
        paths.append(write_collection_master(path, members, visit.begin))
    return paths


def leave_unclosed(master: Path, dataset: BlissDataset) -> None:
    """Leave the master as its writer has it open: changed just now, or, where the writer died, long ago."""
    changed = datetime.fromtimestamp(master.stat().st_mtime, UTC)
    mark_open(master)
    if not dataset.still_open:
        set_age(master, changed)


def expect_dataset(master: Path, dataset: BlissDataset, visit: Visit) -> Expected:
    """Say what the dataset must become."""
    first = dataset.scans[0]
    unclosed: Becomes = "settling" if dataset.still_open else "incomplete"
    return Expected(
        master,
        "dataset" if dataset.has_end else unclosed,
        scans=len(dataset.scans),
        title=first.title,
        sample=dataset.collection,
        instrument=visit.beamline,
        proposal=visit.proposal,
        energy_kev=dataset.energy,
        temperature_kelvin=first.temperature,
        end_reasons=tuple(scan.end_reason for scan in dataset.scans),
    )
