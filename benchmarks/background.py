"""A catalogue that holds many datasets already: copies, made in PostgreSQL, of one that came through the whole path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from ingest.catalogue.database import lift_timeout, run_transaction
from ingest.catalogue.model import Base
from ingest.catalogue.partitions import prepare_partitions

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from ingest.pipeline import Services

BACKGROUND_FILES = 20
OF_INVESTIGATION = 500


def fill(services: Services, until: int) -> None:
    """Leave the database with that many datasets: copies of the first one, with fewer files. None is to be indexed."""
    with services.read_sessions() as session:
        largest = max(session.scalar(text(f"SELECT max(id) FROM {table}")) or 0 for table in _NUMBERED)  # noqa: S608
        count = until - (session.scalar(text("SELECT count(*) FROM dataset")) or 0)
    numbers = {"base": largest, "count": count, "files": BACKGROUND_FILES, "each": OF_INVESTIGATION}

    def copy(session: Session) -> None:
        lift_timeout(session)
        prepare_partitions(session, largest + count)
        for table, changes in _CHANGES.items():
            session.execute(text(to_copy(table, changes)), numbers)
        for table in _NUMBERED:
            session.execute(text(f"SELECT setval('{table}_id_seq', {largest + count})"))

    run_transaction(services.write_sessions, copy)
    with services.write_sessions() as session:
        session.connection(execution_options={"isolation_level": "AUTOCOMMIT"}).execute(text("ANALYZE"))


_NUMBERED = ("investigation", "master_file", "dataset")
_CHANGES = {
    "investigation": {"id": ":base + n", "visit_id": "visit_id || '-' || (:base + n)"},
    "master_file": {"id": ":base + n", "path": "path || '-' || (:base + n)", "record_digest": "md5((:base + n)::text)"},
    "dataset": {
        "id": ":base + n",
        "master_file_id": ":base + n",
        "investigation_id": ":base + 1 + n / :each",
        "name": "name || '-' || (:base + n)",
    },
    "scan": {"dataset_id": ":base + n"},
    "dataset_parameter": {"dataset_id": ":base + n", "scan_id": "NULL"},
    "dataset_instrument": {"dataset_id": ":base + n"},
    "dataset_technique": {"dataset_id": ":base + n"},
    "datafile": {"dataset_id": ":base + n"},
    "master_record": {"master_file_id": ":base + n"},
}
"""What is changed in copies of the first rows; copy number n, from 1 on."""
_FIRST = {
    "investigation": "id = (SELECT investigation_id FROM dataset WHERE id = (SELECT min(id) FROM dataset))",
    "master_file": "id = (SELECT master_file_id FROM dataset WHERE id = (SELECT min(id) FROM dataset))",
    "master_record": "master_file_id = (SELECT master_file_id FROM dataset WHERE id = (SELECT min(id) FROM dataset))",
    "dataset": "id = (SELECT min(id) FROM dataset)",
    "datafile": "dataset_id = (SELECT min(id) FROM dataset) AND ordinal < :files",
}


def to_copy(table: str, changes: dict[str, str]) -> str:
    """Return the statement that makes copies of the first rows of a table."""
    columns = [column.name for column in Base.metadata.tables[table].columns]
    names = [name for name in columns if name in changes or name != "id"]
    values = [changes.get(name, f'"{name}"') for name in names]
    quoted = ", ".join(f'"{name}"' for name in names)
    of_first = _FIRST.get(table, "dataset_id = (SELECT min(id) FROM dataset)")
    last = ":count / :each + 1" if table == "investigation" else ":count"
    copies = f"SELECT {', '.join(values)} FROM {table}, generate_series(1, {last}) n WHERE {of_first}"  # noqa: S608
    return f"INSERT INTO {table} ({quoted}) {copies}"
