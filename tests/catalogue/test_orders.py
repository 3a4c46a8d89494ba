"""Lists go by the bytes of names on both databases, and their pages leave nothing out and show nothing twice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from ingest.catalogue.browsing import list_files, list_parameters, list_scans
from ingest.catalogue.investigations import InvestigationQuestion, InvestigationSort, list_investigations
from ingest.catalogue.matching import contains_words, is_one_of, matches_name
from ingest.catalogue.model import (
    Dataset,
    DatasetParameter,
    Instrument,
    Layer,
    MasterFile,
    MasterState,
    ParameterType,
    Root,
    Scan,
)
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.samples import SampleQuestion, list_samples
from ingest.catalogue.status import list_quarantined
from ingest.catalogue.store import get_facility_id
from ingest.catalogue.visibility import OPERATOR
from ingest.known import KnownMasters
from tests.entities import END, PAST, add_dataset
from tests.servers import on_both_databases

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from ingest.catalogue.paging import Page
    from tests.entities import Catalogue

pytestmark = on_both_databases
NOW = END.replace(year=2026)
NAMES = [
    "b",
    "B",
    "a",
    "A",
    "ä",
    "Ä",
    "aa",
    "a b",
    "a-b",
    "a_b",
    "a/b",
    "ab",
    "_",
    "~",
    "é",
    "e\u0301",
    "ß",
    "ss",
    "Ω",
    "😀",
]
IN_ORDER = sorted(NAMES, key=str.encode)


def walk(session: Session, read: Callable[..., Page[Any]], limit: int) -> list[Any]:
    """Return the items of all pages of that size."""
    items: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = read(session, request=PageRequest(limit=limit, cursor=cursor or None))
        assert len(page.items) <= limit
        items += page.items
        cursor = page.next_cursor
    return items


@pytest.fixture
def filled(catalogue: Catalogue) -> int:
    """Add a dataset of each name, and to the last one a scan, a parameter and a file of each; return its id."""
    with catalogue.sessions.begin() as session:
        ids = [add_dataset(session, name, files=len(NAMES)) for name in NAMES]
        last = session.get_one(Dataset, ids[-1])
        types = [ParameterType(facility_id=1, name=name, units="", value_type="STRING") for name in NAMES]
        session.add_all(types)
        session.flush()
        said = {"dataset_id": last.id, "layer": int(Layer.FILE), "origin": "read", "string_value": "x"}
        session.add_all(DatasetParameter(type_id=each.id, **said) for each in types)
        session.add_all(Scan(dataset_id=last.id, ordinal=1, entry_name=f"/{name}", is_ended=True) for name in NAMES)
    return last.id


def test_pages_are_whole_and_in_order(session: Session, filled: int) -> None:
    by_name = InvestigationQuestion(sort=InvestigationSort.NAME)
    of_dataset: dict[str, Any] = {"viewer": OPERATOR, "now": NOW, "dataset_id": filled}
    for limit in (1, 3, 100):
        investigations = walk(session, partial(list_investigations, viewer=OPERATOR, now=NOW, question=by_name), limit)
        assert [each.name for each in investigations] == [f"{name}/v1" for name in IN_ORDER]
        samples = walk(session, partial(list_samples, viewer=OPERATOR, now=NOW, question=SampleQuestion()), limit)
        assert [each.name for each in samples] == sorted((f"{name} sample" for name in NAMES), key=str.encode)
        parameters = walk(session, partial(list_parameters, **of_dataset), limit)
        assert [each.name for each in parameters if each.name in NAMES] == IN_ORDER
        scans = walk(session, partial(list_scans, **of_dataset), limit)
        assert [each.entry_name for each in scans] == ["/1.1", *(f"/{name}" for name in NAMES)]
        files = walk(session, partial(list_files, **of_dataset), limit)
        assert [each.ordinal for each in files] == list(range(len(NAMES)))


def test_masters_are_walked_in_the_order_in_which_folders_are(catalogue: Catalogue, session: Session) -> None:
    paths = [f"/data/{name}" for name in NAMES]
    with catalogue.sessions.begin() as writing:
        add_dataset(writing, "root")
        root_id = writing.scalars(select(Root.id)).one()
        seen = {"root_id": root_id, "file_size": 1, "mtime_ns": 1, "seen_at": PAST}
        writing.add_all(MasterFile(path=path, state=MasterState.QUARANTINED, **seen) for path in paths)
    known = KnownMasters(catalogue.sessions, root_id)
    walked = []
    while (row := known.take()) is not None:
        walked.append(row.path)
    assert [path for path in walked if path in paths] == sorted(paths)
    assert [each.path for each in walk(session, list_quarantined, 3)] == paths


def read_names(session: Session, condition: Any) -> Sequence[str]:
    return sorted(session.scalars(select(Instrument.name).where(condition)))


def test_words_are_found_alike(catalogue: Catalogue, session: Session) -> None:
    with catalogue.sessions.begin() as writing:
        facility_id = get_facility_id(writing, "here")
        names = ("ID11", "id11-a", "50%", "under_score", "back\\slash", "Müller", "MÜLLER")
        writing.add_all(Instrument(facility_id=facility_id, name=name) for name in names)
    assert read_names(session, contains_words("id11", Instrument.name)) == ["ID11", "id11-a"]
    assert read_names(session, contains_words("0%", Instrument.name)) == ["50%"]
    assert read_names(session, contains_words("r_s", Instrument.name)) == ["under_score"]
    assert read_names(session, contains_words("k\\s", Instrument.name)) == ["back\\slash"]
    assert read_names(session, matches_name("id11*", Instrument.name)) == ["ID11", "id11-a"]
    assert read_names(session, matches_name("??11", Instrument.name)) == ["ID11"]
    assert read_names(session, matches_name("*\\*", Instrument.name)) == ["back\\slash"]
    assert read_names(session, is_one_of(["Id11", "50%"], Instrument.name)) == ["50%", "ID11"]
    # Letters beyond ASCII are as they are written: no database's idea of them, nor the system's.
    assert read_names(session, contains_words("müll", Instrument.name)) == ["Müller"]
    assert read_names(session, is_one_of(["müller"], Instrument.name)) == ["Müller"]
    assert read_names(session, matches_name("mü*", Instrument.name)) == ["Müller"]
