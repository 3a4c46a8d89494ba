"""Telling why the catalogue says what it says of a master: by the file itself, or by what was read of it before."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ingest.catalogue.browsing import get_dataset, list_parameters
from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.model import Dataset, Layer, MasterFile, Root
from ingest.catalogue.model.base import utc_now
from ingest.catalogue.paging import MAX_LIMIT, PageRequest
from ingest.catalogue.raw_record import get_raw_record
from ingest.catalogue.roots import check_zone, normalise
from ingest.catalogue.visibility import OPERATOR
from ingest.catalogue.vocabulary import find_parameter, list_numbered
from ingest.inspecting import read_record
from ingest.mapping.explaining import explain
from ingest.mapping.inspection import to_plain_value
from ingest.nexus.encoding import decode_record
from ingest.rulebook import Rulebook

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from ingest.catalogue.views import DatasetView
    from ingest.mapping.explaining import Explanation
    from ingest.mapping.rules import Rules
    from ingest.nexus.record import MasterRecord
    from ingest.rulebook import RulesAtHand


_FILE: Final = Layer.FILE.name.lower()


class UnknownFieldError(CatalogueError):
    """No rule at hand fills a field of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        close = get_close_matches(name.casefold(), known, n=3, cutoff=0.5)
        advice = f"write {' or '.join(close)}" if close else "docs/fields.md lists them"
        super().__init__(f"no field is called {name!r}: {advice}")


def explain_file(path: Path, rules: str | None, timezone: str, fields: Sequence[str]) -> dict[str, Any]:
    """Return where each value of the file was found, ready for JSON; nothing is stored.

    Raises ReaderError if the file cannot be read, UnknownFieldError for a field that there is not.
    """
    check_zone(timezone)
    path = normalise(path)
    at_hand = Rulebook().open(rules, timezone)
    return _explain(str(path), read_record(path), at_hand, fields)


def explain_dataset(session: Session, dataset_id: int, rules: str | None, fields: Sequence[str]) -> dict[str, Any]:
    """Return where each value of the dataset was found, by what was read of its master; no file is opened.

    By the rules of its root, or by others, to see what these would make of it. Raises NotFoundError if there is no
    such dataset, or no record of it, and UnknownFieldError.
    """
    view = get_dataset(session, OPERATOR, utc_now(), dataset_id)
    record = decode_record(get_raw_record(session, OPERATOR, utc_now(), dataset_id))
    root = session.scalars(
        select(Root)
        .join(MasterFile)
        .join(Dataset, Dataset.master_file_id == MasterFile.id)
        .where(Dataset.id == view.id)
    ).one()
    at_hand = Rulebook().open(rules or root.rules, root.timezone, root.id)
    explained = _explain(view.master_path or "", record, at_hand, fields)
    return {"dataset_id": dataset_id, **explained, "said_otherwise": _list_said_otherwise(session, view)}


def _list_said_otherwise(session: Session, view: DatasetView) -> list[dict[str, str]]:
    """Return what is shown of the dataset that another layer says than the file: a person, or a notice."""
    shown = [{"name": name, "layer": Layer.PERSON.name.lower()} for name in view.corrected]
    cursor: str | None = None
    while True:
        page = list_parameters(session, OPERATOR, utc_now(), view.id, PageRequest(MAX_LIMIT, cursor))
        shown += [{"name": each.name, "layer": each.layer} for each in page.items if each.layer != _FILE]
        cursor = page.next_cursor
        if cursor is None:
            return shown


def _explain(master: str, record: MasterRecord, at_hand: RulesAtHand, fields: Sequence[str]) -> dict[str, Any]:
    rules = at_hand.choose(record)
    names = {_find_name(rules, field) for field in fields}
    record = at_hand.to_kept(record)
    scans = explain(record, rules, ZoneInfo(at_hand.timezone), names)
    return {
        "master": master,
        "rules": {"name": rules.name, "version": rules.version, "files": [text.source for text in rules.chain]},
        "truncated": dict(record.truncated),
        "scans": [{"entry": entry, "fields": [_to_field(each) for each in found]} for entry, found in scans],
    }


def _find_name(rules: Rules, field: str) -> str:
    """Return the target that a person means by its name, in any case, or by one of its aliases."""
    known = {
        spelling.casefold(): name
        for name in (*rules.file.targets, *rules.file.parameters)
        for spelling in (name, *list_numbered(name))
    }
    alias = find_parameter(field)
    name = known.get(field.casefold()) or known.get(alias.name.casefold() if alias else "")
    if name is None:
        raise UnknownFieldError(field, list(known))
    return name


def _to_field(explanation: Explanation) -> dict[str, Any]:
    values = [to_plain_value(taken) for taken in explanation.taken]
    candidates = [each._asdict() | {"verdict": str(each.verdict)} for each in explanation.candidates]
    return {
        "name": explanation.name,
        "unit": explanation.unit,
        "values": values,
        "stands_somewhere": explanation.stands_somewhere,
        "candidates": candidates,
    }
