"""What every index must do while another one is filled beside it, and when that one takes its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.document import SearchDocument
from ingest.catalogue.search import DatasetIndex, IndexBusyError, IndexRebuildingError, SearchRequest, parse_query

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.catalogue.search import IndexRebuild, VisibilityFilter


def make(number: int, revision: int = 1) -> SearchDocument:
    return SearchDocument(number, revision, f"set_{number}", "ESRF", "hc1/2025", "hc1", samples=(f"round {revision}",))


def catch_up_nothing() -> None:
    pass


def test_what_is_filled_is_not_found_until_it_is_finished(
    index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild], operator: VisibilityFilter
) -> None:
    index.write([make(1), make(2)])
    rebuild = begin_rebuild()
    assert rebuild.revisions() == []
    rebuild.write([make(1, 2), make(2, 2), make(3)])
    rebuild.delete([3])
    assert rebuild.revisions() == [(1, 2), (2, 2)]
    assert rebuild.revisions(1, 1) == [(2, 2)]
    assert index.revisions() == [(1, 1), (2, 1)]
    assert index.search(SearchRequest(operator, parse_query('"round 2"'))).total == 0
    rebuild.finish(catch_up_nothing)
    assert index.revisions() == [(1, 2), (2, 2)]
    assert index.search(SearchRequest(operator, parse_query('"round 2"'))).total == 2


def test_an_older_revision_of_the_new_index_counts(
    index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]
) -> None:
    """The database was set back: what the old index holds is of no account."""
    index.write([make(1, 9), make(2, 9)])
    rebuild = begin_rebuild()
    rebuild.write([make(1, 3)])
    rebuild.finish(catch_up_nothing)
    assert index.revisions() == [(1, 3)]
    index.write([make(1, 4)])
    assert index.revisions() == [(1, 4)]


def test_the_index_is_written_while_another_is_filled(
    index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]
) -> None:
    rebuild = begin_rebuild()
    rebuild.write([make(1)])
    index.write([make(1, 2), make(2)])
    index.delete([2])
    assert index.revisions() == [(1, 2)]
    assert rebuild.revisions() == [(1, 1)]


def test_nobody_writes_between_catching_up_and_the_change(
    index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]
) -> None:
    index.write([make(1), make(2)])
    rebuild = begin_rebuild()

    def catch_up() -> None:
        with pytest.raises(IndexBusyError):
            index.write([make(1, 2)])
        with pytest.raises(IndexBusyError):
            index.delete([1])
        rebuild.write([make(2, 5)])
        assert index.revisions() == [(1, 1), (2, 1)]

    rebuild.finish(catch_up)
    assert index.revisions() == [(2, 5)]
    index.write([make(2, 6)])
    assert index.revisions() == [(2, 6)]


def test_a_failed_catching_up_changes_nothing(index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]) -> None:
    index.write([make(1)])
    rebuild = begin_rebuild()
    rebuild.write([make(2)])

    def fail() -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError):
        rebuild.finish(fail)
    index.write([make(3)])
    assert index.revisions() == [(1, 1), (3, 1)]
    rebuild.finish(catch_up_nothing)
    assert index.revisions() == [(2, 1)]


def test_an_unfinished_one_is_gone_on_with(index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]) -> None:
    index.write([make(1)])
    first = begin_rebuild()
    first.write([make(2, 7)])
    first.close()
    second = begin_rebuild()
    assert second.revisions() == [(2, 7)]
    second.finish(catch_up_nothing)
    second.close()
    assert index.revisions() == [(2, 7)]
    assert begin_rebuild().revisions() == []


def test_a_second_one_is_refused(index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]) -> None:
    first = begin_rebuild()
    first.write([make(1)])
    with pytest.raises(IndexRebuildingError, match="let it end"):
        begin_rebuild()
    first.finish(catch_up_nothing)
    with pytest.raises(IndexRebuildingError):
        begin_rebuild()
    first.close()
    begin_rebuild().close()
    assert index.revisions() == [(1, 1)]


def test_one_after_the_other(index: DatasetIndex, begin_rebuild: Callable[[], IndexRebuild]) -> None:
    for number in range(1, 4):
        rebuild = begin_rebuild()
        rebuild.write([make(number)])
        rebuild.finish(catch_up_nothing)
        rebuild.close()
        assert index.revisions() == [(number, 1)]
