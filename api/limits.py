"""How much a request may bring along."""

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import to_problem

MAX_BODY: Final = 4 * 2**20
"""In bytes: a thousand paths of the greatest length, as one may name them in one order."""
MAX_ADDRESS: Final = 60_000
"""In characters, percent-encoded: the server reads 64 kB of a request before its body, and hangs up on more."""
_DETAIL: Final = f"a request has at most {MAX_BODY} bytes: say it in several"


class BodyLimit:
    """Refuses a body that is too large, before it is read if the request tells, else as soon as it shows."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "0")
        if told.isdecimal() and int(told[:20]) > MAX_BODY:
            status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            await to_problem(Request(scope), status, code=status.name.lower(), detail=_DETAIL)(scope, receive, send)
            return
        size = 0

        async def receive_counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _DETAIL)
            return message

        await self.app(scope, receive_counted, send)
