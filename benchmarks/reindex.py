"""What proving and rebuilding the index cost, beside the bare reading and writing of the same in the same run.

    python benchmarks/reindex.py [--datasets 20000]

The datasets are rows without files: a scan, a sample, an instrument and 30 parameters each out of 200 types.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import sqlite3
import tempfile
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select

from ingest.catalogue.indexing import load_documents
from ingest.catalogue.model import (
    Dataset,
    DatasetInstrument,
    DatasetParameter,
    Facility,
    Instrument,
    Investigation,
    MasterFile,
    MasterState,
    ParameterType,
    Root,
    Sample,
    Scan,
)
from ingest.catalogue.search.embedded_folder import get_current, make_generation
from ingest.catalogue.search.embedded_generation import writing
from ingest.catalogue.search.embedded_layout import to_entry
from ingest.proving import prove_index
from ingest.reindexing import rebuild_index, settle_rebuilt
from ingest.services import open_rebuild, open_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

TYPES = 200
PARAMETERS = 30
BATCH = 500
START = datetime(2015, 1, 1, tzinfo=UTC)


@contextmanager
def measured(name: str, count: int, floor: float | None = None) -> Iterator[dict[str, float]]:
    """Print a row of the table: CPU a dataset, its ratio to the floor's, and the rate on the wall."""
    spent: dict[str, float] = {}
    cpu, wall = cpu_seconds(), time.perf_counter()
    yield spent
    spent["cpu"], elapsed = cpu_seconds() - cpu, time.perf_counter() - wall
    ratio = "" if floor is None else f"{spent['cpu'] / floor:.1f}"
    print(f"| {name} | {spent['cpu'] / count * 1e6:,.1f} | {ratio} | {count / elapsed:,.0f} |")


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, user and system, all threads."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=20_000)
    count = parser.parse_args().datasets
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NXCAT_DATA"] = folder
        with open_services() as services:
            for first in range(0, count, BATCH):
                with services.write_sessions.begin() as session:
                    write_rows(session, first, min(BATCH, count - first))
        print(f"{count:,} datasets\n\n| what | CPU µs a dataset | ratio | datasets/s |\n|:--|--:|--:|--:|")
        measure_rebuild(Path(folder), count)
        measure_proof(Path(folder), count)


def measure_rebuild(folder: Path, count: int) -> None:
    """Rebuild the index, beside the writing of its entries, made before, in one commit."""
    entries = list(load_entries())
    with measured("floor: prepared entries written by tantivy", count) as floor:
        write_bare(folder, entries)
    with open_services() as services, measured("floor: documents loaded from the database", count):
        for first in range(1, count, BATCH):
            with services.read_sessions() as session:
                load_documents(session, range(first, first + BATCH))
    with measured("reindex", count, floor["cpu"]):
        with open_rebuild() as (sessions, rebuild):
            rebuild_index(sessions, rebuild, lambda _done, _total: None)
        with open_services() as services:
            settle_rebuilt(services)


def load_entries() -> Iterator[str]:
    """Yield what tantivy is given of each dataset."""
    with open_services() as services, services.read_sessions() as session:
        ids = session.scalars(select(Dataset.id)).all()
        for start in range(0, len(ids), BATCH):
            for document in load_documents(session, ids[start : start + BATCH]):
                yield msgspec.json.encode(to_entry(document)).decode()


def write_bare(folder: Path, entries: list[str]) -> None:
    """Write the entries with nothing around it."""
    beside = folder / "bare"
    beside.mkdir()
    with writing(make_generation(beside)) as (_, writer):
        for entry in entries:
            writer.add_json(entry)


