"""The sample facility, crawled once: every file becomes what it must."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from ingest.catalogue.model import (
    Datafile,
    Dataset,
    DatasetParameter,
    Instrument,
    Investigation,
    InvestigationFile,
    MasterFile,
    ParameterType,
    Sample,
    Scan,
)
from ingest.catalogue.model.dataset import DatasetInstrument
from ingest.samples.tree import write_samples
from ingest.services import open_services
from tests.pipeline.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.samples.expected import Expected, SampleSet

STATES = {
    "dataset": "ingested",
    "incomplete": "incomplete",
    "collection": "side_file",
    "quarantined": "quarantined",
    "settling": "settling",
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SampleSet:
    today = datetime.now(UTC).date()
    return write_samples(tmp_path_factory.mktemp("facility"), date(today.year, today.month, 1))


@pytest.fixture(scope="module")
def site(samples: SampleSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NXCAT_DATA", str(tmp_path_factory.mktemp("crawled") / "data"))
        with open_services() as services:
            site = Site(services, samples.folder)
            site.crawl()
            yield site


def parameter(site: Site, dataset_id: int, name: str) -> tuple[float, float] | None:
    """Return the range of what is shown of a parameter of the whole dataset; a single number is its own range."""
    statement = (
        select(DatasetParameter)
        .join(ParameterType, ParameterType.id == DatasetParameter.type_id)
        .where(ParameterType.name == name, DatasetParameter.dataset_id == dataset_id)
        .where(DatasetParameter.scan_id.is_(None))
    )
    with site.reads() as session:
        row = session.scalar(statement)
    if row is None:
        return None
    bottom, top = (
        (row.numeric_value, row.numeric_value) if row.range_bottom is None else (row.range_bottom, row.range_top)
    )
    assert bottom is not None
    assert top is not None
    return bottom, top


def test_every_master_is_in_the_state_that_its_kind_leads_to(site: Site, samples: SampleSet) -> None:
    found = {one.path: site.state(one.path)[0] for one in samples.expected}
    assert found == {one.path: STATES[one.becomes] for one in samples.expected}


def test_only_finished_masters_of_measurements_are_datasets(site: Site, samples: SampleSet) -> None:
    with site.reads() as session:
        found = set(session.scalars(select(MasterFile.path).join(Dataset, Dataset.master_file_id == MasterFile.id)))
    assert found == {str(one.path) for one in (*samples.that_become("dataset"), *samples.that_become("incomplete"))}


def test_what_cannot_be_read_says_why(site: Site, samples: SampleSet) -> None:
    reasons = {one.path.name: site.state(one.path)[1] for one in samples.that_become("quarantined")}
    assert reasons == {
        "i18-176404.nxs": "truncated",
        "Fe2O3_0005_lost.h5": "not HDF5",
        "dmc2022n004713.hdf": "not HDF5: lfs-pointer",
    }
    assert all(site.master(one.path).last_error for one in samples.that_become("quarantined"))


def test_what_is_incomplete_says_why(site: Site, samples: SampleSet) -> None:
    reasons = {one.path.name: site.state(one.path)[1] for one in samples.that_become("incomplete")}
    assert reasons == {
        "Fe2O3_0004_crash.h5": "its writer never closed it; a scan has no end",
        "lyso_2_master.h5": "1 linked files are missing",
    }
    assert {site.dataset(one.path).is_complete for one in samples.that_become("incomplete")} == {False}
    assert {site.dataset(one.path).is_complete for one in samples.that_become("dataset")} == {True}


def test_datasets_carry_what_their_files_say(site: Site, samples: SampleSet) -> None:
    for one in (*samples.that_become("dataset"), *samples.that_become("incomplete")):
        check_dataset(site, one)


def check_dataset(site: Site, one: Expected) -> None:
    dataset = site.dataset(one.path)
    with site.reads() as session:
        scans = session.scalars(select(Scan).where(Scan.dataset_id == dataset.id).order_by(Scan.ordinal)).all()
        sample = session.get(Sample, dataset.sample_id) if dataset.sample_id else None
        of_dataset = DatasetInstrument.dataset_id == dataset.id
        instruments = session.scalars(select(Instrument.name).join(DatasetInstrument).where(of_dataset)).all()
    assert len(scans) == one.scans, one.path
    if one.title is not None:
        assert scans[0].title == one.title
    assert (sample.name if sample else None) == one.sample, one.path
    assert instruments == ([one.instrument] if one.instrument else []), one.path
    if one.proposal is not None:
        assert site.investigation(one.path).name == one.proposal
    if one.end_reasons:
        assert tuple(scan.end_reason for scan in scans) == one.end_reasons
    check_quantities(site, one, dataset.id)


def check_quantities(site: Site, one: Expected, dataset_id: int) -> None:
    for name, wanted in (
        ("InstrumentBeam_incident_energy", one.energy_kev),
        ("InstrumentBeam_incident_wavelength", one.wavelength_angstrom),
        ("Sample_temperature", one.temperature_kelvin),
    ):
        found = parameter(site, dataset_id, name)
        if wanted is not None:
            assert found is not None, (one.path, name)
            assert found[0] * 0.99 <= wanted <= found[1] * 1.01, (one.path, name)


def test_what_varies_is_a_range(site: Site, samples: SampleSet) -> None:
    heating = next(one for one in samples.expected if one.path.name == "Fe2O3_0002_heating.h5")
    assert parameter(site, site.dataset(heating.path).id, "Sample_temperature") == (300, 900)


def test_side_files_are_no_datasets_and_are_listed(site: Site, samples: SampleSet) -> None:
    with site.reads() as session:
        listed = set(session.scalars(select(InvestigationFile.path)))
        known = set(session.scalars(select(MasterFile.path).where(MasterFile.state == "side_file")))
        owned = {
            f"{location}/{name}"
            for location, name in session.execute(
                select(Dataset.location, Datafile.name).join(Datafile, Datafile.dataset_id == Dataset.id)
            )
        }
    collections = {str(one.path.relative_to(samples.folder)) for one in samples.that_become("collection")}
    assert collections <= listed
    assert {str(samples.folder / path) for path in listed} == known
    settling = {one.path.parent for one in samples.that_become("settling")}
    for path in samples.side_files:
        waits = any(path.is_relative_to(folder) for folder in settling)
        assert waits or str(path) in known | owned or path.parts[-6:-4] == ("inhouse", "id19"), path


def test_in_house_path_lands_in_its_proposal(site: Site, samples: SampleSet) -> None:
    silicon = next(one for one in samples.expected if one.path.name == "Si640d_0001.h5")
    investigation = site.investigation(silicon.path)
    found = (investigation.name, investigation.visit_id, investigation.is_inferred)
    assert found == ("blc14210", "20230517", False)
    assert site.dataset(silicon.path).name == "Si640d_0001"


def test_path_without_a_proposal_lands_in_its_first_folder(site: Site, samples: SampleSet) -> None:
    foil = next(one for one in samples.expected if one.path.name == "Fe_foil_0001_xanes.h5")
    investigation = site.investigation(foil.path)
    assert (investigation.name, investigation.visit_id, investigation.is_inferred) == ("inhouse", "none", True)


def test_a_visit_is_one_investigation_that_spans_its_datasets(site: Site) -> None:
    with site.reads() as session:
        found = session.scalars(select(Investigation).where(Investigation.visit_id == "20230418")).one()
        dates = session.execute(
            select(Dataset.start_date, Dataset.end_date).where(Dataset.investigation_id == found.id)
        ).all()
    assert found.name == "hc5231"
    assert found.start_date == min(start for start, _ in dates if start)
    assert found.end_date == max(end for _, end in dates if end)


def test_everything_is_found(site: Site) -> None:
    assert site.count(Dataset) > 20
    site.assert_index_agrees()


def test_a_second_crawl_reads_nothing(site: Site, samples: SampleSet) -> None:
    report = site.crawl()
    assert site.outcomes == []
    assert (report.new, report.changed, report.vanished, report.unreadable) == (0, 0, 0, [])
    assert report.unchanged >= len(samples.expected)
    assert report.waiting == 1
