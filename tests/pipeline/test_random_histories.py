"""Any history of a tree: after each crawl the catalogue says what the disk says, and everything keeps its identity."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from ingest.catalogue.model import Dataset, MasterFile, Scan
from tests.pipeline.site import OLD, Site, set_age

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 8
# Names that sort differently as names and as paths, and as bytes and by alphabet.
FOLDERS = ("", "a", "a/b", "a-", "a!", "a b", "Z", "ä", "a.h5.d", "b/c/d")
NAMES = ("a.h5", "a-.h5", "a!.h5", "b.h5", "Z.h5", "ä.h5")


@dataclass
class History:
    """What the disk holds: for each path its content; and the dataset that it must be, where that can be said."""

    site: Site
    choice: random.Random
    contents: dict[Path, int] = field(default_factory=dict)
    datasets: dict[Path, tuple[int, int]] = field(default_factory=dict)
    new_content: count[int] = field(default_factory=count)

    def pick(self) -> Path:
        """Return a path that is taken or free."""
        return self.site.folder / self.choice.choice(FOLDERS) / self.choice.choice(NAMES)

    def write(self, path: Path) -> None:
        """Give a path content that there never was."""
        content = next(self.new_content)
        self.site.write(
            str(path.relative_to(self.site.folder)), title=str(content), aged=OLD + timedelta(hours=content)
        )
        self.contents[path] = content

    def step(self, touched: set[Path]) -> None:
        """Do one thing to files that nothing was done to since the last crawl."""
        path, target = self.pick(), self.pick()
        if path in touched or target in touched:
            return
        touched |= {path, target}
        act = self.choice.choice(["write", "write", "touch", "delete", "move", "copy"])
        if path not in self.contents or act == "write":
            self.write(path)
            if path in self.datasets:
                number, revision = self.datasets[path]
                self.datasets[path] = (number, revision + 1)
        elif act == "touch":
            set_age(path, OLD - timedelta(hours=self.choice.randrange(1000)))
        elif act == "delete":
            path.unlink()
            self.forget(path)
        elif target not in self.contents and act == "move":
            self.move(path, target)
        elif target not in self.contents and act == "copy":
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            self.contents[target] = self.contents[path]

    def move(self, path: Path, target: Path) -> None:
        """Move a file; where its content is nowhere else, its dataset goes with it."""
        is_only_one = list(self.contents.values()).count(self.contents[path]) == 1
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        self.contents[target] = self.contents.pop(path)
        known = self.datasets.pop(path, None)
        if known and is_only_one and not self.was_here(target):
            self.datasets[target] = (known[0], -1)

    def forget(self, path: Path) -> None:
        self.contents.pop(path)
        self.datasets.pop(path, None)

    def was_here(self, path: Path) -> bool:
        """Return whether a dataset was ever at that place: then it comes back, and nothing moves there."""
        return self.site.find_dataset(path) is not None

    def check(self) -> None:
        """Fail unless the catalogue says what the disk says."""
        columns = (MasterFile.path, MasterFile.state, Dataset.id, Dataset.revision, Scan.title)
        statement = select(*columns).outerjoin(Dataset, Dataset.master_file_id == MasterFile.id).outerjoin(Scan)
        with self.site.reads() as session:
            rows = {row.path: row for row in session.execute(statement)}
        there = {path: row for path, row in rows.items() if row.state != "vanished"}
        assert set(there) == {str(path) for path in self.contents}
        assert {row.state for row in there.values()} <= {"ingested"}
        assert {path: row.title for path, row in there.items()} == {
            str(path): str(content) for path, content in self.contents.items()
        }
        for path, (number, revision) in self.datasets.items():
            assert there[str(path)].id == number, path
            assert revision in {-1, there[str(path)].revision}, path
        self.datasets = {path: (rows[str(path)].id, rows[str(path)].revision) for path in self.contents}


@pytest.mark.parametrize(
    ("database", "seed"), [("sqlite", 0), ("sqlite", 1), ("sqlite", 2), ("postgresql", 3)], indirect=["database"]
)
def test_after_any_history_the_catalogue_says_what_the_disk_says(site: Site, seed: int) -> None:
    history = History(site, random.Random(seed))  # noqa: S311 - no secret, the same history each time
    history.write(site.folder / "always there.h5")
    datasets = 0
    for _ in range(ROUNDS):
        touched: set[Path] = {site.folder / "always there.h5"}
        for _ in range(12):
            history.step(touched)
        site.crawl(release_policy="never")
        history.check()
        site.assert_index_agrees()
        assert site.count(Dataset) >= datasets, "a dataset is never lost"
        datasets = site.count(Dataset)
        report = site.crawl()
        assert (report.new, report.changed, report.vanished, site.outcomes) == (0, 0, 0, [])
