"""HEAD wherever there is GET, and which methods a path has (RFC 9110, 9.3.2 and 10.2.1)."""

from typing import Final

from fastapi import Request
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KNOWN: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class HeadRequests:
    """Answers HEAD as GET, without the body.

    A route that declares HEAD itself is asked as it is: making the body of a download only to drop it costs too much.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, as one for GET where nothing else answers it."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        asked = scope if "HEAD" in _find_declared(scope) else {**scope, "method": "GET"}
        await self.app(asked, receive, send_without_body)


def find_methods(request: Request) -> list[str]:
    """Return the methods that the path of the request has, with those that every path has; nothing if there is none."""
    declared = _find_declared(request.scope)
    if not declared:
        return []
    return sorted(declared | {"OPTIONS"} | ({"HEAD"} if "GET" in declared else set()))


def _find_declared(scope: Scope) -> set[str]:
    # A mounted application has moved the root path to itself.
    asked = {**scope, "root_path": scope.get("app_root_path", scope.get("root_path", ""))}
    found: set[str] = set()
    for route in scope["app"].router.routes:
        methods = ("GET", "HEAD") if isinstance(route, Mount) else _KNOWN
        found.update(method for method in methods if route.matches({**asked, "method": method})[0] is Match.FULL)
    return found
