"""What every room's tests share: an embedded catalogue in a temporary folder."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from ingest.services import open_services
from tests.entities import write_migrated
from tests.pipeline.site import staying_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.pipeline import Services


pytest_plugins = ["tests.servers"]

# How long an example takes says nothing on a machine that does something else besides.
settings.register_profile("nxcat", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nxcat")

# What a machine may be without; such tests are left out and counted, never taken for passed.
ABSENT = {
    "corpus": not (Path(__file__).parents[2] / "shared" / "corpus").is_dir(),
    "strace": shutil.which("strace") is None,
    "chromium": shutil.which("chromium") is None,
    "curl": shutil.which("curl") is None,
    "aria2c": shutil.which("aria2c") is None,
    "jq": shutil.which("jq") is None,
    "unzip": shutil.which("unzip") is None,
    "7z": shutil.which("7z") is None,
    "writers": any(find_spec(name) is None for name in ("blisswriter", "nexusformat", "nxtomo", "pyFAI", "silx")),
    "root": os.geteuid() != 0,
    "user": os.geteuid() == 0,
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(thing): left out where there is none of {', '.join(ABSENT)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if any(ABSENT[mark.args[0]] for mark in item.iter_markers("needs"))]
    left_out += [item for item in items if ABSENT["corpus"] and "corpus" in getattr(item, "fixturenames", ())]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    # Those over a whole facility take minutes: one worker begins with them, and nobody waits for it in the end.
    items.sort(key=lambda item: "facility" not in item.path.relative_to(config.rootpath).parts)


@pytest.fixture
def data_folder(tmp_path: Path, database: str | None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a new data folder and the database in the environment, for this process and for those it starts."""
    folder = tmp_path / "data"
    monkeypatch.setenv("NXCAT_DATA", str(folder))
    if database is not None:
        monkeypatch.setenv("NXCAT_DATABASE_URL", database)
    return folder


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder with an empty database: to copy one takes a hundredth of the time of making one."""
    return write_migrated(tmp_path_factory.mktemp("migrated"))


@pytest.fixture(scope="session", autouse=True)
def end_of_reader() -> Iterator[None]:
    yield
    staying_reader.close()


@pytest.fixture
def services(data_folder: Path, database: str | None, migrated: Path) -> Iterator[Services]:
    """Open an empty catalogue."""
    assert not data_folder.exists()
    if database is None:
        shutil.copytree(migrated, data_folder)
    with open_services() as opened:
        yield opened
