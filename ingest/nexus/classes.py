"""How much is kept of each NeXus class, and in which order they are read before the budget ends.

Class names come in the wrong case, with blanks, or not at all; then the name of the group is a hint for the order.
The manual's classes: https://manual.nexusformat.org/classes/base_classes/
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reading(Enum):
    """How the members of a group are read."""

    WHOLE = auto()
    """Small values, extremes of vectors, shapes of the rest."""
    SMALL = auto()
    """Small values and shapes; vectors are measured data."""
    HEADS = auto()
    """Names, shapes, units and single values; no array."""
    MOTORS = auto()
    """A snapshot of all motors: whole in the first entry, afterwards only what the scan moved."""
    NAME = auto()
    """Bulk such as meshes: class and attributes only."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What is kept of a class; a lower `rank` is read earlier."""

    reading: Reading
    rank: int


_UNKNOWN = Keep(Reading.SMALL, 4)

CLASSES: dict[str, Keep] = {
    "nxentry": Keep(Reading.WHOLE, 0),
    "nxsubentry": Keep(Reading.WHOLE, 0),
    "nxinstrument": Keep(Reading.WHOLE, 1),
    "nxsample": Keep(Reading.WHOLE, 1),
    "nxuser": Keep(Reading.WHOLE, 1),
    "nxbeam": Keep(Reading.WHOLE, 1),
    "nxsource": Keep(Reading.WHOLE, 1),
    "nxmonochromator": Keep(Reading.WHOLE, 1),
    "nxidentifier": Keep(Reading.WHOLE, 1),
    "nxparameters": Keep(Reading.WHOLE, 2),
    "nxcrystal": Keep(Reading.WHOLE, 1),
    "nxvelocity_selector": Keep(Reading.WHOLE, 2),
    "nxchopper": Keep(Reading.WHOLE, 2),
    "nxfermi_chopper": Keep(Reading.WHOLE, 2),
    "nxdisk_chopper": Keep(Reading.WHOLE, 2),
    "nxinsertion_device": Keep(Reading.WHOLE, 1),
    "nxattenuator": Keep(Reading.WHOLE, 1),
    "nxslit": Keep(Reading.WHOLE, 1),
    "nxxraylens": Keep(Reading.WHOLE, 1),
    "nxaperture": Keep(Reading.WHOLE, 1),
    "nxmirror": Keep(Reading.WHOLE, 1),
    "nxfresnel_zone_plate": Keep(Reading.WHOLE, 1),
    "nxdetector": Keep(Reading.SMALL, 2),
    "nxpsd": Keep(Reading.SMALL, 2),
    "nxelectronanalyser": Keep(Reading.SMALL, 2),
    "nxelectronanalyzer": Keep(Reading.SMALL, 2),
    "nxmonitor": Keep(Reading.SMALL, 3),
    "nxenvironment": Keep(Reading.WHOLE, 3),
    "nxsensor": Keep(Reading.WHOLE, 3),
    "nxcontainer": Keep(Reading.WHOLE, 3),
    "nxprocess": Keep(Reading.WHOLE, 3),
    "nxnote": Keep(Reading.WHOLE, 3),
    "nxpositioner": Keep(Reading.WHOLE, 3),
    "nxlog": Keep(Reading.WHOLE, 5),
    "nxcollection": Keep(Reading.WHOLE, 5),
    "nxdata": Keep(Reading.HEADS, 6),
    "nxevent_data": Keep(Reading.HEADS, 6),
    "nxreflections": Keep(Reading.HEADS, 6),
    "nxoff_geometry": Keep(Reading.NAME, 7),
    "nxcylindrical_geometry": Keep(Reading.NAME, 7),
    "nxsolid_geometry": Keep(Reading.NAME, 7),
    "nxgeometry": Keep(Reading.SMALL, 7),
    "nxcsg": Keep(Reading.NAME, 7),
    "nxquadric": Keep(Reading.NAME, 7),
}
_OTHER_NEXUS = Keep(Reading.WHOLE, 4)
_LOGGED = Keep(Reading.WHOLE, 3)
_CHANNELS = Keep(Reading.HEADS, 6)
_MOTORS = Keep(Reading.MOTORS, 5)
TELLING = 1
"""The last rank of what describes a measurement, before what it was measured with."""
_TELLING_PARTS = frozenset(
    {"", "nxcollection", "nxenvironment", "nxsensor", "nxpositioner", "nxnote", "nxsample_component"}
)
"""Groups that describe a sample or a technique if they lie in one."""
_TELLING_WHOLES = frozenset({"nxsample", "nxsubentry"})

