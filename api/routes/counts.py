"""Counting a whole result: values of nouns, dates, numbers; and what may be meant by what was typed."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.count_questions import DatesQuestion, FacetQuestion, NumbersQuestion, SuggestQuestion
from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.questions import FacetMode
from api.schemas.base import FacetValueSchema
from api.schemas.counts import (
    BinSchema,
    DatesSchema,
    FacetAnswer,
    NumbersSchema,
    PeriodSchema,
    SuggestionSchema,
    SuggestionsSchema,
)
from ingest.catalogue import histograms, suggesting
from ingest.catalogue.search import Noun

router = APIRouter(tags=["datasets"])

CountedNoun = Annotated[Noun, Path(description="Whose values are counted.", examples=["sample"])]


@router.get(
    "/facets/{noun}", operation_id="list_facet_values", summary="Values of a noun", responses=problems(400, 422, 503)
)
def list_facet_values(
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    noun: CountedNoun,
    asked: Annotated[FacetQuestion, Query()],
) -> FacetAnswer:
    """Count the values of a noun over all datasets that are found; those of them that hold the letters, if any."""
    facet = suggesting.list_values(session, index, viewer, now, asked.to_question(), asked.to_request(noun))
    values = [FacetValueSchema.model_validate(value) for value in facet.values]
    return FacetAnswer(noun=noun, values=values, others=facet.others)


@router.get(
    "/histograms/dates",
    operation_id="count_dates",
    summary="A result by years, quarters, months or days",
    responses=problems(400, 422, 503),
)
def count_dates(
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[DatesQuestion, Query()],
) -> DatesSchema:
    """Count the datasets that are found by the periods of their dates. One without the date is not counted."""
    question = replace(asked.to_question(), facets_ignore_own=asked.facet_mode is FacetMode.WIDE)
    periods = histograms.count_dates(session, index, viewer, now, question, asked.field, asked.interval)
    return DatesSchema(
        field=asked.field, interval=asked.interval, periods=[PeriodSchema.model_validate(each) for each in periods]
    )


@router.get(
    "/histograms/numbers",
    operation_id="count_numbers",
    summary="A result by the numbers of a parameter",
    responses=problems(400, 422, 503),
)
def count_numbers(
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[NumbersQuestion, Query()],
) -> NumbersSchema:
    """Count the datasets that are found in bins of a parameter, which have round edges unless bounds are given.

    One that varied the parameter counts in each bin that it passed through.
    """
    question = asked.to_question()
    histogram = histograms.count_numbers(session, index, viewer, now, question, asked.to_histogram())
    bins = [BinSchema.model_validate(each) for each in histogram.bins]
    return NumbersSchema(name=histogram.name, unit=histogram.unit, bins=bins)


@router.get(
    "/suggest", operation_id="suggest", summary="What may be meant while typing", responses=problems(400, 422, 503)
)
def suggest(
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[SuggestQuestion, Query()],
) -> SuggestionsSchema:
    """Suggest values and parameters of which a word begins with these letters; if there are none, what is near."""
    found = suggesting.suggest(session, index, viewer, now, asked.text, asked.limit)
    meant = None if found else suggesting.find_meant(index, viewer, now, asked.text)
    return SuggestionsSchema(suggestions=[SuggestionSchema.model_validate(each) for each in found], did_you_mean=meant)
