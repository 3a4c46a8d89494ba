"""What `nxcat demo` leaves, served on a free port. `from tests.demonstration import served_demonstration`."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.robustness.processes import NXCAT, Catalogue, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Demonstration:
    """The sample masters in a catalogue, and the address at which it is served."""

    folder: Path
    catalogue: Catalogue
    address: str

    def find_id(self, name: str) -> int:
        """Return the id of the dataset of that name."""
        ((dataset_id,),) = self.catalogue.ask(f"SELECT id FROM dataset WHERE name = '{name}'")  # noqa: S608 (our own words)
        return int(dataset_id)

    def find_sample(self, name: str) -> Path:
        """Return where the file of that name lies."""
        (path,) = (self.folder / "samples").rglob(name)
        return path


@contextmanager
def served_demonstration(folder: Path) -> Iterator[Demonstration]:
    """Yield the demonstration; its server ends without a complaint in its log."""
    catalogue = Catalogue(folder / "data")
    # It complains of three files, which is what it is to show.
    subprocess.run([*NXCAT, "demo", folder, "--no-serve"], check=True, capture_output=True)
    with serving(catalogue) as (address, _):
        yield Demonstration(folder, catalogue, address)
