"""A rebuilt index holds what the database says, whatever became of the old one and whatever is written meanwhile."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update

from ingest import reindexing
from ingest.catalogue.document import SearchDocument
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.model import Dataset
from ingest.catalogue.search import IndexBusyError, IndexOutdatedError, IndexRebuildingError, SearchRequest
from ingest.catalogue.search.embedded_folder import get_current
from ingest.catalogue.visibility import OPERATOR, to_index_filter
from ingest.pipeline import index_pending
from ingest.proving import prove_index
from ingest.reindexing import Rebuilt, rebuild_index, settle_rebuilt
from ingest.services import open_rebuild, open_services
from tests.entities import PAST, add_dataset
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest.catalogue.search import DatasetIndex
    from ingest.pipeline import Services

DATASETS = 7


@pytest.fixture
def ids(services: Services) -> list[int]:
    """Write and index some datasets."""
    with services.write_sessions.begin() as session:
        ids = [add_dataset(session, f"word{number}", revision=3) for number in range(DATASETS)]
    index_pending(services)
    return ids


def reindex(report: Callable[[int, int], None] = lambda _done, _total: None) -> Rebuilt:
    with open_rebuild() as (sessions, rebuild):
        rebuilt = rebuild_index(sessions, rebuild, report)
    with open_services() as services:
        settle_rebuilt(services)
    return rebuilt


def set_stored(services: Services, dataset_id: int, **values: int) -> None:
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset_id).values(**values))


def add(services: Services, word: str) -> int:
    with services.write_sessions.begin() as session:
        return add_dataset(session, word)


def list_noted(services: Services) -> list[tuple[int, int]]:
    with services.read_sessions() as session:
        statement = select(Dataset.id, Dataset.indexed_revision).order_by(Dataset.id)
        return [(row[0], row[1]) for row in session.execute(statement)]


def assert_whole(services: Services) -> None:
    """Fail unless the index is proved, and each dataset is noted as it is indexed."""
    proof = prove_index(services, lambda _done, _total: None)
    assert (proof.counts, proof.dataset_count) == ({}, len(list_noted(services)))
    assert services.index.revisions() == list_noted(services)


@on_both_databases
def test_a_rebuilt_index_is_proved(services: Services, ids: list[int]) -> None:
    told: list[tuple[int, int]] = []
    rebuilt = reindex(lambda done, total: told.append((done, total)))
    assert (rebuilt.dataset_count, rebuilt.written_count, rebuilt.kept_count) == (DATASETS, DATASETS, 0)
    assert told[-1] == (len(ids), len(ids))
    assert_whole(services)


def test_an_empty_catalogue_is_rebuilt(services: Services) -> None:
    assert reindex().dataset_count == 0
    assert_whole(services)


@on_both_databases
def test_what_was_noted_wrongly_is_put_right(services: Services, ids: list[int]) -> None:
    set_stored(services, ids[0], indexed_revision=0)
    set_stored(services, ids[1], revision=4, indexed_revision=4)
    services.index.delete(ids[2:4])
    services.index.write([SearchDocument(999, 1, "gone", "ESRF", "hc1", "hc1")])
    reindex()
    assert_whole(services)


def test_a_database_set_back_is_not_blocked_by_its_newer_index(services: Services, ids: list[int]) -> None:
    """The revisions of the index lie above those of the database, and one of its datasets was never there."""
    set_stored(services, ids[0], revision=2, indexed_revision=2)
    with services.write_sessions.begin() as session:
        session.execute(delete(Dataset).where(Dataset.id == ids[6]))
    reindex()
    assert_whole(services)
    set_stored(services, ids[0], revision=3)
    index_pending(services)
    assert_whole(services)


@pytest.mark.parametrize("damage", ["gone", "emptied", "broken", "older", "segments"])
def test_a_damaged_index_is_healed_and_its_readers_follow(
    services: Services, ids: list[int], data_folder: Path, damage: str
) -> None:
    folder = data_folder / "index"
    current = get_current(folder)
    match damage:
        case "gone":
            shutil.rmtree(folder)
        case "emptied":
            shutil.rmtree(current)
        case "broken":
            (current / "meta.json").write_text("{")
        case "older":
            (current / "layout-version").write_text("0\n")
        case "segments":
            for path in current.glob("*.term"):
                path.unlink()
    if damage != "gone":
        with pytest.raises(IndexOutdatedError, match="nxcat reindex"), open_services():
            pass
    assert reindex().written_count == len(ids)
    assert_whole(services)


def test_an_index_set_back_to_a_copy_is_healed(services: Services, ids: list[int], data_folder: Path) -> None:
    shutil.copytree(data_folder / "index", data_folder / "copy")
    set_stored(services, ids[0], revision=4)
    add(services, "late")
    index_pending(services)
    shutil.rmtree(data_folder / "index")
    (data_folder / "copy").rename(data_folder / "index")
    reindex()
    assert_whole(services)


def test_an_interrupted_rebuild_is_gone_on_with(
    services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since it was interrupted datasets rose, came, went, and one was set back."""
    monkeypatch.setattr(reindexing, "COMMIT_BATCH", 2)

    class CutShortError(CatalogueError):
        pass

    def interrupt(done: int, _total: int) -> None:
        if done >= 4:
            raise CutShortError

    with pytest.raises(CutShortError):
        reindex(interrupt)
    assert services.index.revisions() == [(dataset_id, 3) for dataset_id in ids]
    set_stored(services, ids[0], revision=4)
    set_stored(services, ids[1], revision=2, indexed_revision=2)
    with services.write_sessions.begin() as session:
        session.execute(delete(Dataset).where(Dataset.id == ids[2]))
    add(services, "late")
    rebuilt = reindex()
    assert (rebuilt.kept_count, rebuilt.written_count) == (1, DATASETS - 1)
    assert_whole(services)


