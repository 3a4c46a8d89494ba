"""Small records by hand. `from tests.mapping.record_parts import entry, field, group, record`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import load_rules
from ingest.nexus.record import Field, FileKind, Group, LinkedFile, MasterRecord

if TYPE_CHECKING:
    from ingest.mapping.drafts import DatasetDraft, ScanDraft
    from ingest.nexus.record import Value

PARIS = ZoneInfo("Europe/Paris")


def field(name: str, value: Value | None = None, unit: str | None = None, **more: Any) -> Field:
    """Return a field; arrays get their shape from the value, unless one is given."""
    shape = (len(value),) if isinstance(value, list) else ()
    return Field(name, "float64", more.pop("shape", shape), value, unit, **more)


def group(name: str, nx_class: str, *members: Field | Group, **attributes: Value) -> Group:
    """Return a group whose path is completed when it is put into an entry."""
    return Group(
        path=name,
        nx_class=nx_class,
        attributes=attributes,
        fields=tuple(member for member in members if isinstance(member, Field)),
        groups=tuple(member for member in members if isinstance(member, Group)),
    )


def entry(*members: Field | Group, name: str = "entry") -> Group:
    """Return an NXentry."""
    return _placed(group(name, "NXentry", *members), "")


def _placed(part: Group, parent: str) -> Group:
    path = f"{parent}/{part.path}"
    return replace(part, path=path, groups=tuple(_placed(inner, path) for inner in part.groups))


def record(*entries: Group, links: int = 0, **attributes: Value) -> MasterRecord:
    """Return the record of a master with these entries and root attributes."""
    linked = tuple(LinkedFile("/entry/data", "external", f"data_{number}.h5") for number in range(links))  # type: ignore[arg-type]
    return MasterRecord(FileKind.NEXUS, Group("/", attributes=attributes), entries, linked)


def drafted(*entries: Group, rules: str = "nexus", **attributes: Value) -> DatasetDraft:
    """Return the drafts of a master with these entries."""
    return to_drafts(record(*entries, **attributes), load_rules(rules), PARIS)


def scan_of(*members: Field | Group, rules: str = "nexus", **attributes: Value) -> ScanDraft:
    """Return the scan of a master with one entry of these members."""
    return drafted(entry(*members), rules=rules, **attributes).scans[0]


def instrument(*members: Field | Group) -> Group:
    """Return an NXinstrument with a name."""
    return group("instrument", "NXinstrument", field("name", "I1"), *members)


def source(*members: Field | Group, probe: str | None = "x-ray") -> Group:
    """Return an NXsource with a probe."""
    return group("source", "NXsource", *([field("probe", probe)] if probe else []), *members)
