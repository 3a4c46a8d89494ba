"""What is published, for scripts."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.dependencies import SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_page_links
from api.publication_links import to_publication_links
from api.questions import PageQuestion
from api.schemas.base import to_members
from api.schemas.publications import PublicationPageSchema, PublicationSchema
from ingest.catalogue import publications

router = APIRouter(prefix="/publications", tags=["publications"])


@router.get("", operation_id="list_publications", summary="What is published", responses=problems(400, 422, 503))
def list_publications(
    request: Request, session: SessionDependency, viewer: ViewerDependency, asked: Annotated[PageQuestion, Query()]
) -> PublicationPageSchema:
    """List what has a DOI, the newest first; data under embargo stay in the list, as their landing pages do."""
    page = publications.list_publications(session, viewer, asked.to_request())
    items = [
        PublicationSchema(**to_members(item), links=to_publication_links(request, item.doi)) for item in page.items
    ]
    return PublicationPageSchema(items=items, next=page.next_cursor, links=to_page_links(request, page.next_cursor))
