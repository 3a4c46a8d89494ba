"""The real servers that tests and `make facility` start: they come back from a crash, and they leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

import psycopg
import pytest
from redis import Redis

from facility.activemq import ActiveMq
from facility.postgresql import FAST, PostgreSql
from facility.redis import FORGETFUL, RedisServer
from facility.server import ServerFailedError, ServerMissingError, get_program

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 60
# Starts both, tells where their data are, and waits to be killed.
OWNER = """
from facility.postgresql import FAST, PostgreSql
from facility.redis import FORGETFUL, RedisServer
servers = [PostgreSql(FAST), RedisServer(FORGETFUL)]
print(*(server.folder for server in servers), flush=True)
input()
"""


@pytest.fixture
def postgresql() -> Iterator[PostgreSql]:
    server = PostgreSql(FAST)
    yield server
    server.stop()


def find_processes(folder: str) -> list[str]:
    """Return the command lines that name the folder; the kernel empties that of one that ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in found if folder in line]


def count_shared_memory(process: int) -> int:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return sum(int(line.split()[4]) == process for line in lines)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_an_owner_however_it_ends(end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as owner:
        assert owner.stdout is not None
        folders = owner.stdout.readline().split()
        assert all(find_processes(folder) for folder in folders)
        owner.send_signal(end)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(find_processes(folder) or Path(folder).exists() for folder in folders):
        assert time.monotonic() < deadline, [find_processes(folder) for folder in folders]
        time.sleep(0.02)


def test_a_server_ends_with_its_guard(postgresql: PostgreSql) -> None:
    os.kill(postgresql.guard, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while postgresql.is_running():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for path in sorted(postgresql.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    postgresql.folder.rmdir()


def test_postgresql_comes_back_from_a_crash_with_what_was_committed(postgresql: PostgreSql) -> None:
    with psycopg.connect(postgresql.address, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    postgresql.kill()
    assert not postgresql.is_running()
    postgresql.restart()
    with psycopg.connect(postgresql.address) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(1,)]


def test_postgresql_leaves_no_shared_memory_after_a_crash() -> None:
    server = PostgreSql(FAST)
    process = server._process
    server.kill()
    assert count_shared_memory(process) == 1
    server.stop()
    assert count_shared_memory(process) == 0
    assert not server.folder.exists()


def test_postgresql_orders_text_as_people_do(postgresql: PostgreSql) -> None:
    """So that a query that needs the order of bytes, and does not say so, is found out."""
    with psycopg.connect(postgresql.address) as connection:
        assert connection.execute("SELECT 'a' < 'B'").fetchone() == (True,)


def test_redis_for_tests_forgets_all_in_a_crash() -> None:
    server = RedisServer(FORGETFUL)
    with Redis.from_url(server.address) as client:
        client.set("word", "x")
        server.kill()
        server.restart()
        assert client.get("word") is None
    server.stop()


def test_redis_can_be_told_to_keep_what_it_was_given() -> None:
    server = RedisServer({"appendonly": "yes", "appendfsync": "always"})
    with Redis.from_url(server.address) as client:
        client.set("word", "x")
        server.kill()
        server.restart()
        assert client.get("word") == b"x"
    server.stop()


def test_activemq_keeps_a_persistent_message_over_a_crash() -> None:
    server = ActiveMq()
    with connect(server.address) as sender:
        sender.sendall(b"SEND\ndestination:/queue/a\npersistent:true\nreceipt:1\n\nbody\0")
        assert b"RECEIPT" in sender.recv(1000)
    server.kill()
    server.restart()
    with connect(server.address) as receiver:
        receiver.sendall(b"SUBSCRIBE\ndestination:/queue/a\nid:1\n\n\0")
        assert b"\n\nbody\0" in receiver.recv(1000)
    server.stop()


def connect(address: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=PATIENCE_SECONDS)
    connection.sendall(b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0")
    assert connection.recv(1000).startswith(b"CONNECTED")
    return connection


def test_elasticsearch_finds_what_it_was_given(elasticsearch_server: str) -> None:
    index = f"{elasticsearch_server}/found-{os.getpid()}"
    ask(Request(f"{index}/_doc/1?refresh=true", b'{"word": "lysozyme"}', method="PUT"))
    assert b"lysozyme" in ask(Request(f"{index}/_search?q=word:lysozyme"))
    ask(Request(index, method="DELETE"))


def ask(request: Request) -> bytes:
    request.add_header("Content-Type", "application/json")
    with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return bytes(answer.read())


def test_a_server_that_does_not_start_shows_its_log() -> None:
    with pytest.raises(ServerFailedError, match=r"(?s)RedisServer does not start.*nonsense"):
        RedisServer({"nonsense": "1"})


def test_a_program_that_is_not_there_is_named_with_its_package() -> None:
    with pytest.raises(ServerMissingError, match=r"apt-get install somewhere$"):
        get_program("no-such-program", "somewhere")