_SURROUNDINGS = re.compile(r"sample_?t(emp|$|_)|t(emp(erature)?)?_?sample|cryostream|cryojet|linkam", re.IGNORECASE)
"""Counters that tell of the sample by their names; all that is measured is an NXdetector to some writers."""

_RANKS_BY_NAME = {
    "instrument": 1,
    "sample": 1,
    "user": 1,
    "beam": 1,
    "source": 1,
    "monochromator": 1,
    "scan_parameters": 2,
}

FIRST_NAMES = frozenset(
    {
        *("title", "name", "definition", "start_time", "end_time", "end_reason", "duration", "command", "scan_command"),
        *("experiment_identifier", "entry_identifier", "proposal", "proposal_id", "local_name", "description", "type"),
        *("energy", "wavelength", "incident_energy", "incident_wavelength", "lambda", "temperature", "probe"),
        "chemical_formula",
    }
)
"""Members that are read first where a group has more than the budget allows."""

_PAYLOAD_NAMES = frozenset(
    {
        *("data", "signal", "image", "images", "counts", "histogram", "hmm", "intensity", "spectrum", "errors"),
        *("events", "event_id", "event_time_offset", "pixel_mask", "flatfield"),
    }
)

TALLIED_NAMES = frozenset({"image_key", "image_key_control"})
"""Arrays that hold a key for each frame: how often each stands there is kept."""


_SAS_CLASSES = {
    "sasentry": "NXentry",
    "sasdata": "NXdata",
    "sasinstrument": "NXinstrument",
    "sassource": "NXsource",
    "sascollimation": "NXcollimator",
    "sasaperture": "NXaperture",
    "sasdetector": "NXdetector",
    "sassample": "NXsample",
    "sasprocess": "NXprocess",
    "sasnote": "NXnote",
}
"""The manual's class for each of canSAS: NXcanSAS says which. SasView and others write theirs alone."""


def to_class(raw: object, sas: object = None) -> str:
    """Return a stored NX_class, stripped, or empty where there is none; the one that a class of canSAS stands for.

    `sas` is the group's canSAS_class, which counts where there is no NX_class.
    """
    nx_class = _to_text(raw) or _to_text(sas)
    return _SAS_CLASSES.get(nx_class.lower(), nx_class if _to_text(raw) else "")


def _to_text(raw: object) -> str:
    value = raw[0] if isinstance(raw, list) and raw else raw
    return value.strip() if isinstance(value, str) else ""


def is_entry(nx_class: str) -> bool:
    """Whether the class is NXentry, however spelt."""
    return nx_class.lower() == "nxentry"


def to_within(nx_class: str, within: str) -> str:
    """Return what the members of a group lie in, given what the group lies in: in a sample, what is part of it too."""
    lowered = nx_class.lower()
    return within if lowered in _TELLING_PARTS else lowered


def find_keep(nx_class: str, name: str, within: str = "") -> Keep:
    """Return what is kept of a group of that class and name; unclassed groups are told by name.

    `within` is what it lies in, as `to_within` tells: what belongs to a sample or a technique is read with it.
    """
    keep = _find_keep(nx_class, name)
    is_part = keep.rank < _CHANNELS.rank and nx_class.lower() in _TELLING_PARTS and within in _TELLING_WHOLES
    return Keep(keep.reading, min(keep.rank, TELLING)) if is_part and keep is not _MOTORS else keep


def _find_keep(nx_class: str, name: str) -> Keep:
    nx_class = nx_class.lower()
    if nx_class == "nxdetector" and _SURROUNDINGS.search(name):
        return _LOGGED
    if nx_class in {"", "nxcollection"}:
        if name == "measurement":
            return _CHANNELS
        if name == "positioners" or name.startswith("positioners_"):
            return _MOTORS
    known = CLASSES.get(nx_class)
    if known is not None:
        return known
    known = _OTHER_NEXUS if nx_class.startswith("nx") else _UNKNOWN
    rank = _RANKS_BY_NAME.get(name.lower())
    return Keep(known.reading, rank) if rank else known


def is_repeated_snapshot(name: bytes, siblings: set[bytes]) -> bool:
    """Whether this is the same motors once more: BLISS writes `positioners_start`, `_end`, `_dial_start` ... too."""
    return name.startswith(b"positioners_") and b"positioners" in siblings


def is_payload(name: str, attributes: Mapping[str, object], reading: Reading) -> bool:
    """Whether an array of that name is measured data, which is never read, however short."""
    return "signal" in attributes or (reading is not Reading.WHOLE and name.lower() in _PAYLOAD_NAMES)
