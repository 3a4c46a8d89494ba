"""What a dataset of 387 files costs from crawl to index, beside the raw costs of its parts in the same run.

    python benchmarks/end_to_end.py [--datasets 200] [--background 1000 20000]

Dataset folders as BLISS writes them (one scan, 100 motors, 386 detector files under one virtual dataset) are written
first: 1.3 MB and 0.05 s each. Then, on an empty catalogue and again on one that holds each background number of
datasets, as many are crawled, read, stored and indexed through the whole path. The rows and documents of the background
are made from one record through the same store, without files.

CPU is that of this process and of its reader, user and system together; wall time depends on what else runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import sqlite3
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert

from ingest.catalogue.indexing import find_unindexed
from ingest.catalogue.model import MasterFile, MasterState
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import crawl_root
from ingest.drain import drain, settle_index
from ingest.identity import MasterContext
from ingest.listing import list_folder, to_listing
from ingest.nexus.child import ReaderChild
from ingest.nexus.encoding import encode_record
from ingest.nexus.master import read_master
from ingest.rulebook import Rulebook
from ingest.samples.bulk import write_dataset_folder
from ingest.services import open_services
from ingest.storing import store_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ingest.pipeline import Services

FILES = 387
BACKGROUND_FILES = 20
LONG_AGO = 1_600_000_000
FILL_BATCH = 500


@dataclass(slots=True)
class Cost:
    """What was spent: seconds of CPU, here and in child processes, and seconds on the wall."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def spending() -> Iterator[Cost]:
    """Yield a cost that is filled in at the end; children count once they have ended."""
    cost = Cost()
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield cost
    cost.cpu, cost.wall = cpu_seconds() - cpu, time.perf_counter() - wall


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its ended children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=200, help="how many are measured each time")
    parser.add_argument("--background", type=int, nargs="*", default=[1000, 20000], help="datasets there already")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NXCAT_DATA"] = f"{folder}/data"
        measure_parts(Path(folder) / "parts", 50)
        print("\n| datasets in the catalogue | CPU ms each | datasets/s | crawl again, ms each | index lag after |")
        print("|--:|--:|--:|--:|--:|")
        with open_services() as services:
            measure(services, Path(folder) / "on-0", 0, arguments.datasets)
            there = arguments.datasets
            for background in arguments.background:
                fill(services, Path(folder) / f"background-{background}", background - there)
                measure(services, Path(folder) / f"on-{background}", background, arguments.datasets)
                there = background + arguments.datasets


def write_datasets(root: Path, count: int) -> list[Path]:
    """Write dataset folders below one visit, old enough to be read, and return them."""
    collection = root / "visitor/hc1/id00/20200101/RAW_DATA/sample"
    folders = []
    for number in range(count):
        name = f"sample_{root.name}_{number:04d}"
        collection.mkdir(parents=True, exist_ok=True)
        write_dataset_folder(collection / name, name, files=FILES)
        folders.append(collection / name)
    for path in root.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folders


def measure(services: Services, root: Path, there: int, count: int) -> None:
    """Crawl, read, store and index fresh datasets on what is there, and print one row."""
    write_datasets(root, count)
    with services.write_sessions.begin() as session:
        made, _ = upsert_root(session, root, RootSettings())
    with spending() as cost:
        crawl_root(services, made, utc_now())
        drain(services, root_ids=[made.id])
    with spending() as again:
        crawl_root(services, made, utc_now())
        drain(services, root_ids=[made.id])
    print(
        f"| {there:,} | {cost.cpu / count * 1e3:.1f} | {count / cost.wall:.0f} "
        f"| {again.cpu / count * 1e3:.2f} | {settle_lag(services)} |"
    )


def settle_lag(services: Services) -> int:
    """Return how many datasets the index does not know yet: none, if all is well."""
    with services.read_sessions() as session:
        return len(find_unindexed(session, 10))


def fill(services: Services, root: Path, count: int) -> None:
    """Make that many datasets from one record, through the store and the index, without files."""
    (folder,) = write_datasets(root, 1)
    master = next(folder.rglob(f"{folder.name}.h5"))
    record = read_master(master)
    files = list(islice(list_folder(master).files, BACKGROUND_FILES))
    with services.write_sessions.begin() as session:
        made, _ = upsert_root(session, root, RootSettings())
    rules = services.rulebook.open_for(made)
    draft = rules.to_draft(record)
    for start in range(0, count, FILL_BATCH):
        with services.write_sessions.begin() as session:
            for number in range(start, min(start + FILL_BATCH, count)):
                path = root / f"visitor/hc1/id00/2020{number // 500:04d}/RAW_DATA/s/s_{number}/s_{number}.h5"
                row = session.execute(
                    insert(MasterFile)
                    .values(root_id=made.id, path=str(path), state=MasterState.INGESTED, file_size=1, mtime_ns=number)
                    .values(seen_at=utc_now(), record_digest=f"{root.name}-{number}")
                    .returning(MasterFile.id)
                ).scalar_one()
                context = MasterContext(
                    root=made,
                    master_file_id=row,
                    path=path,
                    file_size=1,
                    mtime_ns=LONG_AGO * 10**9,
                    match=rules.match(path),
                    listing=to_listing(path, files),
                    folder_mtime_ns=None,
                    is_complete=True,
                )
                store_dataset(session, draft, context, None)
        settle_index(services)


def measure_parts(root: Path, count: int) -> None:
    """Print what the parts cost on their own: the floor that the whole stands on."""
    folders = write_datasets(root, count)
    masters = [next(folder.rglob(f"{folder.name}.h5")) for folder in folders]
    records = [read_master(master) for master in masters]
    print(f"\n| part, {FILES} files a dataset | CPU ms |")
    print("|:--|--:|")

    def show(name: str, work: Callable[[], object]) -> None:
        with spending() as cost:
            work()
        print(f"| {name} | {cost.cpu / count * 1e3:.2f} |")

    def read_in_child() -> None:
        with ReaderChild() as reader:
            for master in masters:
                reader.read(master)

    rules = Rulebook().open(None, "UTC")
    show("floor: scandir and stat", lambda: [walk(str(master.parent)) for master in masters])
    show("list", lambda: [list_folder(master).digest for master in masters])
    show("read, in this process", lambda: [read_master(master) for master in masters])
    show("read, in a child (its start included)", read_in_child)
    show("encode", lambda: [encode_record(record) for record in records])
    show("map", lambda: [rules.to_draft(record) for record in records])
    show("floor: 387 rows by sqlite3.executemany, committed", lambda: insert_rows(root / "floor.sqlite", count))


def walk(folder: str) -> int:
    """Stat everything below a folder, with nothing but the standard library."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            total += walk(entry.path) if entry.is_dir() else entry.stat().st_size
    return total


def insert_rows(path: Path, count: int) -> None:
    """Insert as many rows as the datasets have files, one commit a dataset."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("CREATE TABLE f (d INTEGER, n INTEGER, name TEXT, size INTEGER, m INTEGER, PRIMARY KEY (d, n))")
    for dataset in range(count):
        rows = [(dataset, n, f"scan0001/eiger_{n:04d}.h5", 1000 + n, 1_600_000_000_000_000_000) for n in range(FILES)]
        with connection:
            connection.executemany("INSERT INTO f VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()


if __name__ == "__main__":
    main()
