"""The backup of the embedded set-up, and the way back, as the page about facilities says them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.builders import write_master
from tests.robustness.processes import Catalogue

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs/facility.md"


def test_copy_made_while_it_is_used_is_the_way_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copying = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[-1]
    catalogue, root = Catalogue(tmp_path / "data"), tmp_path / "root"
    root.mkdir()
    write_master(root / "kept.h5")
    catalogue.run("crawl", root, SETTLE_SECONDS=0)
    monkeypatch.setenv("NXCAT_DATA", str(catalogue.folder))
    subprocess.run(["bash", "-eu", "-c", copying], cwd=tmp_path, check=True)
    write_master(root / "newer.h5")
    catalogue.run("crawl", root, SETTLE_SECONDS=0)
    for name in ("catalogue.sqlite-wal", "catalogue.sqlite-shm"):
        (catalogue.folder / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "catalogue.backup", catalogue.folder / "catalogue.sqlite")
    assert catalogue.ask("SELECT count(*) FROM dataset") == [(1,)]
    with catalogue.start("verify") as proof:
        assert "the index differs from the database" in proof.communicate()[0]
    catalogue.run("reindex")
    catalogue.run("verify")
