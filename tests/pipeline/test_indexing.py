"""What is stored is found: the index follows the database, whoever is killed, late or busy."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from facility.server import find_free_port
from ingest.background import LOOK_EVERY_SECONDS, REST_AFTER_TROUBLE_SECONDS, work_off
from ingest.catalogue.indexing import find_unindexed, forget_indexed, load_documents, mark_indexed
from ingest.catalogue.model import Dataset
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.pipeline import index_pending, refill_lost_index
from ingest.services import open_services
from tests.pipeline.site import OLD, Site

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def lagging(site: Site) -> int:
    with site.reads() as session:
        return len(find_unindexed(session, 1000))


def test_what_was_stored_and_not_indexed_is_swept_by_the_next_crawl(site: Site) -> None:
    for number in range(5):
        site.write(f"{number}.h5", title=str(number))
    site.crawl()
    with site.services.write_sessions.begin() as session:
        session.execute(update(Dataset).values(revision=Dataset.revision + 1))
    assert lagging(site) == 5
    assert site.crawl().unchanged == 5
    assert lagging(site) == 0
    site.assert_index_agrees()


def test_an_index_that_was_lost_is_filled_again(site: Site) -> None:
    paths = [site.write(f"{number}.h5", title=str(number)) for number in range(3)]
    site.crawl()
    site.services.index.delete([site.dataset(paths[0]).id])
    with site.services.write_sessions.begin() as session:
        session.execute(update(Dataset).values(indexed_revision=0))
    site.crawl()
    site.assert_index_agrees()


def test_an_index_that_lacks_some_is_not_taken_for_a_lost_one(site: Site) -> None:
    ids = []
    for number in range(3):
        path = site.write(f"{number}.h5", title=str(number))
        site.crawl()
        ids.append(site.dataset(path).id)
    for kept in ids:
        site.services.index.delete([each for each in ids if each != kept])
        refill_lost_index(site.services)
        assert lagging(site) == 0
        with site.services.write_sessions.begin() as session:
            forget_indexed(session)
        index_pending(site.services)


def test_process_beside_the_api_reads_on_while_the_engine_is_away_and_fills_it_when_it_is_back(
    site: Site, elasticsearch_server: str, elastic_alias: str
) -> None:
    site.write()
    site.walk()
    with closing(ElasticIndex(f"http://127.0.0.1:{find_free_port()}", elastic_alias)) as index:
        assert work_off(replace(site.services, index=index)) == REST_AFTER_TROUBLE_SECONDS
    with closing(ElasticIndex(elasticsearch_server, elastic_alias)) as index:
        assert index.revisions() == []
        assert work_off(replace(site.services, index=index)) == LOOK_EVERY_SECONDS
        assert (found := index.revisions())
        index.delete([1])
        assert work_off(replace(site.services, index=index)) == LOOK_EVERY_SECONDS
        assert index.revisions() == found


def test_who_finds_the_index_busy_leaves_the_work_to_the_other(site: Site, data_folder: Path) -> None:
    path = site.write()
    writes, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with open_services() as other, other.index._writing():  # type: ignore[attr-defined]
            writes.set()
            may_end.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    writes.wait()
    try:
        site.crawl()
        assert site.state(path) == ("ingested", None)
        assert lagging(site) == 1
    finally:
        may_end.set()
        holder.join()
    assert site.crawl().unchanged == 1
    assert lagging(site) == 0
    site.assert_index_agrees()
    assert data_folder.exists()


def test_a_late_writer_with_an_older_revision_changes_nothing(site: Site) -> None:
    path = site.write(title="old")
    site.crawl()
    with site.reads() as session:
        late = load_documents(session, [site.dataset(path).id])
    site.write(title="new", aged=OLD.replace(month=6))
    site.crawl()
    site.services.index.write(late)
    site.assert_index_agrees()
    with site.services.write_sessions.begin() as session:
        mark_indexed(session, late)
    index_pending(site.services)
    site.assert_index_agrees()
    with site.reads() as session:
        dataset = session.scalars(select(Dataset)).one()
    assert dataset.indexed_revision == dataset.revision


def test_more_datasets_than_a_batch_are_all_indexed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pipeline.INDEX_BATCH", 2)
    for number in range(5):
        site.write(f"{number}.h5", title=str(number))
    site.crawl()
    assert site.count(Dataset) == 5
    assert lagging(site) == 0
    site.assert_index_agrees()


def test_being_indexed_is_no_change_of_a_dataset(site: Site) -> None:
    path = site.write()
    site.crawl()
    before = site.dataset(path).modified_at
    with site.services.write_sessions.begin() as session:
        forget_indexed(session)
    index_pending(site.services)
    dataset = site.dataset(path)
    assert (dataset.modified_at, dataset.indexed_revision) == (before, dataset.revision)
