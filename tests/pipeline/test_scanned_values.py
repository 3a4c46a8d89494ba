"""What a scan varied is kept with its extremes and its count, and found by any value on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from ingest.catalogue.browsing import list_parameters
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.visibility import OPERATOR
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from ingest.catalogue.views import ParameterView
    from tests.pipeline.site import Site

ENERGY = "InstrumentBeam_incident_energy"


def find(site: Site, query: str) -> list[str]:
    with site.reads() as session:
        page = search_datasets(session, site.services.index, OPERATOR, utc_now(), SearchQuestion(text=query))
    return sorted(hit.dataset.name for hit in page.hits)


def read_energy(site: Site, number: int = 1) -> ParameterView:
    with site.reads() as session:
        page = list_parameters(session, OPERATOR, utc_now(), number)
    return next(each for each in page.items if each.name == ENERGY and each.scan is None)


@on_both_databases
def test_a_scan_of_the_energy_is_found_by_each_on_its_way(site: Site) -> None:
    site.write("edge.h5", instrument__monochromator__energy=(np.linspace(7.0, 7.3, 61), "keV"))
    site.write("short.h5", instrument__monochromator__energy=(np.array([7.0, 7.2]), "keV"))
    site.write("fixed.h5", instrument__monochromator__energy=(7.2, "keV"))
    site.crawl()
    assert find(site, "energy:7.1 keV") == ["edge", "short"]
    assert find(site, "energy:7100..7100 eV") == ["edge", "short"]
    assert find(site, "energy:7.25..8 keV") == ["edge"]
    assert find(site, "energy:7.2 keV") == ["edge", "fixed", "short"]
    assert find(site, "energy:7.4 keV") == []


@pytest.mark.parametrize(
    ("energies", "unit", "bottom", "top", "count"),
    [
        (np.linspace(7.0, 7.3, 61), "keV", 7.0, 7.3, 61),
        (np.linspace(7300.0, 7000.0, 31), "eV", 7.0, 7.3, 31),
        (np.array([7.3, 7.0]), "keV", 7.0, 7.3, 2),
        (np.full(61, 7.1), "keV", None, None, None),
    ],
)
def test_a_vector_is_its_extremes_and_its_count(
    site: Site, energies: np.ndarray, unit: str, bottom: float | None, top: float | None, count: int | None
) -> None:
    site.write("a.h5", instrument__monochromator__energy=(energies, unit))
    site.crawl()
    energy = read_energy(site)
    assert (energy.range_bottom, energy.range_top, energy.value_count) == (
        pytest.approx(bottom),
        pytest.approx(top),
        count,
    )
    assert energy.numeric_value == (None if bottom else 7.1)
    assert energy.original_unit == unit
