"""The parts of the table of files on PostgreSQL: a range of datasets each, made before they are needed.

484 million rows in one table would have indexes that no memory holds; a part of 100,000 datasets has some 39 million,
and those that are full are not written to any more. A part is made beside the table and attached to it, under a lock
that disturbs neither readers nor writers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, text

from ingest.catalogue.locks import Lock, hold_alone
from ingest.catalogue.model import Datafile

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

SIZE: Final = 100_000
"""How many datasets one part holds: migrations make the first of this size, too."""
AHEAD: Final = 20_000
"""So many datasets before the end of a part the next one is made."""
_TABLE: Final = Datafile.__tablename__
_PREFIX: Final = f"{_TABLE}_part_"


def to_comparable(dialect: str) -> Callable[..., bool]:
    """Return what tells Alembic which things of model and database are to be the same there.

    Not the parts, which are made as they are needed, nor what the model declares for another database, nor indexes on
    expressions.
    """

    def is_comparable(item: Any, name: str | None, kind: str, *_: object) -> bool:
        is_part = kind == "table" and (name or "").startswith(_PREFIX)
        is_expression = kind == "index" and any(not isinstance(each, Column) for each in item.expressions)
        return not is_part and not is_expression and item.info.get("only", dialect) == dialect

    return is_comparable


def prepare_partitions(session: Session, dataset_id: int) -> None:
    """Leave a part for the files of that dataset, and for those that come soon after it. On SQLite there are none."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return
    # What a connection once saw stays: to ask for each dataset costs as much as to write a hundred rows.
    seen: set[int] = connection.info.setdefault(_PREFIX, set())
    numbers = {dataset_id // SIZE, (dataset_id + AHEAD) // SIZE} - seen
    missing = sorted(number for number in numbers if not _is_there(session, number))
    if missing:
        # In a transaction of its own, over at once, so that nobody waits for ours.
        with type(session)(session.get_bind().engine) as own, own.begin():
            hold_alone(own, Lock.PARTITIONS)
            for number in missing:
                if not _is_there(own, number):
                    _make(own, number)
    seen.update(numbers)


def _is_there(session: Session, number: int) -> bool:
    return session.scalar(text("SELECT to_regclass(:name)"), {"name": f"{_PREFIX}{number}"}) is not None


def _make(session: Session, number: int) -> None:
    part = f"{_PREFIX}{number}"
    session.execute(text(f"CREATE TABLE {part} (LIKE {_TABLE} INCLUDING ALL)"))
    bounds = f"FROM ({number * SIZE}) TO ({(number + 1) * SIZE})"
    session.execute(text(f"ALTER TABLE {_TABLE} ATTACH PARTITION {part} FOR VALUES {bounds}"))
