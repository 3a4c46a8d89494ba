"""The table of files in parts on PostgreSQL: there before they are needed, made once, and each read alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text

from ingest.catalogue.database import run_transaction
from ingest.catalogue.model import Datafile
from ingest.catalogue.partitions import AHEAD, SIZE, prepare_partitions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def parts(catalogue: Catalogue) -> Iterator[None]:
    yield
    with catalogue.sessions.begin() as session:
        for name in list_parts(session) - {"datafile_part_0"}:
            session.execute(text(f"DROP TABLE {name}"))


def list_parts(session: Session) -> set[str]:
    return set(
        session.scalars(text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'datafile'::regclass"))
    )


def prepare(catalogue: Catalogue, dataset_id: int) -> set[str]:
    """Prepare for the files of that dataset; return the parts that there are then."""
    run_transaction(catalogue.sessions, lambda session: prepare_partitions(session, dataset_id))
    with catalogue.sessions() as session:
        return list_parts(session)


def test_the_next_part_is_made_before_it_is_needed(catalogue: Catalogue) -> None:
    first = {"datafile_part_0"}
    assert prepare(catalogue, SIZE - AHEAD - 1) == first
    assert prepare(catalogue, SIZE - AHEAD) == first | {"datafile_part_1"}
    assert prepare(catalogue, SIZE) == first | {"datafile_part_1"}


def test_a_part_that_was_never_announced_is_made_when_it_is_needed(catalogue: Catalogue) -> None:
    assert prepare(catalogue, 7 * SIZE + 5) == {"datafile_part_0", "datafile_part_7"}


def test_a_part_stays_though_the_transaction_that_needed_it_first_is_undone(catalogue: Catalogue) -> None:
    with catalogue.sessions() as session:
        prepare_partitions(session, 3 * SIZE)
        session.rollback()
        assert "datafile_part_3" in list_parts(session)


def test_of_many_that_need_a_part_at_once_one_makes_it(catalogue: Catalogue) -> None:
    with ThreadPoolExecutor(8) as users:
        found = list(users.map(lambda number: prepare(catalogue, 5 * SIZE + number), range(8)))
    assert found == [{"datafile_part_0", "datafile_part_5"}] * 8


def test_a_part_is_made_while_others_read_and_write(catalogue: Catalogue) -> None:
    with catalogue.sessions() as writer, catalogue.sessions() as reader:
        writer.execute(insert(Datafile), [to_file(1)])
        assert reader.scalars(select(Datafile.name)).all() == []
        assert "datafile_part_9" in prepare(catalogue, 9 * SIZE)


def test_the_files_of_a_dataset_are_looked_for_in_its_part_alone(catalogue: Catalogue) -> None:
    prepare(catalogue, SIZE)
    with catalogue.sessions.begin() as session:
        session.execute(insert(Datafile), [to_file(SIZE - 1), to_file(SIZE), to_file(SIZE + 1)])
        assert session.scalar(text("SELECT count(*) FROM datafile_part_1")) == 2
        asked = text("EXPLAIN SELECT name FROM datafile WHERE dataset_id = :dataset_id")
        plan = session.scalars(asked, {"dataset_id": SIZE}).all()
    assert "datafile_part_1" in "".join(plan)
    assert "datafile_part_0" not in "".join(plan)


def to_file(dataset_id: int) -> dict[str, object]:
    return {"dataset_id": dataset_id, "ordinal": 0, "name": "a.h5", "file_size": 1, "mtime_ns": 1}
