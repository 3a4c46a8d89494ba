"""Caching: an answer has an entity tag made of what is in it, and is not sent again to who has it already.

RFC 9110, 13 (conditional requests), 8.8.3 (entity tags), 15.4.5 (304); RFC 9111 (what a cache may keep). Nothing is
gathered here: an answer that comes in one piece is in memory anyhow, and one that is streamed passes through untouched,
as does one that has an entity tag already, such as a file's.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import STATUS_CODES, to_problem
from api.preconditions import PreconditionFailedError, Validators, is_known
from ingest.catalogue.model.base import utc_now

JSON: Final = "application/json"
_KEPT_OF_CONTENT: Final = ("content-location", "content-security-policy")
"""A cache puts the headers of a 304 in the place of those it has: without its policy a page would lose its style."""
_OF_THE_BODY: Final = ("last-modified", "link")


class ConditionalRequests:
    """Answers each GET whose answer is whole as RFC 9110 has it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and look at the answer when its first piece is there."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_with_tag(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                held, start = start, None
                if _is_whole(held, message):
                    await _answer(scope, receive, send, held, message)
                    return
                await send(held)
            await send(message)

        await self.app(scope, receive, send_with_tag)


def to_etag(content_type: str, body: bytes) -> str:
    """Return the strong entity tag of a body: the same bytes of the same kind have the same, for ever."""
    digest = sha256(content_type.encode("latin-1") + b"\0" + body).digest()
    return f'"{urlsafe_b64encode(digest[:18]).decode()}"'


def _is_whole(start: Message, first: Message) -> bool:
    is_one_piece = first["type"] == "http.response.body" and not first.get("more_body", False)
    return is_one_piece and start["status"] == HTTPStatus.OK and "etag" not in Headers(raw=start["headers"])


async def _answer(scope: Scope, receive: Receive, send: Send, start: Message, body: Message) -> None:
    asked, headers = Headers(scope=scope), MutableHeaders(scope=start)
    headers["ETag"] = to_etag(headers.get("content-type", ""), body.get("body", b""))
    headers.setdefault("Cache-Control", "private, no-cache" if "authorization" in asked else "no-cache")
    _add_vary(headers, "Authorization")
    try:
        has_it = is_known(asked, Validators(headers["ETag"], None, utc_now()))
    except PreconditionFailedError as error:
        status = STATUS_CODES[PreconditionFailedError]
        await to_problem(Request(scope), status, code="precondition_failed", detail=str(error))(scope, receive, send)
        return
    if has_it:
        start["status"] = HTTPStatus.NOT_MODIFIED
        body = {**body, "body": b""}
        for name in headers.keys():  # noqa: SIM118 (its own iterator would see the deletions)
            if _is_of_the_body(name):
                del headers[name]
    await send(start)
    await send(body)


def _is_of_the_body(name: str) -> bool:
    return name in _OF_THE_BODY or (name.startswith("content-") and name not in _KEPT_OF_CONTENT)


def _add_vary(headers: MutableHeaders, name: str) -> None:
    """Leave Vary naming the request header, too; what the route says stays."""
    named = [each.strip() for value in headers.getlist("vary") for each in value.split(",")]
    if "*" not in named and name.lower() not in (each.lower() for each in named):
        headers["Vary"] = ", ".join(filter(None, [*named, name]))
