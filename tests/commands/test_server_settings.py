"""What the server believes of who stands before it."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from api.settings import ApiSettings
from ingest.server import listen, to_config

if TYPE_CHECKING:
    from pathlib import Path

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


def test_answers_in_two_parts_do_not_wait_for_the_client() -> None:
    with (
        listen("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_token_in_an_address_is_not_logged(data_folder: Path) -> None:
    assert not data_folder.exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-c", "from ingest.cli import main; main()", "serve", "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while get_status(f"http://127.0.0.1:{port}/health/live") != 200 and server.poll() is None:
            time.sleep(0.1)
        path = f"icatplus/dataacquisition/nxcat_{'Ab-_' * 11}/investigation?instrumentName=id00"
        assert get_status(f"http://127.0.0.1:{port}/{path}") == 401
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=60)
    assert "GET /icatplus/dataacquisition/nxcat_.../investigation?instrumentName=id00" in output
    assert "Ab-_" not in output


def get_status(address: str) -> int:
    try:
        with urllib.request.urlopen(address) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with suppress(OSError):
            refused.close()
        return refused.code
    except OSError:
        return 0
