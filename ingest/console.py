"""What the commands print: progress, tables, JSON. Words only; nothing is decided here."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from ingest.catalogue.model import MasterState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingest.catalogue.views import LinkedFilesView, ParameterView, ScanView
    from ingest.pipeline import Outcome

WIDTH_WITHOUT_TERMINAL = 160
SHOWN_COUNTERS = 8
"""How many of a scan's counters a person is shown; JSON has them all."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WORDS = {
    MasterState.INGESTED: "ingested",
    MasterState.INCOMPLETE: "incomplete",
    MasterState.SIDE_FILE: "side file",
    MasterState.QUARANTINED: "quarantined",
    MasterState.SETTLING: "still written",
    MasterState.READY: "to be tried again",
    MasterState.OFFLINE: "on tape",
    MasterState.VANISHED: "gone",
}


class Report(Protocol):
    """Where a command says what it is doing."""

    def folder(self, path: str) -> None:
        """Say that a folder is being looked at."""

    def outcome(self, outcome: Outcome) -> None:
        """Say where a master went."""


class _Lines:
    """A line for each master, for logs and pipes."""

    def folder(self, path: str) -> None:
        """Say nothing: a folder is not worth a line."""

    def outcome(self, outcome: Outcome) -> None:
        """Print one line."""
        click.echo(f"{to_word(outcome.state):17} {to_line(outcome.path, outcome.reason)}")


class _Bar:
    """One moving line, for a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("crawling", total=None, counts="")
        self._counts: Counter[str] = Counter()

    def folder(self, path: str) -> None:
        """Show the folder."""
        self._progress.update(self._task, description=escape(to_plain_text(path[-60:])))

    def outcome(self, outcome: Outcome) -> None:
        """Count the master; one that needs attention stays on the screen."""
        self._counts[to_word(outcome.state)] += 1
        counts = ", ".join(f"{count} {word}" for word, count in self._counts.items())
        self._progress.update(
            self._task, description=escape(to_plain_text(Path(outcome.path).name[-60:])), advance=1, counts=counts
        )
        if outcome.state == MasterState.QUARANTINED:
            self._progress.console.print(f"[red]quarantined[/] {escape(to_line(outcome.path, outcome.reason))}")


class _Silence:
    """Nothing, where only the JSON at the end counts."""

    def folder(self, path: str) -> None:
        """Say nothing."""

    def outcome(self, outcome: Outcome) -> None:
        """Say nothing."""


@contextmanager
def reporting(*, is_json: bool) -> Iterator[Report]:
    """Yield a bar on a terminal, plain lines elsewhere, silence where JSON is asked for."""
    console = Console()
    if is_json:
        yield _Silence()
    elif not console.is_terminal:
        yield _Lines()
    else:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[counts]}"))
        with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
            yield _Bar(progress)


@contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what takes how much is done, and of how much: a bar on a terminal while it is worked, nothing elsewhere.

    It stands on standard error: what is printed is the answer alone, for persons and for scripts.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def to_word(state: str) -> str:
    """Return what a person calls the state."""
    return _WORDS.get(MasterState(state), state)


def to_plain_text(text: object) -> str:
    """Return text that moves no cursor and ends no line, whatever a file or a folder is called."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text))


def to_line(path: str, reason: str | None) -> str:
    """Return a path with the reason for its state, on one line."""
    return to_plain_text(f"{path}: {reason}" if reason else path)


