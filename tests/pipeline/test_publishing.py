"""Crawled data are published: all or nothing, once, and found by what was said."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from datacite import schema45
from sqlalchemy import func, select

from ingest.catalogue.datacite import to_datacite
from ingest.catalogue.errors import NotFoundError, NotReleasedError
from ingest.catalogue.model import DataCollection, DataPublication, Dataset, User
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.publication_checks import SecretDatasetError, SeveralFacilitiesError
from ingest.catalogue.publication_views import Addresses, PublicationKind
from ingest.catalogue.publications import get_publication
from ingest.catalogue.visibility import ANONYMOUS
from ingest.pipeline import index_pending
from ingest.publishing import InvalidMetadataError, publish, to_landing_address
from tests.pipeline.site import OLD, Site, set_age
from tests.publishing import PREFIX, said
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.catalogue.publication_store import Published
    from ingest.catalogue.publication_views import PublicationView

BASE = "https://data.example.org/catalogue/"


def publish_all(site: Site, *ids: int, **changes: Any) -> Published:
    return publish(site.services, said(*ids, **changes), PREFIX, BASE, utc_now())


def see(site: Site, doi: str) -> PublicationView:
    with site.reads() as session:
        return get_publication(session, ANONYMOUS, utc_now(), doi)


def assert_nothing_is_published(site: Site) -> None:
    assert [site.count(entity) for entity in (DataPublication, DataCollection)] == [0, 0]
    with site.reads() as session:
        assert session.scalar(select(func.count()).select_from(User).where(User.orcid_id.is_not(None))) == 0
        assert set(session.scalars(select(Dataset.doi))) == {None}


@on_both_databases
def test_crawled_dataset_is_published_with_what_its_file_says(site: Site) -> None:
    master = site.write_folder(images=3)
    site.crawl(facility="ESRF")
    dataset = site.dataset(master)
    published = publish_all(site, dataset.id)
    index_pending(site.services)
    assert published.is_new
    assert (site.dataset(master).doi, site.dataset(master).revision) == (published.doi, dataset.revision + 1)
    site.assert_index_agrees()
    found = see(site, published.doi)
    assert (found.kind, found.publisher, found.is_open) == (PublicationKind.DATASET, "ESRF", True)
    assert found.data.samples == ("LaB6",)
    assert [instrument.name for instrument in found.data.instruments] == ["id00"]
    assert {span.label: span.amount for span in found.data.spans}["energy"] == "12.4 keV"
    assert (found.data.file_count, len(found.data.files)) == (4, 4)
    document = to_datacite(found, Addresses(to_landing_address(BASE, published.doi), BASE))
    assert document["url"] == f"https://data.example.org/catalogue/doi/{published.doi}"
    schema45.validate(document)


@pytest.mark.parametrize(
    ("said_of_root", "error"),
    [
        ({"release_policy": "never"}, NotReleasedError),
        ({"release_policy": "never", "is_embargoed_metadata_public": True}, NotReleasedError),
        ({"release_policy": "immediately", "is_secret": True}, SecretDatasetError),
    ],
    ids=str,
)
def test_data_that_are_not_open_are_refused_and_nothing_is_left(
    site: Site, said_of_root: dict[str, Any], error: type[Exception]
) -> None:
    path = site.write()
    site.crawl(**said_of_root)
    with pytest.raises(error):
        publish_all(site, site.dataset(path).id)
    assert_nothing_is_published(site)


def test_one_of_several_that_is_not_there_refuses_all(site: Site) -> None:
    path = site.write()
    site.crawl()
    with pytest.raises(NotFoundError, match="no dataset 999"):
        publish_all(site, site.dataset(path).id, 999)
    assert_nothing_is_published(site)


def test_datasets_of_several_visits_are_published_together(site: Site) -> None:
    paths = [site.write_folder(), site.write_folder(visit="visitor/hc9999/id01/20240101/RAW_DATA", title="another")]
    site.crawl(facility="ESRF")
    ids = [site.dataset(path).id for path in paths]
    assert len({site.investigation(path).id for path in paths}) == 2
    found = see(site, publish_all(site, *ids).doi)
    assert (found.kind, found.data.dataset_count) == (PublicationKind.COLLECTION, 2)


def test_datasets_of_two_facilities_are_not(site: Site, tmp_path: Path) -> None:
    other = Site(site.services, tmp_path / "other root")
    paths = [site.write("a.h5"), other.write("b.h5", title="another")]
    site.crawl(facility="ESRF")
    other.crawl(facility="DLS")
    with pytest.raises(SeveralFacilitiesError):
        publish_all(site, *(site.dataset(path).id for path in paths))
    assert_nothing_is_published(site)


@on_both_databases
def test_two_who_publish_the_same_at_once_get_one_doi(site: Site) -> None:
    paths = [site.write(f"{number}.h5", title=str(number)) for number in range(3)]
    site.crawl()
    ids = [site.dataset(path).id for path in paths]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: publish_all(site, *ids), range(4)))
    assert len({each.doi for each in made}) == 1
    assert sorted(each.is_new for each in made) == [False, False, False, True]
    assert site.count(DataPublication) == 1


def test_metadata_that_datacite_would_not_take_leave_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """None that we know of: what this guards against is a mistake of ours."""
    path = site.write()
    site.crawl()
    monkeypatch.setattr("ingest.publishing.to_datacite", lambda *known: to_datacite(*known) | {"titles": []})
    with pytest.raises(InvalidMetadataError, match=r"\$\.titles") as raised:
        publish_all(site, site.dataset(path).id)
    assert len(raised.value.problems) == 1
    assert_nothing_is_published(site)


def test_published_dataset_that_is_read_again_keeps_its_doi_and_tells_what_it_says_now(site: Site) -> None:
    path = site.write()
    site.crawl()
    doi = publish_all(site, site.dataset(path).id).doi
    site.write(sample__name="CeO2", aged=OLD + timedelta(days=1))
    site.crawl()
    assert site.dataset(path).doi == doi
    found = see(site, doi)
    assert found.title == "LaB6 at ID00"
    assert found.data.samples == ("CeO2",)


def test_published_dataset_that_is_gone_keeps_its_page(site: Site) -> None:
    path = site.write()
    site.write("b.h5", title="another")
    site.crawl()
    doi = publish_all(site, site.dataset(path).id).doi
    path.unlink()
    set_age(site.folder)
    site.crawl()
    assert site.state(path)[0] == "vanished"
    found = see(site, doi)
    assert found.title == "LaB6 at ID00"
    assert found.data.files == ()


def test_release_is_judged_by_the_given_clock(site: Site) -> None:
    path = site.write()
    site.crawl()
    dataset = site.dataset(path)
    assert dataset.release_date is not None
    with pytest.raises(NotReleasedError):
        publish(site.services, said(dataset.id), PREFIX, BASE, datetime(2024, 1, 1, tzinfo=UTC))
    assert publish(site.services, replace(said(dataset.id), abstract=None), PREFIX, BASE, dataset.release_date).is_new


@pytest.mark.parametrize("base", ["https://data.example.org", "https://data.example.org/"])
def test_landing_page_is_below_the_address_of_the_service(base: str) -> None:
    assert to_landing_address(base, "10.5072/a-b") == "https://data.example.org/doi/10.5072/a-b"
