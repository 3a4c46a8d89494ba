"""Index and database side by side: every kind of difference is found, and work in flight is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from ingest.catalogue import comparing
from ingest.catalogue.comparing import (
    Difference,
    DifferenceKind,
    Stretch,
    count_datasets,
    find_differences,
    look_again,
    note_held,
    walk_stretches,
)
from ingest.catalogue.document import SearchDocument
from ingest.catalogue.model import Dataset
from ingest.catalogue.search.embedded import EmbeddedIndex
from tests.entities import add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.entities import Catalogue

DATASETS = 7


@pytest.fixture
def index(catalogue: Catalogue) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex(catalogue.settings.index_folder)
    yield opened
    opened.close()


@pytest.fixture
def ids(catalogue: Catalogue) -> list[int]:
    """Write and index some datasets, at revision 3 each."""
    with catalogue.sessions.begin() as session:
        ids = [add_dataset(session, f"word{number}", revision=3) for number in range(DATASETS)]
    catalogue.index_all()
    return ids


def make(number: int, revision: int) -> SearchDocument:
    return SearchDocument(number, revision, f"set {number}", "ESRF", "hc1", "hc1")


def compare(catalogue: Catalogue, index: EmbeddedIndex) -> list[Difference]:
    stretches = walk_stretches(catalogue.sessions, index)
    return [found for stretch in stretches for found in find_differences(catalogue.sessions, stretch)]


def change(catalogue: Catalogue, dataset_id: int, **values: int) -> None:
    with catalogue.sessions.begin() as session:
        session.execute(update(Dataset).where(Dataset.id == dataset_id).values(**values))


def remove(catalogue: Catalogue, dataset_id: int) -> None:
    with catalogue.sessions.begin() as session:
        session.execute(delete(Dataset).where(Dataset.id == dataset_id))


def test_what_is_equal_does_not_differ(catalogue: Catalogue, index: EmbeddedIndex, ids: list[int]) -> None:
    assert compare(catalogue, index) == []
    with catalogue.sessions() as session:
        assert count_datasets(session) == len(ids)


def test_nothing_is_equal_to_nothing(catalogue: Catalogue, index: EmbeddedIndex) -> None:
    assert compare(catalogue, index) == []


def test_each_kind_of_difference_is_told_apart(catalogue: Catalogue, index: EmbeddedIndex, ids: list[int]) -> None:
    index.delete([ids[0]])
    change(catalogue, ids[1], revision=5, indexed_revision=5)
    change(catalogue, ids[2], revision=2, indexed_revision=2)
    remove(catalogue, ids[3])
    change(catalogue, ids[4], revision=4)
    change(catalogue, ids[5], indexed_revision=0)
    index.delete([ids[6]])
    change(catalogue, ids[6], indexed_revision=0)
    assert compare(catalogue, index) == [
        Difference(ids[0], DifferenceKind.MISSING, 3, None),
        Difference(ids[1], DifferenceKind.OLDER, 5, 3),
        Difference(ids[2], DifferenceKind.NEWER, 2, 3),
        Difference(ids[3], DifferenceKind.EXTRA, None, 3),
        Difference(ids[4], DifferenceKind.WAITING, 4, 3),
        Difference(ids[6], DifferenceKind.WAITING, 3, None),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_differences_are_found_whatever_the_stretches(
    catalogue: Catalogue, index: EmbeddedIndex, ids: list[int], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Gaps at the ends and in the middle of both sides, so that their pages never end at the same id."""
    monkeypatch.setattr(comparing, "STRETCH", size)
    index.delete([ids[0], ids[3], ids[6]])
    index.write(make(number, 1) for number in range(ids[-1] + 1, ids[-1] + 6))
    remove(catalogue, ids[2])
    found = {difference.dataset_id: difference.kind for difference in compare(catalogue, index)}
    extra = dict.fromkeys([ids[2], *range(ids[-1] + 1, ids[-1] + 6)], DifferenceKind.EXTRA)
    assert found == dict.fromkeys([ids[0], ids[3], ids[6]], DifferenceKind.MISSING) | extra
    for stretch in walk_stretches(catalogue.sessions, index):
        assert max(len(stretch.stored), len(stretch.held)) <= size


