"""Makes the catalogue's ESRF vocabulary, and the rules that find its fields, of ESRF's own definitions.

    python generators/esrf.py

writes `ingest/catalogue/esrf.tsv` and `ingest/mapping/rule_files/esrf-icat.toml` of the installed package
icat-esrf-definitions (MIT). A test makes both again and compares, so that a new release of the package shows.

What is done with the oddities of the definitions (release 3.8.0, 1,261 names at 1,267 places):

* Six names stand at two places: the fluorescence group FLUO/measurement writes the currents of the source and what
  TOMO calls i0 and it. A name is one parameter; both places are looked at, the one that its name tells of first.
* Names that do not follow from their place (`beamlineID`, `Source_current_start`, `xrf_definition`, `FLUO_scanDim1`)
  are taken as they stand: ICAT has them so.
* Numbered groups (detectors 01 to 10, attenuators 01 to 15, lenses 01 to 10, lasers 01 and 02) are one row with
  `{nn}` and the highest number; a file's `detector03` keeps its 03. Of attenuators only the first has a description.
* Units are spelled as the catalogue spells them. Numbers without a unit are bare (`1`), but for those below whose
  unit their description or ESRF's own table of typical ranges tells.
* Numbers that travel as texts (NX_CHAR: `d_spacing`, `capacity`, values of positioners) stay texts.
* Lists in one text are told by their description; so is what stands between the parts. A list in a file is joined so.
* Truth values are ICAT's texts `true` and `false`, as ESRF's own client writes them.
* What says where a dataset belongs (title, proposal, place, start, end, names of beamline and sample) is no parameter:
  the catalogue has columns for it. Its fields are targets of a scan.
* What tells of a patient is not looked for: it is nobody's business unless a rule file of the facility says so.
* Deprecated fields are looked for as the others are: files keep them.
"""
# ruff: noqa: INP001 - a script

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import icat_esrf_definitions

from ingest.catalogue.redaction import is_patient_group
from ingest.catalogue.units import parse_unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ROOT = Path(__file__).parent.parent
VOCABULARY = _ROOT / "ingest" / "catalogue" / "esrf.tsv"
RULES = _ROOT / "ingest" / "mapping" / "rule_files" / "esrf-icat.toml"

_SLIT = "typical ranges of ESRF's slits are in millimetres; a motor says its own unit in the file"
_TIME = "NX_TIME in NXdetector, typical ranges in seconds"
_PIXELS = "the description says pixels"
UNITS: Final = {
    r"InstrumentSlit(s|Primary|Secondary)_(vertical|horizontal)_(gap|offset)": ("mm", _SLIT),
    r"InstrumentSlit(s|Primary|Secondary)_blade_(up|down|front|back)": ("mm", _SLIT),
    r"InstrumentDetector\d\d_(preset_time|elapsed_live_time|elapsed_real_time)": ("s", _TIME),
    r"HTXRPD_sampleVibration": ("%", "the description says 0-100 %"),
    r"TOMOReconstruction_(start|end)_[xyz]": ("pixel", _PIXELS),
    r"TOMOReconstruction_rotation_axis_position": ("pixel", _PIXELS),
}
"""Units that the definitions do not give, by a form of names, with the reason."""

PLACES: Final = frozenset(
    {"datasetName", "proposal", "location", "startDate", "endDate", "Sample_name", "beamlineID"},
)
"""What says where a dataset belongs."""

_TYPES: Final = {"NX_CHAR": "STRING", "NX_BOOLEAN": "STRING", "NX_DATE_TIME": "DATE_AND_TIME"}
_NUMBERED: Final = re.compile(r"(?<=[a-z])\d\d$")
_LINK: Final = re.compile(r"\s*See https://\S+")
_INSTEAD: Final = re.compile(r"Use \S+ \((\w+)\) instead")
_SEPARATORS: Final = {"space": " ", "comma": ",", "semicolon": ";"}
_LIST: Final = re.compile(r"(space|comma|semicolon)-separated list", re.IGNORECASE)


