"""What a dataset of 200,002 files takes: memory and time of one crawl, beside one of a dataset with a single file.

    PYTHONPATH=. python benchmarks/large_listing.py [--files 200002]

The files are empty, in folders of 10,000. Each catalogue is worked on by a process of its own, `nxcat crawl`, on SQLite
and on a PostgreSQL that is started for it; memory is the largest that the process and its reader had resident.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from end_to_end import LONG_AGO
from sqlalchemy import make_url

from facility.postgresql import PostgreSql
from ingest.samples.bulk import write_dataset_folder

NXCAT = str(Path(sys.executable).with_name("nxcat"))
FOLDER_FILES = 10_000


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200_002)
    arguments = parser.parse_args()
    server = PostgreSql({})
    address = make_url(server.address).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    print("| files | database | resident, MB | CPU, s | wall, s |\n|--:|:--|--:|--:|--:|")
    try:
        with tempfile.TemporaryDirectory() as folder:
            for files in (1, arguments.files):
                root = write_root(Path(folder) / f"of-{files}", files)
                for name, database in {"SQLite": "", "PostgreSQL": address}.items():
                    data = Path(folder) / f"data-{name}-{files}"
                    measure(root, files, name, {"NXCAT_DATA": str(data), "NXCAT_DATABASE_URL": database})
    finally:
        server.stop()


def write_root(root: Path, files: int) -> Path:
    """Write one dataset folder with that many files, its master among them, old enough to be read."""
    collection = root / "visitor/hc1/id00/20200101/RAW_DATA/sample"
    folder = write_dataset_folder(collection, "sample_0001", files=1).parent
    for number in range(files - 1):
        parent = folder / f"part_{number // FOLDER_FILES:04d}"
        if number % FOLDER_FILES == 0:
            parent.mkdir()
        (parent / f"frame_{number:06d}.h5").touch()
    for path in root.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return root


def measure(root: Path, files: int, name: str, settings: dict[str, str]) -> None:
    """Crawl and print one row."""
    environment = os.environ | {key: value for key, value in settings.items() if value}
    began = time.monotonic()
    process = subprocess.Popen(
        [NXCAT, "crawl", str(root), "--rules", "esrf-bliss"], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    if status:
        raise SystemExit("the crawl failed")
    print(f"| {files:,} | {name} | {usage.ru_maxrss / 1e3:,.0f} | {usage.ru_utime + usage.ru_stime:.1f} | {wall:.1f} |")


if __name__ == "__main__":
    main()