def test_each_dataset_is_in_one_stretch(
    catalogue: Catalogue, index: EmbeddedIndex, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "STRETCH", 2)
    index.delete([ids[1], ids[2]])
    stretches = list(walk_stretches(catalogue.sessions, index))
    assert [dataset_id for stretch in stretches for dataset_id in stretch.stored] == ids
    assert [dataset_id for stretch in stretches for dataset_id in stretch.held] == [ids[0], *ids[3:]]


def test_a_loss_beside_more_datasets_than_a_query_asks_for_is_found(
    catalogue: Catalogue, index: EmbeddedIndex, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_IDS_A_QUERY", 2)
    index.delete(ids)
    assert [found.dataset_id for found in compare(catalogue, index)] == ids


def test_what_is_indexed_between_the_two_looks_is_no_difference(
    catalogue: Catalogue, index: EmbeddedIndex, ids: list[int]
) -> None:
    """The database was read, then a dataset rose and was indexed, then the index was read."""
    before = next(walk_stretches(catalogue.sessions, index)).stored
    change(catalogue, ids[0], revision=4)
    index.write([make(ids[0], 4)])
    with catalogue.sessions.begin() as session:
        ids.append(add_dataset(session, "late"))
    index.write([make(ids[-1], 1)])
    stretch = Stretch(before, dict(index.revisions()))
    assert stretch.list_differing() == [ids[0], ids[-1]]
    assert find_differences(catalogue.sessions, stretch) == []


def test_what_went_between_the_two_looks_is_no_difference(
    catalogue: Catalogue, index: EmbeddedIndex, ids: list[int]
) -> None:
    before = next(walk_stretches(catalogue.sessions, index)).stored
    remove(catalogue, ids[0])
    index.delete([ids[0]])
    assert find_differences(catalogue.sessions, Stretch(before, dict(index.revisions()))) == []


def test_a_second_look_sees_what_was_done_in_between(
    catalogue: Catalogue, index: EmbeddedIndex, ids: list[int]
) -> None:
    for dataset_id in ids[:5]:
        change(catalogue, dataset_id, revision=4)
    remove(catalogue, ids[5])
    first = compare(catalogue, index)
    assert len(first) == 6
    index.write([make(ids[0], 4), make(ids[1], 4)])
    index.delete([ids[5]])
    change(catalogue, ids[0], revision=5)
    change(catalogue, ids[2], indexed_revision=4)
    remove(catalogue, ids[3])
    assert look_again(catalogue.sessions, index, first) == [
        Difference(ids[2], DifferenceKind.OLDER, 4, 3),
        Difference(ids[3], DifferenceKind.EXTRA, None, 3),
        Difference(ids[4], DifferenceKind.WAITING, 4, 3),
    ]


def test_what_the_index_holds_is_noted(catalogue: Catalogue, index: EmbeddedIndex, ids: list[int]) -> None:
    change(catalogue, ids[0], revision=9, indexed_revision=9)
    change(catalogue, ids[1], indexed_revision=0)
    index.delete([ids[2]])
    change(catalogue, ids[3], revision=9, indexed_revision=9)
    with catalogue.sessions() as session:
        changed = [session.get_one(Dataset, dataset_id).modified_at for dataset_id in ids]
    stretch = next(walk_stretches(catalogue.sessions, index))
    # Somebody is quicker: the index was told of another revision since.
    change(catalogue, ids[3], indexed_revision=8)
    assert stretch.list_misnoted() == [(ids[0], 3), (ids[1], 3), (ids[2], 0), (ids[3], 3)]
    with catalogue.sessions.begin() as session:
        note_held(session, stretch)
    with catalogue.sessions() as session:
        datasets = [session.get_one(Dataset, dataset_id) for dataset_id in ids]
    assert [dataset.indexed_revision for dataset in datasets] == [3, 3, 0, 8, 3, 3, 3]
    same = [number for number in range(DATASETS) if number != 3]
    assert [datasets[number].modified_at for number in same] == [changed[number] for number in same]
