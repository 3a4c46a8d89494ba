"""Corrections by the line: of the command line or of a CSV file, one or a hundred thousand.

All lines are looked at before any is carried out, so that nothing is done by a file with a fault. Then they are done in
transactions of some hundreds. What is said already is passed over, so a file that was interrupted is given again.
"""

from __future__ import annotations

import csv
import getpass
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import select

from ingest.catalogue.correctables import CorrectionError
from ingest.catalogue.corrections import Change, check_change, correct_dataset, to_reason
from ingest.catalogue.database import run_transaction, to_batches
from ingest.catalogue.errors import CatalogueError, NotFoundError
from ingest.catalogue.model import CorrectionAction, Dataset, Investigation
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.paging import LARGEST_KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session, sessionmaker

    from ingest.pipeline import Services

COLUMNS: Final = ("dataset", "field", "value", "unit", "action", "reason")
BATCH: Final = 200
"""Lines in one transaction: some tenths of a second in which nobody else writes."""
SHOWN_FAULTS: Final = 50


class CorrectionFileError(CatalogueError):
    """The file of corrections is none as a whole."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        super().__init__(f"{path}: {problem}")


class Line(NamedTuple):
    """One correction of one dataset; `number` is its line in the file, None on the command line."""

    number: int | None
    dataset_id: int
    change: Change
    reason: str


class Fault(NamedTuple):
    """A line that cannot be carried out, and why."""

    number: int | None
    problem: str


@dataclass(slots=True)
class EditReport:
    """What became of the lines. Of the faults the first SHOWN_FAULTS are kept."""

    line_count: int = 0
    changed: int = 0
    unchanged: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    is_applied: bool = True

    def add_fault(self, fault: Fault) -> None:
        """Count a line that cannot be carried out."""
        self.fault_count += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append(fault)


def edit(
    services: Services,
    read_lines: Callable[[], Iterable[Line | Fault]],
    *,
    keeps_going: bool,
    note: Callable[[int, int], None],
) -> EditReport:
    """Carry the lines out, or, if one of them has a fault and `keeps_going` is not said, none.

    `read_lines` is called twice; `note` is told how many lines are done, and of how many.
    """
    checked = EditReport()
    for batch in to_batches(read_lines(), BATCH):
        _check(services.read_sessions, batch, checked)
    if checked.fault_count and not keeps_going:
        checked.is_applied = False
        return checked
    report = EditReport(line_count=checked.line_count)
    author = to_author()
    done = 0
    for batch in to_batches(read_lines(), BATCH):
        _apply(services.write_sessions, batch, author, report)
        done += len(batch)
        note(done, report.line_count)
    return report


def to_author() -> str:
    """Return who works at the command line, as it is kept."""
    return f"command line: {getpass.getuser()}"


def read_file(path: Path, reason: str | None) -> Iterator[Line | Fault]:
    """Yield the lines of a CSV file; `reason` is that of lines that have none of their own.

    Its first line names the columns. Raises CorrectionFileError if it does not, or if it is no text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames)
            for row in reader:
                yield _to_line(reader.line_num, row, reason)
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorrectionFileError(path, f"no CSV in UTF-8: {error}") from error


def _check_columns(path: Path, names: Sequence[str] | None) -> None:
    unknown = [name for name in names or () if name not in COLUMNS]
    missing = [name for name in ("dataset", "field") if name not in (names or ())]
    if unknown or missing:
        wrong = f"no column {missing[0]}" if missing else f"an unknown column {unknown[0]!r}"
        raise CorrectionFileError(path, f"{wrong}: its first line names the columns, of {', '.join(COLUMNS)}")


def _to_line(number: int, row: dict[str, str], reason: str | None) -> Line | Fault:
    if None in row or None in row.values():
        return Fault(number, "it has more or fewer cells than there are columns")
    told = {name: text.strip() for name, text in row.items()}
    if not told["dataset"].isdecimal() or int(told["dataset"]) > LARGEST_KEY:
        return Fault(number, f"dataset {told['dataset']!r} is no number: write that of a dataset, such as 42")
    action = told.get("action") or CorrectionAction.SET
    if action not in tuple(CorrectionAction):
        return Fault(number, f"there is no action {action!r}: write {', '.join(CorrectionAction)}, or nothing for set")
    change = Change(CorrectionAction(action), told["field"], told.get("value", ""), told.get("unit") or None)
    if change.action is not CorrectionAction.SET and (change.text or change.unit):
        return Fault(number, f"{action} takes no value: leave it out, or write set")
    return Line(number, int(told["dataset"]), change, told.get("reason") or reason or "")


def _check(sessions: sessionmaker[Session], batch: Sequence[Line | Fault], report: EditReport) -> None:
    ids = {line.dataset_id for line in batch if isinstance(line, Line)}
    with sessions() as session:
        known = _load_facilities(session, ids)
        for line in batch:
            report.line_count += 1
            problem = line.problem if isinstance(line, Fault) else _find_problem(session, line, known)
            if problem is not None:
                report.add_fault(Fault(line.number, problem))


def _load_facilities(session: Session, ids: Iterable[int]) -> dict[int, int]:
    """Return the facility of each of the datasets that there are."""
    statement = (
        select(Dataset.id, Investigation.facility_id)
        .join(Investigation, Investigation.id == Dataset.investigation_id)
        .where(Dataset.id.in_(ids))
    )
    return {row.id: row.facility_id for row in session.execute(statement)}


def _find_problem(session: Session, line: Line, facilities: dict[int, int]) -> str | None:
    facility_id = facilities.get(line.dataset_id)
    if facility_id is None:
        return str(NotFoundError("dataset", line.dataset_id))
    try:
        to_reason(line.reason)
        check_change(session, facility_id, line.change)
    except CorrectionError as error:
        return str(error)
    return None


def _apply(sessions: sessionmaker[Session], batch: Sequence[Line | Fault], author: str, report: EditReport) -> None:
    done = run_transaction(sessions, partial(_apply_batch, batch=batch, author=author))
    for line, result in zip(batch, done, strict=True):
        if isinstance(result, str):
            report.add_fault(Fault(line.number, result))
        elif result:
            report.changed += 1
        else:
            report.unchanged += 1


def _apply_batch(session: Session, *, batch: Sequence[Line | Fault], author: str) -> list[bool | str]:
    """Carry the lines out in one transaction; return for each whether it changed something, or why it cannot."""
    done: list[bool | str] = []
    for line in batch:
        if isinstance(line, Fault):
            done.append(line.problem)
            continue
        try:
            # All that can be wrong with it is found before anything is written.
            changed = correct_dataset(
                session, line.dataset_id, [line.change], reason=line.reason, author=author, now=utc_now()
            )
            done.append(bool(changed))
        except (CorrectionError, NotFoundError) as error:
            done.append(str(error))
    return done
