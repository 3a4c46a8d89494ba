"""Experimental techniques as a viewer may see them: those of datasets that it may find. Functions that only read.

A technique is the same at every facility. The counts come from the index, and count what the datasets themselves are
said to be; a search for a technique finds the narrower ones as well, by `technique_terms`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from ingest.catalogue.counting import CountedSort, count_by_value, list_counted
from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.matching import contains_words
from ingest.catalogue.model import Technique
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, to_key, to_list_name
from ingest.catalogue.search import DatasetIndex, Noun
from ingest.catalogue.technique_terms import TechniqueTerm, ancestors, find_technique

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from ingest.catalogue.visibility import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueQuestion:
    """What techniques are asked for: words of name, description or persistent identifier."""

    text: str = ""
    sort: CountedSort = CountedSort.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueView:
    """A technique, with the number of its datasets that the viewer may find; `pid` is its term in an ontology.

    `broader` are the terms that it falls under, the nearest first.
    """

    id: int
    name: str
    pid: str | None
    description: str | None
    dataset_count: int
    broader: tuple[TechniqueTerm, ...] = ()


def list_techniques(
    session: Session,
    index: DatasetIndex,
    viewer: Viewer,
    now: datetime,
    question: TechniqueQuestion,
    request: PageRequest = FIRST_PAGE,
) -> Page[TechniqueView]:
    """Return a page of the techniques that match and that the viewer may know of.

    Raises InvalidQueryError for too many words.
    """
    matching = contains_words(question.text, Technique.name, Technique.description, Technique.pid)
    found = _load(session, index, viewer, now, matching)
    return list_counted(to_list_name("techniques", question), request, found, question.sort)


def get_technique(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, technique_id: int
) -> TechniqueView:
    """Return the technique; raises NotFoundError if there is none, or none that the viewer may know of."""
    found = _load(session, index, viewer, now, Technique.id == to_key(technique_id))
    if not found:
        raise NotFoundError("technique", technique_id)
    return found[0]


def _load(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, condition: ColumnElement[bool]
) -> Sequence[TechniqueView]:
    counts = count_by_value(index, viewer, now, Noun.TECHNIQUE)
    return [
        TechniqueView(
            id=technique.id,
            name=technique.name,
            pid=technique.pid,
            description=technique.description,
            dataset_count=counts[technique.name],
            broader=_list_broader(technique),
        )
        for technique in session.scalars(select(Technique).where(condition))
        if technique.name in counts
    ]


def _list_broader(technique: Technique) -> tuple[TechniqueTerm, ...]:
    term = find_technique(technique.pid or technique.name)
    return () if term is None else ancestors(term.pid)
