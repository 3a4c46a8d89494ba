"""Searching the datasets."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import IndexDependency, NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_dataset_links, to_search_links
from api.listing import ListerDependency
from api.questions import SearchParameters
from api.schemas.base import FacetSchema, PageLinks, to_members
from api.schemas.datasets import DatasetPageSchema, HighlightSchema, HitSchema
from api.search_orders import SearchOrder, to_asked
from ingest.catalogue.finding import search_datasets as find
from ingest.catalogue.views import DatasetPage

router = APIRouter(tags=["datasets"])


@router.get(
    "/datasets", operation_id="search_datasets", summary="Search the datasets", responses=problems(400, 422, 503)
)
def search_datasets(
    request: Request,
    lister: ListerDependency,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    asked: Annotated[SearchParameters, Query()],
) -> DatasetPageSchema:
    """Find datasets by words, by values of nouns, by dates and by ranges of parameters with units.

    Everything that is given must hold. Values of nouns are compared whole, without case and accents; of several for
    one noun, one is enough. Without anything given, all datasets are listed, the newest first. The total and the
    facets are of the whole result; `next` leads from page to page.
    """
    page = find(session, index, viewer, now, asked.to_question())
    return _to_answer(request, page, lister.to_links(page.next_cursor))


@router.post(
    "/search",
    operation_id="search_datasets_by_tree",
    summary="Search the datasets by a JSON document",
    responses=problems(400, 422, 503),
)
def search_datasets_by_tree(
    request: Request,
    lister: ListerDependency,
    session: SessionDependency,
    index: IndexDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    order: SearchOrder,
) -> DatasetPageSchema:
    """Find datasets as `GET /datasets` does, the query given as a tree beside or instead of `q`.

    The answer is the same. Its `links` are addresses for GET, with the tree as text in `q`: they can be handed on.
    """
    asked = order.to_parameters()
    page = find(session, index, viewer, now, asked.to_question())
    links = to_search_links(request, to_asked(asked), asked.cursor or None, page.next_cursor)
    return _to_answer(request, page, lister.tell(links))


def _to_answer(request: Request, page: DatasetPage, links: PageLinks) -> DatasetPageSchema:
    items = [
        HitSchema(
            **to_members(hit.dataset),
            score=hit.score,
            highlights=[HighlightSchema.model_validate(each) for each in hit.highlights],
            links=to_dataset_links(request, hit.dataset.id, hit.dataset.doi),
        )
        for hit in page.hits
    ]
    return DatasetPageSchema(
        items=items,
        total=page.total,
        facets={noun: FacetSchema.model_validate(facet) for noun, facet in page.facets.items()},
        sort=page.sort,
        order_by=page.order_by,
        next=page.next_cursor,
        links=links,
    )
