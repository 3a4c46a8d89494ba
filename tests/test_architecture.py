"""The arrows between the rooms, and what may be loaded where."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("api.app", {"h5py", "celery"}),
        ("ingest.cli", {"h5py", "celery", "sqlalchemy", "fastapi", "tantivy"}),
        ("ingest.pipeline", {"h5py", "celery", "fastapi"}),
    ],
)
def test_import_loads_nothing_heavy(module: str, forbidden: set[str]) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert forbidden.isdisjoint(loaded)


def test_nothing_happens_at_import(tmp_path: Path) -> None:
    code = "import ingest.cli, ingest.commands, ingest.drain, api.app"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
