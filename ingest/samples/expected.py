"""What each sample file must become once it has been crawled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

Becomes: TypeAlias = Literal["dataset", "incomplete", "collection", "quarantined", "settling"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What one sample file becomes, with what a scientist would read in it.

    `scans` counts the NXentry groups; `title` and the quantities are those of the first of them, None where the file
    does not say. Energy in keV and wavelength in angstrom, whichever of the two is written; temperature in kelvin.
    """

    path: Path
    becomes: Becomes
    scans: int = 0
    title: str | None = None
    sample: str | None = None
    instrument: str | None = None
    proposal: str | None = None
    energy_kev: float | None = None
    wavelength_angstrom: float | None = None
    temperature_kelvin: float | None = None
    end_reasons: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleSet:
    """A written tree: `expected` has every file that looks like a master, `side_files` all others."""

    folder: Path
    expected: tuple[Expected, ...]
    side_files: tuple[Path, ...]

    def that_become(self, becomes: Becomes) -> tuple[Expected, ...]:
        """Return those that become that."""
        return tuple(one for one in self.expected if one.becomes == becomes)
