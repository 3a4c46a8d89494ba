"""The page for operators has every figure, every queue and every field of the log that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from api.schemas.operations import BacklogSchema
from ingest.catalogue.queue import Task

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def list_first_cells(heading: str) -> set[str]:
    """Return what stands in the first column of the table below that head of a column."""
    table = PAGE.split(f"| {heading} |")[1].split("\n\n")[0]
    return {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}


def list_figures(module: str) -> set[str]:
    """Return the figures that a module makes: a counter is read with `_total` at its end."""
    source = (ROOT / module).read_text(encoding="utf-8")
    counters = set(re.findall(r'Counter\(\s*"(nxcat_\w+)"', source))
    return {f"{name}_total" if name in counters else name for name in re.findall(r'"(nxcat_\w+)"', source)}


def test_every_figure_is_documented() -> None:
    assert list_first_cells("figure of the service") == list_figures("api/metrics.py")
    assert list_first_cells("figure of a worker") == list_figures("ingest/meters.py")


def test_every_queue_is_documented() -> None:
    assert list_first_cells("queue") == {task.queue for task in Task}


def test_every_field_of_the_backlog_is_documented() -> None:
    assert list_first_cells("field of `backlog`") == set(BacklogSchema.model_fields)
