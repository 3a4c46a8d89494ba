"""Files laid out as ESRF's definitions say. `from tests.esrf import LEAVES, to_value, write_leaves`."""

from __future__ import annotations

import runpy
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5py
import icat_esrf_definitions
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GENERATOR: Final = runpy.run_path(str(Path(__file__).parents[1] / "generators" / "esrf.py"))
LEAVES: Final[list[Any]] = GENERATOR["read_leaves"]()
"""Each field at each of its places, in the order of the definitions."""
WHEN: Final = "2026-11-20T10:20:30+01:00"


def to_value(leaf: Any) -> Any:
    """Return a plausible value, another one for each field."""
    number = LEAVES.index(leaf)
    match leaf.nx_type:
        case "NX_CHAR":
            return f"{leaf.field} no. {number}"
        case "NX_DATE_TIME":
            return WHEN
        case "NX_BOOLEAN":
            return np.bool_(number % 2)
        case "NX_INT":
            return number + 1
    return 1 + number / 64


def _read_units() -> dict[str, str]:
    root = ET.parse(icat_esrf_definitions.DEFINITIONS_FILE).getroot()  # noqa: S314 - a package of our own choice
    return {(leaf.text or "").strip().strip("${}"): leaf.get("units", "") for leaf in root.iter()}


UNITS: Final = _read_units()
"""Units by ICAT's names, in ESRF's own spelling, which is what its writers put beside the values."""


def write_leaves(
    path: Path,
    leaves: Iterable[Any],
    values: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    entry: str = "entry_0000",
    **attributes: str,
) -> Path:
    """Write an entry with these fields, with values other than the plausible ones by ICAT's names; return the path."""
    given = UNITS if units is None else units
    with h5py.File(path, "w") as file:
        file.attrs.update({"NX_class": "NXroot"} | attributes)
        for leaf in leaves:
            group = _require(file, entry, "NXentry")
            for nx_class, name in leaf.groups:
                group = _require(group, name, nx_class)
            value = (values or {}).get(leaf.name)
            group[leaf.field] = to_value(leaf) if value is None else value
            if given.get(leaf.name):
                group[leaf.field].attrs["units"] = given[leaf.name]
    return path


def _require(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    group = parent.require_group(name)
    group.attrs["NX_class"] = nx_class
    return group