def print_json(document: Any) -> None:
    """Print one JSON document; dataclasses become objects, instants ISO 8601."""
    click.echo(json.dumps(document, default=_to_plain, ensure_ascii=False, indent=2))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table as wide as the terminal, or as a wide page where there is none."""
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape("" if cell is None else to_plain_text(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_WITHOUT_TERMINAL)
    console.print(table)


def _to_plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def print_inspection(found: dict[str, Any]) -> None:
    """Print what a file is, for a person."""
    click.echo(f"{found['file_kind']}, {'finished' if found['finished'] else 'not finished'}")
    if found.get("problem"):
        click.echo(f"problem: {found['problem']}")
    for scan in found["scans"]:
        rows: list[tuple[str, str, str | None]] = [
            (name, _to_cell(value), value.get("path"))
            for name, value in scan.items()
            if isinstance(value, dict) and _to_cell(value)
        ]
        rows += [("user", user["value"], user["path"]) for user in scan["users"]]
        rows += [
            ("detector", detector["label"] or detector["name"], detector["path"]) for detector in scan["detectors"]
        ]
        print_table(f"\n{scan['entry']}", ("field", "value", "HDF5 path"), rows)
    values = [(p["name"], _to_cell(p), p["entry"] or "all", p["path"]) for p in found["parameters"]]
    if values:
        print_table("\nparameters", ("parameter", "value", "scan", "HDF5 path"), values)
    links = [(link["kind"], link["file"], link["path"]) for link in found["links"]]
    if links:
        print_table("\nlinked files", ("kind", "file", "HDF5 path"), links)


def _to_cell(value: dict[str, Any]) -> str:
    if "min" in value:
        text = f"{value['min']:g} .. {value['max']:g}"
    else:
        found = value.get("value")
        text = (
            ", ".join(f"{number:g}" for number in found)
            if isinstance(found, list)
            else ""
            if found is None
            else str(found)
        )
    return f"{text} {value['unit']}" if text and value.get("unit") not in (None, "1") else text


def print_scans(scans: Iterable[ScanView]) -> None:
    """Print what each scan did, what it moved and what it measured."""
    rows = [
        (
            scan.entry_name,
            scan.title,
            _to_purpose(scan),
            scan.start_date,
            scan.end_reason or ("" if scan.is_ended else "no end"),
            ", ".join(map(_to_way, scan.motors)),
            ", ".join(counter["name"] for counter in scan.counters[:SHOWN_COUNTERS])
            + (f" and {len(scan.counters) - SHOWN_COUNTERS} more" if len(scan.counters) > SHOWN_COUNTERS else ""),
        )
        for scan in scans
    ]
    print_table("\nscans", ("entry", "title", "kind", "started", "ended with", "moved", "counters"), rows)


def print_linked(linked: LinkedFilesView) -> None:
    """Print what became of the files that a master needs, if it needs any."""
    counts = {"present": linked.present, "missing": linked.missing, "on tape": linked.on_tape}
    counts |= {"out of reach": linked.unreachable, "not looked at": linked.unlisted}
    if any(counts.values()):
        told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        click.echo(f"\nlinked files: {told}")
    if linked.lacking:
        print_table(
            "", ("file", "state", "kind", "HDF5 path"), [(f.file, f.state, f.kind, f.path) for f in linked.lacking]
        )


def _to_purpose(scan: ScanView) -> str:
    """Return what a scan was taken for, and which others were for its sake."""
    others = ", ".join(f"{other['kind']} {other['entry_name']}" for other in scan.served_by)
    return " ".join(part for part in (scan.kind or "", f"with {others}" if others else "") if part)


def _to_way(motor: Mapping[str, Any]) -> str:
    """Return a motor with how far it went, as far as that is known."""
    if motor.get("low") is None or motor.get("high") is None:
        return str(motor["name"])
    return f"{motor['name']} {motor['low']:g} .. {motor['high']:g} {motor.get('unit') or ''}".rstrip()


def to_amount(parameter: ParameterView) -> str:
    """Return a parameter's value with its unit, as a person reads it."""
    counted = ""
    if parameter.values:
        text = ", ".join(f"{number:g}" for number in parameter.values)
    elif parameter.range_bottom is not None and parameter.range_top is not None:
        text = f"{parameter.range_bottom:g} .. {parameter.range_top:g}"
        counted = f" ({parameter.value_count} values)" if parameter.value_count else ""
    elif parameter.numeric_value is not None:
        text = f"{parameter.numeric_value:g}"
    else:
        return parameter.string_value or str(parameter.date_time_value)
    return (f"{text} {parameter.unit}" if parameter.unit not in ("", "1") else text) + counted
