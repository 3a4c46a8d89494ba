"""What a remap did, counted: as long as there are fields and reasons, however many datasets there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingest.mapping.differences import ChangeTable
from ingest.remapped import Verdict

if TYPE_CHECKING:
    from ingest.mapping.differences import Example, FieldChanges, Said
    from ingest.remapped import Remapped

NAMED = 5
"""Paths that are named of each kind."""
_REASONS = 20
"""Reasons that are told apart."""
_OTHER = "other reasons"


@dataclass(slots=True)
class Cases:
    """How many masters something holds for, and the paths of some."""

    count: int = 0
    paths: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.paths) < NAMED:
            self.paths.append(path)


@dataclass(slots=True)
class RemapReport:
    """What became of the records that other rules had mapped."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    fields: ChangeTable = field(default_factory=ChangeTable)
    failures: dict[str, Cases] = field(default_factory=dict)
    would_be_side_files: Cases = field(default_factory=Cases)
    lacking: Cases = field(default_factory=Cases)
    """Those that are read again by `--reread`: also of former runs by the same rules."""
    lacks: Counter[str] = field(default_factory=Counter)
    due: Cases = field(default_factory=Cases)
    """Incomplete until now, and complete by these rules: looked at again by the next crawl."""
    passed_over: int = 0
    """A worker had them in hand, or read them meanwhile."""
    unkept: list[str] = field(default_factory=list)

    @property
    def looked_at(self) -> int:
        """How many datasets were mapped anew, or could not be."""
        return sum(count for verdict, count in self.verdicts.items() if verdict not in _NO_DATASETS)

    def add(self, mapped: Remapped) -> None:
        """Count one record."""
        path = mapped.row.path
        self.verdicts[mapped.verdict] += 1
        if mapped.verdict is Verdict.CHANGED:
            self.fields.add(mapped.row.dataset_id, mapped.changes)
        elif mapped.verdict is Verdict.FAILED:
            known = mapped.problem in self.failures or len(self.failures) < _REASONS
            self.failures.setdefault(mapped.problem if known else _OTHER, Cases()).add(path)
        elif mapped.verdict is Verdict.WOULD_BE_SIDE_FILE:
            self.would_be_side_files.add(path)
        if mapped.is_lacking:
            self.lacking.add(path)
            self.lacks.update(mapped.lacks or ["a dataset's files: it was a side file"])
        if mapped.has_ended:
            self.due.add(path)

    def to_document(self) -> dict[str, Any]:
        """Return the report, ready for JSON."""
        return {
            "looked_at": self.looked_at,
            "changed": self.verdicts[Verdict.CHANGED],
            "unchanged": self.verdicts[Verdict.SAME],
            "failed": self.verdicts[Verdict.FAILED],
            "side_files": self.verdicts[Verdict.SIDE_FILE],
            "passed_over": self.passed_over,
            "fields": [_to_field(row) for row in self.fields.to_rows()],
            "failures": [{"reason": reason, **_to_cases(cases)} for reason, cases in self.failures.items()],
            "would_be_side_files": _to_cases(self.would_be_side_files),
            "due": _to_cases(self.due),
            "lacking": {**_to_cases(self.lacking), "lacks": dict(self.lacks.most_common(_REASONS))},
            "never_kept": self.unkept,
        }


_NO_DATASETS = (Verdict.SIDE_FILE, Verdict.WOULD_BE_DATASET)


def _to_cases(cases: Cases) -> dict[str, Any]:
    return {"count": cases.count, "paths": cases.paths}


def _to_field(row: FieldChanges) -> dict[str, Any]:
    return {
        **row.field._asdict(),
        "gained": row.gained,
        "lost": row.lost,
        "changed": row.changed,
        "examples": [_to_example(example) for example in row.examples],
    }


def _to_example(example: Example) -> dict[str, Any]:
    return {
        "dataset_id": example.dataset_id,
        "place": example.place,
        "before": _to_said(example.before),
        "after": _to_said(example.after),
    }


def _to_said(said: Said | None) -> dict[str, Any] | None:
    return None if said is None else {"value": said.text, "path": said.path, "remark": said.remark}
