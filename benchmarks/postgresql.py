"""What a dataset of 387 files costs on PostgreSQL, beside a bare COPY of the same rows in the same run.

    python benchmarks/postgresql.py [--datasets 100] [--background 1000 10000 100000]

A PostgreSQL of this machine is started for it, as its package configures it (every commit is synced to disk). Dataset
folders as BLISS writes them (one scan, 100 motors, 386 detector files under one virtual dataset) are crawled, read,
stored and indexed through the whole path by one process and its reader, on an empty catalogue and again on one that
holds each background number of datasets. Those are made in the database, as copies of one that was crawled.

CPU is user and system together: of this process, of its reader, and of all processes of PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import psycopg
from end_to_end import FILES, write_datasets
from sqlalchemy import make_url, text, update

from facility.postgresql import PostgreSql
from ingest import stages
from ingest.catalogue.database import lift_timeout, run_transaction
from ingest.catalogue.datafiles import store_datafiles
from ingest.catalogue.model import Base, Dataset, MasterFile
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.partitions import prepare_partitions
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import crawl_root
from ingest.drain import drain
from ingest.listing import list_folder
from ingest.services import open_services
from ingest.stages import telling_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from ingest.catalogue.datafiles import ListedFile
    from ingest.catalogue.model import Root
    from ingest.pipeline import Services

ROUNDS = 5
BACKGROUND_FILES = 20
OF_INVESTIGATION = 500
STAGES = ("claim", "gate", "read", "map", "store", "index")


@dataclass(slots=True)
class Spent:
    """Seconds: of our CPU, in all and by stage, of the reader's and of PostgreSQL's, and on the wall."""

    own: float = 0.0
    reader: float = 0.0
    server: float = 0.0
    wall: float = 0.0
    stages: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=100, help="how many are measured each time")
    parser.add_argument("--background", type=int, nargs="*", default=[1000, 10_000, 100_000])
    arguments = parser.parse_args()
    # Stages are measured by the clock on the wall; here it is their share of our CPU that is asked for.
    vars(stages)["time"] = SimpleNamespace(perf_counter=time.process_time)
    server = PostgreSql({"autovacuum": "off"})  # it would write in between; what it does is done at times of our choice
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure_all(server, Path(folder), arguments.datasets, arguments.background)
    finally:
        server.stop()


def measure_all(server: PostgreSql, folder: Path, count: int, backgrounds: Sequence[int]) -> None:
    """Print all tables."""
    address = make_url(server.address).set(drivername="postgresql+psycopg")
    os.environ |= {
        "NXCAT_DATA": str(folder / "data"),
        "NXCAT_DATABASE_URL": address.render_as_string(hide_password=False),
    }
    with open_services() as services:
        measure_rows(services, server, folder / "listed", count)
        print_heads()
        roots = [measure(services, server, folder / "on-0", 0, count)]
        for background in backgrounds:
            fill(services, background)
            roots.append(measure(services, server, folder / f"on-{background}", background, count))
        measure_unchanged(services, server, roots[-1], count)
        measure_bytes(services)


def measure_rows(services: Services, server: PostgreSql, root: Path, count: int) -> None:
    """Print how fast rows of files are written: by the catalogue and by a bare COPY, one commit for each dataset."""
    (folder,) = write_datasets(root, 1)
    listing = list_folder(folder / f"{folder.name}.h5")
    walls: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, float] = defaultdict(float)
    with psycopg.connect(server.address) as bare:
        bare.execute("CREATE TABLE bare (LIKE datafile INCLUDING ALL)")
        bare.commit()
        writes: dict[str, Callable[[int], object]] = {
            "bare COPY": lambda each: copy_bare(bare, each, listing.files),
            "the catalogue": lambda each: run_transaction(
                services.write_sessions, lambda session: store_listing(session, each, listing)
            ),
        }
        # In turns, so that whatever else runs on the machine does so beside both.
        for each, (name, write) in product(range(ROUNDS * count), writes.items()):
            wall, own = time.perf_counter(), time.process_time()
            write(each)
            walls[name].append(time.perf_counter() - wall)
            cpu[name] += time.process_time() - own
        bare.execute("DROP TABLE bare")
    run_transaction(services.write_sessions, lambda session: session.execute(text("TRUNCATE datafile")))
    print(f"\n| rows of files, {FILES} a commit, median | rows/s | rate | CPU us a row |\n|:--|--:|--:|--:|")
    for name in writes:
        wall = median(walls[name])
        rate, own = median(walls["bare COPY"]) / wall, cpu[name] / ROUNDS / count / FILES
        print(f"| {name} | {FILES / wall:,.0f} | {rate:.2f} | {own * 1e6:.2f} |")


def copy_bare(connection: psycopg.Connection, dataset_id: int, files: Iterable[ListedFile]) -> None:
    """Write the rows with nothing but the driver."""
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY bare (dataset_id, ordinal, name, file_size, mtime_ns, is_vanished) FROM STDIN") as copy,
    ):
        for ordinal, file in enumerate(files):
            copy.write_row((dataset_id, ordinal, *file, False))
    connection.commit()


def store_listing(session: Session, dataset_id: int, listing: Any) -> None:
    """Write the rows as the catalogue does."""
    dataset = Dataset(id=dataset_id, listing_digest="", next_file_ordinal=0)
    store_datafiles(session, dataset, listing.files, listing.digest)


def print_heads() -> None:
    """Print the head of the table of `measure`."""
    names = ["crawl", *STAGES, "else"]
    print("\n| datasets in the catalogue | datasets/s | CPU ms each: all | reader | PostgreSQL | ours |", end="")
    print("".join(f" {name} |" for name in names) + "\n" + "|--:" * (6 + len(names)) + "|")


def measure(services: Services, server: PostgreSql, root: Path, there: int, count: int) -> Root:
    """Crawl, read, store and index fresh datasets on what is there, and print one row."""
    write_datasets(root, count)
    made = run_transaction(services.write_sessions, lambda session: upsert_root(session, root, RootSettings()))[0]
    with spending(server) as spent:
        crawl_root(services, made, utc_now())
        spent.stages["crawl"] = time.process_time()

        def tell(name: str, seconds: float) -> None:
            spent.stages[name] += seconds

        with telling_stages(tell):
            drain(services, root_ids=[made.id])
    assert_stored(services, made, count)
    spent.stages["crawl"] -= spent.stages.pop("begin")
    own = {name: spent.stages[name] for name in ("crawl", *STAGES)}
    own["else"] = spent.own - sum(own.values())
    figures = [spent.own + spent.reader + spent.server, spent.reader, spent.server, spent.own, *own.values()]
    cells = " | ".join(f"{figure / count * 1e3:.2f}" for figure in figures)
    print(f"| {there:,} | {count / spent.wall:.0f} | {cells} |", flush=True)
    return made


def assert_stored(services: Services, root: Root, count: int) -> None:
    """Fail unless that many datasets of the root are stored whole."""
    with services.read_sessions() as session:
        statement = """
            SELECT count(*), sum(file_count) FROM dataset
            JOIN master_file ON master_file.id = master_file_id WHERE root_id = :root AND state = 'ingested'
        """
        if session.execute(text(statement), {"root": root.id}).one() != (count, count * FILES):
            raise SystemExit("not all datasets are stored")


@contextmanager
def spending(server: PostgreSql) -> Iterator[Spent]:
    """Yield what is filled in at the end."""
    spent = Spent()
    children, of_server = os.times(), read_server_seconds(server)
    cpu, wall = time.process_time(), time.perf_counter()
    spent.stages["begin"] = cpu
    yield spent
    spent.own, spent.wall = time.process_time() - cpu, time.perf_counter() - wall
    after = os.times()
    spent.reader = after.children_user + after.children_system - children.children_user - children.children_system
    spent.server = read_server_seconds(server) - of_server


def read_server_seconds(server: PostgreSql) -> float:
    """Return the CPU seconds of all processes of the server, also of those that ended."""
    (first,) = list_children(server.guard)
    figures = [read_stat(process) for process in (first, *list_children(first))]
    ended = sum(read_stat(first)[13:15])
    return (sum(sum(each[11:13]) for each in figures) + ended) / os.sysconf("SC_CLK_TCK")


def list_children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def read_stat(process: int) -> list[int]:
    """Return the numbers that the kernel has of a process; see proc(5), from the state on, which is 0 here."""
    return [0, *map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1:])]


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


def measure_unchanged(services: Services, server: PostgreSql, root: Root, count: int) -> None:
    """Print what is written for datasets that did not change: passed by, and read again all the same."""

    def crawl() -> None:
        crawl_root(services, root, utc_now())
        drain(services, root_ids=[root.id])

    def read_again() -> None:
        drain(services, root_ids=[root.id])

    print("\n| nothing changed | WAL bytes each | rows written each | CPU ms each, all |\n|:--|--:|--:|--:|")
    for name, work in {"crawled again": crawl, "read again": read_again}.items():
        if work is read_again:
            due = update(MasterFile).where(MasterFile.root_id == root.id).values(next_attempt_at=utc_now())
            run_transaction(services.write_sessions, lambda session: session.execute(due))  # noqa: B023 (called here)
        before = read_writes(services)
        with spending(server) as spent:
            work()
        after = read_writes(services)
        cpu = (spent.own + spent.reader + spent.server) / count * 1e3
        rows = {table: after[1][table] - before[1][table] for table in after[1] if after[1][table] > before[1][table]}
        told = ", ".join(f"{written / count:.0f} of {table}" for table, written in rows.items()) or "none"
        print(f"| {name} | {(after[0] - before[0]) / count:,.0f} | {told} | {cpu:.2f} |")


def read_writes(services: Services) -> tuple[int, Counter[str]]:
    """Return how many bytes of WAL were ever written, and rows by table."""
    with services.read_sessions() as session:
        # The figures of tables are told when a connection has nothing to do.
        session.execute(text("SELECT pg_stat_force_next_flush(), pg_sleep(1.5)"))
        session.rollback()
        wal = session.scalar(text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")) or 0
        written = "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
        return int(wal), Counter(dict(list(session.execute(text(written)))))


def measure_bytes(services: Services) -> None:
    """Print how large a row of a file is, with its part of the index."""
    with services.write_sessions() as session:
        connection = session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM FULL datafile"))
        rows, heap, index = connection.execute(
            text(
                "SELECT (SELECT count(*) FROM datafile), sum(pg_table_size(inhrelid)), sum(pg_indexes_size(inhrelid)) "
                "FROM pg_inherits WHERE inhparent = 'datafile'::regclass"
            )
        ).one()
    print(
        f"\nA row of a file has {(heap + index) / rows:.1f} bytes: {heap / rows:.1f} and {index / rows:.1f} of index."
    )


if __name__ == "__main__":
    main()
