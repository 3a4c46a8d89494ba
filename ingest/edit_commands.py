"""The command `edit` in words: a person's corrections, some or by the file."""

from __future__ import annotations

from stat import S_ISREG
from typing import TYPE_CHECKING, Any

import click

from ingest import console
from ingest.catalogue.corrections import Change
from ingest.catalogue.model import CorrectionAction
from ingest.drain import settle_index
from ingest.editing import CorrectionFileError, EditReport, Line, edit, read_file
from ingest.services import open_services

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ingest.editing import Fault


def correct(
    datasets: Sequence[int],
    assigned: Sequence[str],
    removed: Sequence[str],
    undone: Sequence[str],
    said: dict[str, Any],
    *,
    is_json: bool,
) -> int:
    """Correct datasets, by the options or by a file; return the exit status: 1 if something could not be done."""
    file, reason = said["file"], said["reason"]
    changes = [to_assignment(text) for text in assigned]
    changes += [Change(CorrectionAction.REMOVE, name) for name in removed]
    changes += [Change(CorrectionAction.UNDO, name) for name in undone]
    _check_options(datasets, changes, file, reason)

    def read_lines() -> Iterable[Line | Fault]:
        if file is not None:
            return read_file(file, reason)
        return [Line(None, dataset_id, change, reason) for dataset_id in datasets for change in changes]

    with open_services() as services:
        with console.counting("correcting") as note:
            report = edit(services, read_lines, keeps_going=said["keeps_going"], note=note)
        settle_index(services)
    _print(report, is_json=is_json)
    return 1 if report.fault_count else 0


def to_assignment(text: str) -> Change:
    """Return what `name=value` says; raises UsageError if it is none."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise click.UsageError(f"--set {text!r}: write NAME=VALUE, such as 'energy=12.4 keV'")
    return Change(CorrectionAction.SET, name.strip(), value)


def _check_options(datasets: Sequence[int], changes: Sequence[Change], file: Path | None, reason: str | None) -> None:
    if file is not None:
        if datasets or changes:
            raise click.UsageError("--from takes datasets and fields from the file: name none beside it")
        if not S_ISREG(file.stat().st_mode):
            raise CorrectionFileError(file, "no file that can be read twice: write it to the disk")
    elif not datasets or not changes:
        raise click.UsageError("name datasets, and what to --set, --remove or --undo; or --from a file")
    elif not reason:
        raise click.UsageError("say with --reason why: it is kept with the correction")


def _print(report: EditReport, *, is_json: bool) -> None:
    if is_json:
        faults = [{"line": fault.number, "problem": fault.problem} for fault in report.faults]
        counts = {"lines": report.line_count, "changed": report.changed, "unchanged": report.unchanged}
        console.print_json({**counts, "faulty": report.fault_count, "is_applied": report.is_applied, "faults": faults})
        return
    for fault in report.faults:
        place = f"line {fault.number}: " if fault.number else ""
        click.echo(console.to_plain_text(f"{place}{fault.problem}"), err=True)
    if report.fault_count > len(report.faults):
        click.echo(f"... and {report.fault_count - len(report.faults)} more", err=True)
    if not report.is_applied:
        click.echo(
            f"nothing was corrected: {report.fault_count} of {report.line_count} cannot be (--keep-going: the rest)"
        )
    else:
        click.echo(f"{report.changed} corrected, {report.unchanged} said already, {report.fault_count} could not be")