def test_what_is_written_meanwhile_is_not_lost(
    services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two rounds another process stores, indexes and deletes."""
    monkeypatch.setattr(reindexing, "SHORT", 0)
    bring_over, rounds = reindexing.bring_over, []

    def work_then_bring_over(*given: object) -> Rebuilt:
        number = len(rounds)
        if number < 4:
            set_stored(services, ids[number], revision=10 + number)
            late = add(services, f"late{number}")
            index_pending(services)
            if number == 2:
                with services.write_sessions.begin() as session:
                    session.execute(delete(Dataset).where(Dataset.id == late))
                services.index.delete([late])
        rounds.append(bring_over(*given))  # type: ignore[arg-type]
        return rounds[-1]

    monkeypatch.setattr(reindexing, "bring_over", work_then_bring_over)
    reindex()
    assert [one.written_count for one in rounds[1:]] == [2, 1, 2, 0, 0]
    assert_whole(services)


def test_who_writes_at_the_change_is_busy_and_its_dataset_is_brought_along(
    services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stored after the last comparison: only who rebuilt the index is left to index it."""
    bring_over, rounds = reindexing.bring_over, []

    def bring_over_then_work(*given: object) -> Rebuilt:
        rounds.append(bring_over(*given))  # type: ignore[arg-type]
        if len(rounds) == 2:
            rounds.append(bring_over(*given))  # type: ignore[arg-type]
            add(services, "late")
            with pytest.raises(IndexBusyError):
                services.index.write([])
            assert index_pending(services) == 0
        return rounds[0]

    monkeypatch.setattr(reindexing, "bring_over", bring_over_then_work)
    reindex()
    assert len(services.index.revisions()) == len(ids) + 1
    assert_whole(services)


def test_searches_find_all_in_every_round(services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "COMMIT_BATCH", 1)
    request = SearchRequest(to_index_filter(OPERATOR, PAST))
    totals = []
    reindex(lambda _done, _total: totals.append(services.index.search(request).total))
    totals.append(services.index.search(request).total)
    assert len(totals) > DATASETS
    assert set(totals) == {len(ids)}


def test_two_at_once_are_refused(services: Services, ids: list[int]) -> None:
    with open_rebuild(), pytest.raises(IndexRebuildingError, match="another process is rebuilding"), open_rebuild():
        pass
    reindex()
    assert_whole(services)
    assert len(ids) == DATASETS


def test_rounds_go_on_until_one_is_short(services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that writers have to wait for begins only when next to nothing is left for it."""
    monkeypatch.setattr(reindexing, "SHORT", 2)
    bring_over, written = reindexing.bring_over, []

    def grow_then_bring_over(*given: object) -> Rebuilt:
        for number in range(max(0, 4 - len(written))):
            add(services, f"late{len(written)}-{number}")
        done = bring_over(*given)  # type: ignore[arg-type]
        written.append(done.written_count)
        return done

    monkeypatch.setattr(reindexing, "bring_over", grow_then_bring_over)
    with open_rebuild() as (sessions, rebuild):
        rebuild_index(sessions, rebuild, lambda _done, _total: None)
    assert written == [len(ids) + 4, 3, 2, 1]


def test_an_index_is_not_needed_to_begin(services: Services, ids: list[int], data_folder: Path) -> None:
    """A lost one is answered for by nobody until the new one is whole: neither empty nor half-filled."""
    shutil.rmtree(data_folder / "index")
    reader: DatasetIndex = services.index
    with open_rebuild() as (sessions, rebuild):
        rebuild.write([])
        with pytest.raises(IndexOutdatedError):
            reader.revisions()
        rebuild_index(sessions, rebuild, lambda _done, _total: None)
        assert [dataset_id for dataset_id, _ in reader.revisions()] == ids
    assert_whole(services)


def test_a_catalogue_that_was_never_indexed_can_be_opened_meanwhile(services: Services, data_folder: Path) -> None:
    """Nothing is hidden by an empty index then, and a first crawl need not wait."""
    services.index.close()
    shutil.rmtree(data_folder / "index")
    add(services, "first")
    with open_rebuild() as (sessions, rebuild):
        with open_services() as others:
            assert others.index.revisions() == []
            assert index_pending(others) == 1
        rebuild_index(sessions, rebuild, lambda _done, _total: None)
    assert_whole(services)
