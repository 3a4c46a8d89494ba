"""From a record and its rules to drafts: pure, so that better rules are applied without touching a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.mapping.drafts import DatasetDraft, Origin, Quantity, Taken
from ingest.mapping.findings import Search
from ingest.mapping.parameters import find_parameters, to_parameters
from ingest.mapping.positions import EntryIndex
from ingest.mapping.recognising import Traits
from ingest.mapping.scan_kinds import tie_scans
from ingest.mapping.scans import sort_key, tell_hours_apart, to_scan
from ingest.mapping.techniques import find_techniques, merge_techniques

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from ingest.mapping.drafts import ScanDraft, TechniqueDraft
    from ingest.mapping.parameters import Found
    from ingest.mapping.rule_schema import RuleFile
    from ingest.mapping.rules import Rules
    from ingest.nexus.record import MasterRecord


def to_drafts(record: MasterRecord, rules: Rules, timezone: ZoneInfo) -> DatasetDraft:
    """Return what the record says by these rules; times without a zone are taken to be in `timezone`."""
    scans: list[ScanDraft] = []
    found: dict[str, list[Found]] = {}
    techniques: list[TechniqueDraft] = []
    flags: dict[str, None] = {}
    for entry in record.entries:
        search = Search(EntryIndex(entry, record.root, rules.plan.classes), rules.plan, timezone)
        scan = to_scan(search, rules.file)
        scans.append(scan)
        found[scan.entry] = find_parameters(search, scan)
        techniques += find_techniques(search, scan)
        flags.update(dict.fromkeys(search.flags))
    scans = tell_hours_apart(sorted(scans, key=sort_key), timezone)
    return DatasetDraft(
        kind=record.kind,
        rules=rules.name,
        rules_version=rules.version,
        scans=tie_scans(scans),
        parameters=to_parameters((scan.entry, found[scan.entry]) for scan in scans),
        techniques=tuple(merge_techniques(techniques)),
        positions=max((scan.positions for scan in scans), key=len, default=()),
        linked_files=record.linked_files,
        flags=tuple(flags),
        is_side_file=_is_side_file(record, scans, rules.file),
        truncated=dict(record.truncated),
    )


def _is_side_file(record: MasterRecord, scans: list[ScanDraft], rules: RuleFile) -> bool:
    """Whether the file belongs to another master: its writer only writes such, or nothing says what was measured."""
    if Traits(record).score(rules.side_file.when):
        return True
    if not scans or record.linked_files:
        return False
    return not any(_is_stated(getattr(scan, name)) for scan in scans for name in rules.side_file.unless)


def _is_stated(value: Taken[object] | None) -> bool:
    """Whether the file says so; a number whose unit had to be judged is still the file's."""
    return value is not None and (value.origin is Origin.READ or isinstance(value.value, Quantity))