@dataclass(frozen=True)
class Leaf:
    """One field at one place, as the definitions have it."""

    groups: tuple[tuple[str, str], ...]
    """Class and name of each group below the entry, the outermost first."""
    field: str
    name: str
    nx_type: str
    unit: str
    description: str

    @property
    def number(self) -> str:
        """The two digits of the group's number, empty if it has none."""
        found = [match[0] for _, name in self.groups if (match := _NUMBERED.search(name))]
        return found[0] if found else ""

    @property
    def numbered_name(self) -> str:
        """The name with `{nn}` for the group's number."""
        return self.name.replace(self.number, "{nn}", 1) if self.number else self.name

    @property
    def is_patients(self) -> bool:
        """Whether it tells of a patient."""
        return any(is_patient_group(name, in_sample=True) for _, name in self.groups)

    @property
    def position(self) -> str:
        """The place as a rule writes it."""
        steps = [f"{nx_class}:{_NUMBERED.sub('{nn}', name)}" for nx_class, name in self.groups]
        return "/".join(["NXentry", *steps])


def read_leaves() -> list[Leaf]:
    """Return all fields of the installed definitions, in their order."""
    root = ET.parse(icat_esrf_definitions.DEFINITIONS_FILE).getroot()  # noqa: S314 - a package of our own choice
    return list(_read_group(root, ()))


def _read_group(group: ET.Element, groups: tuple[tuple[str, str], ...]) -> Iterator[Leaf]:
    for member in group:
        if member.tag == "group":
            yield from _read_group(member, (*groups, (member.attrib["NX_class"], member.attrib["groupName"])))
        else:
            name = (member.text or "").strip().removeprefix("${").removesuffix("}")
            nx_type = member.attrib["NAPItype"]
            yield Leaf(groups, member.tag, name, nx_type, _to_unit(name, nx_type, member), _to_description(member))


def _to_unit(name: str, nx_type: str, member: ET.Element) -> str:
    if nx_type in _TYPES:
        return ""
    given = member.get("units")
    if given:
        return parse_unit(given) or _refuse(name, given)
    return next((unit for form, (unit, _) in UNITS.items() if re.fullmatch(form, name)), "1")


def _refuse(name: str, unit: str) -> str:
    message = f"{name}: {unit!r} is no unit that ingest/catalogue/units.py knows"
    raise ValueError(message)


def _to_description(member: ET.Element) -> str:
    """Return the description without links to the manual, with what to use instead of a deprecated field."""
    text = " ".join(_LINK.sub("", member.attrib["ESRF_description"]).split())
    deprecated = member.get("ESRF_deprecated")
    if not deprecated:
        return text
    instead = _INSTEAD.search(deprecated)
    return f"{text} Deprecated{f': {instead[1]} took its place' if instead else ''}."


def to_vocabulary(leaves: Iterable[Leaf]) -> str:
    """Return the table of names: highest number of a numbered one, type, unit, description."""
    rows: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        rows[leaf.numbered_name].append(leaf)
    return "".join(_to_row(name, same) for name, same in rows.items())


def _to_row(name: str, same: list[Leaf]) -> str:
    first = same[0]
    kinds = {(leaf.nx_type, leaf.unit, leaf.description) for leaf in same}
    numbers = sorted({leaf.number for leaf in same})
    if len(kinds) > 1 or (numbers != [""] and numbers != [f"{n:02d}" for n in range(1, len(numbers) + 1)]):
        message = f"{name} is not the same for each number: {kinds} {numbers}"
        raise ValueError(message)
    highest = str(int(numbers[-1])) if first.number else ""
    return "\t".join((name, highest, _TYPES.get(first.nx_type, "NUMERIC"), first.unit, first.description)) + "\n"


def main() -> None:
    """Write what is generated."""
    leaves = read_leaves()
    VOCABULARY.write_text(to_vocabulary(leaves), encoding="utf-8")


if __name__ == "__main__":
    main()
