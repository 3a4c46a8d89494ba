"""Searching the datasets."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import make_dataset_links, to_page_links, to_search_links
from api.listing import to_linked_answer
from api.questions import SearchParameters
from api.schemas.base import FacetSchema, PageLinks, to_members
from api.schemas.datasets import DatasetPageSchema, HighlightSchema, HitSchema
from api.search_orders import SearchOrder, to_asked
from ingest.catalogue.finding import search_datasets as find
from ingest.catalogue.search import DatasetIndex
from ingest.catalogue.suggesting import find_meant
from ingest.catalogue.views import DatasetPage
from ingest.catalogue.visibility import Viewer

router = APIRouter(tags=["datasets"])


@router.get(
    "/datasets",
    operation_id="search_datasets",
    summary="Search the datasets",
    response_model=DatasetPageSchema,
    responses=problems(400, 422, 503),
)
def search_datasets(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[SearchParameters, Query()],
) -> Response:
    """Find datasets by words, by values of nouns, by dates and by ranges of parameters with units.

    Everything that is given must hold. Values of nouns are compared whole, without case and accents; of several for
    one noun, one is enough. Without anything given, all datasets are listed, the newest first. The total and the
    facets are of the whole result; `next` leads from page to page.
    """
    page, meant = _find(session, index, viewer, now, asked)
    return _to_answer(request, page, meant, to_page_links(request, page.next_cursor))


@router.post(
    "/search",
    operation_id="search_datasets_by_tree",
    summary="Search the datasets by a JSON document",
    response_model=DatasetPageSchema,
    responses=problems(400, 422, 503),
)
def search_datasets_by_tree(
    request: Request,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    order: SearchOrder,
) -> Response:
    """Find datasets as `GET /datasets` does, the query given as a tree beside or instead of `q`.

    The answer is the same. Its `links` are addresses for GET, with the tree as text in `q`: they can be handed on.
    """
    asked = order.to_parameters()
    page, meant = _find(session, index, viewer, now, asked)
    links = to_search_links(request, to_asked(asked), asked.cursor or None, page.next_cursor)
    return _to_answer(request, page, meant, links)


def _find(
    session: Session, index: DatasetIndex, viewer: Viewer, now: datetime, asked: SearchParameters
) -> tuple[DatasetPage, str | None]:
    """Return the page, and where nothing is found what may have been meant."""
    # Closed in this thread, which is there: handed to another it would wait for one.
    with session:
        page = find(session, index, viewer, now, asked.to_question())
    return page, None if page.total else find_meant(index, viewer, now, asked.q)


def _to_answer(request: Request, page: DatasetPage, meant: str | None, links: PageLinks) -> Response:
    to_links = make_dataset_links(request)
    items = [
        HitSchema(
            **to_members(hit.dataset),
            score=hit.score,
            highlights=[HighlightSchema.model_validate(each) for each in hit.highlights],
            links=to_links(hit.dataset.id, hit.dataset.doi),
        )
        for hit in page.hits
    ]
    answer = DatasetPageSchema(
        items=items,
        total=page.total,
        facets={noun: FacetSchema.model_validate(facet) for noun, facet in page.facets.items()},
        sort=page.sort,
        order_by=page.order_by,
        did_you_mean=meant,
        next=page.next_cursor,
        links=links,
    )
    return to_linked_answer(answer)
