"""How fast files and archives leave the service, beside `cat` of the same files into a socket in the same run.

    python benchmarks/delivery.py [--megabytes 1024] [--files 20000]

Two dataset folders as BLISS writes them are crawled: one with a large file, one with many of 10 kB. Both the service
and `cat` send to the same client over the loopback, which reads into one buffer and drops it. Files are in the cache.
CPU is that of who sends, user and system together; wall time depends on what else runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from ingest.catalogue.model import Dataset
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import crawl_root
from ingest.drain import drain
from ingest.samples.bulk import write_dataset_folder
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_AGO = 1_600_000_000
SMALL_BYTES = 10_000
BUFFER_BYTES = 1 << 20
ROUNDS = 3
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sending:
    """What one way of sending cost: seconds until the first and the last byte, and CPU seconds of who sent."""

    size: int
    first: float
    wall: float
    cpu: float


def main() -> None:
    """Measure and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024, help="size of the large file")
    parser.add_argument("--files", type=int, default=20_000, help="how many small ones there are")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NXCAT_DATA"] = f"{folder}/data"
        root = Path(folder) / "root"
        large = write_large(root / "visitor/hc1/id00/20200101/RAW_DATA/sample/large", arguments.megabytes)
        small = write_small(root / "visitor/hc1/id00/20200101/RAW_DATA/sample/small", arguments.files)
        ids = crawl(root)
        with serving() as server:
            print("| what | size, MB | MB/s | CPU, s | ratio of CPU | first byte, ms |")
            print("|:--|--:|--:|--:|--:|--:|")
            floor = show("floor: `cat` of the file", cat([large]))
            show("the file", fetch(server, f"/files/{ids['large']}/{large.name}"), floor)
            show("the archive of its dataset", fetch(server, f"/archives/{ids['large']}.zip"), floor)
            floor = show(f"floor: `cat` of {arguments.files:,} files", cat(small))
            show("their archive", fetch(server, f"/archives/{ids['small']}.zip"), floor)


def write_large(folder: Path, megabytes: int) -> Path:
    """Write a dataset's folder with a file of that size, which does not compress; return the file."""
    write_dataset_folder(folder.parent, folder.name, files=2)
    path = folder / "large.bin"
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1 << 20))
    return path


def write_small(folder: Path, count: int) -> list[Path]:
    """Write a dataset's folder with that many small files in it; return these."""
    write_dataset_folder(folder.parent, folder.name, files=2)
    paths = [folder / f"image_{number:06}.edf" for number in range(count)]
    for path in paths:
        path.write_bytes(os.urandom(SMALL_BYTES))
    return paths


def crawl(root: Path) -> dict[str, int]:
    """Crawl the folders, open to everybody; return the ids of the datasets by name."""
    for path in root.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    with open_services() as services:
        with services.write_sessions.begin() as session:
            made, _ = upsert_root(session, root, RootSettings(release_policy="immediately"))
        crawl_root(services, made, utc_now())
        drain(services, root_ids=[made.id])
        with services.read_sessions() as session:
            return {name: dataset_id for dataset_id, name in session.execute(select(Dataset.id, Dataset.name))}


@contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Serve the catalogue by a process of its own; yield it and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "api.app:create_app", "--factory", "--log-level", "warning"]
    server = subprocess.Popen([*command, "--port", str(port)])
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield server, port
    finally:
        server.terminate()
        server.wait()


def fetch(server: tuple[subprocess.Popen[bytes], int], path: str) -> Sending:
    """Ask the service for the path several times; return what the quickest cost."""
    process, port = server
    found = []
    for _ in range(ROUNDS):
        before = read_cpu(process.pid)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            began = time.perf_counter()
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
            if b" 200 " not in connection.recv(20, socket.MSG_WAITALL):
                raise RuntimeError(path)
            size, first, wall = drop(connection, began)
        found.append(Sending(size, first, wall, read_cpu(process.pid) - before))
    return min(found, key=lambda each: each.cpu)


def cat(paths: list[Path]) -> Sending:
    """Have `cat` send the files several times; return what the quickest cost."""
    found = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            sender = threading.Thread(target=send_by_cat, args=(listening, paths))
            sender.start()
            with socket.create_connection(listening.getsockname()) as connection:
                size, first, wall = drop(connection, time.perf_counter())
            sender.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append(Sending(size, first, wall, cpu))
    return min(found, key=lambda each: each.cpu)


def send_by_cat(listening: socket.socket, paths: list[Path]) -> None:
    """Send the files to the first who comes."""
    connection, _ = listening.accept()
    with connection:
        names = "\0".join(map(str, paths)).encode()
        subprocess.run(["xargs", "-0", "cat"], input=names, stdout=connection.fileno(), check=True)


def drop(connection: socket.socket, began: float) -> tuple[int, float, float]:
    """Read to the end; return how many bytes there were, and the seconds until the first and the last."""
    buffer = bytearray(BUFFER_BYTES)
    size = count = connection.recv_into(buffer)
    first = time.perf_counter() - began
    while count:
        count = connection.recv_into(buffer)
        size += count
    return size, first, time.perf_counter() - began


def read_cpu(process_id: int) -> float:
    """Return the CPU seconds of a running process, user and system."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def show(name: str, sending: Sending, floor: Sending | None = None) -> Sending:
    """Print a row of the table, its CPU for each byte beside that of the floor; return what was shown."""
    ratio = 1.0 if floor is None else sending.cpu / sending.size / (floor.cpu / floor.size)
    megabytes = sending.size / 1e6
    print(
        f"| {name} | {megabytes:,.0f} | {megabytes / sending.wall:,.0f} | {sending.cpu:.2f} "
        f"| {ratio:.1f} | {sending.first * 1e3:,.0f} |"
    )
    return sending


if __name__ == "__main__":
    main()
