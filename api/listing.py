"""A page of a list as an answer, the same for every list."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request, Response

from api.links import to_page_links
from api.schemas.base import Answer, PageLinks, PageSchema
from ingest.catalogue.paging import Page

S = TypeVar("S", bound=PageSchema)
T = TypeVar("T")


class Lister:
    """Says where a page and the next one are, in the answer and for the next one in the header `Link` (RFC 8288)."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request, self._response = request, response

    def to_answer(self, schema: type[S], page: Page[T], to_item: Callable[[T], Answer]) -> S:
        """Return the page, its items made by the function."""
        members: dict[str, Any] = {"items": [to_item(item) for item in page.items], "next": page.next_cursor}
        return schema(**members, links=self.to_links(page.next_cursor))

    def to_links(self, next_cursor: str | None) -> PageLinks:
        """Return where this page and the next one are, which is then in the header, too."""
        return self.tell(to_page_links(self._request, next_cursor))

    def tell(self, links: PageLinks) -> PageLinks:
        """Return the links, the next one of which is in the header, too."""
        if links.next is not None:
            self._response.headers["Link"] = f'<{links.next}>; rel="next"'
        return links


async def get_lister(request: Request, response: Response) -> Lister:
    """Return what makes the answer of this request."""
    return Lister(request, response)


ListerDependency = Annotated[Lister, Depends(get_lister)]
