"""Redis, from Debian's package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError

from facility.server import Program, Server, find_free_port, get_program, make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

FORGETFUL = {"save": "", "appendonly": "no"}
"""For tests: nothing is written to disk, and nothing is there after a crash."""


class RedisServer(Server):
    """A Redis of its own; `address` is without the number of a database."""

    def __init__(self, settings: Mapping[str, str], *, owner: int | None = None) -> None:
        program = get_program("redis-server", "redis-server")
        folder, port = make_folder("redis"), find_free_port()
        own = {"bind": "127.0.0.1", "port": str(port), "dir": str(folder), "daemonize": "no"}
        words = [word for name, value in (own | dict(settings)).items() for word in (f"--{name}", value)]
        password = settings.get("requirepass")
        address = f"redis://:{password}@127.0.0.1:{port}" if password else f"redis://127.0.0.1:{port}"
        super().__init__(address, folder, Program([program, *words]), lambda: _answers(address), owner=owner)


def _answers(address: str) -> bool:
    try:
        with Redis.from_url(address, socket_timeout=5) as client:
            return bool(client.ping())
    except RedisError:
        return False
