"""What the doors are given of a dataset: plain values, bounded lists, the rule asked first."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from ingest.catalogue.browsing import get_dataset, list_files, list_parameters, list_scans
from ingest.catalogue.errors import NotFoundError, NotReleasedError
from ingest.catalogue.model import Base, Dataset
from ingest.catalogue.paging import PageRequest
from ingest.catalogue.summaries import load_summaries
from ingest.catalogue.views import Visibility
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR, may_find, may_open_files
from tests.entities import END, FUTURE, PAST, add_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

NOW = END.replace(year=2026)
LISTS = [list_scans, list_parameters, list_files]


def test_views_are_plain_values_that_outlive_the_session(catalogue: Catalogue) -> None:
    with catalogue.sessions() as session:
        dataset_id = add_dataset(session, "zinnia")
        views = [get_dataset(session, OPERATOR, NOW, dataset_id)]
        views += [item for read in LISTS for item in read(session, OPERATOR, NOW, dataset_id).items]
    assert len(views) == 1 + 1 + 3 + 1
    for value in flatten([dataclasses.asdict(view) for view in views]):
        assert not isinstance(value, Base)


def flatten(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from flatten(part)
    else:
        yield value


@pytest.mark.parametrize("read", [get_dataset, *LISTS])
@pytest.mark.parametrize("dataset_id", [0, -1, 99, 2**63 - 1, 2**63, 10**30])
def test_dataset_that_is_not_there(session: Session, read: Callable[..., Any], dataset_id: int) -> None:
    with pytest.raises(NotFoundError, match=f"no dataset {dataset_id}"):
        read(session, OPERATOR, NOW, dataset_id)


@pytest.mark.parametrize("read", [get_dataset, *LISTS])
@pytest.mark.parametrize("closed", [{"is_secret": True}, {"release_date": FUTURE}, {"release_date": None}])
def test_closed_dataset_is_not_there(session: Session, read: Callable[..., Any], closed: dict[str, Any]) -> None:
    dataset_id = add_dataset(session, "zinnia", **closed)
    with pytest.raises(NotFoundError):
        read(session, ANONYMOUS, NOW, dataset_id)
    assert read(session, OPERATOR, NOW, dataset_id)


def test_files_of_a_known_dataset_wait_for_the_release(session: Session) -> None:
    dataset_id = add_dataset(session, "zinnia", release_date=FUTURE, is_metadata_public=True)
    assert get_dataset(session, ANONYMOUS, NOW, dataset_id).visibility is Visibility.EMBARGOED
    with pytest.raises(NotReleasedError) as refused:
        list_files(session, ANONYMOUS, NOW, dataset_id)
    assert refused.value.dataset_id == dataset_id
    assert list_files(session, ANONYMOUS, FUTURE, dataset_id).items


@pytest.mark.parametrize("is_secret", [False, True])
@pytest.mark.parametrize("is_public", [False, True])
@pytest.mark.parametrize("release", [None, PAST, NOW, FUTURE])
def test_class_that_is_told_is_the_one_that_is_applied(
    session: Session, is_secret: bool, is_public: bool, release: Any
) -> None:
    columns = {"is_secret": is_secret, "is_metadata_public": is_public, "release_date": release}
    dataset_id = add_dataset(session, "zinnia", **columns)
    told = get_dataset(session, OPERATOR, NOW, dataset_id).visibility
    may = {rule: holds(session, rule(ANONYMOUS, NOW)) for rule in (may_find, may_open_files)}
    assert may[may_open_files] == (told is Visibility.OPEN)
    assert may[may_find] == (told is Visibility.OPEN or (told is Visibility.EMBARGOED and is_public))


def holds(session: Session, condition: Any) -> bool:
    return session.query(Dataset).filter(condition).count() == 1


def test_summaries_of_many_cost_a_handful_of_queries(catalogue: Catalogue) -> None:
    with catalogue.sessions() as session:
        ids = [add_dataset(session, f"zinnia{n}", scans=3) for n in range(20)]
        session.flush()
        session.expunge_all()
        with counting(catalogue) as counted:
            found = load_summaries(session, ANONYMOUS, NOW, ids)
    assert set(found) == set(ids)
    assert counted["SELECT"] <= 5


def test_summaries_are_only_of_what_may_be_found(session: Session) -> None:
    ids = [add_dataset(session, "zinnia"), add_dataset(session, "daisy", is_secret=True)]
    assert list(load_summaries(session, ANONYMOUS, NOW, ids)) == ids[:1]
    assert set(load_summaries(session, OPERATOR, NOW, ids)) == set(ids)
    assert load_summaries(session, OPERATOR, NOW, []) == {}


def test_page_reads_no_more_than_it_shows(session: Session) -> None:
    dataset_id = add_dataset(session, "zinnia", files=2500)
    session.expunge_all()
    page = list_files(session, ANONYMOUS, NOW, dataset_id, PageRequest(limit=10))
    assert [file.ordinal for file in page.items] == list(range(10))
    assert len(list(session.identity_map)) <= 11
    after = list_files(session, ANONYMOUS, NOW, dataset_id, PageRequest(limit=1000, cursor=page.next_cursor))
    assert after.items[0].ordinal == 10


class counting:  # noqa: N801 (reads as a verb in a with statement)
    """Count statements by their verb."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.engine, self.verbs = catalogue.engine, Counter[str]()

    def __enter__(self) -> Counter[str]:
        event.listen(self.engine, "before_cursor_execute", self.note)
        return self.verbs

    def __exit__(self, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self.note)

    def note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self.verbs[statement.split(maxsplit=1)[0]] += 1
