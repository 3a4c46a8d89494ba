"""From a file to what is found: motors, counters, kinds of scans, and which serve which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np

from ingest.catalogue.browsing import ScanFilter, get_dataset, list_scans
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.visibility import OPERATOR
from tests.pipeline.site import set_age
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.catalogue.views import ScanView
    from tests.pipeline.site import Site

pytestmark = on_both_databases


def write(site: Site) -> Path:
    """Write a tomography as BLISS does: a scan of darks, and one of projections with a motor of an odd name."""
    path = site.write_folder(scans=2)
    with h5py.File(path, "r+", locking=False) as master:
        for number, title in enumerate(("dark images", "projections 1 - 5"), 1):
            entry = master[f"{number}.1"]
            entry["title"][()] = title
            instrument = entry["instrument"]
            motors = add(instrument, "positioners", "NXcollection")
            motors["samx"] = 1.5
            motors["samx"].attrs["units"] = "mm"
            camera = add(instrument, "pco", "NXdetector")
            camera["image"] = np.zeros((5, 3, 4), "u2")
            measured = add(entry, "measurement", "NXcollection")
            measured["pco"] = h5py.SoftLink(camera["image"].name)
        turn = add(master["2.1/instrument"], 'röt "1"', "NXpositioner")
        turn["value"] = np.linspace(0.0, 180.0, 5)
        turn["value"].attrs["units"] = "deg"
    set_age(path)
    return path


def add(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    group = parent.require_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def find(site: Site, path: Path, chosen: ScanFilter) -> list[ScanView]:
    with site.reads() as session:
        return list(list_scans(session, OPERATOR, utc_now(), site.dataset(path).id, chosen=chosen).items)


def test_scans_are_found_by_what_they_moved_measured_and_were_taken_for(site: Site) -> None:
    path = write(site)
    site.crawl()
    (turned,) = find(site, path, ScanFilter(motors=('röt "1"',)))
    assert (turned.entry_name, turned.kind) == ("/2.1", "projection")
    (motor,) = turned.motors
    assert (motor["first"], motor["last"], motor["unit"], motor["point_count"]) == (0.0, 180.0, "deg", 5)
    assert turned.served_by == ({"kind": "dark", "entry_name": "/1.1"},)
    assert [counter["shape"] for counter in turned.counters] == [[5, 3, 4]]
    assert [scan.entry_name for scan in find(site, path, ScanFilter(counters=("pco",)))] == ["/1.1", "/2.1"]
    assert [scan.entry_name for scan in find(site, path, ScanFilter(detectors=("pco",), kinds=("dark",)))] == ["/1.1"]
    assert [scan.entry_name for scan in find(site, path, ScanFilter(served_by="1.1"))] == ["/2.1"]
    assert find(site, path, ScanFilter(motors=("samx",))) == []
    assert find(site, path, ScanFilter(linked=("missing",))) == []


def test_datasets_are_found_by_them_and_tell_where_all_motors_stood(site: Site) -> None:
    path = write(site)
    site.crawl()
    with site.reads() as session:
        for text in ('motor:"röt 1"', "counter:pco", "scan_kind:dark", "detector:pco"):
            page = search_datasets(session, site.services.index, OPERATOR, utc_now(), SearchQuestion(text=text))
            assert page.total == 1, text
        assert (
            search_datasets(session, site.services.index, OPERATOR, utc_now(), SearchQuestion(text="motor:samx")).total
            == 0
        )
        (position,) = get_dataset(session, OPERATOR, utc_now(), site.dataset(path).id).motors
    assert (position["name"], position["value"], position["unit"]) == ("samx", 1.5, "mm")
