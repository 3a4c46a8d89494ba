"""The whole facility on this machine: what docker-compose.yml says, without a container engine.

Our services run with the command and the environment that stand there; engines are local servers with the settings that
stand there. What a container would give is given here: names of services become addresses, and ports free ones. An
engine's own start-up is not imitated: Elasticsearch's security is in no part that can be had, and is left out.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg

from facility.activemq import ActiveMq
from facility.compose import Service, read_compose
from facility.elasticsearch import Elasticsearch
from facility.postgresql import PostgreSql
from facility.redis import RedisServer
from facility.server import Program, Server, find_free_port, make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COMPOSE: Final = Path(__file__).parents[1] / "docker-compose.yml"
PASSWORDS: Final = ("DATABASE", "ELASTICSEARCH", "QUEUE", "BROKER")
NXCAT: Final = str(Path(sys.executable).with_name("nxcat"))
PATIENCE_SECONDS: Final = 180
_CHECK_SECONDS: Final = 30


class CommandFailedError(Exception):
    """A command of ours came to a bad end; `output` says why."""

    def __init__(self, command: str, output: str) -> None:
        self.command, self.output = command, output
        super().__init__(f"{command} failed:\n{output}")


class Facility:
    """Engines and services that run, by their names in the file.

    `address` is that of the API; `environment` is what its service has, and so what commands beside it need.
    """

    def __init__(self, compose: Path, root: Path, *, profiles: frozenset[str], port: int | None = None) -> None:
        passwords = {f"NXCAT_{name}_PASSWORD": secrets.token_hex(12) for name in PASSWORDS}
        self._services = {
            name: service
            for name, service in read_compose(compose, {"NXCAT_ROOT": str(root), **passwords}).items()
            if not service.profiles or profiles & set(service.profiles)
        }
        self._places: dict[str, str] = {}
        self.folder = make_folder("facility")
        self.servers: dict[str, Server] = {}
        self._port = port or find_free_port()
        self.address = f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """What the API's service has in its environment."""
        return self._to_environment(self._services["api"])

    def start(self) -> None:
        """Start what the file names, each when those that it waits for are ready."""
        waiting = dict(self._services)
        while waiting:
            ready = [service for service in waiting.values() if not service.depends_on.keys() & waiting.keys()]
            with ThreadPoolExecutor() as together:
                list(together.map(self._start_one, ready))
            for service in ready:
                del waiting[service.name]

    def stop(self) -> None:
        """End everything, the last first, and leave nothing of it."""
        while self.servers:
            self.servers.popitem()[1].stop()
        shutil.rmtree(self.folder)

    def restart_ended(self) -> None:
        """Start again what has ended by itself, as the file has it done (`restart: unless-stopped`)."""
        for server in self.servers.values():
            if not server.is_running():
                server.restart()

    def run(self, *words: str) -> str:
        """Run an `nxcat` command beside the API and return what it printed; raises CommandFailedError."""
        return _run([NXCAT, *words], self.environment)

    def wait_until_ingested(self, count: int) -> None:
        """Return when that many files have been looked at and all that came of them is indexed; raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = json.loads(self.run("status", "--json"))
            looked_at = sum(status["masters"].values()) - status["masters"].get("ready", 0)
            if looked_at >= count and not status["unindexed_count"]:
                return
            time.sleep(0.5)
        raise TimeoutError(f"the workers did not ingest all in time:\n{self.run('status')}")

    def _start_one(self, service: Service) -> None:
        if service.name in _ENGINES:
            server = _ENGINES[service.name](service)
            self._places[service.name] = server.address.rsplit("@")[-1].split("//")[-1].split("/")[0]
            self.servers[service.name] = server
        elif "service_completed_successfully" in self._list_conditions(service.name):
            _run(_to_local(service.command), self._to_environment(service))
        else:
            self.servers[service.name] = self._start_service(service)

    def _start_service(self, service: Service) -> Server:
        environment = self._to_environment(service)
        return Server(
            self.address if service.name == "api" else service.name,
            make_folder(service.name),
            Program(_to_local(service.command), environment=environment),
            lambda: self._is_healthy(service, environment),
        )

    def _is_healthy(self, service: Service, environment: Mapping[str, str]) -> bool:
        """Return whether the check that the file has for it goes well; without one, it has started and that is all."""
        if not service.healthcheck:
            return True
        words = [word.replace("127.0.0.1:8000", f"127.0.0.1:{self._port}") for word in service.healthcheck[1:]]
        done = subprocess.run(  # noqa: S603 (what the file says)
            _to_local(words), env=environment, capture_output=True, timeout=_CHECK_SECONDS, check=False
        )
        return done.returncode == 0

    def _list_conditions(self, name: str) -> set[str]:
        return {other.depends_on[name] for other in self._services.values() if name in other.depends_on}

    def _to_environment(self, service: Service) -> dict[str, str]:
        """Return what the service finds in its environment: what the file says, and what a container would give."""
        own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        said = {name: self._to_local_address(value) for name, value in service.environment.items()}
        given = {"NXCAT_DATA": str(self.folder / "data"), "NXCAT_METRICS_PORT": str(find_free_port())}
        if service.name == "api":
            # As the file publishes it: on this machine alone.
            given |= {"NXCAT_API_HOST": "127.0.0.1", "NXCAT_API_PORT": str(self._port)}
            given |= {"NXCAT_API_PUBLIC_URL": self.address}
        return own | said | given

    def _to_local_address(self, value: str) -> str:
        for name, place in self._places.items():
            value = re.sub(rf"(?<=[@/]){name}:\d+", place, value)
        return value


@contextmanager
def running(root: Path, *, profiles: frozenset[str] = frozenset(), port: int | None = None) -> Iterator[Facility]:
    """Yield the facility that catalogues this folder, all of it ready; nothing of it is there afterwards."""
    facility = Facility(COMPOSE, root, profiles=profiles, port=port)
    try:
        facility.start()
        yield facility
    finally:
        facility.stop()


def _start_postgresql(service: Service) -> Server:
    said = service.environment
    server = PostgreSql(service.read_options("-c"), password=said["POSTGRES_PASSWORD"])
    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {said['POSTGRES_DB']}".encode())
    return server


def _start_elasticsearch(service: Service) -> Server:
    said = service.environment.items()
    known = {name: value for name, value in said if "." in name and not name.startswith("xpack.")}
    heap = re.search(r"-Xmx(\w+)", service.environment["ES_JAVA_OPTS"])
    return Elasticsearch(known, heap=heap[1] if heap else "1g")


def _start_redis(service: Service) -> Server:
    return RedisServer(service.read_options("--"))


def _start_activemq(_service: Service) -> Server:
    return ActiveMq()


_ENGINES: Final[dict[str, Callable[[Service], Server]]] = {
    "postgresql": _start_postgresql,
    "elasticsearch": _start_elasticsearch,
    "redis": _start_redis,
    "activemq": _start_activemq,
}


def _to_local(command: tuple[str, ...] | list[str]) -> list[str]:
    """Return the command with the programs of this installation in place of the image's."""
    programs = {"nxcat": NXCAT, "python": sys.executable}
    return [programs.get(command[0], command[0]), *command[1:]]


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CommandFailedError(" ".join(command), done.stdout + done.stderr)
    return done.stdout
