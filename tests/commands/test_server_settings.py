"""What the server believes of who stands before it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api.settings import ApiSettings
from ingest.server import to_config

PROXY, BROWSER = "198.51.100.7", "203.0.113.9"
TOLD = [(b"x-forwarded-for", BROWSER.encode()), (b"x-forwarded-proto", b"https")]


async def ask(settings: ApiSettings, client: str) -> dict[str, Any]:
    """Return what the application is told of a request that comes from that machine with a proxy's headers."""
    seen: dict[str, Any] = {}

    async def application(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
        seen.update(scope)

    config = to_config(settings, "warning")
    config.app, config.factory = application, False
    config.load()
    scope = {"type": "http", "scheme": "http", "client": (client, 1), "path": "/", "headers": TOLD, "root_path": ""}
    await config.loaded_app(scope, None, None)
    return seen


@pytest.mark.parametrize(
    ("trusted", "client", "is_believed"),
    [
        (PROXY, PROXY, True),
        (f"192.0.2.1, {PROXY}", PROXY, True),
        ("198.51.100.0/24", PROXY, True),
        ("*", PROXY, True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", PROXY, False),
        ("", PROXY, False),
        ("", "127.0.0.1", False),
    ],
)
def test_only_a_trusted_proxy_says_who_asks_and_how(trusted: str, client: str, is_believed: bool) -> None:
    seen = asyncio.run(ask(ApiSettings(trusted_proxies=trusted), client))
    assert (seen["scheme"], seen["client"][0]) == (("https", BROWSER) if is_believed else ("http", client))


def test_path_below_which_a_proxy_shows_the_service_is_handed_on() -> None:
    assert to_config(ApiSettings(root_path="/catalogue"), "info").root_path == "/catalogue"
