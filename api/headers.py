"""Headers that every answer carries: an id of the request, and what a browser may do with the answer."""

from typing import Final
from uuid import uuid4

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""An answer that a browser shows as a page may load nothing at all."""
READ_AND_ORDER: Final = ("GET", "HEAD", "POST", "PATCH")
"""The methods that a page of another origin may use."""
ASKED_ACROSS: Final = ("Authorization", "If-Match", "If-None-Match", "If-Range", "Range")
"""The headers that it may send, besides those that every page may."""
SHOWN_ACROSS: Final = (
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Link",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
)
"""The headers of the answer that its script may read."""


class ResponseHeaders:
    """Gives each request an id, and each answer its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and set the headers when the answer begins."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = get_request_id(Request(scope))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                secure_headers(MutableHeaders(scope=message), request_id)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def get_request_id(request: Request) -> str:
    """Return the id of this request, made at the first call."""
    if not hasattr(request.state, "request_id"):
        request.state.request_id = uuid4().hex
    request_id: str = request.state.request_id
    return request_id


def secure_headers(headers: MutableHeaders, request_id: str) -> None:
    """Set the headers that every answer has; one that a route has set itself stays."""
    headers["X-Request-ID"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Content-Security-Policy", DATA_POLICY)
