"""A folder that is crawled, and short questions about what became of it. `from tests.pipeline.site import Site`."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
from sqlalchemy import func, select, text

import ingest.drain
from ingest.catalogue.masters import claim_next, to_claimant
from ingest.catalogue.model import Datafile, Dataset, Investigation, MasterFile, Root, Scan
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.releases import apply_root_policy
from ingest.catalogue.roots import RootSettings, upsert_root
from ingest.crawl import CrawlReport, crawl_root
from ingest.drain import drain, ingest_claimed, make_reader
from ingest.nexus.child import ReaderChild
from ingest.pipeline import index_pending, ingest_master
from ingest.settings import to_limits
from tests.builders import write_master

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

    from ingest.catalogue.masters import Claim
    from ingest.nexus.child import Limits
    from ingest.pipeline import Outcome, Services

OLD = datetime(2024, 5, 1, 12, tzinfo=UTC)
"""Long enough ago for a file to be complete, and for a marked one to be crashed."""
NOBODY = 65534
VISIT = "visitor/hc1234/id00/20230509/RAW_DATA"


class StayingReader:
    """A real reader that stays from drain to drain, as a worker's does: to start one takes a quarter of a second."""

    def __init__(self) -> None:
        self._limits: Limits | None = None
        self._reader: ReaderChild | None = None

    def take(self, services: Services) -> AbstractContextManager[ReaderChild]:
        """Return it, with the limits of the settings; to leave it does not end it. A thread has one of its own."""
        limits = to_limits(services.settings)
        if threading.current_thread() is not threading.main_thread():
            return ReaderChild(limits)
        if self._reader is None or limits != self._limits:
            self.close()
            self._limits, self._reader = limits, ReaderChild(limits)
        return nullcontext(self._reader)

    def close(self) -> None:
        """End it; the next drain starts another one."""
        if self._reader is not None:
            self._reader.close()
        self._reader = None


staying_reader = StayingReader()


