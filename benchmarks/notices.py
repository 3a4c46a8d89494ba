"""A burst of notices, worked off by real workers: how long until every dataset is found.

    PYTHONPATH=. python benchmarks/notices.py [--masters 10000] [--notices 10000] [--processes 2]

PostgreSQL and Redis of this machine are started for it. The notices come in any order, so many of them in a transaction
as one request may carry, repeats among them if there are more notices than masters. It ends with an error if a dataset
is missing or there twice.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psycopg
from sqlalchemy import func, make_url, select

from facility.postgresql import PostgreSql
from facility.redis import FORGETFUL, RedisServer
from ingest.catalogue.backlog import get_backlog
from ingest.catalogue.model import Dataset
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, record_notice
from ingest.catalogue.queue import Task, Workers
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.samples.bulk import write_dataset_folder
from ingest.services import open_services

AT_ONCE = 500
NXCAT = str(Path(sys.executable).with_name("nxcat"))


def measure(masters: int, notices: int, processes: int, broker: str, folder: Path) -> None:
    """Tell of the masters, wait until all are found, and print how long it took."""
    paths = [write_dataset_folder(folder / "masters", f"set_{number:06}", files=3) for number in range(masters)]
    told = [paths[number % masters] for number in range(notices)]
    random.Random(1).shuffle(told)  # noqa: S311 (no secret)
    with open_services() as services, closing(Workers(broker)) as workers:
        with services.write_sessions.begin() as session:
            upsert_root(session, folder / "masters", RootSettings(release_policy="never"))
        command = [NXCAT, "worker", "--queues", "ingest,index", "--processes", str(processes)]
        with (folder / "worker.log").open("w") as log:
            worker = subprocess.Popen(command, stderr=log)
        began = time.monotonic()
        for first in range(0, notices, AT_ONCE):
            with services.write_sessions.begin() as session:
                workers.nudge_after(session, Task.INGEST)
                for path in told[first : first + AT_ONCE]:
                    record_notice(session, ToldDataset(path=str(path)), "http", utc_now())
        told_after = time.monotonic() - began
        while True:
            with services.read_sessions() as session:
                searchable = select(func.count(Dataset.id)).where(Dataset.indexed_revision == Dataset.revision)
                found = session.scalar(searchable) or 0
                backlog = get_backlog(session, utc_now())
            print(f"{time.monotonic() - began:6.1f} s: {found} found, {sum(backlog.notices.values())} notices wait")
            if found >= masters and not backlog.notices and not backlog.waiting:
                break
            time.sleep(5)
        seconds = time.monotonic() - began
        worker.terminate()
        worker.wait()
        indexed = services.index.revisions(limit=masters + 1)
        if len(indexed) != masters or {revision for _, revision in indexed} != {1}:
            sys.exit("a dataset is missing, or was stored twice")
    print(f"{notices} notices taken in {told_after:.1f} s; {masters} datasets found after {seconds:.1f} s")
    lag = backlog.searchable
    print(f"from closed to found, of the newest {lag.count}: median {lag.median_seconds} s, p95 {lag.p95_seconds} s")


def main() -> None:
    """Start the servers, measure, and end them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--masters", type=int, default=10_000)
    parser.add_argument("--notices", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        postgresql, broker = PostgreSql({}, owner=os.getpid()), RedisServer(FORGETFUL, owner=os.getpid())
        with psycopg.connect(postgresql.address, autocommit=True) as connection:
            connection.execute("CREATE DATABASE nxcat_benchmark")
        url = make_url(postgresql.address).set(drivername="postgresql+psycopg", database="nxcat_benchmark")
        os.environ["NXCAT_DATABASE_URL"] = url.render_as_string(hide_password=False)
        os.environ["NXCAT_QUEUE_URL"] = broker.address
        os.environ["NXCAT_DATA"] = f"{name}/data"
        try:
            measure(asked.masters, asked.notices, asked.processes, broker.address, Path(name))
        finally:
            postgresql.stop()
            broker.stop()


if __name__ == "__main__":
    main()