def measure_proof(folder: Path, count: int) -> None:
    """Prove the index, beside the reading of the two revisions of all datasets at once."""
    with closing(sqlite3.connect(folder / "catalogue.sqlite")) as connection, open_services() as services:
        prove_index(services, lambda _done, _total: None)  # what is read once is in memory afterwards
        with measured("floor: ids and revisions read at once", count) as floor:
            connection.execute("SELECT id, revision FROM dataset ORDER BY id").fetchall()
            services.index.revisions(limit=count)
        with measured("verify", count, floor["cpu"]):
            proof = prove_index(services, lambda _done, _total: None)
    if not proof.is_equal:
        raise SystemExit(f"the index differs: {proof.counts}")
    size = sum(path.stat().st_size for path in get_current(folder / "index").iterdir())
    print(f"\n{size / count:,.0f} bytes of index a dataset")


def write_rows(session: Session, first: int, count: int) -> None:
    """Write that many datasets, below one investigation of their own."""
    context = write_context(session, first)
    numbers = range(first, first + count)
    masters = [
        {"root_id": context["root"], "path": f"/data/{number}.h5", "state": MasterState.INGESTED, "seen_at": START}
        | {"file_size": 10, "mtime_ns": 1}
        for number in numbers
    ]
    session.execute(insert(MasterFile), masters)
    session.execute(insert(Dataset), [to_dataset(number, context) for number in numbers])
    scan = {"ordinal": 0, "entry_name": "/1.1", "is_ended": True, "probe": "x-ray", "sample_id": context["sample"]}
    session.execute(insert(Scan), [scan | {"dataset_id": n + 1, "title": f"ascan mono {n}"} for n in numbers])
    links = [{"dataset_id": number + 1, "instrument_id": context["instrument"]} for number in numbers]
    session.execute(insert(DatasetInstrument), links)
    session.execute(insert(DatasetParameter), [row for n in numbers for row in to_parameters(n, context["type"])])


def write_context(session: Session, first: int) -> dict[str, int]:
    """Write what the datasets of one investigation share, and return the ids of it; the types only once."""
    if first == 0:
        session.add(Facility(id=1, name="local"))
        session.flush()
        session.add(Root(id=1, path="/data", facility_id=1))
        common = {"facility_id": 1, "units": "", "value_type": "NUMERIC"}
        session.execute(insert(ParameterType), [common | {"name": f"Parameter_{n:03}"} for n in range(TYPES)])
    parts = (
        Investigation(facility_id=1, name=f"hc{first}", visit_id="20200101"),
        Sample(facility_id=1, proposal=f"hc{first}", name=f"LaB6 {first}"),
        Instrument(facility_id=1, name=f"id{first}"),
    )
    session.add_all(parts)
    session.flush()
    first_type = session.scalars(select(ParameterType.id).order_by(ParameterType.id).limit(1)).one()
    return dict(zip(("investigation", "sample", "instrument"), (part.id for part in parts), strict=True)) | {
        "root": 1,
        "type": first_type,
    }


def to_dataset(number: int, context: dict[str, int]) -> dict[str, Any]:
    """Return the columns of a dataset."""
    start = START + timedelta(minutes=30 * number)
    return {
        "id": number + 1,
        "investigation_id": context["investigation"],
        "master_file_id": number + 1,
        "sample_id": context["sample"],
        "name": f"sample_{number:07}",
        "location": "/data",
        "is_complete": True,
        "start_date": start,
        "end_date": start + timedelta(minutes=20),
        "release_date": start,
        "rules": "nexus",
        "rules_version": "1",
        "content_digest": f"{number:064}",
        "listing_digest": f"{number:064}",
    }


def to_parameters(number: int, first_type: int) -> Iterator[dict[str, Any]]:
    """Yield the columns of a dataset's parameters; the same for the same number."""
    chance = random.Random(number)  # noqa: S311 (no secret)
    for position in chance.sample(range(TYPES), PARAMETERS):
        yield {
            "dataset_id": number + 1,
            "type_id": first_type + position,
            "numeric_value": 100 * chance.random(),
            "origin": "read",
            "source_path": f"/1.1/instrument/positioners/motor{position}",
        }


if __name__ == "__main__":
    main()
