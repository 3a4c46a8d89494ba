"""Real workers at work on a catalogue, and what is seen of them. `from tests.workers.crew import Crew`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ingest.catalogue.model import Dataset, MasterFile, Notice
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.notices import ToldDataset, record_notice
from tests.robustness.processes import NXCAT, PATIENCE_SECONDS, Catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.pipeline.site import Site


@dataclass
class Crew:
    """The processes of `nxcat worker` and `nxcat beat` over one catalogue."""

    site: Site
    broker: str
    temporary: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)

    def start(self, *arguments: str, **settings: Any) -> subprocess.Popen[bytes]:
        """Start a command; its log is kept."""
        self.temporary.mkdir(exist_ok=True)
        said = {f"NXCAT_{name}": str(value) for name, value in settings.items()}
        environment = {**os.environ, "TMPDIR": str(self.temporary), "NXCAT_LOG_FORMAT": "json", **said}
        log = self.temporary.parent / f"{len(self.logs)}.log"
        with log.open("wb") as lines:
            process = subprocess.Popen([*NXCAT, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=lines)
        self.processes.append(process)
        self.logs.append(log)
        return process

    def end(self) -> None:
        """End all that runs as an operator does, and fail if something stays or complains."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(PATIENCE_SECONDS) for process in self.processes]
        assert set(codes) <= {0, -signal.SIGKILL}
        self.wait(lambda: not Catalogue(Path(os.environ["NXCAT_DATA"])).processes())
        if -signal.SIGKILL not in codes:
            assert not self.temporary.exists() or list(self.temporary.iterdir()) == []

    def list_lines(self) -> list[dict[str, Any]]:
        """Return what was logged; fail if a line is none."""
        return [json.loads(line) for log in self.logs for line in log.read_text().splitlines()]

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until it holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "\n".join(log.read_text()[-3000:] for log in self.logs)
            time.sleep(0.1)

    def tell(self, paths: Iterable[Path]) -> None:
        """Have the catalogue told of closed datasets, and nobody nudged."""
        with self.site.services.write_sessions.begin() as session:
            for path in paths:
                record_notice(session, ToldDataset(path=str(path)), "command", utc_now())

    def list_searchable(self) -> list[str]:
        """Return the masters of what can be found, each as often as it can be."""
        statement = select(MasterFile.path, Dataset.id).join(Dataset, Dataset.master_file_id == MasterFile.id)
        with self.site.reads() as session:
            paths = {dataset_id: path for path, dataset_id in session.execute(statement)}
        self.site.services.index.refresh()
        return sorted(paths[dataset_id] for dataset_id, _ in self.site.services.index.revisions(limit=100_000))

    def list_notices(self) -> list[tuple[str, int]]:
        """Return the state of each notice, and how often it was told."""
        with self.site.reads() as session:
            return [tuple(row) for row in session.execute(select(Notice.state, Notice.times_told).order_by(Notice.id))]

    def find_claimant(self, path: Path) -> int | None:
        """Return the process that has the master in hand."""
        with self.site.reads() as session:
            claimed = session.scalar(select(MasterFile.claimed_by).where(MasterFile.path == str(path)))
        return int(claimed.split(":")[1]) if claimed else None
