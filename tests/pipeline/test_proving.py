"""A proof tells what differs, and takes no work in flight for a difference."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from ingest import proving
from ingest.catalogue.comparing import DifferenceKind
from ingest.catalogue.model import Dataset
from ingest.pipeline import index_pending
from ingest.proving import Proof, prove_index
from tests.entities import add_dataset
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.pipeline import Services

DATASETS = 5


@pytest.fixture
def ids(services: Services) -> list[int]:
    """Write and index some datasets."""
    with services.write_sessions.begin() as session:
        ids = [add_dataset(session, f"word{number}") for number in range(DATASETS)]
    index_pending(services)
    return ids


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(proving, "LOOK_EVERY_SECONDS", 0.01)


def prove(services: Services) -> Proof:
    return prove_index(services, lambda _done, _total: None)


def raise_revision(services: Services, dataset_id: int) -> None:
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset_id).values(revision=Dataset.revision + 1))


@on_both_databases
def test_an_index_that_holds_all_is_proved(services: Services, ids: list[int]) -> None:
    told: list[tuple[int, int]] = []
    proof = prove_index(services, lambda done, total: told.append((done, total)))
    assert (proof.is_equal, proof.dataset_count, proof.differences) == (True, DATASETS, [])
    assert told == [(len(ids), len(ids))]


@pytest.mark.usefixtures("_impatient")
def test_an_index_set_back_to_a_copy_lacks_what_came_since(
    services: Services, ids: list[int], data_folder: Path
) -> None:
    shutil.copytree(data_folder / "index", data_folder / "copy")
    raise_revision(services, ids[0])
    with services.write_sessions.begin() as session:
        late = add_dataset(session, "late")
    index_pending(services)
    assert prove(services).is_equal
    shutil.rmtree(data_folder / "index")
    (data_folder / "copy").rename(data_folder / "index")
    found = {difference.dataset_id: difference.kind for difference in prove(services).differences}
    assert found == {ids[0]: DifferenceKind.OLDER, late: DifferenceKind.MISSING}


@on_both_databases
@pytest.mark.usefixtures("_impatient")
def test_a_database_set_back_has_a_newer_index(services: Services, ids: list[int]) -> None:
    raise_revision(services, ids[0])
    index_pending(services)
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == ids[0]).values(revision=1, indexed_revision=1))
        session.execute(delete(Dataset).where(Dataset.id == ids[1]))
    proof = prove(services)
    assert proof.counts == {DifferenceKind.NEWER: 1, DifferenceKind.EXTRA: 1}
    assert proof.dataset_count == DATASETS - 1


@pytest.mark.usefixtures("_impatient")
def test_what_nobody_indexes_is_told_as_waiting(services: Services, ids: list[int]) -> None:
    raise_revision(services, ids[2])
    proof = prove(services)
    assert [(found.dataset_id, found.kind) for found in proof.differences] == [(ids[2], DifferenceKind.WAITING)]
    assert not proof.is_equal


@pytest.mark.usefixtures("_impatient")
def test_more_differences_than_are_listed_are_all_counted(
    services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proving, "LISTED", 2)
    for dataset_id in ids[:4]:
        raise_revision(services, dataset_id)
    services.index.delete(ids[4:])
    proof = prove(services)
    assert proof.counts == {DifferenceKind.WAITING: 4, DifferenceKind.MISSING: 1}
    assert len(proof.differences) == 2


def test_what_is_indexed_a_moment_later_is_no_difference(
    services: Services, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At first sight three lag and one has no dataset; then the index is brought along."""
    monkeypatch.setattr(proving, "PATIENCE_SECONDS", 60)
    for dataset_id in ids[:3]:
        raise_revision(services, dataset_id)
    with services.write_sessions.begin() as session:
        session.execute(delete(Dataset).where(Dataset.id == ids[4]))
    seen = threading.Event()

    def work() -> None:
        seen.wait()
        index_pending(services)
        services.index.delete([ids[4]])

    worker = threading.Thread(target=work)
    worker.start()
    proof = prove_index(services, lambda _done, _total: seen.set())
    worker.join()
    assert proof.is_equal


def test_a_live_catalogue_raises_no_false_alarm(services: Services, ids: list[int]) -> None:
    """While datasets come and rise and are indexed without a pause, no look at any moment finds a difference."""
    is_over = threading.Event()
    trouble: list[BaseException] = []

    def work() -> None:
        number = 0
        try:
            while not is_over.is_set():
                number += 1
                with services.write_sessions.begin() as session:
                    add_dataset(session, f"live{number}")
                    session.execute(update(Dataset).where(Dataset.id.in_(ids)).values(revision=Dataset.revision + 1))
                index_pending(services)
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            trouble.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        proofs = [prove(services) for _ in range(20)]
    finally:
        is_over.set()
        worker.join()
    assert trouble == []
    assert [proof.counts for proof in proofs if not proof.is_equal] == []
    assert proofs[-1].dataset_count > proofs[0].dataset_count


@pytest.mark.usefixtures("_impatient")
def test_a_claim_of_more_than_the_index_holds_is_a_loss(services: Services, ids: list[int]) -> None:
    """Noted as indexed, and not in the index: nothing would ever bring it along, so it does not count as waiting."""
    raise_revision(services, ids[0])
    with services.write_sessions.begin() as session:
        session.execute(update(Dataset).values(indexed_revision=Dataset.revision))
    assert prove(services).counts == {DifferenceKind.OLDER: 1}
