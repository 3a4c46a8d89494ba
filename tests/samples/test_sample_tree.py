"""The sample tree is what it says it is: read back with h5py, never with our own reader."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from ingest.samples.damage import OPEN_FOR_WRITE, SIGNATURE, flag_byte
from ingest.samples.tree import write_samples

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.samples.expected import Expected, SampleSet

TODAY = date(2026, 11, 21)
NAMED_CLASSES = {"NXsample", "NXinstrument"}
PERSONAL = re.compile(rb"[\w.]+@[\w-]+\.\w+|\+\d{2}[ \d]{8,}|e-?mail|telephone", re.IGNORECASE)


def find(samples: SampleSet, name: str) -> Expected:
    return next(one for one in samples.expected if one.path.name == name)


def open_unlocked(path: Path) -> h5py.File:
    return h5py.File(path, "r", locking=False)


def is_marked(path: Path) -> bool:
    head = path.read_bytes()[:64]
    return bool(head[flag_byte(head)] & OPEN_FOR_WRITE)


def text(entry: h5py.Group, name: str) -> str | None:
    if name not in entry:
        return None
    value = np.ravel(entry[name][()])[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def entries(file: h5py.File) -> list[h5py.Group]:
    members = (file.get(name, getlink=True) for name in file)
    return [file[name] for name, link in zip(file, members, strict=True) if not isinstance(link, h5py.ExternalLink)]


def list_groups(file: h5py.File) -> list[str]:
    paths: list[str] = []
    file.visit(paths.append)
    return [path for path in paths if isinstance(file[path], h5py.Group)]


def readable(samples: SampleSet) -> list[Expected]:
    return [one for one in samples.expected if one.becomes in {"dataset", "incomplete", "settling"}]


def test_every_kind_of_outcome_is_there(samples: SampleSet) -> None:
    assert len(samples.that_become("dataset")) >= 18
    assert len(samples.that_become("incomplete")) == 2
    assert len(samples.that_become("settling")) == 1
    assert len(samples.that_become("quarantined")) == 3
    assert len(samples.that_become("collection")) >= 8


def test_tree_is_small_and_every_file_is_accounted_for(samples: SampleSet) -> None:
    files = {path for path in samples.folder.rglob("*") if path.is_file()}
    assert {one.path for one in samples.expected} | set(samples.side_files) == files
    assert sum(path.stat().st_size for path in files) < 20e6


def test_two_runs_write_the_same_bytes(samples: SampleSet, tmp_path: Path) -> None:
    again = write_samples(tmp_path, TODAY)
    for one, other in zip(samples.expected, again.expected, strict=True):
        assert one.path.relative_to(samples.folder) == other.path.relative_to(tmp_path)
        assert one.path.read_bytes() == other.path.read_bytes(), one.path.name
    for path, copy in zip(samples.side_files, again.side_files, strict=True):
        assert path.read_bytes() == copy.read_bytes()


def test_titles_scans_and_ends_are_as_expected(samples: SampleSet) -> None:
    for one in readable(samples):
        with open_unlocked(one.path) as file:
            scans = entries(file)
            assert len(scans) == one.scans, one.path.name
            assert text(scans[0], "title") == one.title
            if one.end_reasons:
                assert tuple(text(scan, "end_reason") for scan in scans) == one.end_reasons


def test_samples_and_instruments_are_as_expected(samples: SampleSet) -> None:
    for one in readable(samples):
        with open_unlocked(one.path) as file:
            groups = [file[path] for path in list_groups(file)]
            named = {text(group, "name") for group in groups if group.attrs.get("NX_class") in NAMED_CLASSES}
        assert {one.sample, one.instrument} - {None} <= {str(name).removeprefix("ESRF-") for name in named}, (
            one.path.name
        )


def test_bliss_energy_and_temperature_are_in_every_scan(samples: SampleSet) -> None:
    heating = find(samples, "Fe2O3_0002_heating.h5")
    with open_unlocked(heating.path) as file:
        kelvin = [entry["sample/temperature"] for entry in entries(file)]
        assert [value[()] for value in kelvin] == [300, 500, 700, 900]
        assert {value.attrs["units"] for value in kelvin} == {"K"}
        energy = file["1.1/instrument/monochromator/energy"]
        assert (energy[()], energy.attrs["units"]) == (heating.energy_kev, "keV")


def test_measurement_is_soft_links_that_lead_to_data(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "LaB6_0001.h5").path) as file:
        for number in ("1.1", "2.1"):
            measurement = file[number]["measurement"]
            assert len(measurement) >= 5
            for name in measurement:
                link = measurement.get(name, getlink=True)
                assert isinstance(link, h5py.SoftLink)
                assert link.path.startswith(f"/{number}/instrument/")
                assert measurement[name].shape


def test_images_are_virtual_by_relative_path_and_resolve(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "LaB6_0001.h5").path) as file:
        image = file["2.1/instrument/eiger/image"]
        assert image.is_virtual
        sources = [source.file_name for source in image.virtual_sources()]
        assert sources == ["scan0002/eiger_0000.h5", "scan0002/eiger_0001.h5"]
        assert image[()].any(axis=(1, 2)).all()


def test_snapshots_hold_every_motor_once(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "Fe2O3_0001_room.h5").path) as file:
        instrument = file["1.1/instrument"]
        snapshots = {name: set(group) for name, group in instrument.items() if name.startswith("positioners")}
        assert len(snapshots) == 5
        assert len(set(map(frozenset, snapshots.values()))) == 1
        assert isinstance(instrument["positioners"].get("samx", getlink=True), h5py.SoftLink)


def test_collections_hold_external_links_and_nothing_else(samples: SampleSet) -> None:
    for one in samples.that_become("collection"):
        with open_unlocked(one.path) as file:
            links = [file.get(name, getlink=True) for name in file]
        assert links
        for link in links:
            assert isinstance(link, h5py.ExternalLink)
            assert (one.path.parent / link.filename).is_file()


def test_proposal_master_links_to_every_scan_of_the_visit(samples: SampleSet) -> None:
    proposal = find(samples, "md1377_id19.h5")
    with open_unlocked(proposal.path) as file:
        assert len(file) == sum(one.scans for one in readable(samples) if one.proposal == "md1377")


def test_dead_writer_leaves_no_end_and_an_old_mark(samples: SampleSet) -> None:
    crashed = find(samples, "Fe2O3_0004_crash.h5")
    assert is_marked(crashed.path)
    assert time.time() - crashed.path.stat().st_mtime > 365 * 86400
    with open_unlocked(crashed.path) as file:
        last = file["2.1"]
        assert "end_time" not in last
        assert "sample" not in last
        assert text(last, "writer/status") == "RUNNING"
        assert last.get("measurement/eiger") is None


def test_open_writer_leaves_a_fresh_mark(samples: SampleSet) -> None:
    (still_open,) = samples.that_become("settling")
    assert is_marked(still_open.path)
    assert still_open.path.stat().st_mtime > max(one.path.stat().st_mtime for one in samples.that_become("dataset"))


def test_all_other_files_are_closed_and_old(samples: SampleSet) -> None:
    for one in (*samples.that_become("dataset"), *samples.that_become("collection")):
        assert not is_marked(one.path)
        assert one.path.stat().st_mtime < time.time() - 86400


def test_recent_visit_is_recent_and_the_others_are_old(samples: SampleSet) -> None:
    visits = {path.name for path in (samples.folder / "visitor/hc5231/id22").iterdir()}
    assert visits == {"20230418", "20261012"}


def test_in_house_work_has_a_proposal_or_none(samples: SampleSet) -> None:
    folder = samples.folder / "inhouse"
    assert {path.name for path in folder.iterdir()} == {"blc14210", "id19"}
    assert (folder / "id19/20230905/RAW_DATA/Fe_foil/Fe_foil_0001_xanes/Fe_foil_0001_xanes.h5").is_file()


def test_scanned_energy_is_a_vector_and_a_snapshot(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "Fe_foil_0001_xanes.h5").path) as file:
        energy = file["1.1/instrument/energy/value"]
        assert (energy[0], energy[-1], energy.attrs["units"]) == (7.05, 7.25, "keV")
        assert text(file["1.1"], "identifier_technique_1") == "https://w3id.org/PaN/ESRFET/v0.1.0/#XANES"


def test_eiger_links_and_their_missing_file(samples: SampleSet) -> None:
    master = find(samples, "lyso_2_master.h5")
    with open_unlocked(master.path) as file:
        data = file["entry/data"]
        names = [data.get(name, getlink=True).filename for name in data]
        assert names == ["lyso_2_data_000001.h5", "lyso_2_data_000002.h5"]
        assert [(master.path.parent / name).is_file() for name in names] == [True, False]
        beam = file["entry/instrument/beam"]
        assert beam["incident_energy"][()] * beam["incident_wavelength"][()] == pytest.approx(12398.42)


def test_eiger_images_need_a_filter_that_is_not_there(samples: SampleSet) -> None:
    master = find(samples, "lyso_1_master.h5")
    with open_unlocked(master.path) as file:
        images = file["entry/data/data_000001"]
        assert images.shape == (10, 64, 64)
        with pytest.raises(OSError, match="read data"):
            images[0]


def test_transformation_chain_ends(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "lyso_1_master.h5").path) as file:
        step = text(file["entry/instrument/detector"], "depends_on")
        while step != ".":
            step = file[step].attrs["depends_on"]


def test_gda_links_its_images_and_shares_its_fields(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "i22-493312.nxs").path) as file:
        detector = file["entry1/instrument/Pilatus2M"]
        assert isinstance(detector.get("data", getlink=True), h5py.ExternalLink)
        assert detector["data"].shape == (3, 40, 36)
        assert file["entry1/sample/temperature"].attrs["units"] == "degC"
    with open_unlocked(find(samples, "i18-176402.nxs").path) as file:
        assert file["entry/xspress3/data"] == file["entry/instrument/xspress3/data"]
        assert file["entry/diamond_scan/scan_finished"][0] == 1


def test_neutrons_have_wavelength_logs_and_probe(samples: SampleSet) -> None:
    with open_unlocked(find(samples, "dmc2022n004711.hdf").path) as file:
        instrument = file["entry1/DMC"]
        assert text(instrument, "SINQ/probe") == "neutron"
        assert instrument["monochromator/wavelength"][()] == pytest.approx(2.4586)
        log = file["entry1/sample/temperature"]
        assert log.attrs["NX_class"] == "NXlog"
        assert log["value"][()].mean() == pytest.approx(1.6, abs=0.01)
    with open_unlocked(find(samples, "SLS65012.nxs").path) as file:
        assert file["raw_data_1/selog/Temp_Rack/value_log/value"].shape == (0,)
        assert text(file["raw_data_1"], "start_time") == "2021-10-07T15:22:10"


def test_unreadable_files_are_so_for_different_reasons(samples: SampleSet) -> None:
    heads = {one.path.name: one.path.read_bytes() for one in samples.that_become("quarantined")}
    truncated = heads["i18-176404.nxs"]
    assert truncated[:8] == SIGNATURE
    assert int.from_bytes(truncated[28:36], "little") > len(truncated)
    assert heads["Fe2O3_0005_lost.h5"].startswith(b"writer failed")
    assert heads["dmc2022n004713.hdf"].startswith(b"version https://git-lfs")


def test_nobody_can_be_reached_through_the_samples(samples: SampleSet) -> None:
    for path in samples.folder.rglob("*"):
        if path.is_file():
            assert not PERSONAL.search(path.read_bytes()), path.name
