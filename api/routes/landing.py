"""What a DOI leads to: a page for people, metadata for programs."""

import json
from collections import defaultdict
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response

from api.dependencies import NowDependency, SessionDependency, ViewerDependency
from api.documentation import problems
from api.links import to_landing_path
from api.negotiation import choose_media_type
from api.publication_links import FORMAT, to_addresses, to_landing_address
from api.questions import Absent
from api.rendering import render_page
from api.signposting import to_metadata_signposts, to_page_signposts
from ingest.catalogue.citations import to_bibtex, to_citation
from ingest.catalogue.datacite import to_datacite
from ingest.catalogue.jsonld import to_access, to_json_ld, to_script
from ingest.catalogue.publication_views import Addresses, DateType, PublicationView
from ingest.catalogue.publications import get_publication

router = APIRouter(tags=["publications"])

SHOWN_FILES: Final = 20
"""How many files the page names; the pages of the datasets list all."""


class Form(StrEnum):
    """What a publication is shown as."""

    PAGE = "html"
    DATACITE = "datacite"
    JSON_LD = "jsonld"
    BIBTEX = "bibtex"


FORMS: Final = {
    "text/html": Form.PAGE,
    "application/vnd.datacite.datacite+json": Form.DATACITE,
    "application/vnd.schemaorg.ld+json": Form.JSON_LD,
    "application/ld+json": Form.JSON_LD,
    "application/x-bibtex": Form.BIBTEX,
}
"""By media type, as doi.org's content negotiation has them. The page is first: it is what `*/*` gets."""
MEDIA_TYPES: Final = {form: media_type for media_type, form in FORMS.items()}
"""By form the media type that a link says; for JSON-LD the registered one, which comes last above."""


@router.get(
    "/doi/{prefix}/{suffix:path}",
    operation_id="get_landing",
    summary="What a DOI leads to",
    response_class=Response,
    responses={
        200: {"description": "In the form that was asked for.", "content": {name: {} for name in FORMS}},
        **problems(404, 406, 422, 503),
    },
)
def get_landing(
    request: Request,
    session: SessionDependency,
    viewer: ViewerDependency,
    now: NowDependency,
    prefix: Annotated[str, Path(description="What stands before the first slash of the DOI.", examples=["10.5072"])],
    suffix: Annotated[str, Path(description="What follows it, further slashes included.", examples=["gv4yt-6xy39"])],
    form: Annotated[
        Form | Absent,
        Query(alias=FORMAT, description="The form, whatever the Accept header says: for links that people follow."),
    ] = None,
) -> Response:
    """Return the landing page, or what the Accept header asks for: DataCite's JSON, schema.org's JSON-LD, BibTeX.

    While the data are under embargo it tells title, people, dates and the end of the embargo, and nothing of the data.
    """
    publication = get_publication(session, viewer, now, f"{prefix}/{suffix}")
    if form is None:
        media_type = choose_media_type(", ".join(request.headers.getlist("accept")), list(FORMS))
    else:
        media_type = MEDIA_TYPES[form]
    addresses = to_addresses(request, publication)
    if FORMS[media_type] is Form.PAGE:
        answer = _to_page(request, publication, addresses)
    else:
        answer = _to_metadata(publication, addresses, media_type)
    if form is None:
        answer.headers["Vary"] = "Accept"
    return answer


def _to_page(request: Request, publication: PublicationView, addresses: Addresses) -> Response:
    path = to_landing_path(request, publication.doi)
    page = render_page(
        request,
        "landing.html",
        publication=publication,
        landing=addresses.landing,
        access=to_access(publication),
        collected=to_days(publication.dates.get(DateType.COLLECTED, "")),
        technique_addresses=defaultdict(str, {term.name: term.address for term in publication.terms if term.address}),
        shown_files=SHOWN_FILES,
        citation=to_citation(publication, addresses),
        bibtex=to_bibtex(publication, addresses),
        json_ld=to_script(to_json_ld(publication, addresses)),
        forms={form: f"{path}?{FORMAT}={form}" for form in Form if form is not Form.PAGE},
    )
    forms = {
        media_type: to_landing_address(request, publication.doi, form)
        for form, media_type in MEDIA_TYPES.items()
        if form is not Form.PAGE
    }
    page.headers["Link"] = to_page_signposts(publication, addresses, forms)
    return page


def to_days(span: str) -> str:
    """Return the days of an instant or of a span between two, as people read them."""
    days = dict.fromkeys(instant[:10] for instant in span.split("/"))
    return " to ".join(days)


def _to_metadata(publication: PublicationView, addresses: Addresses, media_type: str) -> Response:
    match FORMS[media_type]:
        case Form.BIBTEX:
            text, media_type = to_bibtex(publication, addresses), f"{media_type}; charset=utf-8"
        case Form.JSON_LD:
            text = json.dumps(to_json_ld(publication, addresses), ensure_ascii=False, indent=2)
        case _:
            text = json.dumps(to_datacite(publication, addresses), ensure_ascii=False, indent=2)
    headers = {"Link": to_metadata_signposts(publication, addresses)}
    return Response(text, headers=headers, media_type=media_type)
