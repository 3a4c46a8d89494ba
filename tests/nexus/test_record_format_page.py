"""docs/record-format.md says what is so."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from ingest.nexus.budget import Budget
from ingest.nexus.encoding import decode_record
from ingest.nexus.record import Field, FileKind, MasterRecord

PAGE = (Path(__file__).parents[2] / "docs" / "record-format.md").read_text()


def test_the_example_is_a_record() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    record = decode_record(example.encode())
    assert record.kind is FileKind.NEXUS
    assert record.linked_files


def test_every_member_and_every_cap_is_on_the_page() -> None:
    members = {field.name for plain in (MasterRecord, Field) for field in dataclasses.fields(plain)}
    caps = {"fields", "groups", "entries", "members", "levels", "attributes", "linked_files", "unreadable"}
    assert {name for name in members | caps if f"`{name}`" not in PAGE} == set()


def test_the_numbers_are_those_of_the_budget() -> None:
    budget = Budget()
    rows = {
        "fields": (
            f"{budget.first_entry_fields} in the first entry, {budget.entry_fields} in each further one;"
            f" in the first {budget.telling_fields} more of sample"
        ),
        "groups": f"{budget.groups:,} below an entry",
        "entries": f"{budget.entries:,}",
        "members": f"{budget.members:,} links",
        "levels": str(budget.levels),
        "attributes": f"{budget.attributes} of one object",
        "linked_files": f"{budget.linked_files:,}",
        "shared_links": f"{budget.shared_links:,} further entries",
    }
    assert [name for name, cap in rows.items() if f"| `{name}` | {cap}" not in PAGE] == []
    assert f"at most {budget.array_values};" in PAGE
    assert f"up to {budget.vector_points:,} points" in PAGE
    assert f"cut at {budget.string_characters} characters" in PAGE
