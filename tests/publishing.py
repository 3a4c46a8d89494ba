"""Publications for tests: made in the database, or out of anything that people and files may say."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from ingest.catalogue.errors import CatalogueError
from ingest.catalogue.licences import USUAL, get_licence
from ingest.catalogue.publication_request import Creator, PublicationRequest, to_creator, to_request
from ingest.catalogue.publication_store import store_publication
from ingest.catalogue.publication_views import (
    Addresses,
    DataView,
    DateType,
    Download,
    PublicationKind,
    PublicationView,
    PublishedInstrument,
    Span,
    Term,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
PREFIX = "10.5072"
ORCID = "0000-0002-1825-0097"
ADA = Creator("Example", "Ada", ORCID, ("ESRF",))
BOB = Creator("Other", "Bob")
ADDRESSES = Addresses("https://data.example.org/doi/10.5072/abcde-fgh12", "https://data.example.org/")
HOSTILE = (
    "</script><script>alert(1)</script>",
    "a\r\nSet-Cookie: b=c",
    '">; rel="license"',
    "<b>&amp; 100 % of $x_{1}^{2}$ ~ #1 \\end{document} { unbalanced",
    "} other @misc{x, title=",
    "Fe₂O₃ \u2013 Größe, 水",
    "A and B",
    "\x00\x1b[2J\u202eabc\u2028",
)


def said(*dataset_ids: int, **changes: Any) -> PublicationRequest:
    """Return what is asked, or with the keywords something else."""
    request = PublicationRequest(dataset_ids, "LaB6 at ID00", (ADA, BOB), get_licence("CC-BY-4.0"), "A standard.")
    return replace(request, **changes)


def publish(session: Session, *dataset_ids: int, now: datetime = NOW, **changes: Any) -> str:
    """Publish the datasets, and return their DOI."""
    return store_publication(session, said(*dataset_ids, **changes), PREFIX, now).doi


def to_view(**changes: Any) -> PublicationView:
    """Return a publication with all that one can have, or with the keywords another one."""
    columns: dict[str, Any] = {
        "doi": "10.5072/abcde-fgh12",
        "kind": PublicationKind.DATASET,
        "title": "LaB6 at ID00",
        "abstract": "A standard.",
        "creators": (ADA, BOB),
        "publisher": "European Synchrotron",
        "publisher_address": "https://www.example.org",
        "publication_date": NOW,
        "licence": get_licence("CC-BY-4.0"),
        "dates": {
            DateType.ISSUED: "2026-11-21",
            DateType.AVAILABLE: "2026-05-01",
            DateType.COLLECTED: "2023-05-01T10:00:00Z/2023-05-02T10:00:00Z",
        },
        "terms": (Term("diffraction", "PaNET", "http://purl.org/x.owl", "http://purl.org/x"), Term("LaB6")),
        "is_open": True,
        "embargo_end": None,
        "part_dois": ("10.5072/part1-00000",),
        "data": DataView(
            dataset_count=1,
            file_count=2,
            file_size=30,
            open_file_count=2,
            open_file_size=30,
            samples=("LaB6",),
            instruments=(PublishedInstrument("id00", "Beamline ID00"), PublishedInstrument("id01")),
            techniques=("diffraction", "LaB6", "fluorescence"),
            spans=(Span("energy", "keV", 12.0, 13.5), Span("transmission", "1", 0.5, 0.5)),
        ),
    }
    return PublicationView(**(columns | changes))


texts = st.one_of(st.text(max_size=20), st.sampled_from(HOSTILE))


def _to_accepted(text: str) -> str:
    """Return what is left of a text if all is left out that would be refused."""
    kept = (sign for sign in text if unicodedata.category(sign) not in ("Cc", "Cs") and sign not in "\ufffe\uffff")
    return " ".join("".join(kept).split()) or "x"


lines = texts.map(_to_accepted)
places = st.lists(lines, max_size=2, unique=True).map(tuple)
people = st.lists(
    st.builds(Creator, lines, st.just("") | lines, st.sampled_from([None, ORCID]), places),
    min_size=1,
    max_size=3,
    unique_by=lambda each: each.orcid or each.full_name,
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
sizes = st.integers(0, 2**60)
instants = st.datetimes(timezones=st.just(UTC))


@st.composite
def requests(draw: st.DrawFn, *dataset_ids: int) -> PublicationRequest | None:
    """Draw what somebody may ask; None for what is refused."""
    parts = st.lists(texts, min_size=1, max_size=3)
    names = st.one_of(
        st.tuples(texts, texts).map(", ".join),
        st.tuples(texts, texts, st.sampled_from(["", ORCID]), texts).map("{0[0]}, {0[1]}; {0[2]}; {0[3]}".format),
        parts.map("; ".join),
    )
    try:
        return to_request(
            dataset_ids or draw(st.lists(st.integers(1, 9), min_size=1)),
            draw(texts),
            [to_creator(text) for text in draw(st.lists(names, max_size=4))],
            get_licence(draw(st.sampled_from([*USUAL, "mit", "MIT-0"]))),
            draw(st.none() | texts),
        )
    except CatalogueError:
        return None


@st.composite
def publications(draw: st.DrawFn) -> PublicationView:
    """Draw a publication that was accepted, of data that say anything."""
    request = to_request(
        [1],
        draw(lines),
        draw(people),
        get_licence(draw(st.sampled_from([*USUAL, "mit", "MIT-0"]))),
        draw(st.none() | lines),
    )
    is_open = draw(st.booleans())
    data = DataView(
        dataset_count=draw(sizes),
        file_count=draw(sizes),
        file_size=draw(sizes),
        samples=tuple(draw(st.lists(texts, max_size=3))),
        instruments=tuple(draw(st.lists(st.builds(PublishedInstrument, texts, st.none() | texts), max_size=3))),
        techniques=tuple(draw(st.lists(texts, max_size=3))),
        spans=tuple(draw(st.lists(st.builds(Span, texts, texts, numbers, numbers), max_size=3))),
    )
    return to_view(
        title=request.title,
        abstract=request.abstract,
        creators=request.creators,
        licence=request.licence,
        publisher=draw(texts),
        publisher_address=None,
        kind=draw(st.sampled_from(PublicationKind)),
        publication_date=draw(instants),
        terms=tuple(Term(name) for name in data.techniques),
        is_open=is_open,
        embargo_end=None if is_open else draw(st.none() | instants),
        data=data,
    )


@st.composite
def addresses(draw: st.DrawFn) -> Addresses:
    """Draw where files of any names are."""
    files = st.builds(Download, texts, st.just("https://data.example.org/files/1/a"), st.just("text/plain"), sizes)
    return replace(ADDRESSES, downloads=tuple(draw(st.lists(files, max_size=3))))
