"""Samples as a viewer may see them: through a dataset that it may find, or a scan of one, and no others.

Functions over a Session that only read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, func, select, tuple_, union

from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.investigation_parts import has_sample
from ingest.catalogue.matching import contains_words, is_one_of
from ingest.catalogue.model import Dataset, Facility, Investigation, InvestigationSample, Sample, SampleType, Scan
from ingest.catalogue.paging import FIRST_PAGE, Page, PageRequest, from_cursor, to_key, to_list_name, to_page
from ingest.catalogue.summaries import to_investigation
from ingest.catalogue.views import InvestigationView, SampleView
from ingest.catalogue.visibility import Viewer, may_find, may_find_sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

SHOWN_INVESTIGATIONS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleQuestion:
    """What samples are asked for; all that is given must hold. Of several names of one kind one is enough.

    `text` is words of the name; `names` are whole ones.
    """

    text: str = ""
    names: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    facilities: tuple[str, ...] = ()
    proposals: tuple[str, ...] = ()
    investigation_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleDetail(SampleView):
    """A sample with what it takes part in, as far as the viewer may find datasets of it.

    `investigations` are the latest SHOWN_INVESTIGATIONS.
    """

    pid: str | None
    facility: str
    proposal: str | None
    investigations: tuple[InvestigationView, ...]
    dataset_count: int


def list_samples(
    session: Session, viewer: Viewer, now: datetime, question: SampleQuestion, request: PageRequest = FIRST_PAGE
) -> Page[SampleDetail]:
    """Return a page of the samples that match and that the viewer may know of, by name.

    Raises InvalidQueryError for too many words.
    """
    name = to_list_name("samples", question)
    seen = and_(*_to_conditions(question, viewer, now), may_find_sample(viewer, now))
    statement = select(Sample.id, Sample.name).where(seen).order_by(Sample.name, Sample.id).limit(request.limit + 1)
    if after := from_cursor(name, request, (str, int)):
        statement = statement.where(tuple_(Sample.name, Sample.id) > tuple_(*after))
    rows = session.execute(statement).all()
    samples = _load_samples(session, viewer, now, [row.id for row in rows[: request.limit]])
    return to_page(name, request, rows, lambda row: [row.name, row.id], lambda row: samples[row.id])


def get_sample(session: Session, viewer: Viewer, now: datetime, sample_id: int) -> SampleDetail:
    """Return the sample; raises NotFoundError if there is none, or none that the viewer may know of."""
    seen = and_(Sample.id == to_key(sample_id), may_find_sample(viewer, now))
    if session.scalar(select(Sample.id).where(seen)) is None:
        raise NotFoundError("sample", sample_id)
    return _load_samples(session, viewer, now, [sample_id])[sample_id]


def _to_conditions(question: SampleQuestion, viewer: Viewer, now: datetime) -> list[ColumnElement[bool]]:
    conditions = [contains_words(question.text, Sample.name)]
    if question.names:
        conditions.append(Sample.name.in_(question.names))
    if question.formulas:
        named = select(SampleType.id).where(is_one_of(question.formulas, SampleType.molecular_formula))
        conditions.append(Sample.type_id.in_(named))
    if question.facilities:
        conditions.append(_of_facilities(is_one_of(question.facilities, Facility.name)))
    if question.proposals:
        # There are few investigations and many samples, which are found by facility and proposal as they are spelled.
        spelled = select(Investigation.name).where(is_one_of(question.proposals, Investigation.name))
        conditions += [_of_facilities(Facility.id.is_not(None)), Sample.proposal.in_(spelled)]
    if question.investigation_id is not None:
        link = InvestigationSample
        of_it = and_(link.investigation_id == to_key(question.investigation_id), has_sample(viewer, now))
        conditions.append(Sample.id.in_(select(link.sample_id).where(of_it)))
    return conditions


def _of_facilities(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return Sample.facility_id.in_(select(Facility.id).where(condition))


def _load_samples(session: Session, viewer: Viewer, now: datetime, ids: Sequence[int]) -> Mapping[int, SampleDetail]:
    statement = (
        select(Sample, SampleType.molecular_formula, Facility.name)
        .join(Facility, Facility.id == Sample.facility_id)
        .outerjoin(SampleType, SampleType.id == Sample.type_id)
        .where(Sample.id.in_(ids))
    )
    investigations = _load_investigations(session, viewer, now, ids)
    counts = _count_datasets(session, viewer, now, ids)
    return {
        sample.id: SampleDetail(
            id=sample.id,
            name=sample.name,
            formula=formula,
            pid=sample.pid,
            facility=facility,
            proposal=sample.proposal or None,
            investigations=tuple(investigations[sample.id]),
            dataset_count=counts[sample.id],
        )
        for sample, formula, facility in session.execute(statement)
    }


def _load_investigations(
    session: Session, viewer: Viewer, now: datetime, ids: Sequence[int]
) -> Mapping[int, list[InvestigationView]]:
    link = InvestigationSample
    latest = func.row_number().over(partition_by=link.sample_id, order_by=link.investigation_id.desc())
    numbered = (
        select(link.sample_id, link.investigation_id, latest.label("place"))
        .where(link.sample_id.in_(ids), has_sample(viewer, now))
        .subquery()
    )
    statement = (
        select(numbered.c.sample_id, Investigation)
        .join(Investigation, Investigation.id == numbered.c.investigation_id)
        .where(numbered.c.place <= SHOWN_INVESTIGATIONS)
        .order_by(numbered.c.sample_id, numbered.c.place)
    )
    found: dict[int, list[InvestigationView]] = defaultdict(list)
    for sample_id, investigation in session.execute(statement):
        found[sample_id].append(to_investigation(investigation))
    return found


def _count_datasets(session: Session, viewer: Viewer, now: datetime, ids: Sequence[int]) -> Mapping[int, int]:
    of_scans: Any = select(Scan.sample_id, Scan.dataset_id).where(Scan.sample_id.in_(ids))
    of_datasets: Any = select(Dataset.sample_id, Dataset.id).where(Dataset.sample_id.in_(ids))
    pairs = union(of_scans, of_datasets).subquery()
    statement = (
        select(pairs.c.sample_id, func.count())
        .join(Dataset, Dataset.id == pairs.c.dataset_id)
        .where(may_find(viewer, now))
        .group_by(pairs.c.sample_id)
    )
    return dict(session.execute(statement).all())
