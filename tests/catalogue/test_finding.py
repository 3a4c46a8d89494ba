"""From a question to a page: parsed once, resolved with what the viewer may know, shown in the order of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.model import Dataset
from ingest.catalogue.search import Instant, Noun, Sort
from ingest.catalogue.search.embedded import EmbeddedIndex
from ingest.catalogue.visibility import ANONYMOUS, OPERATOR
from tests.entities import END, START, add_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from tests.entities import Catalogue

NOW = END.replace(year=2026)


@pytest.fixture
def index(catalogue: Catalogue) -> Iterator[EmbeddedIndex]:
    opened = EmbeddedIndex(catalogue.settings.index_folder)
    yield opened
    opened.close()


@pytest.fixture
def ids(catalogue: Catalogue) -> list[int]:
    with catalogue.sessions.begin() as session:
        made = [add_dataset(session, word, start_date=START.replace(year=2000 + n)) for n, word in enumerate("abc")]
        made.append(add_dataset(session, "hidden", is_secret=True))
    catalogue.index_all()
    return made


def test_hits_keep_the_order_of_the_index(session: Session, index: EmbeddedIndex, ids: list[int]) -> None:
    for sort, order in ((None, [2, 1, 0]), (Sort.OLDEST, [0, 1, 2]), (Sort.NAME, [0, 1, 2])):
        page = search_datasets(session, index, ANONYMOUS, NOW, SearchQuestion(sort=sort))
        assert [hit.dataset.id for hit in page.hits] == [ids[n] for n in order]


def test_dataset_that_left_the_database_is_left_out(
    catalogue: Catalogue, session: Session, index: EmbeddedIndex, ids: list[int]
) -> None:
    with catalogue.sessions.begin() as other:
        other.delete(other.get_one(Dataset, ids[1]))
    page = search_datasets(session, index, ANONYMOUS, NOW, SearchQuestion())
    assert [hit.dataset.id for hit in page.hits] == [ids[2], ids[0]]


def test_operator_finds_parameters_of_closed_data(session: Session, index: EmbeddedIndex, ids: list[int]) -> None:
    question = SearchQuestion(parameters=("hidden_pressure:1..9 Pa",))
    assert [hit.dataset.id for hit in search_datasets(session, index, OPERATOR, NOW, question).hits] == ids[3:]
    with pytest.raises(InvalidQueryError, match="no field or parameter"):
        search_datasets(session, index, ANONYMOUS, NOW, question)


@pytest.mark.usefixtures("ids")
def test_parameter_of_the_vocabulary_may_be_asked_before_anything_has_it(
    session: Session, index: EmbeddedIndex
) -> None:
    question = SearchQuestion(text="wavelength:1..2 nm")
    assert search_datasets(session, index, ANONYMOUS, NOW, question).total == 0


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ({"text": "a or energy:>1 keV"}, 3),
        ({"text": "b or c"}, 2),
        ({"text": "not a"}, 2),
        ({"text": "a", "parameters": ("energy:12..13 keV",)}, 1),
        ({"text": "b or c", "parameters": ("energy:12..13 keV", "b_pressure:5 Pa")}, 1),
        ({"text": "loop", "dates": {Instant.START: "2001..", Instant.END: "2019"}}, 2),
        ({"filters": {Noun.INSTRUMENT: ("a-bm", "c-bm")}, "dates": {Instant.START: "2002"}}, 1),
        ({"filters": {Noun.INSTRUMENT: ()}}, 3),
        ({"text": "*"}, 3),
    ],
)
def test_parts_of_a_question_all_hold(
    session: Session, index: EmbeddedIndex, question: dict[str, Any], parts: int
) -> None:
    assert search_datasets(session, index, ANONYMOUS, NOW, SearchQuestion(**question)).total == parts


@pytest.mark.usefixtures("ids")
@pytest.mark.parametrize(
    ("question", "sort"),
    [
        ({"text": "loop"}, Sort.RELEVANCE),
        ({"text": 'not ("loop" or energy:<1 keV)'}, Sort.RELEVANCE),
        ({"text": "instrument:a energy:>1 keV"}, Sort.NEWEST),
        ({}, Sort.NEWEST),
        ({"text": "loop", "sort": Sort.NAME}, Sort.NAME),
    ],
)
def test_words_are_sorted_by_relevance(
    session: Session, index: EmbeddedIndex, question: dict[str, Any], sort: Sort
) -> None:
    assert search_datasets(session, index, ANONYMOUS, NOW, SearchQuestion(**question)).sort is sort


@pytest.mark.parametrize(
    ("question", "position", "text"),
    [
        ({"text": "a ("}, 3, "a ("),
        ({"parameters": ("energy:12..13 keV", "energy:3 or a")}, 0, "energy:3 or a"),
        ({"parameters": ("energy:5..4",)}, 7, "energy:5..4"),
        ({"parameters": ("nothing:5..6",)}, 0, "nothing:5..6"),
        ({"parameters": ("",)}, 0, ""),
        ({"dates": {Instant.START: "2025..x"}}, 6, "2025..x"),
        ({"dates": {Instant.START: ""}}, 0, ""),
        ({"dates": {Instant.END: "2025) or (a"}}, 4, "2025) or (a"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    session: Session, index: EmbeddedIndex, question: dict[str, Any], position: int, text: str
) -> None:
    with pytest.raises(InvalidQueryError) as refused:
        search_datasets(session, index, ANONYMOUS, NOW, SearchQuestion(**question))
    assert (refused.value.position, refused.value.text) == (position, text)


@pytest.mark.usefixtures("ids")
def test_words_alone_do_not_ask_for_the_parameters(
    catalogue: Catalogue, session: Session, index: EmbeddedIndex
) -> None:
    seen: list[str] = []
    event.listen(catalogue.engine, "before_cursor_execute", lambda *asked: seen.append(asked[2]))
    search_datasets(session, index, ANONYMOUS, NOW, SearchQuestion(text="loop instrument:a"))
    assert seen
    assert not any("parameter_type" in statement for statement in seen)
