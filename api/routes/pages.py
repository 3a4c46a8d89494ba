"""The search page and a dataset's page, over the same functions as the API."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.rendering import render_page

router = APIRouter(include_in_schema=False)


@router.get("/")
def show_search_page(request: Request) -> HTMLResponse:
    """Return the page on which one searches."""
    return render_page(request, "base.html")
