"""What changed rules cost on stored records, beside decoding and mapping the same records alone in the same run.

    python benchmarks/remap.py [--datasets 20000] [--profile]

The records are made from that of one master as BLISS writes it (one scan, 100 motors, 9 parameters), each with a title
and a sample of its own, and stored without files through the same store as a crawl's. Then a rule file of the root's
own is changed in three ways, and each time all records are mapped anew: to something that says the same, to one that
adds a parameter to every dataset, and to one that adds it to one dataset in ten.

CPU is that of this process, user and system together, the index included; wall time depends on what else runs.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from end_to_end import LONG_AGO, Cost, spending
from sqlalchemy import insert, select

from ingest.catalogue.model import MasterFile, MasterRecord, MasterState, Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.records import store_record
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.drain import settle_index
from ingest.identity import MasterContext
from ingest.listing import to_listing
from ingest.nexus.encoding import decode_record, encode_record
from ingest.nexus.master import read_master
from ingest.pipeline import RECORD_COMPRESSION
from ingest.remapping import Remap
from ingest.samples.bulk import PLAIN_SCAN, write_bliss_master
from ingest.services import open_services
from ingest.storing import store_dataset

if TYPE_CHECKING:
    from ingest.pipeline import Services

FILL_BATCH = 500
HEAD = 'name = "bench"\nversion = "1"\nextends = "esrf-bliss"\n'
SAME = 'placeholders = ["a word that no file holds"]\n'
PARAMETER = """[parameters.Bench_epoch]
kind = "text"
sources = [{{ at = ["NXentry"], fields = ["title"], matching = '{}' }}]
"""


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=20_000, help="how many records there are")
    parser.add_argument("--profile", action="store_true", help="show where the time of the second change goes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NXCAT_DATA"] = f"{folder}/data"
        rules = Path(folder) / "bench.toml"
        rules.write_text(HEAD)
        with open_services() as services:
            fill(services, Path(folder), rules, arguments.datasets)
            print(f"\n| {arguments.datasets:,} records | CPU ms each | ratio | datasets/s |")
            print("|:--|--:|--:|--:|")
            measure(services, rules, arguments)


def measure(services: Services, rules: Path, arguments: argparse.Namespace) -> None:
    """Change the rules in each of the ways, and print a row for each."""
    with services.read_sessions() as session, spending() as floor:
        map_all(services, session)
    count = arguments.datasets

    def show(name: str, cost: Cost) -> None:
        print(f"| {name} | {cost.cpu / count * 1e3:.2f} | {cost.cpu / floor.cpu:.2f} | {count / cost.wall:,.0f} |")

    show("floor: decode and map", floor)
    changes = {
        "rules that say the same": (SAME, 0),
        "a parameter more in all": (SAME + PARAMETER.format("ascan"), count),
        "it stays in one of ten": (SAME + PARAMETER.format("ascan.*0$"), count - count // 10),
    }
    for name, (text, expected) in changes.items():
        rules.write_text(HEAD + text)
        for is_dry in (True, False):
            profile = cProfile.Profile(builtins=False) if arguments.profile and not is_dry else None
            with spending() as cost:
                changed = run(services, is_dry=is_dry, profile=profile)
            show(f"{name}{', dry run' if is_dry else ''}", cost)
            if changed != expected:
                raise SystemExit(f"{name}: {changed} changed, expected {expected}")
            if profile is not None:
                pstats.Stats(profile).sort_stats("cumtime").print_stats(45)
    with spending() as cost:
        run(services, is_dry=False, profile=None)
    show("nothing to do", cost)


def run(services: Services, *, is_dry: bool, profile: cProfile.Profile | None) -> int:
    """Remap, and return how many datasets changed."""
    if profile is not None:
        profile.enable()
    report = Remap(services).run(is_dry=is_dry, note=lambda _done, _total: None)
    if profile is not None:
        profile.disable()
    return int(report.to_document()["changed"])


def map_all(services: Services, session: Any) -> None:
    """Decode and map every record, and do nothing with it."""
    with services.read_sessions() as reading:
        (root,) = list_roots(reading)
    at_hand = services.rulebook.open_for(root)
    for document in session.execute(select(MasterRecord.document).execution_options(yield_per=10)).scalars():
        at_hand.to_draft(decode_record(zlib.decompress(document)))


def list_roots(session: Any) -> list[Root]:
    """Return the roots."""
    return list(session.scalars(select(Root)))


def fill(services: Services, folder: Path, rules: Path, count: int) -> None:
    """Make that many datasets with their records from one master."""
    root_folder = folder / "root"
    root_folder.mkdir()
    encoded = encode_record(read_master(write_bliss_master(folder / "template.h5")))
    with services.write_sessions.begin() as session:
        root, _ = upsert_root(session, root_folder, RootSettings(rules=str(rules)))
    for start in range(0, count, FILL_BATCH):
        with services.write_sessions.begin() as session:
            for number in range(start, min(start + FILL_BATCH, count)):
                store_one(services, session, root, encoded, number)
        settle_index(services)


def store_one(services: Services, session: Any, root: Root, encoded: bytes, number: int) -> None:
    """Store one dataset as a crawl would, with a title and a sample of its own."""
    own = encoded.replace(PLAIN_SCAN.title.encode(), f"{PLAIN_SCAN.title} {number}".encode())
    own = own.replace(b'"LaB6"', f'"LaB6 {number}"'.encode())
    path = Path(root.path) / f"visitor/hc1/id00/2020{number // 500:04d}/RAW_DATA/s/s_{number}/s_{number}.h5"
    row = session.execute(
        insert(MasterFile)
        .values(root_id=root.id, path=str(path), state=MasterState.INGESTED, file_size=1, mtime_ns=number)
        .values(seen_at=utc_now(), record_digest=str(number))
        .returning(MasterFile.id)
    ).scalar_one()
    at_hand = services.rulebook.open_for(root)
    context = MasterContext(
        root=root,
        master_file_id=row,
        path=path,
        file_size=1,
        mtime_ns=LONG_AGO * 10**9,
        match=at_hand.match(path),
        listing=to_listing(path, ((path.name, 1, 1),)),
        folder_mtime_ns=None,
        is_complete=True,
    )
    record = decode_record(own)
    store_dataset(session, at_hand.to_draft(record), context, None)
    store_record(session, row, record.format, at_hand.digest, zlib.compress(own, RECORD_COMPRESSION))


if __name__ == "__main__":
    main()
