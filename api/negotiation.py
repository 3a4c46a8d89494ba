"""Which of several forms a client is answered in: proactive negotiation by media type (RFC 9110, 12)."""

from collections.abc import Sequence

import mimeparse

from ingest.catalogue.errors import CatalogueError


class NotAcceptableError(CatalogueError):
    """The client takes none of the media types that there are."""

    def __init__(self, offers: Sequence[str]) -> None:
        self.offers = tuple(offers)
        super().__init__(f"this is to be had as {', '.join(offers)}, and the Accept header takes none of them")


def choose_media_type(accept: str | None, offers: Sequence[str]) -> str:
    """Return which of the offers the Accept header likes best; among equals the one named most exactly, then the first.

    The most specific range that fits an offer tells its quality (RFC 9110, 12.5.1). No header, or one that is none,
    takes anything. Raises NotAcceptableError.
    """
    if accept is None or not accept.strip(" ,\t"):
        return offers[0]
    try:
        # Media types are the same in any case of letters; of equals the library takes the last.
        best: str = mimeparse.best_match([*reversed(offers)], accept.lower())
    except mimeparse.MimeTypeParseException:
        return offers[0]
    if not best:
        raise NotAcceptableError(offers)
    return best
