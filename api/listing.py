"""A page of a list as an answer, the same for every list."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request, Response

from api.conditional import JSON
from api.links import to_page_links
from api.schemas.base import Answer, PageSchema
from ingest.catalogue.paging import Page

T = TypeVar("T")


def to_page_answer(
    request: Request, schema: type[PageSchema], page: Page[T], to_item: Callable[[T], Answer]
) -> Response:
    """Return the page as an answer, its items made by the function."""
    members: dict[str, Any] = {"items": [to_item(item) for item in page.items], "next": page.next_cursor}
    return to_linked_answer(schema(**members, links=to_page_links(request, page.next_cursor)))


def to_linked_answer(page: PageSchema) -> Response:
    """Return the answer, which says where the next page is in the header `Link` (RFC 8288), too.

    It is written here, in the thread of its route: the framework would check it once more, and write it in the one
    that all requests share.
    """
    following = page.links.next
    headers = {} if following is None else {"Link": f'<{following}>; rel="next"'}
    return Response(page.model_dump_json(), media_type=JSON, headers=headers)
