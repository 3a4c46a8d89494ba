"""PostgreSQL 15 or newer, from Debian's package."""

from __future__ import annotations

import os
import pwd
import secrets
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from facility.server import Program, Server, ServerFailedError, find_free_port, get_program, make_folder, to_run_as

if TYPE_CHECKING:
    from collections.abc import Mapping

FAST = {"fsync": "off", "full_page_writes": "off"}
"""For tests: a killed server loses nothing by it, a machine that loses its power does."""


class PostgreSql(Server):
    """A cluster of its own; `address` is that of its first database, as libpq writes it.

    Its locale orders text as people do (ICU, English): what needs the order of bytes must say so.
    """

    def __init__(self, settings: Mapping[str, str], *, password: str | None = None, owner: int | None = None) -> None:
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name))[::-1]
        postgres = get_program("postgres", "postgresql", folders)
        user = _find_user()
        folder, port = make_folder("postgresql", user), find_free_port()
        password = password or secrets.token_urlsafe(16)
        _make_cluster(postgres, folder, user, password)
        address = f"postgresql://nxcat:{password}@127.0.0.1:{port}/postgres"
        own = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "dynamic_shared_memory_type": "mmap",  # in the folder, and gone with it
        }
        words = [f"--{name}={value}" for name, value in (own | dict(settings)).items()]
        super().__init__(
            address,
            folder,
            # SIGINT is what PostgreSQL calls a fast shutdown: it waits for no client.
            Program([postgres, "-D", str(folder / "data"), *words], user=user, stop_signal=signal.SIGINT),
            lambda: _answers(address),
            owner=owner,
        )


def _find_user() -> str | None:
    """Return as whom PostgreSQL runs if we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _make_cluster(postgres: str, folder: Path, user: str | None, password: str) -> None:
    initdb = get_program("initdb", "postgresql", [Path(postgres).resolve().parent])
    (folder / "password").write_text(password)
    locale = ["--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"]
    access = ["--username=nxcat", "--auth=password", f"--pwfile={folder / 'password'}"]
    command = [*to_run_as(user), initdb, "-D", str(folder / "data"), "--no-sync", *locale, *access]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603
    if done.returncode:
        raise ServerFailedError("initdb", done.stderr)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
