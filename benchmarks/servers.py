"""What a dataset of 387 files costs on PostgreSQL and Elasticsearch, beside bare COPY and bulk in the same run.

    PYTHONPATH=. python benchmarks/servers.py [--datasets 100] [--background 1000 10000 100000]

Both servers of this machine are started for it, PostgreSQL as its package configures it (every commit is synced to
disk). Dataset folders as BLISS writes them (one scan, 100 motors, 386 detector files under one virtual dataset) are
crawled, read, stored and indexed through the whole path by one process and its reader, on an empty catalogue and again
on one that holds each background number of datasets. Those are made in the database, as copies of one that was crawled.

CPU is user and system together: of this process, of its reader, and of all processes of either server.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from background import fill
from elasticsearch.helpers import bulk
from end_to_end import FILES, write_datasets
from sqlalchemy import make_url, select, text, update

from facility.elasticsearch import Elasticsearch
from facility.postgresql import PostgreSql
from ingest import stages
from ingest.catalogue.database import run_transaction
from ingest.catalogue.datafiles import store_datafiles
from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import Dataset, MasterFile
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.catalogue.search.elastic import ElasticIndex
from ingest.catalogue.search.elastic_client import make_client
from ingest.catalogue.search.elastic_layout import to_entry, to_mapping, to_settings
from ingest.crawl import crawl_root
from ingest.drain import drain
from ingest.listing import list_folder
from ingest.services import open_services
from ingest.stages import telling_stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from elasticsearch import Elasticsearch as Client
    from sqlalchemy.orm import Session

    from facility.server import Server
    from ingest.catalogue.datafiles import ListedFile
    from ingest.catalogue.model import Root
    from ingest.pipeline import Services

ROUNDS = 5
STAGES = ("claim", "gate", "read", "map", "store", "index")


class Servers(NamedTuple):
    """What the catalogue stands on."""

    database: PostgreSql
    engine: Elasticsearch


@dataclass(slots=True)
class Spent:
    """Seconds: of our CPU, in all and by stage, of the reader's and of the servers', and on the wall."""

    own: float = 0.0
    reader: float = 0.0
    database: float = 0.0
    engine: float = 0.0
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
    # Autovacuum would write in between; what it does is done at times of our choice.
    servers = Servers(PostgreSql({"autovacuum": "off"}), Elasticsearch({}))
    try:
        with tempfile.TemporaryDirectory() as folder:
            measure_all(servers, Path(folder), arguments.datasets, arguments.background)
    finally:
        servers.engine.stop()
        servers.database.stop()


def measure_all(servers: Servers, folder: Path, count: int, backgrounds: Sequence[int]) -> None:
    """Print all tables."""
    address = make_url(servers.database.address).set(drivername="postgresql+psycopg")
    os.environ |= {
        "NXCAT_DATA": str(folder / "data"),
        "NXCAT_DATABASE_URL": address.render_as_string(hide_password=False),
        "NXCAT_ELASTICSEARCH_URL": servers.engine.address,
    }
    with open_services() as services:
        measure_rows(services, servers, folder / "listed", count)
        print_heads()
        roots = [measure(services, servers, folder / "on-0", 0, count)]
        for background in backgrounds:
            fill(services, background)
            roots.append(measure(services, servers, folder / f"on-{background}", background, count))
        measure_documents(services, servers, count)
        measure_unchanged(services, servers, roots[-1], count)
        measure_bytes(services)


def measure_rows(services: Services, servers: Servers, root: Path, count: int) -> None:
    """Print how fast rows of files are written: by the catalogue and by a bare COPY, one commit for each dataset."""
    (folder,) = write_datasets(root, 1)
    listing = list_folder(folder / f"{folder.name}.h5")
    walls: dict[str, list[float]] = defaultdict(list)
    cpu: dict[str, float] = defaultdict(float)
    with psycopg.connect(servers.database.address) as bare:
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
    parts = "CPU ms each: all | reader | PostgreSQL | Elasticsearch | ours"
    print(f"\n| datasets in the catalogue | datasets/s | {parts} | {' | '.join(names)} |")
    print("|--:" * (7 + len(names)) + "|")


def measure(services: Services, servers: Servers, root: Path, there: int, count: int) -> Root:
    """Crawl, read, store and index fresh datasets on what is there, and print one row."""
    write_datasets(root, count)
    made = run_transaction(services.write_sessions, lambda session: upsert_root(session, root, RootSettings()))[0]
    with spending(servers) as spent:
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
    others = [spent.reader, spent.database, spent.engine, spent.own]
    figures = [sum(others), *others, *own.values()]
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
def spending(servers: Servers) -> Iterator[Spent]:
    """Yield what is filled in at the end."""
    spent = Spent()
    children = os.times()
    of_database, of_engine = read_server_seconds(servers.database), read_server_seconds(servers.engine)
    cpu, wall = time.process_time(), time.perf_counter()
    spent.stages["begin"] = cpu
    yield spent
    spent.own, spent.wall = time.process_time() - cpu, time.perf_counter() - wall
    after = os.times()
    spent.reader = after.children_user + after.children_system - children.children_user - children.children_system
    spent.database = read_server_seconds(servers.database) - of_database
    spent.engine = read_server_seconds(servers.engine) - of_engine


def read_server_seconds(server: Server) -> float:
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


def measure_documents(services: Services, servers: Servers, count: int) -> None:
    """Print how fast documents are written: by the catalogue, and as bodies made before by nothing but `bulk`."""
    with services.read_sessions() as session:
        newest = session.scalars(select(Dataset.id).order_by(Dataset.id.desc()).limit(count)).all()
        documents = load_documents(session, newest)
    entries = [to_entry(document) for document in documents]
    with make_client(servers.engine.address) as client, closing(ElasticIndex(servers.engine.address, "ours")) as ours:
        client.indices.create(index="bare", settings=to_settings(), mappings=to_mapping())
        writes: dict[str, Callable[[], object]] = {
            "bare bulk": lambda: send_bare(client, entries),
            "the catalogue": lambda: ours.write(documents),
        }
        spent: dict[str, list[Spent]] = defaultdict(list)
        for _, (name, write) in product(range(ROUNDS * 4), writes.items()):
            with spending(servers) as each:
                write()
            spent[name].append(each)
    print(f"\n| documents, {count} a call, median | documents/s | rate | CPU ms each: ours | Elasticsearch |")
    print("|:--|--:|--:|--:|--:|")
    floor = median(each.wall for each in spent["bare bulk"])
    for name, costs in spent.items():
        wall = median(each.wall for each in costs)
        own, engine = (sum(values) / len(costs) / count * 1e3 for values in zip(*map(to_pair, costs), strict=True))
        print(f"| {name} | {count / wall:,.0f} | {floor / wall:.2f} | {own:.2f} | {engine:.2f} |")


def to_pair(spent: Spent) -> tuple[float, float]:
    """Return our seconds and those of the search engine."""
    return spent.own, spent.engine


def send_bare(client: Client, entries: list[dict[str, Any]]) -> None:
    """Write the entries with nothing but the client, visible at once."""
    bulk(client, ({"_id": str(entry["id"]), "_source": entry} for entry in entries), index="bare")
    client.indices.refresh(index="bare")


def measure_unchanged(services: Services, servers: Servers, root: Root, count: int) -> None:
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
        with spending(servers) as spent:
            work()
        after = read_writes(services)
        cpu = (spent.own + spent.reader + spent.database + spent.engine) / count * 1e3
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
