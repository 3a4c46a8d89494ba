"""The search page and a dataset's page, over the same functions as the API. They need no script."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from api.choices import (
    COUNTED,
    PeriodChoice,
    list_chosen,
    list_groups,
    list_periods,
    list_sorts,
    to_asked,
    to_page_address,
)
from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.errors import STATUS_CODES
from api.links import add_name, to_address, to_dataset_links, to_landing_path, to_page_links
from api.questions import DatasetPageQuestion, FacetMode, SearchParameters
from api.rendering import render_page
from api.routes.datasets import DatasetId
from ingest.catalogue import browsing
from ingest.catalogue.errors import InvalidQueryError, NotReleasedError
from ingest.catalogue.finding import SearchQuestion, search_datasets
from ingest.catalogue.histograms import count_dates
from ingest.catalogue.paging import Page, PageRequest
from ingest.catalogue.search import DatasetIndex, Instant, Interval, Sort
from ingest.catalogue.suggesting import find_meant
from ingest.catalogue.views import FileView
from ingest.catalogue.visibility import Viewer

router = APIRouter(include_in_schema=False)

SHOWN_MONTHS: Final = 18
SHOWN_YEARS: Final = 40
SHOWN_ROWS: Final = 50
"""Scans and files on one page of a dataset: on a telephone a hundred of both are forty screens."""


@router.get("/", response_class=HTMLResponse)
def show_search_page(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[SearchParameters, Query()],
) -> HTMLResponse:
    """Return the page on which one searches; a query that cannot be understood is shown with the place."""
    question = asked.to_question()
    question = replace(question, facets=question.facets or tuple(COUNTED), facets_ignore_own=True)
    try:
        page = search_datasets(session, index, viewer, now, question)
    except InvalidQueryError as error:
        context = _to_search_context(request, question)
        return render_page(request, "search.html", STATUS_CODES[InvalidQueryError], error=error, page=None, **context)
    return render_page(
        request,
        "search.html",
        error=None,
        page=page,
        groups=list_groups(request, page.facets),
        periods=_list_periods(request, session, index, viewer, now, question),
        meant=None if page.total else find_meant(index, viewer, now, question.text),
        sorts=list_sorts(request, [sort for sort in Sort if asked.q or sort is not Sort.RELEVANCE]),
        following=to_page_links(request, page.next_cursor).next,
        to_landing=partial(to_landing_path, request),
        **_to_search_context(request, question),
    )


@router.get("/datasets/{dataset_id}", response_class=HTMLResponse)
def show_dataset_page(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    dataset_id: DatasetId,
    asked: Annotated[DatasetPageQuestion, Query()],
) -> HTMLResponse:
    """Return the page of a dataset: what is known of it, its scans, its parameters and its files."""
    whose = (session, viewer, now, dataset_id)
    dataset = browsing.get_dataset(*whose)
    return render_page(
        request,
        "dataset.html",
        dataset=dataset,
        asked=asked,
        scans=browsing.list_scans(*whose, PageRequest(SHOWN_ROWS, asked.scans or None)),
        parameters=browsing.list_parameters(*whose, PageRequest(cursor=asked.parameters or None), scan=asked.scan),
        files=_find_files(*whose, PageRequest(SHOWN_ROWS, asked.files or None)),
        leaf=_make_leaf(request, dataset_id),
        links=to_dataset_links(request, dataset_id, dataset.doi),
        folder=to_address(request, "get_file", dataset_id=dataset_id, name=""),
        add_name=add_name,
    )


def _list_periods(
    request: Request, session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, question: SearchQuestion
) -> list[PeriodChoice]:
    """Return the months in which datasets began that are found but for their beginning; if they are many, the years."""
    for interval in (Interval.MONTH, Interval.YEAR):
        periods = count_dates(session, index, viewer, now, question, Instant.START, interval)
        if len(periods) <= SHOWN_MONTHS:
            break
    return list_periods(request, periods[-SHOWN_YEARS:], interval)


def _to_search_context(request: Request, question: SearchQuestion) -> dict[str, Any]:
    """Return what the search page needs whether its query is understood or not."""
    asked = to_asked(request)
    given = request.query_params
    counted = [] if given.get("facets") else [("facets", ",".join(question.facets))]
    counted += [] if given.get("facet_mode") else [("facet_mode", FacetMode.WIDE.value)]
    return {
        "question": question,
        "kept": to_asked(request, "q", "cursor"),
        "chosen": list_chosen(request),
        "beginning": to_page_address(request, "show_search_page", to_asked(request, "cursor")),
        "json_address": to_page_address(request, "search_datasets", [*asked, *counted]),
    }


def _find_files(
    session: Session, viewer: Viewer, now: datetime, dataset_id: int, request: PageRequest
) -> Page[FileView] | None:
    """Return the files, None if they are not released yet."""
    try:
        return browsing.list_files(session, viewer, now, dataset_id, request)
    except NotReleasedError:
        return None


def _make_leaf(request: Request, dataset_id: int) -> Callable[..., str]:
    """Return what makes the address of a part of this page, its parameters changed or, where None, left out."""
    path = to_address(request, "show_dataset_page", dataset_id=dataset_id)
    asked = dict(to_asked(request))

    def leaf(part: str, **changes: str | None) -> str:
        changed = {name: value for name, value in (asked | changes).items() if value}
        return f"{path}?{urlencode(changed)}#{part}" if changed else f"{path}#{part}"

    return leaf