@dataclass
class Site:
    """A root, the services that crawl it, and the outcomes of the last crawl."""

    services: Services
    folder: Path
    outcomes: list[Outcome] = field(default_factory=list)

    def write(self, name: str = "a.h5", *, aged: datetime = OLD, **fields: Any) -> Path:
        """Write a master below the root, last changed long ago."""
        path = write_master(self.folder / name, **fields)
        set_age(path, aged)
        return path

    def write_folder(self, name: str = "LaB6_0001", *, visit: str = VISIT, images: int = 2, **fields: Any) -> Path:
        """Write a dataset's folder as BLISS lays it out, some images beside the master; return the master."""
        folder = self.folder / visit / "LaB6" / name
        master = self.write(f"{visit}/LaB6/{name}/{name}.h5", **fields)
        with h5py.File(master, "r+", locking=False) as file:
            file.attrs["publisher"] = "bliss"
        set_age(master, fields.get("aged", OLD))
        (folder / "scan0001").mkdir(exist_ok=True)
        for number in range(images):
            (folder / f"scan0001/image_{number}.edf").write_bytes(b"image")
        set_age(folder)
        return master

    def crawl(self, **said: Any) -> CrawlReport:
        """Crawl and read what is due; what is said about the root holds from then on."""
        report = self.walk(**said)
        self.drain()
        return report

    def walk(self, **said: Any) -> CrawlReport:
        """Crawl, and read nothing."""
        return crawl_root(self.services, self.open_root(**said), utc_now())

    def drain(self) -> list[str]:
        """Read what is due; return the names of the files that were looked at."""
        self.outcomes = []
        drain(self.services, self.outcomes.append)
        return [Path(outcome.path).name for outcome in self.outcomes]

    def drain_at(self, now: datetime) -> list[str]:
        """Read what will be due then, each file once; return the names of the files that were looked at."""
        self.outcomes = []
        with ingest.drain.make_reader(self.services) as reader:
            for claim in list(self._claims(now)):
                self.outcomes.append(ingest_master(self.services, reader, claim, now))
        index_pending(self.services)
        return [Path(outcome.path).name for outcome in self.outcomes]

    def drain_without_rights(self) -> None:
        """Read what is due, with a reader that was started before the rights of root were put down."""
        with make_reader(self.services) as reader:
            reader.read(write_master(self.folder.parent / "warm.h5"))
            with self.without_rights():
                for claim in list(self._claims(utc_now())):
                    ingest_claimed(self.services, reader, claim)

    @contextmanager
    def without_rights(self) -> Iterator[None]:
        """Put down the rights of root, to whom nothing is closed, and take them up again."""
        staying_reader.close()
        for folder in (self.folder, *self.folder.parents):
            if folder.stat().st_mode & 0o055 != 0o055:
                folder.chmod(0o755)
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
            staying_reader.close()

    @contextmanager
    def listing(self, folder: Path, then: Callable[[], object]) -> Iterator[None]:
        """Do something at the moment when that folder is listed, once."""
        waits = [then]

        def watch(name: str, arguments: tuple[Any, ...]) -> None:
            if name == "os.scandir" and str(arguments[0]).rstrip("/") == str(folder) and waits:
                waits.pop()()

        sys.addaudithook(watch)
        try:
            yield
        finally:
            waits.clear()

    def is_locked(self) -> bool:
        """Return whether anybody holds the database's write lock."""
        with closing(sqlite3.connect(self.services.write_sessions.kw["bind"].url.database, timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False

    def ingest_claimed(self, claim: Claim) -> Outcome | None:
        """Ingest one claimed master."""
        with make_reader(self.services) as reader:
            return ingest_claimed(self.services, reader, claim)

    def _claims(self, now: datetime) -> Iterator[Claim]:
        while True:
            with self.services.write_sessions.begin() as session:
                claim = claim_next(session, to_claimant(), now)
            if claim is None:
                return
            yield claim

    def open_root(self, **said: Any) -> Root:
        """Make the folder a root, or change what is said about it."""
        with self.services.write_sessions.begin() as session:
            root, has_changed = upsert_root(session, self.folder, RootSettings(**said))
            if has_changed:
                apply_root_policy(session, root)
            return root

    def set(self, **settings: Any) -> None:
        """Go on with other settings."""
        changed = self.services.settings.model_copy(update=settings)
        self.services = replace(self.services, settings=changed)

    def reads(self) -> Session:
        """Return a session that reads."""
        return self.services.read_sessions()

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that the database answers."""
        with self.reads() as session:
            return [tuple(row) for row in session.execute(text(statement))]

    def count(self, entity: Any) -> int:
        """Return how many rows there are."""
        with self.reads() as session:
            return session.scalar(select(func.count()).select_from(entity)) or 0

    def master(self, path: Path) -> MasterFile:
        """Return the row of a master."""
        with self.reads() as session:
            return session.scalars(select(MasterFile).where(MasterFile.path == str(path))).one()

    def state(self, path: Path) -> tuple[str, str | None]:
        """Return a master's state and reason."""
        master = self.master(path)
        return str(master.state), master.reason

    def find_dataset(self, path: Path) -> Dataset | None:
        """Return the dataset of a master, if it became one."""
        statement = select(Dataset).join(MasterFile, MasterFile.id == Dataset.master_file_id)
        with self.reads() as session:
            return session.scalar(statement.where(MasterFile.path == str(path)))

    def dataset(self, path: Path) -> Dataset:
        """Return the dataset of a master."""
        dataset = self.find_dataset(path)
        assert dataset is not None
        return dataset

    def investigation(self, path: Path) -> Investigation:
        """Return the investigation of a master's dataset."""
        with self.reads() as session:
            return session.get_one(Investigation, self.dataset(path).investigation_id)

    def files(self, dataset_id: int) -> dict[str, tuple[int, bool]]:
        """Return ordinal and whether it vanished of each file of a dataset."""
        with self.reads() as session:
            rows = session.scalars(select(Datafile).where(Datafile.dataset_id == dataset_id))
            return {row.name: (row.ordinal, row.is_vanished) for row in rows}

    def scans(self, dataset_id: int) -> dict[str, int]:
        """Return the id of each scan of a dataset."""
        with self.reads() as session:
            return {
                row.entry_name: row.id for row in session.scalars(select(Scan).where(Scan.dataset_id == dataset_id))
            }

    def assert_index_agrees(self) -> None:
        """Fail if the index does not hold exactly the datasets, each at its revision."""
        with self.reads() as session:
            stored = [tuple(row) for row in session.execute(select(Dataset.id, Dataset.revision).order_by(Dataset.id))]
        self.services.index.refresh()
        assert self.services.index.revisions(limit=100_000) == stored


def set_age(path: Path, when: datetime = OLD) -> None:
    """Make a file or a folder look as if it was last changed then."""
    os.utime(path, (when.timestamp(), when.timestamp()))


def ago(**time: float) -> datetime:
    """Return an instant in the past: `ago(seconds=30)`."""
    return utc_now() - timedelta(**time)


_seen: list[tuple[str, str]] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is not None and event in {"open", "os.scandir", "os.listdir", "subprocess.Popen"}:
        _seen.append((event, os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else ""))


sys.addaudithook(_watch)


@contextmanager
def watching() -> Iterator[list[tuple[str, str]]]:
    """Yield the list to which every open, listing and start of a process in this process is added.

    Whoever reads a master meanwhile starts a process: none is there.
    """
    staying_reader.close()
    global _seen  # noqa: PLW0603 - an audit hook can never be taken away again
    _seen = []
    try:
        yield _seen
    finally:
        _seen = None
