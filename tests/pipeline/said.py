"""All that a catalogue says, without ids and times of its own. `from tests.pipeline.said import read_said`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[[str], list[tuple[Any, ...]]]
    """What answers a statement with its rows."""

_OF_MASTER = "JOIN dataset d ON d.id = t.dataset_id JOIN master_file m ON m.id = d.master_file_id"
_QUERIES = {
    "datasets": """
        SELECT m.path, d.name, i.name, i.visit_id, f.name, s.name, d.is_complete, d.start_date, d.end_date, d.rules,
            d.flags, d.location, d.file_count, d.file_size, d.listing_digest, d.content_digest, d.release_date
        FROM dataset d JOIN master_file m ON m.id = d.master_file_id JOIN investigation i ON i.id = d.investigation_id
        JOIN facility f ON f.id = i.facility_id LEFT JOIN sample s ON s.id = d.sample_id""",
    "scans": """
        SELECT m.path, t.ordinal, t.entry_name, t.title, t.definition, t.command, t.start_date, t.end_date,
            t.end_reason, t.is_ended, t.point_count, t.instrument_name, t.source_name, t.source_type, t.probe,
            t.detectors, t.users, t.sources, t.is_withdrawn, s.name
        FROM scan t OF_MASTER LEFT JOIN sample s ON s.id = t.sample_id""",
    "parameters": """
        SELECT m.path, c.entry_name, p.name, p.units, t.layer, t.is_shown, t.numeric_value, t.range_bottom,
            t.range_top, t."values", t.string_value, t.date_time_value, t.origin, t.source_path, t.original_value,
            t.original_unit
        FROM dataset_parameter t OF_MASTER JOIN parameter_type p ON p.id = t.type_id
        LEFT JOIN scan c ON c.id = t.scan_id""",
    "techniques": """
        SELECT m.path, n.name, t.source_path, t.origin
        FROM dataset_technique t OF_MASTER JOIN technique n ON n.id = t.technique_id""",
    "instruments": """
        SELECT m.path, n.name FROM dataset_instrument t OF_MASTER JOIN instrument n ON n.id = t.instrument_id""",
    "files": "SELECT m.path, t.name, t.file_size, t.mtime_ns, t.is_vanished FROM datafile t OF_MASTER",
    "others": """
        SELECT t.path, t.kind, i.name, i.visit_id
        FROM investigation_file t JOIN investigation i ON i.id = t.investigation_id""",
    "records": """
        SELECT m.path, t.rulebook, t.format, t.document
        FROM master_record t JOIN master_file m ON m.id = t.master_file_id""",
}


def read_said(ask: Ask) -> dict[str, list[tuple[Any, ...]]]:
    """Return what the catalogue says, in one order."""
    return {name: sorted(ask(query.replace("OF_MASTER", _OF_MASTER)), key=repr) for name, query in _QUERIES.items()}


def read_revisions(ask: Ask) -> dict[str, tuple[int, int]]:
    """Return id and revision of each dataset by the path of its master."""
    query = "SELECT m.path, d.id, d.revision FROM dataset d JOIN master_file m ON m.id = d.master_file_id"
    return {path: (dataset_id, revision) for path, dataset_id, revision in ask(query)}
